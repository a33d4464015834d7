"""Resource groups. Deleting one takes a while and everything in it."""

import re
from typing import Any

from avdtwin import sessions
from avdtwin.arm import bodies, errors, rights, session_hosts, store
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.regions import normal
from avdtwin.arm.scopes import caller_of
from avdtwin.state import Operation, Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World, on

TYPE = "Microsoft.Resources/resourceGroups"
_ACTION = "Microsoft.Resources/subscriptions/resourceGroups"
_NAME = re.compile(r"[-\w._()]{0,89}[-\w_()]")
_REFERRING = ("/hostpools", "/applicationgroups", "/workspaces")
_ONE = "/subscriptions/{subscription}/resourceGroups/{group}"
_RESULT = "/subscriptions/{subscription}/operationresults/{operation}"


def register(router: Router) -> None:
    router.add("GET", "/subscriptions/{subscription}/resourceGroups", list_all)
    router.add("GET", _ONE, get)
    router.add("HEAD", _ONE, exists)
    router.add("PUT", _ONE, put)
    router.add("PATCH", _ONE, patch)
    router.add("DELETE", _ONE, delete)
    router.add("GET", _RESULT, poll)


# ---------------------------------------------------------------- reading


def list_all(world: World, request: Request, subscription: str) -> Response:
    """The groups that the caller may read: those without any right are left out, not refused."""
    caller = caller_of(request)
    free = not world.setting("rights_enforced")
    groups = [store.get(world, key) for key in store.keys(world, f"/subscriptions/{subscription}", "resourceGroups")]
    value = [
        shown(group)
        for group in groups
        if group and (free or rights.allows(world, caller.object_id, f"{_ACTION}/read", group.id))
    ]
    return GatewayResponse(body={"value": value})


def get(world: World, request: Request, subscription: str, group: str) -> Response:
    return GatewayResponse(body=shown(_require(world, request, subscription, group, "read")))


def exists(world: World, request: Request, subscription: str, group: str) -> Response:
    _require(world, request, subscription, group, "read")
    return GatewayResponse(status=204)


def shown(group: Resource) -> dict[str, Any]:
    """A group as ARM writes it; `tags` only where there are some."""
    tags = {} if group.tags is None else {"tags": group.tags}
    return {
        "id": group.id,
        "name": group.name,
        "type": TYPE,
        "location": group.location,
        **tags,
        "properties": {"provisioningState": group.properties.get("provisioningState", "Succeeded")},
    }


# ---------------------------------------------------------------- writing


def put(world: World, request: Request, subscription: str, group: str) -> Response:
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    caller = caller_of(request)
    rights.require(world, caller, f"{_ACTION}/write", scope)
    given = _body(request)
    if not _NAME.fullmatch(group):
        message = (
            f"The provided resource group name '{group}' has these invalid characters or is longer than 90. The name "
            "can only be a letter, digit, '-', '.', '(', ')' or '_'. The name cannot end with '.'."
        )
        raise errors.gateway(400, "InvalidResourceGroup", message)
    location = given.get("location")
    if not isinstance(location, str) or not location.strip():
        raise errors.gateway(400, "LocationRequired", "The location property is required for this definition.")
    found = store.get(world, scope)
    if found is None:
        return _create(world, request, scope, group, normal(location), given)
    _refuse_move(found, location)
    _refuse_deleting(found)
    found.tags = given.get("tags")
    bodies.touch(world, found, caller)
    return GatewayResponse(body=shown(found))


def patch(world: World, request: Request, subscription: str, group: str) -> Response:
    found = _require(world, request, subscription, group, "write")
    _refuse_deleting(found)
    given = _body(request)
    if "tags" in given:
        found.tags = given["tags"]
    bodies.touch(world, found, request.principal)
    return GatewayResponse(body=shown(found))


def delete(world: World, request: Request, subscription: str, group: str) -> Response:
    """202 and an address to ask; the group and all in it go when the operation ends."""
    found = _require(world, request, subscription, group, "delete")
    found.properties["provisioningState"] = "Deleting"
    lasts = world.between("resource group", world.setting("resource_group_delete_s"))
    operation = Operation(
        id=world.guid("operation"),
        kind="resource group delete",
        subscription=subscription,
        location=found.location or "",
        started_at=world.now,
        done_at=world.now + lasts,
        target=found.id,
    )
    world.state.arm.operations[operation.id] = operation
    world.schedule(lasts, "resource group deleted", group=found.id)
    return GatewayResponse(status=202, headers=_poll_headers(request, operation))


