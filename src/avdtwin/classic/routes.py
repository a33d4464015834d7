"""The routes of the classic service. Templates are those of facts/classic-service 2.6, below `/RdsManagement/V1`."""

from collections.abc import Callable

from avdtwin.wire import Handler, Request, Response, Router
from avdtwin.world import World

ROUTER = Router()
OPEN = Router()
"""Routes outside the management base, which want no token."""

GROUPS = "/TenantGroups"
GROUP = GROUPS + "/{tenant_group}"
TENANTS = GROUP + "/Tenants"
TENANT = TENANTS + "/{tenant}"
POOLS = TENANT + "/HostPools"
POOL = POOLS + "/{pool}"
HOSTS = POOL + "/SessionHosts"
HOST = HOSTS + "/{host}"
APP_GROUPS = POOL + "/AppGroups"
APP_GROUP = APP_GROUPS + "/{group}"


def route(*methods_and_template: str) -> Callable[[Handler], Handler]:
    return ROUTER.route(*methods_and_template)


def created(world: World, body: object, *, always_shown: bool = False) -> Response:
    """The answer of a create: 201 with the object, or what the setting says."""
    if world.setting("classic_create_answer") == "empty" and not always_shown:
        return Response(status=200)
    return Response(status=201, body=body)


def deleted(world: World) -> Response:
    return Response(status=int(world.setting("classic_delete_status")))


def by_host(world: World, request: Request, body: object = None, status: int = 200) -> Response:
    """An answer that took a word with an agent first."""
    delay = world.between("classic-host-action", world.setting("classic_host_action_s"))
    return Response(status=status, body=body, delay_s=delay)
