"""Direct personal pools: a host that is nobody's, or somebody who has no host. Neither opens anything, then or now."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import AssignmentType
from crossfade.model.ids import fold, last_name, parent_key

ID = "personal-without-person"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    direct = {fold(pool.key) for pool in inventory.pools if pool.personal and pool.assignment is AssignmentType.DIRECT}
    owners: dict[str, set[str]] = {}
    for host in inventory.hosts:
        pool = fold(parent_key(host.key))
        if pool in direct and not host.assigned_user:
            yield finding(
                ID,
                Severity.NOTE,
                host.key,
                what=f"{last_name(host.key)} is nobody's desktop.",
                why="Its pool assigns desktops by hand only: it moves, and stays nobody's.",
                mend="Assign it in classic before the run, or on the target after it.",
            )
        elif pool in direct:
            owners.setdefault(pool, set()).add(fold(host.assigned_user or ""))
    for item in inventory.assignments:
        pool = fold(parent_key(item.key))
        if pool in direct and fold(item.upn) not in owners.get(pool, set()):
            yield finding(
                ID,
                Severity.WARNING,
                f"{item.key}#{fold(item.upn)}",
                what=f"{item.upn} may open {last_name(parent_key(item.key))} and has no desktop there.",
                why="A pool with direct assignment gives nobody a desktop by itself: classic refuses them too.",
                mend="Assign them a host in classic, or take them out of the app group.",
                evidence={"upn": item.upn},
            )


RULE = Rule(id=ID, severity=Severity.WARNING, about="A desktop without a person, or the reverse.", check=check)
