"""Session hosts whose VM is off: the run starts them to move them, and they are no seats meanwhile."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import SessionHost
from crossfade.model.ids import fold, last_name
from crossfade.model.target import VirtualMachine

ID = "vm-off"
OFF = frozenset({"deallocated", "stopped"})


def machines_off(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[tuple[SessionHost, VirtualMachine]]:
    """Hosts with their VM, where it is known by resource id or VM id and is off."""
    known: dict[str, VirtualMachine] = {}
    for machine in target.machines if target else []:
        known[fold(machine.id)] = machine
        known[fold(machine.vm_id or machine.id)] = machine
    for host in inventory.hosts:
        machine_id = host.azure_resource_id or host.azure_vm_id
        found = known.get(fold(machine_id)) if machine_id else None
        if found is not None and found.power in OFF:
            yield host, found


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for host, machine in machines_off(inventory, target):
        yield finding(
            ID,
            Severity.NOTE,
            host.key,
            what=f"The VM of {last_name(host.key)} is {machine.power}.",
            why="It is started for its move and deallocated again once its host is confirmed and empty.",
            mend="Nothing to do; or remove the record when nobody needs the host any more.",
            evidence={"vm": machine.id, "power": machine.power},
        )


RULE = Rule(id=ID, severity=Severity.NOTE, about="The VM of a session host is off.", check=check)
