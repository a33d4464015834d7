"""What a script did to a machine, as plain data: `[script second, kind, *arguments]`, in order.

A script runs on a copy of the machine; its changes are applied to the machine itself when it ends, or as far as it had
come when something cut it short. One table plays them on both.
"""

from collections.abc import Callable
from typing import Any

from avdtwin import agents, products, registry, sessions
from avdtwin.state import Machine
from avdtwin.world import World

Change = list[Any]


def apply(world: World | None, machine: Machine, change: Change) -> None:
    """Play one change. Without a world (on a script's copy) agent and sessions take no part."""
    _second, kind, *arguments = change
    _KINDS[kind](machine, *arguments)
    if world is not None and kind in _AFTERWARDS:
        _AFTERWARDS[kind](world, machine, *arguments)


def apply_until(world: World, machine: Machine, changes: list[Change], second: float) -> None:
    """Play the changes that a script had made by a second of its run."""
    for change in changes:
        if change[0] <= second:
            apply(world, machine, change)


# ---------------------------------------------------------------- on the machine


def _make_key(machine: Machine, key: str) -> None:
    machine.registry.setdefault(key, {})


def _make_volatile_key(machine: Machine, key: str) -> None:
    machine.registry.setdefault(key, {})
    machine.volatile_keys.append(key)


def _set_acl(machine: Machine, key: str, who: str) -> None:
    machine.registry_acl[key] = who


def _put_file(machine: Machine, path: str, data: dict[str, Any]) -> None:
    machine.files[path] = data


def _remove_file(machine: Machine, path: str) -> None:
    machine.files.pop(path, None)


def _uninstall(machine: Machine, code: str) -> None:
    products.uninstall(machine, code)


def _set_service(machine: Machine, name: str, state: str) -> None:
    service = machine.services.get(name.lower())
    if service is not None:
        service.state = state


def _start_type(machine: Machine, name: str, start_type: str) -> None:
    service = machine.services.get(name.lower())
    if service is not None:
        service.start_type = start_type


def _msi_answered(machine: Machine) -> None:
    """One of the exit codes laid ready for msiexec has been used up."""
    machine.msi_exit_codes = machine.msi_exit_codes[1:]


_KINDS: dict[str, Callable[..., None]] = {
    "make_key": _make_key,
    "make_volatile_key": _make_volatile_key,
    "set_value": registry.write,
    "remove_value": registry.remove_value,
    "remove_key": registry.remove,
    "set_acl": _set_acl,
    "put_file": _put_file,
    "remove_file": _remove_file,
    "install_agent": products.install_agent,
    "install_boot_loader": products.install_boot_loader,
    "uninstall": _uninstall,
    "set_service": _set_service,
    "start_type": _start_type,
    "msi_answered": _msi_answered,
}


# ---------------------------------------------------------------- beyond it


def _after_uninstall(world: World, machine: Machine, code: str) -> None:
    if not products.installed(machine, products.AGENT_NAME):
        agents.leave(world, machine)
        agents.forget(machine)
    elif not products.installed(machine, products.BOOT_LOADER_NAME):
        agents.leave(world, machine)
    if not products.installed(machine, products.STACK_NAME):
        sessions.end_all(world, machine.vm, "agent_removed")


def _after_service(world: World, machine: Machine, name: str, state: str) -> None:
    if name.lower() != products.LOADER_SERVICE.lower():
        return
    if state == "Running" and agents.loader_runs(machine):
        agents.start(world, machine)
    else:
        agents.leave(world, machine)


_AFTERWARDS: dict[str, Callable[..., None]] = {"uninstall": _after_uninstall, "set_service": _after_service}
