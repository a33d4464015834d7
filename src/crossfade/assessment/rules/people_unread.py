"""Assigned people whom nobody looked up, or whom the directory did not tell: nobody knows whether they are gone."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding, some
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold

ID = "people-unread"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    if target is None:
        return
    read = {fold(item.upn) for item in target.identities if item.state != "unread"}
    reasons = sorted({item.why for item in target.identities if item.state == "unread" and item.why})
    unread = sorted({fold(item.upn) for item in inventory.assignments} - read)
    if unread:
        yield finding(
            ID,
            Severity.BLOCKER,
            "directory",
            what=f"{len(unread)} assigned people were not looked up in the directory: {some(unread)}.",
            why=" ".join(reasons) or "target.json was made before they were assigned, or of another estate.",
            mend="Grant User.ReadBasic.All to who runs Crossfade, and run `crossfade discover --target` again.",
            evidence={"people": unread},
        )


RULE = Rule(id=ID, severity=Severity.BLOCKER, about="Assigned people were not looked up.", check=check)
