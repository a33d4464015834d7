"""Virtual machines: model, instance view and lists (facts/arm-service 7.1)."""

from bisect import bisect_right
from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import quote

from avdtwin.arm import rights, store
from avdtwin.arm.errors import gateway, group_not_found, resource_not_found
from avdtwin.clock import iso
from avdtwin.compute.limits import Counted
from avdtwin.state import Machine, Resource
from avdtwin.wire import Request, Response, truthy
from avdtwin.world import World

TYPE = "Microsoft.Compute/virtualMachines"
IN_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines"
ONE = IN_GROUP + "/{vm}"
_IN_SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines"

_POWER = {
    "running": "VM running",
    "starting": "VM starting",
    "stopping": "VM stopping",
    "stopped": "VM stopped",
    "deallocating": "VM deallocating",
    "deallocated": "VM deallocated",
}


def register(router: Counted) -> None:
    router.add("GET", ONE, get)
    router.add("GET", ONE + "/instanceView", instance_view)
    router.add("GET", IN_GROUP, list_group)
    router.add("GET", _IN_SUBSCRIPTION, list_subscription)


def find(
    world: World, request: Request, action: str, subscription: str, group: str, vm: str
) -> tuple[Resource, Machine]:
    """The VM of a path, when the caller may do `action` (after `Microsoft.Compute/virtualMachines/`) with it.
    Raises the service's 403 or 404.
    """
    vm_id = ONE.format(subscription=subscription, group=group, vm=vm)
    allow(world, request, action, vm_id)
    resource = store.get(world, vm_id)
    machine = world.state.machines.get(vm_id.lower())
    if resource is None or machine is None:
        if store.get(world, f"/subscriptions/{subscription}/resourceGroups/{group}") is None:
            raise group_not_found(group)
        raise resource_not_found(TYPE, vm, group)
    return resource, machine


def allow(world: World, request: Request, action: str, scope: str) -> None:
    assert request.principal is not None, "the ARM front has not read the caller's token"
    rights.require(world, request.principal, f"{TYPE}/{action}", scope)


# ---------------------------------------------------------------- routes


def get(world: World, request: Request, subscription: str, group: str, vm: str) -> Response:
    resource, machine = find(world, request, "read", subscription, group, vm)
    return Response(body=_model(resource, machine, with_view="instanceview" in _expand(request)))


def instance_view(world: World, request: Request, subscription: str, group: str, vm: str) -> Response:
    _resource, machine = find(world, request, "instanceView/read", subscription, group, vm)
    return Response(body=view(machine))


def list_group(world: World, request: Request, subscription: str, group: str) -> Response:
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    allow(world, request, "read", scope)
    if store.get(world, scope) is None and not store.keys(world, scope, "virtualMachines"):
        raise group_not_found(group)
    return _page(world, request, scope)


def list_subscription(world: World, request: Request, subscription: str) -> Response:
    scope = f"/subscriptions/{subscription}"
    allow(world, request, "read", scope)
    return _page(world, request, scope)


def _page(world: World, request: Request, scope: str) -> Response:
    """One page, by resource id; the next one begins behind the last id of this."""
    if request.query.get("filter"):
        raise gateway(400, "BadRequest", "$filter is not supported on virtual machines here.")
    size = int(world.setting("compute_page_size"))
    after = request.query.get("skiptoken", "")
    every = store.keys(world, scope, "virtualMachines")
    behind = (every[at] for at in range(bisect_right(every, after), len(every)))
    keys = list(islice((key for key in behind if key in world.state.machines), size + 1))
    body: dict[str, Any] = {"value": [_listed(world, request, key) for key in keys[:size]]}
    if len(keys) > size:
        body["nextLink"] = _next_link(request, keys[size - 1])
    return Response(body=body)


def _listed(world: World, request: Request, key: str) -> dict[str, Any]:
    resource, machine = world.state.arm.resources[key], world.state.machines[key]
    shape = _status_only if truthy(request.query.get("statusonly")) else _model
    return shape(resource, machine, "instanceview" in _expand(request))


def _next_link(request: Request, last: str) -> str:
    spelling = {"statusonly": "statusOnly", "expand": "$expand", "api-version": "api-version"}
    kept = [f"{quote(name)}={quote(request.query[key])}" for key, name in spelling.items() if key in request.query]
    return f"{request.origin}{request.path}?" + "&".join([*kept, f"%24skiptoken={quote(last, safe='')}"])


