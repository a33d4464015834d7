"""The provider's list of operations, from the routes that it serves."""

from avdtwin.arm.ids import NAMESPACE
from avdtwin.arm.routes import ROUTES
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World


def register(router: Router) -> None:
    router.add("GET", f"/providers/{NAMESPACE}/operations", list_all)


def list_all(world: World, request: Request) -> Response:
    return Response(body={"value": [_operation(action) for action in ROUTES.actions()], "nextLink": None})


def _operation(action: str) -> dict[str, object]:
    resource = action.rpartition("/")[0]
    display = {
        "provider": NAMESPACE,
        "resource": resource.partition("/")[2],
        "operation": action,
        "description": action,
    }
    return {"name": action, "display": display, "isDataAction": False}
