"""The inside of a VM as far as a move touches it: products, services, power; how one is made.

Sources: facts/classic-service 5.1 and 5.2, facts/arm-service 11.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from avdtwin import agents, registry, sessions
from avdtwin.agents import healthy, heartbeat
from avdtwin.products import (
    AGENT_NAME,
    BOOT_LOADER_NAME,
    BOOT_LOADER_VERSION,
    COMPONENTS,
    GENEVA_NAME,
    GENEVA_VERSION,
    LOADER_DISPLAY_NAME,
    LOADER_SERVICE,
    STACK_NAME,
    STACK_NOT_LISTENING,
    STACK_VERSION,
    product,
    set_quirk,
)
from avdtwin.state import Machine, Resource, Service
from avdtwin.world import World, on


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """Where a machine that is made is registered already."""

    service: str
    """`classic` or `arm`."""
    pool: str
    """Its key, see `Agent.pool`."""
    host_name: str | None = None
    """FQDN of the machine when None."""
    pool_object_id: str | None = None
    """Needed for ARM: it leads the broker's address."""
    broker_uri: str = "https://rdbroker-g-us-r1.wvd.microsoft.com/"
    connected: bool = True
    """False for a host without heartbeat."""


# ---------------------------------------------------------------- making one


def build(
    world: World,
    *,
    resource_id: str,
    computer_name: str,
    fqdn: str,
    vm_id: str | None = None,
    agent_version: str = "1.0.2990.1500",
    older_agents: Iterable[str] = (),
    installed: bool = True,
    registration: Registration | None = None,
    power: str = "running",
    location: str = "westeurope",
    tags: dict[str, str] | None = None,
    quirks: Iterable[str] = (),
) -> Machine:
    """Put a VM into the world, with its ARM resource. The records of its registration are the caller's to make.

    `installed` brings all four components; `older_agents` are further listed versions. A registered machine that runs
    sends heartbeats at once, as if it had for long.
    """
    vm = resource_id.lower()
    assert vm not in world.state.machines, f"{resource_id} is there already"
    machine = Machine(
        vm=vm,
        resource_id=resource_id,
        vm_id=vm_id or str(uuid5(NAMESPACE_URL, vm)),
        computer_name=computer_name,
        fqdn=fqdn,
        power=power,
        quirks=sorted(quirks),
        booted_at=world.now - 86_400.0,
    )
    machine.guest_agent_ready = "guest-agent-missing" not in machine.quirks
    world.state.machines[vm] = machine
    _add_resource(world, machine, location, tags)
    if installed:
        _add_components(machine, [*older_agents, agent_version])
    if registration is not None:
        _add_registration(world, machine, registration)
    return machine


def _add_resource(world: World, machine: Machine, location: str, tags: dict[str, str] | None) -> None:
    world.state.arm.resources.setdefault(
        machine.vm,
        Resource(
            id=machine.resource_id,
            type="Microsoft.Compute/virtualMachines",
            name=machine.resource_id.rpartition("/")[2],
            location=location,
            tags=tags,
            properties={},
            created_at=world.now,
            vm=machine.vm,
        ),
    )


def _add_components(machine: Machine, agent_versions: list[str]) -> None:
    for version in agent_versions:
        machine.products.append(product(AGENT_NAME, version))
    machine.products.append(product(BOOT_LOADER_NAME, BOOT_LOADER_VERSION))
    machine.products.append(product(GENEVA_NAME, GENEVA_VERSION))
    machine.products.append(product(STACK_NAME, STACK_VERSION))
    registry.write(machine, registry.AGENT, "IsRegistered", 0)
    registry.write(machine, registry.AGENT, "RegistrationToken", "")
    registry.write(machine, registry.BOOT_LOADER, "CurrentBootLoaderVersion", BOOT_LOADER_VERSION)
    machine.services[LOADER_SERVICE.lower()] = Service(
        name=LOADER_SERVICE,
        display_name=LOADER_DISPLAY_NAME,
        state="Running" if machine.power == "running" else "Stopped",
    )


