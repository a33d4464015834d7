"""Application groups: 500 per tenant unless support has raised it (facts/arm-service 10)."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot

ID = "group-quota"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    wanted = len(inventory.groups)
    for count in target.counts if target else []:
        if count.what == "application_groups" and 0 < count.limit < count.used + wanted:
            yield finding(
                ID,
                Severity.BLOCKER,
                "tenant",
                what=f"{count.used} of {count.limit} application groups are there, {wanted} are to come.",
                why="Groups in subscriptions that were not read count too; the service would refuse the last ones.",
                mend="Ask Azure support for a higher limit and accept this by name, or leave pools out (skip = true).",
                evidence={"used": count.used, "limit": count.limit, "needed": wanted},
            )


RULE = Rule(id=ID, severity=Severity.BLOCKER, about="Application groups may not fit the tenant.", check=check)
