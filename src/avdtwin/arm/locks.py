"""Management locks, to read. They are resources of their own, put into the state by an estate or the control API."""

from typing import Any

from avdtwin.arm import rights, store
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of, require, scope_of
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

TYPE = "Microsoft.Authorization/locks"


def register(router: Router) -> None:
    router.add("GET", f"/{{scope*}}/providers/{TYPE}", list_at)


def list_at(world: World, request: Request, scope: str) -> Response:
    """Locks that hold at a scope: its own, inherited ones, and those below it."""
    scope = scope_of(scope)
    rights.require(world, caller_of(request), f"{TYPE}/read", scope)
    require(world, scope)
    above = {f"{ancestor.rstrip('/')}/providers/{TYPE}/".lower() for ancestor in rights.scopes_above(scope)}
    below = f"{scope.rstrip('/')}/".lower()
    found = [lock for lock in all_locks(world) if _home(lock) in above or lock.id.lower().startswith(below)]
    return GatewayResponse(body={"value": [_shown(lock) for lock in found]})


def all_locks(world: World) -> list[Resource]:
    """Every lock of the estate, by id."""
    found = []
    for subscription in world.state.arm.subscriptions:
        found += [store.get(world, key) for key in store.keys(world, f"/subscriptions/{subscription}", "locks")]
    return [lock for lock in found if lock is not None]


def _home(lock: Resource) -> str:
    return lock.id.lower().rpartition("/")[0] + "/"


def _shown(lock: Resource) -> dict[str, Any]:
    return {"properties": lock.properties, "id": lock.id, "type": TYPE, "name": lock.name}
