"""Microsoft Graph v1.0 as far as a migration needs it: users, groups, members, applications, policies, batches.

Any application or user of the directory may call all of it: the twin does not know Graph's permissions.
"""

import re
from urllib.parse import unquote

from avdtwin import tokens
from avdtwin.graph import batch, directory_objects, errors, groups, limits, members, users
from avdtwin.wire import Request, Response, Router, WireError
from avdtwin.world import World

_ROUTER = Router()
for _part in (users, groups, members, directory_objects):
    _part.register(_ROUTER)

_KEY_IN_PARENTHESES = re.compile(r"^(/v1\.0/\w+)\((?:(\w+)=)?'([^']*)'\)(.*)$", re.I)


def handle(world: World, request: Request) -> Response:
    """One call: signed in for Graph, then the batch or the route."""
    try:
        request.principal = tokens.read_access(world, request.headers.get("authorization"))
        tokens.require_audience(request.principal, "graph", request.origin)
    except tokens.BadToken as error:
        return _with_ids(world, request, errors.unauthorized(world, request, error))
    try:
        if request.method == "POST" and unquote(request.path).rstrip("/").lower() == "/v1.0/$batch":
            answer = batch.answer(world, request, _call)
        else:
            answer = _call(world, request)
    except WireError as error:
        answer = error.response
    return _with_ids(world, request, answer)


def too_large(world: World, request: Request) -> Response:
    return errors.refuse(world, request, 413, "RequestEntityTooLarge", "The request is too large.").response


_FAILURES = {
    429: ("TooManyRequests", "Please retry again later."),
    500: ("InternalServerError", "An internal server error occurred."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
}


def failure(world: World, request: Request, status: int, code: str | None, message: str | None) -> Response:
    """An error that a fault wants."""
    usual = _FAILURES.get(status, ("UnknownError", "The request failed."))
    response = errors.refuse(world, request, status, code or usual[0], message or usual[1]).response
    return _with_ids(world, request, response)


def _call(world: World, request: Request) -> Response:
    request.path = _plain_path(request.path)
    found = _ROUTER.find(request.method, request.path)
    try:
        told = limits.take(world, request)
        if found is None:
            segment = request.path.rstrip("/").rsplit("/", 1)[-1]
            message = f"Resource not found for the segment '{unquote(segment)}'."
            raise errors.refuse(world, request, 400, "BadRequest", message)
        if isinstance(found, set):
            message = f"Specified HTTP method is not allowed for the request target: {request.method}."
            raise errors.refuse(world, request, 405, "Request_BadRequest", message)
        request.route, handler, parameters = found
        response = handler(world, request, **parameters)
        response.headers = told | response.headers
        return response
    except WireError as error:
        return error.response


def _plain_path(path: str) -> str:
    """OData's keys in parentheses as segments: `/users('x')` is `/users/x`, `/servicePrincipals(appId='x')` is
    `/servicePrincipals/appId=x`.
    """
    match = _KEY_IN_PARENTHESES.match(path.replace("%27", "'").replace("%28", "(").replace("%29", ")"))
    if match is None:
        return path
    head, name, key, tail = match.groups()
    return f"{head}/{name}={key}{tail}" if name else f"{head}/{key}{tail}"


def _with_ids(world: World, request: Request, response: Response) -> Response:
    request_id = world.guid("graph")
    client_id = request.headers.get("client-request-id", request_id)
    response.headers = {"request-id": request_id, "client-request-id": client_id, **response.headers}
    return response
