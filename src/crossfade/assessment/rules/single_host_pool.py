"""Pooled pools with one host: while it moves there is no seat for anybody."""

from collections import Counter
from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, parent_key

ID = "single-host-pool"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    hosts = Counter(fold(parent_key(host.key)) for host in inventory.hosts)
    people: dict[str, set[str]] = {}
    for item in inventory.assignments:
        people.setdefault(fold(parent_key(item.key)), set()).add(fold(item.upn))
    for pool in inventory.pools:
        count = len(people.get(fold(pool.key), ()))
        if not pool.personal and hosts[fold(pool.key)] == 1 and count:
            yield finding(
                ID,
                Severity.WARNING,
                pool.key,
                what=f"{count} people share one host.",
                why="It cannot move without an outage for them; the plan is not made until you allow one.",
                mend=f'Add a second host, or allow it: [pools."{pool.key}"] outage = "when-empty".',
                evidence={"people": count},
            )


RULE = Rule(id=ID, severity=Severity.WARNING, about="A pool has one host.", check=check)
