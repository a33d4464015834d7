"""Custom RDP properties that cannot mean what somebody wanted: malformed, doubled, or of a value no client knows."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding, some
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model import rdp

ID = "rdp-invalid"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for pool in inventory.pools:
        read = rdp.parse(pool.custom_rdp_property)
        wrong = [fault.why for fault in read.faults]
        if wrong:
            yield finding(
                ID,
                Severity.WARNING,
                pool.key,
                what=f"The custom RDP property has {len(wrong)} fault(s): {some(wrong)}.",
                why="Entries are name:type:value, type i (a whole number), s (text) or b (bytes), each once; "
                "what is none of that is not sent to the new service and is listed in the plan.",
                mend="Correct it in classic (Set-RdsHostPool -CustomRdpProperty), and discover again.",
                evidence={
                    "custom_rdp_property": pool.custom_rdp_property,
                    "faults": wrong,
                    "not_sent": [fault.entry for fault in read.lost()],
                    "unknown": read.unknown(),
                },
            )


RULE = Rule(id=ID, severity=Severity.WARNING, about="A custom RDP property is malformed.", check=check)