def poll(world: World, request: Request, subscription: str, operation: str) -> Response:
    """202 while it runs, 200 when it is over."""
    found = world.state.arm.operations.get(operation.lower())
    if found is None or found.subscription.lower() != subscription.lower():
        raise errors.gateway(404, "OperationNotFound", f"The operation '{operation}' could not be found.")
    if found.done_at is None or found.done_at > world.now:
        return GatewayResponse(status=202, headers=_poll_headers(request, found))
    if found.error is not None:
        return GatewayResponse(status=409, body={"error": found.error})
    return GatewayResponse(status=200, body=found.result)


@on("resource group deleted")
def _deleted(world: World, at: float, group: str) -> None:
    found = store.get(world, group)
    if found is not None:
        inside = group.lower() + "/"
        _switch_off(world, inside)
        _unregister(world, inside)
        _forget(world, inside)
        for assignment in rights.at_and_below(world, group):
            rights.drop(world, assignment)
        store.remove(world, found)
        world.record("resource_group_deleted", group=group)


def _switch_off(world: World, prefix: str) -> None:
    """The machines of a deleted group are gone: nobody works on them and no heartbeat comes from them."""
    for key, machine in world.state.machines.items():
        if key.startswith(prefix):
            sessions.end_all(world, key, "power_off")
            machine.power = "deallocated"
            machine.agent.connected_at = None
            machine.agent.attempt += 1


def _unregister(world: World, prefix: str) -> None:
    """Machines elsewhere that were session hosts of a deleted pool lose their registration."""
    hosts = [each for key, each in world.state.arm.resources.items() if key.startswith(prefix) and each.vm]
    for host in hosts:
        session_hosts.delete_record(world, host)


def _forget(world: World, prefix: str) -> None:
    """Take references to what is deleted out of the pools, groups and workspaces that stay."""
    for key, resource in world.state.arm.resources.items():
        if key.startswith(prefix) or not key.rpartition("/")[0].endswith(_REFERRING):
            continue
        references = resource.properties.get("applicationGroupReferences")
        if references:
            kept = [each for each in references if not each.lower().startswith(prefix)]
            resource.properties["applicationGroupReferences"] = kept
        if str(resource.properties.get("workspaceArmPath")).lower().startswith(prefix):
            resource.properties["workspaceArmPath"] = None


def _create(world: World, request: Request, scope: str, name: str, location: str, given: dict[str, Any]) -> Response:
    author = bodies.author(request.principal)
    group = Resource(
        id=scope,
        type=TYPE,
        name=name,
        properties={"provisioningState": "Succeeded"},
        location=location,
        tags=given.get("tags"),
        created_by=author,
        created_at=world.now,
        modified_by=author,
        modified_at=world.now,
    )
    return GatewayResponse(status=201, body=shown(store.add(world, group)))


def _require(world: World, request: Request, subscription: str, group: str, verb: str) -> Resource:
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    rights.require(world, caller_of(request), f"{_ACTION}/{verb}", scope)
    found = store.get(world, scope)
    if found is None:
        raise errors.group_not_found(group)
    return found


def _body(request: Request) -> dict[str, Any]:
    try:
        given = request.json()
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise errors.bad_request("The request content was invalid and could not be deserialized.")
    return given


def _refuse_move(found: Resource, location: str) -> None:
    if normal(found.location or "") != normal(location):
        message = (
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{found.location}'."
        )
        raise errors.gateway(409, "InvalidResourceGroupLocation", message)


def _refuse_deleting(found: Resource) -> None:
    if found.properties.get("provisioningState") == "Deleting":
        message = f"The resource group '{found.name}' is in deprovisioning state and cannot perform this operation."
        raise errors.gateway(409, "ResourceGroupBeingDeleted", message)


def _poll_headers(request: Request, operation: Operation) -> dict[str, str]:
    path = _RESULT.format(subscription=operation.subscription, operation=operation.id)
    version = request.query.get("api-version", "2021-04-01")
    return {"Location": f"{request.origin}{path}?api-version={version}", "Retry-After": "15"}
