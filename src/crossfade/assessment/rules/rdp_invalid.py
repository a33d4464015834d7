"""Custom RDP properties that are not `name:type:value`: the new service may refuse the pool, or clients the entry."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding, some
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot

ID = "rdp-invalid"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for pool in inventory.pools:
        wrong = faults(pool.custom_rdp_property or "")
        if wrong:
            yield finding(
                ID,
                Severity.WARNING,
                pool.key,
                what=f"The custom RDP property has {len(wrong)} fault(s): {some(wrong)}.",
                why="Entries are name:type:value, type i (a whole number), s (text) or b (bytes), each once.",
                mend="Correct it in classic (Set-RdsHostPool -CustomRdpProperty), and discover again.",
                evidence={"custom_rdp_property": pool.custom_rdp_property, "faults": wrong},
            )


def faults(text: str) -> list[str]:
    """What is wrong with an RDP property string, entry by entry."""
    wrong: list[str] = []
    seen: set[str] = set()
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        name, colon, rest = entry.partition(":")
        kind, second, value = rest.partition(":")
        if not (name and colon and second) or kind.casefold() not in ("i", "s", "b"):
            wrong.append(f"{entry} is not name:type:value")
        elif kind.casefold() == "i" and not value.strip().removeprefix("-").isdecimal():
            wrong.append(f"{name} is no whole number: {value}")
        if name.casefold() in seen:
            wrong.append(f"{name} is there twice, the last one counts")
        seen.add(name.casefold())
    return wrong


RULE = Rule(id=ID, severity=Severity.WARNING, about="A custom RDP property is malformed.", check=check)
