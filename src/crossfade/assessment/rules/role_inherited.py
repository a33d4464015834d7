"""Grants above the desktop objects that reach all of them: more power than any classic role gave.

Judged by what a role allows, never by its name: a role of the customer's own with `*` is as much as Owner.
"""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding, some
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, fold
from crossfade.model.rights import POWERFUL_ROLES, Power, opens, powers
from crossfade.model.target import RoleGrant

ID = "role-inherited"
_WHY = {
    Power.GIVES_ACCESS: "They can give anybody any desktop, themselves included{unless}.",
    Power.CHANGES_EVERYTHING: "They can change and delete every host pool and VM there.",
}
_OPENS = "It publishes every application group below it, those of the migration too: they would gain access."
_NAMES = {**POWERFUL_ROLES, DESKTOP_USER_ROLE: "Desktop Virtualization User"}
Held = dict[tuple[str, str], list[RoleGrant]]
"""Folded scope and role -> grants."""


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    """One finding for each scope and role, with who holds it."""
    if target is None:
        return
    names = {**target.principals, **{one.object_id: one.upn for one in target.identities if one.object_id}}
    for _, grants in sorted(_held(target).items()):
        role, scope = _name(target, grants[0].role), grants[0].scope
        who = sorted(f"{grant.principal_type} {names.get(grant.principal_id, grant.principal_id)}" for grant in grants)
        custom = _is_custom(target, grants[0].role)
        yield finding(
            ID,
            Severity.WARNING,
            f"{scope}#{role}",
            what=f"{'The custom role ' if custom else ''}{role} at {scope} is held by {some(who)}, and reaches every "
            "desktop object below it.",
            why=_why(target, grants),
            mend="Keep it only for who must have it; narrow it to the resource group or the object that it is for.",
            evidence={"role": role, "scope": scope, "principals": who, "actions": _actions(target, grants[0].role)},
        )


def _held(target: TargetSnapshot) -> Held:
    held: Held = {}
    for grant in target.powerful:
        held.setdefault((fold(grant.scope), fold(grant.role)), []).append(grant)
    for grant in target.grants:
        inside = "/microsoft.desktopvirtualization/" in grant.scope.casefold()
        key = (fold(grant.scope), fold(grant.role))
        if not inside and opens(target.role(grant.role), grant.role) and grant not in held.get(key, []):
            held.setdefault(key, []).append(grant)
    return held


def _name(target: TargetSnapshot, role_id: str) -> str:
    known = target.role(role_id)
    return known.name if known else _NAMES.get(fold(role_id), role_id)


def _is_custom(target: TargetSnapshot, role_id: str) -> bool:
    known = target.role(role_id)
    return known is not None and known.custom


def _why(target: TargetSnapshot, grants: list[RoleGrant]) -> str:
    definition = target.role(grants[0].role)
    unless = ", as far as the condition of the grant allows" if all(grant.condition for grant in grants) else ""
    found = powers(definition, grants[0].role)
    told = [text.format(unless=unless) for power, text in _WHY.items() if power in found]
    return " ".join([*told, *([_OPENS] if opens(definition, grants[0].role) else [])])


def _actions(target: TargetSnapshot, role_id: str) -> list[str]:
    """What the definition allows, for roles of the customer's own: nobody knows those by heart."""
    known = target.role(role_id)
    entries = known.permissions if known and known.custom else []
    return sorted({text for entry in entries for text in (*entry.actions, *entry.data_actions)})


RULE = Rule(id=ID, severity=Severity.WARNING, about="A grant above reaches every desktop object.", check=check)
