"""Session hosts whose VM was not found among the target's subscriptions: they cannot be moved.

Proofs in the planner's order (facts/classic-service 5.4): resource id, VM id, a computer name that one VM has.
"""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import SessionHost
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import VirtualMachine

ID = "host-vm-unmatched"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    if target is None:
        return
    personal = {fold(pool.key) for pool in inventory.pools if pool.personal}
    index = _index(target.machines)
    for host in inventory.hosts:
        count, proof = _matches(host, index)
        if count == 1:
            continue
        owned = fold(parent_key(host.key)) in personal and host.assigned_user is not None
        yield finding(
            ID,
            Severity.BLOCKER if owned else Severity.WARNING,
            host.key,
            what=f"{last_name(host.key)} matches {count} VMs by its {proof}.",
            why=f"It would stay behind{f', and {host.assigned_user} would lose this desktop' if owned else ''}.",
            mend="Read the VM's subscription too (discover --target --subscription), or remove the record.",
            evidence={"resource_id": host.azure_resource_id, "vm_id": host.azure_vm_id, "assigned": host.assigned_user},
        )


def _index(machines: list[VirtualMachine]) -> dict[str, set[str]]:
    """Resource id, VM id or name -> ids of the VMs that have it; `unknown <id>` where a VM's id of its own is not."""
    index: dict[str, set[str]] = {}
    for machine in machines:
        names = [
            machine.id,
            machine.vm_id or f"unknown {fold(machine.id)}",
            f"name {machine.name}",
            f"name {machine.computer_name or ''}",
        ]
        for name in names:
            index.setdefault(fold(name), set()).add(fold(machine.id))
    return index


def _matches(host: SessionHost, index: dict[str, set[str]]) -> tuple[int, str]:
    by_vm_id = index.get(fold(host.azure_vm_id), set()) if host.azure_vm_id else set()
    if host.azure_resource_id:
        found = index.get(fold(host.azure_resource_id), by_vm_id)
        anew = host.azure_vm_id and f"unknown {min(found, default='')}" not in index and not found & by_vm_id
        return (0, "resource id and VM id together") if found and anew else (len(found), "resource id")
    if host.azure_vm_id:
        return len(by_vm_id), "VM id"
    return len(index.get(f"name {fold(last_name(host.key)).partition('.')[0]}", set())), "computer name"


RULE = Rule(id=ID, severity=Severity.WARNING, about="A session host has no VM, or several.", check=check)
