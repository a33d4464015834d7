"""Children that the twin never has, listed as empty: what a client reads to be sure that there is nothing."""

from avdtwin.arm import hostpools, workspaces
from avdtwin.arm.ids import Place
from avdtwin.arm.routes import ROUTES
from avdtwin.wire import Request, Response
from avdtwin.world import World


@ROUTES.listing(hostpools.KIND, "privateEndpointConnections")
@ROUTES.listing(workspaces.KIND, "privateEndpointConnections")
def list_none(world: World, request: Request, place: Place) -> Response:
    return Response(body={"value": [], "nextLink": None})
