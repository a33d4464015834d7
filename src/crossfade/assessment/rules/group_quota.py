"""Application groups: 500 per tenant unless support has raised it (facts/arm-service 10)."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.same_people import SamePeople, same_people
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold

ID = "group-quota"
NAMED = 5


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    """Groups that are on the target already, by the tag that names where they come from, do not come again."""
    if target is None:
        return
    there = {fold(value) for item in target.objects for value in item.tags.values()}
    wanted = sum(1 for group in inventory.groups if fold(group.key) not in there)
    for count in target.counts:
        if count.what == "application_groups" and 0 < count.limit < count.used + wanted:
            merges = same_people(inventory)
            yield finding(
                ID,
                Severity.BLOCKER,
                "tenant",
                what=f"{count.used} of {count.limit} application groups are there, {wanted} are to come: "
                f"{count.used + wanted - count.limit} too many.",
                why="Groups in subscriptions that were not read count too; the service would refuse the last ones.",
                mend="Ask Azure support for a higher limit and accept this by name, or leave pools out (skip = true)"
                f"{_or_merge(merges)}.",
                evidence={
                    "used": count.used,
                    "limit": count.limit,
                    "needed": wanted,
                    "after": count.used + wanted,
                    "merges": [merge.told() for merge in merges],
                    "merges_save": sum(merge.saved() for merge in merges),
                },
            )


def _or_merge(merges: list[SamePeople]) -> str:
    if not merges:
        return ""
    named = "; ".join(merge.told() for merge in merges[:NAMED])
    more = f"; and {len(merges) - NAMED} more" if len(merges) > NAMED else ""
    return (
        f", or merge in classic app groups that have the same people, which would save "
        f"{sum(merge.saved() for merge in merges)}: {named}{more}"
    )


RULE = Rule(id=ID, severity=Severity.BLOCKER, about="Application groups may not fit the tenant.", check=check)
