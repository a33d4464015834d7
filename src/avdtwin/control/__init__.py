"""control: see the package's modules."""

from avdtwin.wire import Request, Response
from avdtwin.world import World


def handle(world: World, request: Request) -> Response:
    return Response(status=404)


def too_large(world: World, request: Request) -> Response:
    return Response(status=413)
