"""Entra's sign-in endpoints: metadata, tokens, device code."""

from avdtwin.entra import device, errors, metadata, token
from avdtwin.wire import Request, Response, Router, WireError
from avdtwin.world import World

_ROUTER = Router()
metadata.register(_ROUTER)
token.register(_ROUTER)
device.register(_ROUTER)


def handle(world: World, request: Request) -> Response:
    found = _ROUTER.find(request.method, request.path)
    if found is None:
        return Response(status=404, body="")
    if isinstance(found, set):
        return Response(status=405, headers={"allow": ", ".join(sorted(found))})
    request.route, handler, parameters = found
    try:
        return handler(world, request, **parameters)
    except WireError as error:
        return error.response


def too_large(world: World, request: Request) -> Response:
    return Response(status=413)


def failure(world: World, request: Request, status: int, code: str | None, message: str | None) -> Response:
    """An error that a fault wants."""
    text = message or "A transient error has occurred. Please try again."
    return errors.refuse(world, request, status, code or "temporarily_unavailable", 90033, text).response
