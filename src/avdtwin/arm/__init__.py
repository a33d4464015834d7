"""Azure Resource Manager: one gateway in front of the providers.

The gateway finds the route, checks the token, the API version, the subscription and the token buckets, and stamps every
answer with the ids and headers of facts/arm-service 2.3. Desktop virtualization is here; resources, authorization and
compute register their own routes.
"""

from functools import cache

from avdtwin import tokens
from avdtwin.arm import (
    applications,
    desktops,
    errors,
    groups,
    hostpools,
    images,
    limits,
    lock_check,
    operations,
    packages,
    private_links,
    scaling_plans,
    schedules,
    session_hosts,
    start_menu,
    user_sessions,
    versions,
    workspaces,
)
from avdtwin.arm.headers import stamp
from avdtwin.arm.routes import ROUTES
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

__all__ = ["failure", "handle", "too_large"]

_PROVIDER_MODULES = (
    hostpools,
    groups,
    applications,
    desktops,
    start_menu,
    workspaces,
    session_hosts,
    user_sessions,
    scaling_plans,
    schedules,
    packages,
    images,
    private_links,
)
"""Imported for their routes: each adds its own to ROUTES."""

_NEEDS_NO_TOKEN = "metadata"
"""First segment of the paths that a client reads before it signs in."""


def handle(world: World, request: Request) -> Response:
    """Answer one call; every answer is stamped, errors too."""
    activity_id = world.guid("arm-activity")
    try:
        response = _answer(world, request)
    except errors.ProviderError as error:
        response = error.with_activity(activity_id)
    except errors.WireError as error:
        response = error.response
    return stamp(world, request, response, activity_id)


def too_large(world: World, request: Request) -> Response:
    """The answer to a body over the limit."""
    error = errors.gateway(413, "RequestContentTooLarge", "The request content exceeds the maximum size of '16777216'.")
    return stamp(world, request, error.response, world.guid("arm-activity"))


_FAILURES = {
    429: ("TooManyRequests", "The request is being throttled. Please try again later."),
    500: ("InternalServerError", "Encountered an internal server error."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable. Please try again later."),
}


def failure(world: World, request: Request, status: int, code: str | None, message: str | None) -> Response:
    """An error that a fault wants."""
    usual = _FAILURES.get(status, ("RequestFailed", "The request failed."))
    error = errors.gateway(status, code or usual[0], message or usual[1])
    return stamp(world, request, error.response, world.guid("arm-activity"))


def _answer(world: World, request: Request) -> Response:
    segments = [part for part in request.path.split("/", 4) if part]
    if segments and segments[0].lower() != _NEEDS_NO_TOKEN:
        _admit(world, request, segments)
    found = _router().find(request.method, request.path)
    if not isinstance(found, tuple):
        raise _no_route(request, found)
    request.route, handler, parameters = found
    return handler(world, request, **parameters)


def _admit(world: World, request: Request, segments: list[str]) -> None:
    """Token, version, subscription and buckets, in the order in which ARM asks for them."""
    try:
        request.principal = tokens.read_access(world, request.headers.get("authorization"))
        tokens.require_audience(request.principal, "arm", request.origin)
    except tokens.BadToken as error:
        raise _unauthorized(world, request, error) from error
    if not versions.of(request):
        raise versions.missing()
    subscription = segments[1].lower() if segments[0].lower() == "subscriptions" and len(segments) > 1 else None
    if subscription is not None and subscription not in world.state.arm.subscriptions:
        raise errors.subscription_not_found(segments[1])
    request.answer_headers |= limits.take(world, request.principal, subscription, request.method)
    if subscription is not None and request.method not in ("GET", "HEAD"):
        lock_check.require_unlocked(world, subscription, request.method, request.path)


def _unauthorized(world: World, request: Request, error: tokens.BadToken) -> errors.WireError:
    authority = f"{request.origin}/{world.state.directory.tenant_id}"
    challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{error.message}"'
    return errors.gateway(401, error.code, error.message, {"WWW-Authenticate": challenge})


def _no_route(request: Request, other_methods: set[str] | None) -> errors.WireError:
    if other_methods:
        allowed = ", ".join(sorted(other_methods))
        message = f"The requested resource does not support http method '{request.method}'."
        return errors.gateway(405, "MethodNotAllowed", message, {"Allow": allowed})
    return errors.gateway(404, "InvalidResourceType", f"Nothing is served at '{request.path}'.")


@cache
def _router() -> Router:
    # The neighbours import this package in their turn, so they come last.
    from avdtwin import compute
    from avdtwin.arm import authorization, resources

    router = Router()
    operations.register(router)
    ROUTES.register(router)
    resources.register(router)
    authorization.register(router)
    compute.register(router)
    return router
