"""Several session hosts that are one VM: it has one agent, so all records but one are left over."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import SessionHost
from crossfade.model.ids import fold, last_name

ID = "vm-shared"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    by_vm: dict[str, list[SessionHost]] = {}
    for host in inventory.hosts:
        if host.azure_resource_id:
            by_vm.setdefault(fold(host.azure_resource_id), []).append(host)
    for hosts in by_vm.values():
        if len(hosts) > 1:
            yield finding(
                ID,
                Severity.WARNING,
                hosts[0].azure_resource_id or "",
                what=f"{len(hosts)} session hosts are the VM {last_name(hosts[0].azure_resource_id or '')}.",
                why="The one that was heard last is moved; the others stay behind as they are.",
                mend="Remove the records that are left over (Remove-RdsSessionHost).",
                evidence={"hosts": [host.key for host in hosts], "heard": [host.last_heartbeat for host in hosts]},
            )


RULE = Rule(id=ID, severity=Severity.WARNING, about="Several session hosts are one VM.", check=check)
