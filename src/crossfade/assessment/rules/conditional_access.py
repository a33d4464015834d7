"""Conditional Access policies that treat the two services differently, or that could not be read (design 10)."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.sign_in import CLASSIC_APPS, NEW_APPS, Gap, hole_in

ID = "conditional-access"
_WHY = {
    Gap.OPEN: "The services have application ids of their own: what the policy asks for would not be asked there.",
    Gap.BARRED: "The services have application ids of their own: whoever does not fulfil the policy cannot sign in.",
    Gap.UNKNOWN: "The directory answered in part.",
}
_ACCEPT = "Or let somebody answer for it: [[accepted]] in crossfade.toml, with name, reason and day."


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    """One finding for each policy, by its id; one, `unread`, where they may not be read."""
    if target is None:
        return
    if target.sign_in_policies is None:
        yield finding(
            ID,
            Severity.BLOCKER,
            "unread",
            what="Conditional Access policies could not be read, so nobody knows whether they cover the new service.",
            why=_unread(target),
            mend=f"Have Policy.Read.All granted, and discover the target again. {_ACCEPT}",
            evidence={"classic": CLASSIC_APPS, "new": NEW_APPS},
        )
        return
    for policy in target.sign_in_policies:
        hole = hole_in(policy)
        if hole is not None:
            yield finding(
                ID,
                Severity.BLOCKER,
                policy.id,
                what=f"The Conditional Access policy {policy.name} {hole.what}",
                why=_WHY[hole.gap],
                mend=f"{hole.mend} {_ACCEPT}",
                evidence={"state": policy.state, "applications": hole.apps},
            )


def _unread(target: TargetSnapshot) -> str:
    told = [gap.why for gap in target.gaps if gap.subject == "the Conditional Access policies"]
    return " ".join(dict.fromkeys(told)) or "The directory does not let the caller read them."


RULE = Rule(
    id=ID, severity=Severity.BLOCKER, about="A sign-in policy treats the two services differently.", check=check
)
