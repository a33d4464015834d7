"""Role assignments: 4,000 per subscription; many people assigned one by one may not fit (facts/arm-service 10)."""

from collections import Counter
from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, last_name

ID = "role-quota"
USUAL_THRESHOLD = 150
"""What crossfade.toml starts with: bigger app groups take one assignment, through a directory group."""


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    sizes = Counter(fold(item.key) for item in inventory.assignments)
    wanted = sum(size if size <= USUAL_THRESHOLD else 1 for size in sizes.values())
    for count in target.counts if target else []:
        if count.what == "role_assignments" and 0 < count.limit < count.used + wanted:
            yield finding(
                ID,
                Severity.WARNING,
                f"/subscriptions/{last_name(count.scope)}",
                what=f"{count.used} of {count.limit} role assignments are used, and about {wanted} are needed.",
                why="The limit is fixed. The plan counts exactly and is not made when they do not fit.",
                mend="Lower access.direct_threshold, so that people come through groups, or remove old assignments.",
                evidence={"used": count.used, "limit": count.limit, "needed": wanted, "app_groups": len(sizes)},
            )


RULE = Rule(id=ID, severity=Severity.WARNING, about="Role assignments may not fit the subscription.", check=check)
