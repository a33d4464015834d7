"""Which VM is a session host? By resource id, then VM id, then a computer name that only one VM has; never by likeness.

VM1 is not VM10 (facts/field, trap 2). Order of proofs: facts/arm-service 7.1, facts/classic-service 5.4.
"""

from collections.abc import Iterable

from crossfade.model.classic import SessionHost
from crossfade.model.ids import fold, last_name
from crossfade.model.target import VirtualMachine


class Machines:
    """An index over the VMs of a target snapshot."""

    def __init__(self, machines: Iterable[VirtualMachine]) -> None:
        self._by_id: dict[str, VirtualMachine] = {}
        self._by_vm_id: dict[str, list[VirtualMachine]] = {}
        self._by_name: dict[str, list[VirtualMachine]] = {}
        for machine in machines:
            self._by_id[fold(machine.id)] = machine
            if machine.vm_id:
                self._by_vm_id.setdefault(fold(machine.vm_id), []).append(machine)
            for name in {fold(machine.computer_name or ""), fold(machine.name)} - {""}:
                self._by_name.setdefault(name, []).append(machine)

    def find(self, host: SessionHost) -> tuple[VirtualMachine | None, str]:
        """The VM of a host and how it is known; or None and why not."""
        if host.azure_resource_id:
            machine = self._by_id.get(fold(host.azure_resource_id))
            if machine is None:
                return self._moved(host)
            if host.azure_vm_id and machine.vm_id and fold(host.azure_vm_id) != fold(machine.vm_id):
                return None, "the VM of this resource id has another VM id: it was made anew under the same name"
            return machine, "resource id"
        if host.azure_vm_id:
            return _only(self._by_vm_id.get(fold(host.azure_vm_id), []), "VM id")
        label = fold(last_name(host.key)).split(".")[0]
        return _only(self._by_name.get(label, []), f"computer name {label}")

    def _moved(self, host: SessionHost) -> tuple[VirtualMachine | None, str]:
        """A VM that was moved to another resource group has another resource id and the same VM id."""
        same = self._by_vm_id.get(fold(host.azure_vm_id or ""), [])
        if len(same) == 1:
            return same[0], "VM id; its resource id is another now"
        return None, f"no VM {host.azure_resource_id} was found"


def _only(found: list[VirtualMachine], proof: str) -> tuple[VirtualMachine | None, str]:
    if len(found) == 1:
        return found[0], proof
    return None, f"{len(found)} VMs match by {proof}"
