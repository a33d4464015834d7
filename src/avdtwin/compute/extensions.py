"""Extensions of a virtual machine, read only: what templates left behind (facts/classic-service 5.5)."""

from typing import Any

from avdtwin.arm import store
from avdtwin.arm.errors import resource_not_found
from avdtwin.compute import vms
from avdtwin.compute.limits import Counted
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

_MANY = vms.ONE + "/extensions"


def register(router: Counted) -> None:
    router.add("GET", _MANY, list_all)
    router.add("GET", _MANY + "/{extension}", get)


def list_all(world: World, request: Request, subscription: str, group: str, vm: str) -> Response:
    resource, _machine = vms.find(world, request, "extensions/read", subscription, group, vm)
    found = store.children(world, resource.id, "extensions")
    return Response(body={"value": [_shape(extension) for extension in found]})


def get(world: World, request: Request, subscription: str, group: str, vm: str, extension: str) -> Response:
    resource, _machine = vms.find(world, request, "extensions/read", subscription, group, vm)
    found = store.get(world, f"{resource.id}/extensions/{extension}")
    if found is None:
        raise resource_not_found(f"{vms.TYPE}/{vm}/extensions", extension, group)
    return Response(body=_shape(found))


def _shape(extension: Resource) -> dict[str, Any]:
    return {
        "name": extension.name,
        "id": extension.id,
        "type": f"{vms.TYPE}/extensions",
        "location": extension.location,
        "tags": extension.tags or {},
        "properties": {"provisioningState": "Succeeded", **extension.properties},
    }
