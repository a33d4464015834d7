"""What the caller may do at a scope: one entry per role held there (facts: arm-service 5.4)."""

from avdtwin.arm import rights
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.role_definitions import permission
from avdtwin.arm.scopes import caller_of, require, scope_of
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World


def register(router: Router) -> None:
    router.add("GET", "/{scope*}/providers/Microsoft.Authorization/permissions", list_at)


def list_at(world: World, request: Request, scope: str) -> Response:
    """Entries of {actions, notActions, dataActions, notDataActions}. A doubled slash in the scope, as the SDK sends it
    for a resource without parents, is read as one.
    """
    scope = scope_of(scope)
    caller = caller_of(request)
    rights.require(world, caller, "Microsoft.Authorization/permissions/read", scope)
    require(world, scope)
    held = {role.guid: role for role in rights.held(world, caller.object_id, scope)}
    return GatewayResponse(body={"value": [permission(role) for role in held.values()]})
