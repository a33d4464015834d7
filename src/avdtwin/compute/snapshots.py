"""Snapshots of managed disks, as far as a copy of a VM's OS disk goes.

After the published contract (azure-rest-api-specs, Microsoft.Compute/DiskRP, `Snapshots_*`; azure-mgmt-compute 39.0.0):
bodies, 200 and 202 with `Location` for PUT, 202 and 204 for DELETE, names of up to 80 letters, digits, `_` and `-`,
`creationData` that cannot be changed. That a copy needs `disks/beginGetAccess/action` on its disk, and the texts of the
errors for that and for an unknown disk, are from public reports (Azure/OpenShift issue 186, azure-cli-extensions
issue 5362). Not confirmed: the other errors' texts, how long a snapshot takes, and that its calls count in no window of
`compute.limits`. Of a disk nothing is kept but that it is there, with its VM.
"""

import re
from typing import Any

from avdtwin.arm import rights, store
from avdtwin.arm.errors import bad_request, gateway, group_not_found, resource_not_found
from avdtwin.clock import iso
from avdtwin.compute import operations, vms
from avdtwin.compute.action import read_body
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

TYPE = "Microsoft.Compute/snapshots"
IN_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/snapshots"
ONE = IN_GROUP + "/{snapshot}"
_IN_SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.Compute/snapshots"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_DISK = re.compile(r"(/subscriptions/[^/]+/resourceGroups/[^/]+)/providers/Microsoft\.Compute/disks/([^/]+)", re.I)
REMOVED_S = 5.0


def register(router: Router) -> None:
    router.add("GET", ONE, get)
    router.add("PUT", ONE, put)
    router.add("DELETE", ONE, delete)
    router.add("GET", IN_GROUP, list_group)
    router.add("GET", _IN_SUBSCRIPTION, list_subscription)


# ---------------------------------------------------------------- reading


def get(world: World, request: Request, subscription: str, group: str, snapshot: str) -> Response:
    snapshot_id = ONE.format(subscription=subscription, group=group, snapshot=snapshot)
    _allow(world, request, f"{TYPE}/read", snapshot_id)
    found = store.get(world, snapshot_id)
    if found is None:
        _require_group(world, subscription, group)
        raise resource_not_found(TYPE, snapshot, group)
    return Response(body=_shape(world, found))


def list_group(world: World, request: Request, subscription: str, group: str) -> Response:
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    _allow(world, request, f"{TYPE}/read", scope)
    _require_group(world, subscription, group)
    return _many(world, scope)


def list_subscription(world: World, request: Request, subscription: str) -> Response:
    scope = f"/subscriptions/{subscription}"
    _allow(world, request, f"{TYPE}/read", scope)
    return _many(world, scope)


def _many(world: World, scope: str) -> Response:
    found = [world.state.arm.resources[key] for key in store.keys(world, scope, "snapshots")]
    return Response(body={"value": [_shape(world, one) for one in found]})


def _allow(world: World, request: Request, action: str, scope: str) -> None:
    assert request.principal is not None, "the ARM front has not read the caller's token"
    rights.require(world, request.principal, action, scope)


def _require_group(world: World, subscription: str, group: str) -> None:
    if store.get(world, f"/subscriptions/{subscription}/resourceGroups/{group}") is None:
        raise group_not_found(group)


def _shape(world: World, snapshot: Resource) -> dict[str, Any]:
    operation = world.state.arm.operations[snapshot.secrets["operation"]]
    running = operation.done_at is None or operation.done_at > world.now
    return {
        "name": snapshot.name,
        "id": snapshot.id,
        "type": TYPE,
        "location": snapshot.location,
        "tags": snapshot.tags or {},
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "properties": {
            **snapshot.properties,
            "provisioningState": "Updating" if running else "Succeeded",
            "timeCreated": iso(snapshot.created_at, 7),
        },
    }


# ---------------------------------------------------------------- writing


