"""Delegated administration: classic roles have no counterpart that could be copied (facts/arm-service 5.5)."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import RoleAssignment

ID = "classic-role"
_INSTEAD = {
    "rds owner": "Desktop Virtualization Contributor and Role Based Access Control Administrator, limited to the "
    "Desktop Virtualization User role",
    "rds contributor": "Desktop Virtualization Contributor",
    "rds reader": "Desktop Virtualization Reader",
    "rds operator": "Log Analytics Reader on the workspace of the diagnostics",
}


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for role in inventory.roles:
        who = _who(role)
        place = role.key or "the deployment"
        instead = _INSTEAD.get(role.role.casefold())
        yield finding(
            ID,
            Severity.NOTE,
            f"{place}#{role.role}#{role.object_id or who}",
            what=f"{who} is {role.role} of {place}; nothing on the target follows from that.",
            why="Azure roles are granted at resource groups and objects, and none gives rights over VMs by itself.",
            mend=f"If they still need it, grant them {instead}." if instead else "Decide what they need on the target.",
            evidence={"role": role.role, "scope": role.key or "/", "object_id": role.object_id, "instead": instead},
        )


def _who(role: RoleAssignment) -> str:
    return role.display_name or role.sign_in_name or role.app_id or role.object_id or "Somebody unnamed"


RULE = Rule(id=ID, severity=Severity.NOTE, about="A classic role is not carried.", check=check)
