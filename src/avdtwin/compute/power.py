"""Start, restart, power off, deallocate: POST, then a long-running operation (facts/arm-service 7.1)."""

from collections.abc import Callable

from avdtwin import windows
from avdtwin.arm.errors import gateway
from avdtwin.compute import operations, vms
from avdtwin.compute.limits import Counted
from avdtwin.state import Machine
from avdtwin.wire import Handler, Request, Response, truthy
from avdtwin.world import World

Switch = Callable[[World, Machine], float]
"""Does it and returns the seconds that it takes."""


def register(router: Counted) -> None:
    for name, switch in _SWITCHES.items():
        router.add("POST", f"{vms.ONE}/{name}", _route(name, switch))


def _route(name: str, switch: Switch) -> Handler:
    def handler(world: World, request: Request, subscription: str, group: str, vm: str) -> Response:
        resource, machine = vms.find(world, request, f"{name}/action", subscription, group, vm)
        if truthy(request.query.get("hibernate")):
            raise gateway(409, "OperationNotAllowed", "Hibernation is not enabled on this VM.")
        lasts_s = switch(world, machine)
        operation = operations.begin(world, resource, name, lasts_s=lasts_s)
        return operations.accepted(world, request, operation)

    return handler


def not_running(machine: Machine, what: str) -> None:
    """Refuse what needs a running VM. A VM about to run is as good (facts/arm-service 7.2, errors)."""
    if machine.power not in ("running", "starting"):
        raise gateway(
            409,
            "OperationNotAllowed",
            f"Cannot perform '{what}': the operation requires the VM to be running (or set to run).",
        )


def _restart(world: World, machine: Machine) -> float:
    not_running(machine, "restart")
    return windows.restart(world, machine)


def _deallocate(world: World, machine: Machine) -> float:
    return windows.power_off(world, machine, deallocate=True)


def _power_off(world: World, machine: Machine) -> float:
    return windows.power_off(world, machine, deallocate=False)


_SWITCHES: dict[str, Switch] = {
    "start": windows.power_on,
    "restart": _restart,
    "powerOff": _power_off,
    "deallocate": _deallocate,
}
