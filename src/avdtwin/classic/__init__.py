"""The classic management service: its routes, its sign-in, its headers (facts/classic-service 2).

Two bases lead to the same routes, and the form without `TenantGroups/{tg}` means the default tenant group.
"""

from urllib.parse import quote
from uuid import UUID

from avdtwin import tokens
from avdtwin.classic import (  # noqa: F401  each module puts its routes in
    app_groups,
    desktops,
    endpoints,
    hosts,
    places,
    pools,
    registrations,
    remote_apps,
    start_menu,
    tenant_groups,
    tenants,
    user_sessions,
    users,
)
from avdtwin.classic.errors import payload, refusal
from avdtwin.classic.limits import take_token
from avdtwin.classic.routes import OPEN, ROUTER
from avdtwin.wire import Request, Response, Router, ServiceGone, WireError
from avdtwin.world import World

CORRELATION = "x-ms-correlation-id"
_BASES = ("rdsmanagement", "rdmanagement")
_CLIENT = "1950a258-227b-4e31-a9cf-717495945fc2"
_REDIRECT = "urn:ietf:wg:oauth:2.0:oob"
_RESOURCE = "https://mrs-prod.ame.gbl/mrs-RDInfra-prod"


def handle(world: World, request: Request) -> Response:
    """Answer one call. Raises ServiceGone when the service has been switched off, unless a setting wants a
    status for that.
    """
    if not world.state.classic.alive:
        return _gone(world)
    try:
        response = _answer(world, request)
    except WireError as error:
        response = error.response
    response.headers = _headers(world, request) | response.headers
    return response


def too_large(world: World, request: Request) -> Response:
    return Response(status=413, body=payload(world, "UnknownError", "The request body is too large."))


def failure(world: World, request: Request, status: int, code: str | None, message: str | None) -> Response:
    """An error that a fault wants; 429 has a text for a body (2.10)."""
    body = message or "Too many requests. Please try again later."
    if status != 429:
        body = payload(world, "UnknownError", message)  # type: ignore[assignment]
    return Response(status=status, body=body, headers=_headers(world, request))


def _gone(world: World) -> Response:
    status = world.setting("classic_gone")
    if status == "unreachable":
        raise ServiceGone("Windows Virtual Desktop (classic) has been switched off")
    return Response(status=int(status))


def _answer(world: World, request: Request) -> Response:
    inner = _inner_path(request.path)
    if inner is None:
        return _dispatch(world, request, OPEN, request.path)
    _authenticate(world, request)
    _check_version(world, request)
    return _dispatch(world, request, ROUTER, inner)


def _inner_path(path: str) -> str | None:
    """The path below the management base, in its long form; None when it is outside."""
    parts = [part for part in path.split("/") if part]
    if len(parts) < 2 or parts[0].lower() not in _BASES or parts[1].lower() != "v1":
        return None
    below = parts[2:]
    if below and below[0].lower() == "tenants":
        below = ["TenantGroups", quote(places.DEFAULT_GROUP), *below]
    return "/" + "/".join(below)


def _dispatch(world: World, request: Request, router: Router, path: str) -> Response:
    found = router.find(request.method, path)
    if isinstance(found, tuple):
        request.route, handler, parameters = found
        return handler(world, request, **parameters)
    if found is None:
        message = f"No HTTP resource was found that matches the request URI '{request.path}'."
        return Response(status=404, body=payload(world, "UnknownError", message))
    message = f"The requested resource does not support http method '{request.method}'."
    headers = {"Allow": ", ".join(sorted(found))}
    return Response(status=405, body=payload(world, "UnknownError", message), headers=headers)


# ---------------------------------------------------------------- sign-in


def _authenticate(world: World, request: Request) -> None:
    """Set the caller. Raises 401 with the discovery answer: where a client may get a token (2.2)."""
    header = request.headers.get("authorization")
    try:
        request.principal = tokens.read_access(world, header)
        tokens.require_audience(request.principal, "classic", request.origin)
    except tokens.BadToken as error:
        code = "MSWaraIsIncorrect" if header else "AccessTokenIsNull"
        body = payload(world, code, error.message)
        raise WireError(Response(status=401, body=body, headers={"WWW-Authenticate": _hint(world, request)})) from error
    take_token(world, request.principal)


def _hint(world: World, request: Request) -> str:
    """The known parser wants five parts between semicolons, so the last pair is closed with one."""
    authority = world.setting("classic_discovery_authority") or f"{request.origin}/common"
    hint = f"Authority={authority};Client={_CLIENT};Redirect={_REDIRECT};Resource={_RESOURCE};"
    return f'MS-WARA-CLAIMS hint="{hint}"'


# ---------------------------------------------------------------- headers


def _headers(world: World, request: Request) -> dict[str, str]:
    """What every answer carries (2.3): the caller's correlation id or a new one, and the versions of the interface."""
    headers = {
        CORRELATION: _correlation(world, request),
        "MinimumApiVersionRequired": str(world.setting("classic_minimum_version")),
        "MinimumWarningApiVersion": str(world.setting("classic_warning_version")),
    }
    version = _version(request)
    if version < _numbers(str(world.setting("classic_minimum_version"))):
        headers["Obsolete-API"] = "true"
    elif version < _numbers(str(world.setting("classic_warning_version"))):
        headers["Deprecated-API"] = "true"
    return headers


def _correlation(world: World, request: Request) -> str:
    try:
        return str(UUID(request.headers.get(CORRELATION, "")))
    except ValueError:
        return world.guid("classic-correlation")


def _check_version(world: World, request: Request) -> None:
    if _version(request) < _numbers(str(world.setting("classic_minimum_version"))):
        raise refusal(world, "MinimumApiVersionNeeded")


def _version(request: Request) -> tuple[int, ...]:
    """The client's; absent or unreadable counts as 1.0."""
    return _numbers(request.headers.get("x-ms-wvd-client-api-version", "1.0"))


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.strip().split(".")
    if not all(part.isdecimal() for part in parts):
        return (1, 0)
    return tuple(int(part) for part in parts)
