"""The query service of Log Analytics (`api.loganalytics.io`): one table of a workspace or of a resource, and batches.

A workspace is known by its customer id. Who asks needs `…/workspaces/query/read` there; for a resource's own logs
`Microsoft.Insights/logs/<table>/read` at the resource, or the right at a workspace that holds them.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from avdtwin import kql, tokens
from avdtwin.arm import log_workspaces, rights, store
from avdtwin.clock import parse_iso
from avdtwin.logs import errors, tables, timespan
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router, WireError
from avdtwin.world import World

_QUERY = f"{log_workspaces.TYPE}/query/read"
_MOST_IN_BATCH = 100
_CUSTOMER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ROUTER = Router()


def handle(world: World, request: Request) -> Response:
    """One call: signed in for this service, then the route."""
    try:
        _admit(world, request)
        return _routed(world, request)
    except WireError as error:
        return error.response


def too_large(world: World, request: Request) -> Response:
    return errors.refuse(world, "BadArgumentError", message="The request is too large", status=413).response


_FAILURES = {
    429: ("TooManyRequestsError", "The request is being throttled. Please try again later"),
    500: ("InternalServerError", "An internal server error occurred"),
    503: ("ServiceUnavailableError", "The service is temporarily unavailable"),
}


def failure(world: World, request: Request, status: int, code: str | None, message: str | None) -> Response:
    """An error that a fault wants."""
    usual = _FAILURES.get(status, ("UnknownError", "The request failed"))
    return errors.refuse(world, code or usual[0], message=message or usual[1], status=status).response


def _admit(world: World, request: Request) -> None:
    header = request.headers.get("authorization")
    if not header:
        raise errors.refuse(world, "AuthorizationRequiredError")
    try:
        request.principal = tokens.read_access(world, header)
        tokens.require_audience(request.principal, "logs", request.origin)
    except tokens.BadToken as error:
        raise errors.bad_token(world) from error


def _routed(world: World, request: Request) -> Response:
    found = _ROUTER.find(request.method, request.path)
    if not isinstance(found, tuple):
        raise errors.refuse(world, "PathNotFoundError")
    request.route, handler, parameters = found
    return handler(world, request, **parameters)


# ---------------------------------------------------------------- routes


@_ROUTER.route("GET", "POST", "/v1/workspaces/{workspace}/query")
def query_workspace(world: World, request: Request, workspace: str) -> Response:
    if not _CUSTOMER_ID.fullmatch(workspace):
        raise errors.refuse(world, "PathNotFoundError")  # as people who gave a name were told
    asked = _asked(world, request)
    found = [_readable(world, request, name) for name in (workspace, *_others(world, asked))]
    return _answer(world, asked, lambda name, within: tables.find(world, found, name, within))


@_ROUTER.route("GET", "POST", "/v1/{resource*}/query")
def query_resource(world: World, request: Request, resource: str) -> Response:
    """The logs of a resource and of what lies in it, wherever they were sent to."""
    key = f"/{resource}".lower()
    if not key.startswith("/subscriptions/"):
        raise errors.refuse(world, "PathNotFoundError")
    if store.get(world, key) is None and key.removeprefix("/subscriptions/") not in world.state.arm.subscriptions:
        raise errors.refuse(world, "ResourceNotFoundError", message=f"The resource /{resource} was not found")

    def find(name: str, within: timespan.Bounds) -> kql.Table | None:
        every = list(log_workspaces.all_of(world))
        allowed = every if _may(world, request, f"Microsoft.Insights/logs/{name}/read", key) else []
        allowed = allowed or [each for each in every if _may(world, request, _QUERY, each.id)]
        if not allowed:
            raise errors.refuse(world, "InsufficientAccessError")
        return tables.find(world, allowed, name, within, key)

    return _answer(world, _asked(world, request), find)


@_ROUTER.route("POST", "/v1/$batch")
def batch(world: World, request: Request) -> Response:
    """Each query answers for itself, in no order that means anything."""
    steps = _body(world, request).get("requests")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise errors.bad_body(world, "InvalidProperty", "'requests' must be a list of objects", "requests")
    ids = [str(step.get("id") or "") for step in steps]
    if "" in ids or len(set(ids)) < len(ids) or len(ids) > _MOST_IN_BATCH:
        text = f"each request needs an id of its own, and a batch takes {_MOST_IN_BATCH}"
        raise errors.bad_body(world, "InvalidProperty", text, "requests")
    answers = [_step(world, request, step) for step in steps]
    return Response(body={"responses": answers})


def _step(world: World, request: Request, step: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/workspaces/{step.get('workspace')}{step.get('path') or ''}"
    method = str(step.get("method") or "GET").upper()
    body = b"" if method == "GET" else json.dumps(step.get("body")).encode()
    inner = msgspec.structs.replace(request, method=method, path=path, query={}, body=body)
    try:
        answer = _routed(world, inner)
    except WireError as error:
        answer = error.response
    return {"id": step["id"], "status": answer.status, "headers": {}, "body": answer.body}


# ---------------------------------------------------------------- what is asked, and by whom


def _asked(world: World, request: Request) -> dict[str, Any]:
    """`query`, `timespan` and `workspaces`: of the address for GET, of the body for POST."""
    given: dict[str, Any] = dict(request.query) if request.method == "GET" else _body(world, request)
    for name in ("query", "timespan"):
        if given.get(name) is not None and not isinstance(given[name], str):
            raise errors.bad_body(world, "InvalidProperty", f"'{name}' must be a text", name)
    if not str(given.get("query") or "").strip():
        raise errors.bad_body(world, "MissingQuery", "A query is missing", "query")
    return given


def _body(world: World, request: Request) -> dict[str, Any]:
    try:
        found = request.json()
    except ValueError as error:
        raise errors.bad_body(world, "InvalidJsonBody", str(error)) from error
    if not isinstance(found, dict):
        raise errors.bad_body(world, "InvalidJsonBody", "an object was expected")
    return found


def _others(world: World, asked: dict[str, Any]) -> list[str]:
    """Further workspaces: their customer ids, names or resource ids."""
    given = asked.get("workspaces") or []
    if isinstance(given, str):
        given = given.split(",")
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise errors.bad_body(world, "InvalidProperty", "'workspaces' must be a list of texts", "workspaces")
    return given


def _readable(world: World, request: Request, name: str) -> Resource:
    """The workspace of a customer id, name or resource id that the caller may query. Raises 404 and 403."""
    wanted = name.strip().lower()
    every = log_workspaces.all_of(world)
    found = next((each for each in every if wanted in _names_of(each)), None)
    if found is None:
        raise errors.refuse(world, "WorkspaceNotFoundError")
    if not _may(world, request, _QUERY, found.id):
        raise errors.refuse(world, "InsufficientAccessError")
    return found


def _names_of(workspace: Resource) -> tuple[str, str, str]:
    return workspace.properties["customerId"], workspace.id.lower(), workspace.name.lower()


def _may(world: World, request: Request, action: str, scope: str) -> bool:
    assert request.principal is not None, "the call was not authenticated"
    return not world.setting("rights_enforced") or rights.allows(world, request.principal.object_id, action, scope)


# ---------------------------------------------------------------- the answer


Find = Callable[[str, timespan.Bounds], kql.Table | None]


def _answer(world: World, asked: dict[str, Any], find: Find) -> Response:
    try:
        within = timespan.bounds(str(asked.get("timespan") or ""), world.now)
    except ValueError as error:
        raise errors.bad_body(world, "InvalidTimespan", str(error), "timespan") from error
    try:
        found = kql.run(str(asked["query"]), lambda name: find(name, within), now=world.now)
    except kql.BadQuery as error:
        raise errors.bad_query(world, error) from error
    except (TypeError, ArithmeticError) as error:
        raise errors.bad_query(world, kql.BadQuery(str(error), code="SEM0064")) from error
    assert found.columns is not None, "a table of a workspace has columns"
    columns = [{"name": name, "type": kind} for name, kind in found.columns.items()]
    rows = [[_shown(row.get(name), kind) for name, kind in found.columns.items()] for row in found.rows]
    return Response(body={"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})


_FIRST, _LAST = parse_iso("0001-01-02T00:00:00Z"), parse_iso("9999-12-30T00:00:00Z")


def _shown(value: Any, kind: str) -> Any:
    if value is None:
        return "" if kind == "string" else None
    if kind == "datetime":
        return kql.moment(value) if _FIRST <= value <= _LAST else None
    if kind == "timespan":
        return kql.span(value)
    if kind == "dynamic" and not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    return value
