"""One person under several classic names: renamed in between, or an alias. Azure grants to the person: once."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold

ID = "person-twice"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    assigned = {fold(item.upn): item.upn for item in inventory.assignments}
    names: dict[str, list[str]] = {}
    for identity in target.identities if target else []:
        if identity.object_id and fold(identity.upn) in assigned:
            names.setdefault(fold(identity.object_id), []).append(assigned[fold(identity.upn)])
    for object_id, found in sorted(names.items()):
        if len(found) > 1:
            told = sorted(found, key=fold)
            yield finding(
                ID,
                Severity.NOTE,
                object_id,
                what=f"One person of the directory has {len(told)} names in classic: {', '.join(told)}.",
                why="What either name has, the person gets, once: who has a desktop under one name and apps under the "
                "other sees what their pool prefers.",
                mend="Nothing to do when that is one person.",
                evidence={"names": told},
            )


RULE = Rule(id=ID, severity=Severity.NOTE, about="One person has several names in classic.", check=check)
