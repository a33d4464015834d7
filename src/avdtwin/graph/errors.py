"""Errors of Graph: `{"error": {"code": …, "message": …, "innerError": {…}}}` (texts: facts, arm-service 8)."""

from avdtwin.clock import iso
from avdtwin.tokens import BadToken
from avdtwin.wire import Request, Response, WireError
from avdtwin.world import World


def refuse(world: World, request: Request, status: int, code: str, message: str) -> WireError:
    request_id = world.guid("graph")
    inner = {
        "date": (iso(world.now, 0) or "").rstrip("Z"),
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
    }
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return WireError(Response(status=status, body=body))


def bad_request(world: World, request: Request, message: str) -> WireError:
    return refuse(world, request, 400, "Request_BadRequest", message)


def not_found(world: World, request: Request, object_id: str) -> WireError:
    """404 of an object, or of one it refers to: the service says the same for both."""
    message = f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
    return refuse(world, request, 404, "Request_ResourceNotFound", message)


def unsupported(world: World, request: Request, what: str) -> WireError:
    return refuse(world, request, 400, "Request_UnsupportedQuery", f"Unsupported or invalid query: {what}")


def unauthorized(world: World, request: Request, error: BadToken) -> Response:
    """401 with the challenge that Azure's clients look for."""
    message = {
        "AuthenticationFailed": "Access token is empty.",
        "ExpiredAuthenticationToken": "Lifetime validation failed, the token is expired.",
        "InvalidAuthenticationTokenAudience": "Access token validation failure. Invalid audience.",
    }.get(error.code, "Access token validation failure.")
    response = refuse(world, request, 401, "InvalidAuthenticationToken", message).response
    authority = f"{request.origin}/common/oauth2/authorize"
    response.headers["www-authenticate"] = (
        f'Bearer realm="", authorization_uri="{authority}", client_id="00000003-0000-0000-c000-000000000000"'
    )
    return response