def put(world: World, request: Request, subscription: str, group: str, snapshot: str) -> Response:
    """Take a snapshot. The same again changes its tags and takes none anew."""
    snapshot_id = ONE.format(subscription=subscription, group=group, snapshot=snapshot)
    _allow(world, request, f"{TYPE}/write", snapshot_id)
    _require_group(world, subscription, group)
    body = read_body(request)
    wanted = _wanted(snapshot, body)
    disk = str(wanted["creationData"]["sourceResourceId"])
    _linked(world, request, snapshot_id, disk)
    known = store.get(world, snapshot_id)
    if known is not None:
        return _again(world, known, wanted, body)
    vm = _vm_of(world, disk)
    properties = {**wanted, "osType": "Windows", "diskSizeGB": 127, "diskState": "Unattached"}
    made = Resource(
        id=snapshot_id,
        type=TYPE,
        name=snapshot,
        location=body["location"],
        tags=body.get("tags"),
        created_at=world.now,
        properties=properties,
    )
    lasts_s = world.between(f"snapshot|{vm.id.lower()}", world.setting("snapshot_s"))
    operation = operations.begin(world, made, "snapshots", lasts_s=lasts_s)
    made.secrets = {"operation": operation.id}
    store.add(world, made)
    shown = _shape(world, made)
    operation.result = {**shown, "properties": {**shown["properties"], "provisioningState": "Succeeded"}}
    return operations.accepted(world, request, operation, 202, shown)


def _wanted(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the body asks for. Raises 400."""
    if not _NAME.fullmatch(name):
        raise gateway(400, "InvalidParameter", f"The value '{name}' of parameter 'snapshotName' is invalid.")
    if not body.get("location"):
        raise gateway(400, "LocationRequired", "The location property is required for this definition.")
    properties = body.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    source = properties.get("creationData")
    if not isinstance(source, dict) or not source.get("createOption"):
        raise gateway(400, "InvalidParameter", "Required parameter 'snapshot.properties.creationData' is missing.")
    if source["createOption"] != "Copy":
        raise bad_request(f"Only createOption Copy is served here, not '{source['createOption']}'.")
    if not isinstance(source.get("sourceResourceId"), str):
        raise gateway(400, "InvalidParameter", "Required parameter 'creationData.sourceResourceId' is missing.")
    kept = {"createOption": "Copy", "sourceResourceId": source["sourceResourceId"]}
    return {"creationData": kept, "incremental": bool(properties.get("incremental"))}


def _linked(world: World, request: Request, snapshot_id: str, disk: str) -> None:
    """Whoever copies a disk must be allowed to read it."""
    principal, action = request.principal, "Microsoft.Compute/disks/beginGetAccess/action"
    assert principal is not None, "the ARM front has not read the caller's token"
    if world.setting("rights_enforced") and not rights.allows(world, principal.object_id, action, disk):
        name = principal.upn or principal.app_id or principal.object_id
        raise gateway(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{name}' with object id '{principal.object_id}' has permission to perform action "
            f"'{TYPE}/write' on scope '{snapshot_id}'; however, it does not have permission to perform action "
            f"'{action}' on the linked scope(s) '{disk}' or the linked scope(s) are invalid.",
        )


def _vm_of(world: World, disk: str) -> Resource:
    """The VM whose OS disk it is. Raises 404."""
    found = _DISK.fullmatch(disk)
    if found is not None:
        for vm in store.children(world, found[1], "virtualMachines"):
            if vms.os_disk(vm).get("managedDisk", {}).get("id", "").lower() == disk.lower():
                return vm
    raise gateway(404, "NotFound", f"Resource {disk.rpartition('/')[2]} is not found.")


def _again(world: World, known: Resource, wanted: dict[str, Any], body: dict[str, Any]) -> Response:
    """Tags can be changed; where it came from cannot."""
    if any(known.properties[name] != wanted[name] for name in wanted):
        raise gateway(409, "PropertyChangeNotAllowed", "Changing property 'creationData' is not allowed.")
    known.tags = body.get("tags", known.tags)
    return Response(body=_shape(world, known))


def delete(world: World, request: Request, subscription: str, group: str, snapshot: str) -> Response:
    """204 when there is none."""
    snapshot_id = ONE.format(subscription=subscription, group=group, snapshot=snapshot)
    _allow(world, request, f"{TYPE}/delete", snapshot_id)
    known = store.get(world, snapshot_id)
    if known is None:
        return Response(status=204)
    store.remove(world, known)
    operation = operations.begin(world, known, "snapshots", lasts_s=REMOVED_S)
    return operations.accepted(world, request, operation)
