"""Somebody assigned to very many app groups: mostly an account of tests or services, with as many assignments."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, parent_key

ID = "person-everywhere"
MANY = 100
"""App groups of one person. No limit of the service: what nobody assigns by hand for a single person's work."""


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    groups: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    for item in inventory.assignments:
        groups.setdefault(fold(item.upn), set()).add(fold(item.key))
        spelled.setdefault(fold(item.upn), item.upn)
    for person, keys in sorted(groups.items()):
        if len(keys) >= MANY:
            pools = len({parent_key(key) for key in keys})
            yield finding(
                ID,
                Severity.WARNING,
                person,
                what=f"{spelled[person]} is assigned to {len(keys)} app groups of {pools} pools.",
                why="Each is an assignment of its own on the target and counts against the quota; they get access in "
                "as many waves as their pools have, and until then work in both services.",
                mend="Take them out of what they do not use, in classic, before you plan; an account that only tests "
                "or administers needs none of them.",
                evidence={"app_groups": len(keys), "pools": pools},
            )


RULE = Rule(id=ID, severity=Severity.WARNING, about="Somebody is assigned to very many app groups.", check=check)
