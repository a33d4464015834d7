"""What the caller of a migration must be able to do in Azure, and whether permissions allow it.

Judged by effective actions, never by the names of roles. Source: facts/arm-service 5.4.
"""

import fnmatch
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from crossfade.model.ids import DESKTOP_USER_ROLE, fold
from crossfade.model.target import Permission, RoleDefinition, RolePermission

MACHINES: dict[str, str] = {
    "Microsoft.Compute/virtualMachines/read": "see the VMs",
    "Microsoft.Compute/virtualMachines/restart/action": "restart the VMs",
    "Microsoft.Compute/virtualMachines/runCommands/write": "run the move script on the VMs",
    "Microsoft.Compute/virtualMachines/runCommands/delete": "take the move script off the VMs again",
}
"""Needed wherever there are VMs, which may be other subscriptions than that of the new objects."""

POWER: dict[str, str] = {
    "Microsoft.Compute/virtualMachines/start/action": "start the VMs that are off",
    "Microsoft.Compute/virtualMachines/deallocate/action": "deallocate them again",
}
"""Likewise, where VMs were off at plan time."""

NEEDED: dict[str, str] = {
    "Microsoft.DesktopVirtualization/hostPools/write": "create the host pools",
    "Microsoft.DesktopVirtualization/applicationGroups/write": "create the application groups",
    "Microsoft.DesktopVirtualization/workspaces/write": "create the workspace",
    "Microsoft.DesktopVirtualization/hostpools/retrieveRegistrationToken/action": "register hosts",
    "Microsoft.DesktopVirtualization/hostpools/sessionhosts/write": "open, close and assign session hosts",
    "Microsoft.Resources/subscriptions/resourceGroups/write": "create the resource groups",
    **MACHINES,
    "Microsoft.Authorization/roleAssignments/write": "publish to people",
}
"""Actions that every plan needs, and what for."""

LOGS: dict[str, str] = {"Microsoft.Insights/diagnosticSettings/write": "have the new objects send their logs"}
"""Likewise, where `[diagnostics]` names a workspace (facts/arm-service 5.4)."""

LINKS: dict[str, str] = {"Microsoft.OperationalInsights/workspaces/sharedKeys/action": "send logs to this workspace"}
"""Needed at the workspace itself, by whoever writes a setting that sends there; without it the service answers 403
LinkedAuthorizationFailed. Source: MicrosoftDocs/azure-docs issue 80159 and JimGBritt/AzurePolicy issue 17, read
2026-11-29."""

READERS: dict[str, str] = {
    "Microsoft.Authorization/roleAssignments/write": "let people read the logs of this workspace, as the plan does"
}
"""Likewise, where a classic operator's role is granted there."""

SCALING: dict[str, str] = {"Microsoft.DesktopVirtualization/scalingPlans/write": "create the scaling plans"}
"""Likewise, where there is a `[scaling]`."""

SNAPSHOTS: dict[str, str] = {
    "Microsoft.Compute/snapshots/read": "see the snapshots of OS disks",
    "Microsoft.Compute/snapshots/write": "take snapshots of OS disks",
    "Microsoft.Compute/snapshots/delete": "remove the snapshots it took",
    "Microsoft.Compute/disks/beginGetAccess/action": "copy OS disks into snapshots",
}
"""Likewise, where OS disks are snapshotted. The last one is asked for on the disk (Azure/OpenShift issue 186)."""

POWERFUL_ROLES: dict[str, str] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""Roles that reach far beyond desktops: id -> name (facts/arm-service 5.1)."""


USE = "Microsoft.DesktopVirtualization/applicationGroups/useApplications/action"
"""The data action that publishes (facts/arm-service 5.1)."""
GIVES_ACCESS = "Microsoft.Authorization/roleAssignments/write"
CHANGES_DESKTOPS = "Microsoft.DesktopVirtualization/hostPools/delete"
DELETES_MACHINES = "Microsoft.Compute/virtualMachines/delete"


class Power(StrEnum):
    """What a role allows, as far as it is more than desktops need."""

    GIVES_ACCESS = "gives-access"
    CHANGES_EVERYTHING = "changes-everything"


def powers(role: RoleDefinition | None, role_id: str) -> set[Power]:
    """Judged by actions, never by name; a role whose definition could not be read, by what is known of its id. One that
    manages desktops and nothing else has no more power than a classic contributor had."""
    if role is None:
        return _KNOWN_POWERS.get(fold(role_id), set())
    found = {Power.GIVES_ACCESS} if holds(role, GIVES_ACCESS) else set()
    both = holds(role, CHANGES_DESKTOPS) and holds(role, DELETES_MACHINES)
    return found | ({Power.CHANGES_EVERYTHING} if both else set())


def opens(role: RoleDefinition | None, role_id: str) -> bool:
    """Whether a role publishes application groups to whoever holds it."""
    return fold(role_id) == DESKTOP_USER_ROLE or (role is not None and holds_data(role, USE))


def holds(role: RoleDefinition, action: str) -> bool:
    return any(_matches(action, one.actions) and not _matches(action, one.not_actions) for one in role.permissions)


def holds_data(role: RoleDefinition, action: str) -> bool:
    entries = role.permissions
    return any(_matches(action, one.data_actions) and not _matches(action, one.not_data_actions) for one in entries)


def role_of(row: dict[str, Any]) -> RoleDefinition:
    """A role definition as ARM answers it."""
    properties = row.get("properties") or {}
    return RoleDefinition(
        id=fold(str(row.get("name", ""))),
        name=str(properties.get("roleName") or row.get("name", "")),
        custom=fold(str(properties.get("type") or "")) == "customrole",
        permissions=[
            RolePermission(
                actions=_texts(entry, "actions"),
                not_actions=_texts(entry, "notActions"),
                data_actions=_texts(entry, "dataActions"),
                not_data_actions=_texts(entry, "notDataActions"),
            )
            for entry in properties.get("permissions") or []
        ],
    )


def _texts(row: dict[str, Any], name: str) -> list[str]:
    return [str(text) for text in row.get(name) or []]


_KNOWN_POWERS: dict[str, set[Power]] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": {Power.GIVES_ACCESS, Power.CHANGES_EVERYTHING},
    "b24988ac-6180-42a0-ab88-20f7382dd24c": {Power.CHANGES_EVERYTHING},
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": {Power.GIVES_ACCESS},
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": {Power.GIVES_ACCESS},
}


def allowed(action: str, permissions: Iterable[Permission]) -> bool:
    """Whether any entry allows an action: its wildcards match, and none of its exclusions do."""
    return any(_matches(action, entry.actions) and not _matches(action, entry.not_actions) for entry in permissions)


def _matches(action: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(action.casefold(), pattern.casefold()) for pattern in patterns)