def _add_registration(world: World, machine: Machine, registration: Registration) -> None:
    agents.write_registered(machine, _claims(registration))
    host_name = registration.host_name or machine.fqdn
    agent = machine.agent
    agent.service, agent.pool, agent.host_name = registration.service, registration.pool, host_name
    if registration.connected and machine.power == "running":
        agent.connected_at = world.now - 3600.0
        agent.healthy_at = agent.connected_at


def _claims(registration: Registration) -> dict[str, Any]:
    claims = {
        "BrokerUri": registration.broker_uri,
        "GlobalBrokerUri": "https://rdbroker.wvd.microsoft.com/",
        "DiagnosticsUri": registration.broker_uri.replace("rdbroker", "rddiagnostics", 1),
    }
    if registration.service == "arm":
        assert registration.pool_object_id, "an ARM registration needs the pool's object id"
        label = f"https://{registration.pool_object_id}."
        claims["BrokerResourceIdUri"] = claims["BrokerUri"].replace("https://", label, 1)
        claims["GlobalBrokerResourceIdUri"] = claims["GlobalBrokerUri"].replace("https://", label, 1)
    return claims


# ---------------------------------------------------------------- power

BEFORE_DOWN: list[Callable[[World, Machine], None]] = []
"""Called when a machine goes down, before anything else: scripts that run on it end half way."""


def restart(world: World, machine: Machine) -> float:
    """Restart a running VM; its sessions end now. Returns the seconds until it runs again."""
    _down(world, machine, "restart")
    return _boot(world, machine)


def power_on(world: World, machine: Machine) -> float:
    """Start a VM that is off. Returns the seconds until it runs; 0.0 when it already does."""
    if machine.power == "starting" and machine.boot_due is not None:
        return max(0.0, machine.boot_due - world.now)
    return 0.0 if machine.power == "running" else _boot(world, machine)


def power_off(world: World, machine: Machine, *, deallocate: bool = True) -> float:
    """Stop a VM; its sessions end now. Returns the seconds until it is off."""
    end = "deallocated" if deallocate else "stopped"
    if machine.power == end:
        return 0.0
    _down(world, machine, "power_off")
    machine.power = "deallocating" if deallocate else "stopping"
    machine.boot_due = None
    machine.boot += 1
    delay = world.between(f"boot|{machine.vm}", world.setting("power_off_s"))
    world.schedule(delay, "machine-off", vm=machine.vm, boot=machine.boot, power=end)
    return delay


def _down(world: World, machine: Machine, cause: str) -> None:
    for hook in BEFORE_DOWN:
        hook(world, machine)
    sessions.end_all(world, machine.vm, cause)
    agents.leave(world, machine)
    for service in machine.services.values():
        service.state = "Stopped"


def _boot(world: World, machine: Machine) -> float:
    machine.power = "starting"
    machine.boot += 1
    delay = world.between(f"boot|{machine.vm}", world.setting("boot_s"))
    machine.boot_due = world.now + delay
    world.schedule(delay, "machine-booted", vm=machine.vm, boot=machine.boot)
    return delay


@on("machine-booted")
def _booted(world: World, at: float, vm: str, boot: int) -> None:
    machine = world.state.machines.get(vm)
    if machine is None or machine.boot != boot:
        return
    machine.power = "running"
    machine.booted_at = at
    machine.boot_due = None
    machine.pending_reboot = False
    set_quirk(machine, STACK_NOT_LISTENING, False)
    for key in machine.volatile_keys:
        registry.remove(machine, key)
    machine.volatile_keys = []
    for service in machine.services.values():
        service.state = "Running" if service.start_type == "Automatic" else "Stopped"
    world.record("machine_booted", vm=vm)
    if agents.loader_runs(machine):
        agents.start(world, machine)


@on("machine-off")
def _off(world: World, at: float, vm: str, boot: int, power: str) -> None:
    machine = world.state.machines.get(vm)
    if machine is not None and machine.boot == boot:
        machine.power = power


__all__ = [
    "AGENT_NAME",
    "BEFORE_DOWN",
    "BOOT_LOADER_NAME",
    "COMPONENTS",
    "GENEVA_NAME",
    "LOADER_SERVICE",
    "STACK_NAME",
    "Registration",
    "build",
    "healthy",
    "heartbeat",
    "power_off",
    "power_on",
    "product",
    "restart",
]
