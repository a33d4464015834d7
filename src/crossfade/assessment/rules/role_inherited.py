"""Grants above the desktop objects that reach all of them: more power than any classic role gave."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding, some
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, fold
from crossfade.model.rights import POWERFUL_ROLES
from crossfade.model.target import RoleGrant

ID = "role-inherited"
_OPENS = "Desktop Virtualization User"
_WHY = {
    "Owner": "They can give anybody any desktop, themselves included, and delete host pools and VMs.",
    "Contributor": "They can change and delete every host pool and VM there.",
    "User Access Administrator": "They can give anybody any desktop, themselves included.",
    "Role Based Access Control Administrator": "They can give anybody what the grant's condition allows.",
    _OPENS: "It publishes every application group below it, those of the migration too: they would gain access.",
}


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    """One finding for each scope and role, with who holds it."""
    held: dict[tuple[str, str], list[RoleGrant]] = {}
    for grant in target.powerful if target else []:
        held.setdefault((fold(grant.scope), POWERFUL_ROLES[grant.role]), []).append(grant)
    for grant in target.grants if target else []:
        if fold(grant.role) == DESKTOP_USER_ROLE and "/microsoft.desktopvirtualization/" not in grant.scope.casefold():
            held.setdefault((fold(grant.scope), _OPENS), []).append(grant)
    names = {identity.object_id: identity.upn for identity in target.identities} if target else {}
    for (_, role), grants in sorted(held.items(), key=lambda item: item[0]):
        who = sorted(f"{grant.principal_type} {names.get(grant.principal_id, grant.principal_id)}" for grant in grants)
        scope = grants[0].scope
        yield finding(
            ID,
            Severity.WARNING,
            f"{scope}#{role}",
            what=f"{role} at {scope} is held by {some(who)}, and reaches every desktop object below it.",
            why=_WHY[role],
            mend="Keep it only for who must have it; narrow it to the resource group or the object that it is for.",
            evidence={"role": role, "scope": scope, "principals": who},
        )


RULE = Rule(id=ID, severity=Severity.WARNING, about="A grant above reaches every desktop object.", check=check)
