"""Guests of the directory: classic lets none of them in, whoever assigned them (facts/classic-service: no B2B).

What the new service does with them is not among the confirmed facts, so an assignment carried over may be new access.
"""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold

ID = "person-guest"
MARK = "#ext#"
"""In the UPN of everybody who was invited from another directory (facts/arm-service 8)."""


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    places: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    for item in inventory.assignments:
        if MARK in fold(item.upn):
            places.setdefault(fold(item.upn), set()).add(item.key)
            spelled.setdefault(fold(item.upn), item.upn)
    for person, keys in sorted(places.items()):
        yield finding(
            ID,
            Severity.WARNING,
            person,
            what=f"{spelled[person]} is a guest of the directory and assigned to {len(keys)} app groups.",
            why="Classic lets no guest in; what the new service does with them is not confirmed, so that carrying the "
            "assignment over may be new access.",
            mend="Take them out in classic if they should have nothing; else let them try after the first wave.",
            evidence={"assigned_to": sorted(keys)},
        )


RULE = Rule(id=ID, severity=Severity.WARNING, about="A guest of the directory is assigned.", check=check)
