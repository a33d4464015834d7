"""Delegated administration: classic roles have no counterpart that could be copied (facts/arm-service 5.5)."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import RoleAssignment
from crossfade.model.ids import fold

ID = "classic-role"
_INSTEAD = {
    "rds owner": "Desktop Virtualization Contributor, and Role Based Access Control Administrator under a condition "
    "that limits it to Desktop Virtualization User",
    "rds contributor": "Desktop Virtualization Contributor, of a pool or app group those of its kind",
    "rds reader": "Desktop Virtualization Reader, of a pool or app group those of its kind",
    "rds operator": "Log Analytics Reader on the workspace of the diagnostics",
}


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for role in inventory.roles:
        name = target.principals.get(fold(role.object_id or "")) if target else None
        who = role.display_name or role.sign_in_name or name or role.app_id or role.object_id or "Somebody unnamed"
        place = role.key or "the deployment"
        instead = _INSTEAD.get(role.role.casefold())
        yield finding(
            ID,
            Severity.NOTE,
            f"{place}#{role.role}#{role.object_id or _id(role)}",
            what=f"{who} is {role.role} of {place}; nothing is granted on the target without a yes.",
            why="Azure roles are granted at resource groups and objects, and none gives rights over VMs by itself.",
            mend=f"The plan proposes {instead}, at the narrowest scope: say yes or no in [roles] of crossfade.toml."
            if instead
            else "No counterpart is known for this role: decide what they need on the target, and grant it there.",
            evidence={"role": role.role, "scope": role.key or "/", "object_id": role.object_id, "instead": instead},
        )


def _id(role: RoleAssignment) -> str:
    """Of one without an object: the same in every assessment, whatever the directory can tell."""
    return role.display_name or role.sign_in_name or role.app_id or "Somebody unnamed"


RULE = Rule(
    id=ID,
    severity=Severity.NOTE,
    about="A classic role is proposed as Azure roles, and granted after a yes only.",
    check=check,
)
