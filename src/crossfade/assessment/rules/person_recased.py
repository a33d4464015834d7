"""One person under several casings of their name: counted once."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold

ID = "person-recased"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    spellings: dict[str, set[str]] = {}
    for upn in (*(item.upn for item in inventory.assignments), *(host.assigned_user for host in inventory.hosts)):
        if upn:
            spellings.setdefault(fold(upn), set()).add(upn)
    for key in sorted(key for key, found in spellings.items() if len(found) > 1):
        written = sorted(spellings[key])
        yield finding(
            ID,
            Severity.NOTE,
            key,
            what=f"One person is written {len(written)} ways: {', '.join(written)}.",
            why="Names of people are compared without case: the plan counts them as one.",
            mend="Nothing to do when that is one person.",
            evidence={"spellings": written},
        )


RULE = Rule(id=ID, severity=Severity.NOTE, about="A person is spelled in several casings.", check=check)