def _expand(request: Request) -> set[str]:
    return {part.strip().lower() for part in request.query.get("expand", "").split(",")}


# ---------------------------------------------------------------- shapes


def _envelope(resource: Resource, properties: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": resource.name,
        "id": resource.id,
        "type": TYPE,
        "location": resource.location,
        "properties": properties,
    }
    if resource.tags is not None:
        body["tags"] = resource.tags
    return body


def _status_only(resource: Resource, machine: Machine, with_view: bool) -> dict[str, Any]:
    """`statusOnly=true`: ids and power states, for a whole subscription in few calls."""
    properties = {
        "vmId": machine.vm_id,
        "provisioningState": "Succeeded",
        "instanceView": {"statuses": _statuses(machine)},
    }
    return _envelope(resource, properties)


def _model(resource: Resource, machine: Machine, with_view: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
        "provisioningState": "Succeeded",
        "vmId": machine.vm_id,
        "storageProfile": {"osDisk": os_disk(resource)},
        "osProfile": {
            "computerName": machine.computer_name,
            "adminUsername": "localadmin",
            "windowsConfiguration": {"provisionVMAgent": True, "enableAutomaticUpdates": False},
            "allowExtensionOperations": True,
        },
        "networkProfile": {"networkInterfaces": [{"id": _nic(resource)}]},
        "timeCreated": iso(resource.created_at, 7),
        **resource.properties,
    }
    if with_view:
        properties["instanceView"] = view(machine)
    return _envelope(resource, properties)


def os_disk(vm: Resource) -> dict[str, Any]:
    """The OS disk in a VM's model: managed, unless what is kept of the VM says otherwise."""
    kept = vm.properties.get("storageProfile", {}).get("osDisk")
    if kept is not None:
        return dict(kept)
    name, group = f"{vm.name}_OsDisk", vm.id.rpartition("/providers/")[0]
    return {
        "osType": "Windows",
        "name": name,
        "createOption": "FromImage",
        "managedDisk": {"id": f"{group}/providers/Microsoft.Compute/disks/{name}"},
    }


def _nic(resource: Resource) -> str:
    group = resource.id.rpartition("/providers/")[0]
    return f"{group}/providers/Microsoft.Network/networkInterfaces/{resource.name}-nic"


def view(machine: Machine) -> dict[str, Any]:
    """The instance view; what the guest agent reports is missing while the machine does not run."""
    body: dict[str, Any] = {"statuses": _statuses(machine)}
    if machine.power == "running":
        shape: Callable[[Machine], dict[str, Any]] = _guest if machine.guest_agent_ready else _guest_silent
        body |= shape(machine)
    return body


def _statuses(machine: Machine) -> list[dict[str, Any]]:
    updating = machine.power in ("starting", "stopping", "deallocating")
    provisioning = ("updating", "Updating") if updating else ("succeeded", "Provisioning succeeded")
    return [
        {
            "code": f"ProvisioningState/{provisioning[0]}",
            "level": "Info",
            "displayStatus": provisioning[1],
            "time": iso(machine.booted_at, 7),
        },
        {"code": f"PowerState/{machine.power}", "level": "Info", "displayStatus": _POWER[machine.power]},
    ]


def _guest(machine: Machine) -> dict[str, Any]:
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Ready",
        "message": "GuestAgent is running and processing the extensions.",
        "time": iso(machine.booted_at, 7),
    }
    return {
        "computerName": machine.fqdn,
        "osName": "Windows 10 Enterprise for Virtual Desktops",
        "osVersion": "10.0.19044.1288",
        "vmAgent": {"vmAgentVersion": "2.7.41491.1095", "statuses": [status], "extensionHandlers": []},
    }


def _guest_silent(machine: Machine) -> dict[str, Any]:
    status = {
        "code": "ProvisioningState/Unavailable",
        "level": "Warning",
        "displayStatus": "Not Ready",
        "message": "VM status blob is found but not yet populated.",
        "time": iso(machine.booted_at, 7),
    }
    return {"vmAgent": {"vmAgentVersion": "Unknown", "statuses": [status]}}
