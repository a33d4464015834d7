"""What the caller of a migration must be able to do in Azure, and whether permissions allow it.

Judged by effective actions, never by the names of roles. Source: facts/arm-service 5.4.
"""

import fnmatch
from collections.abc import Iterable

from crossfade.model.target import Permission

NEEDED: dict[str, str] = {
    "Microsoft.DesktopVirtualization/hostPools/write": "create the host pools",
    "Microsoft.DesktopVirtualization/applicationGroups/write": "create the application groups",
    "Microsoft.DesktopVirtualization/workspaces/write": "create the workspace",
    "Microsoft.DesktopVirtualization/hostpools/retrieveRegistrationToken/action": "register hosts",
    "Microsoft.DesktopVirtualization/hostpools/sessionhosts/write": "open, close and assign session hosts",
    "Microsoft.Resources/subscriptions/resourceGroups/write": "create the resource groups",
    "Microsoft.Compute/virtualMachines/read": "see the VMs",
    "Microsoft.Compute/virtualMachines/restart/action": "restart the VMs",
    "Microsoft.Compute/virtualMachines/runCommands/write": "run the move script on the VMs",
    "Microsoft.Authorization/roleAssignments/write": "publish to people",
}
"""Actions that every plan needs, and what for."""

LOGS: dict[str, str] = {"Microsoft.Insights/diagnosticSettings/write": "have the new objects send their logs"}
"""Likewise, where `[diagnostics]` names a workspace (facts/arm-service 5.4)."""

SCALING: dict[str, str] = {"Microsoft.DesktopVirtualization/scalingPlans/write": "create the scaling plans"}
"""Likewise, where there is a `[scaling]`."""

POWERFUL_ROLES: dict[str, str] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""Roles that reach far beyond desktops: id -> name (facts/arm-service 5.1)."""


def allowed(action: str, permissions: Iterable[Permission]) -> bool:
    """Whether any entry allows an action: its wildcards match, and none of its exclusions do."""
    return any(_matches(action, entry.actions) and not _matches(action, entry.not_actions) for entry in permissions)


def _matches(action: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(action.casefold(), pattern.casefold()) for pattern in patterns)
