"""Rights that the run needs and the caller has not, by effective actions and not by names of roles."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.model.rights import NEEDED, allowed

ID = "rights-missing"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    """With several subscriptions only the operator knows which one is written to: then it is a warning."""
    subscriptions = target.subscriptions if target else []
    severity = Severity.BLOCKER if len(subscriptions) == 1 else Severity.WARNING
    for subscription in subscriptions:
        scope = f"/subscriptions/{subscription}"
        mine = [entry for entry in target.permissions if fold(entry.scope) == fold(scope)] if target else []
        missing = {action: what for action, what in NEEDED.items() if not allowed(action, mine)}
        if missing:
            yield finding(
                ID,
                severity,
                scope,
                what=f"{target.caller if target else ''} may not {'; not '.join(missing.values())}.",
                why="The run would stop at the first of these.",
                mend="Grant Contributor and User Access Administrator here, or a role with the actions listed.",
                evidence={"actions": sorted(missing)},
            )


RULE = Rule(id=ID, severity=Severity.BLOCKER, about="The caller lacks rights that the run needs.", check=check)
