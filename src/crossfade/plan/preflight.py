"""Machine gates before the first write: rights, conflicts, sign-in policies, quotas, inputs that moved on. Pure."""

import fnmatch
from typing import Any

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.model.target import Permission
from crossfade.plan.operations import Action, CreateDirectoryGroup, GrantRole
from crossfade.plan.plan import Plan

CLASSIC_APPS = frozenset({"5a0aa725-4958-4b0c-80a9-34562e23f3b7", "fa4345a4-a730-4230-84a8-7d9651b86739"})
"""Server and client application of the classic service (facts/classic-service 2.2)."""
NEW_APPS = frozenset({"9cdead84-a844-4324-93f2-b2e6bb768d07", "a85cf173-4192-42f8-81fa-777a763e6e2c"})
EVERYTHING = "All"

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
"""Actions that every plan needs, and what for (facts/arm-service 5.4)."""


def rights(plan: Plan, target: TargetSnapshot) -> list[Problem]:
    """Judged by effective actions at the subscription, never by the names of roles."""
    scope = f"/subscriptions/{plan.subscription}"
    mine = [entry for entry in target.permissions if fold(entry.scope) == fold(scope)]
    return [
        Problem(
            scope,
            f"the caller {target.caller or 'signed in'} may not {what}.",
            f"Grant a role with {action} here: Contributor and User Access Administrator have all that is needed.",
        )
        for action, what in NEEDED.items()
        if not allowed(action, mine)
    ]


def allowed(action: str, permissions: list[Permission]) -> bool:
    """Whether any entry allows an action: its wildcards match, and none of its exclusions do."""
    return any(_matches(action, entry.actions) and not _matches(action, entry.not_actions) for entry in permissions)


def _matches(action: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(action.casefold(), pattern.casefold()) for pattern in patterns)


def conflicts(plan: Plan) -> list[Problem]:
    return [
        Problem(operation.subject, operation.reason + ".", 'Decide: "update" or "adopt" under [conflicts], then plan.')
        for operation in plan.operations
        if operation.action is Action.CONFLICT
    ]


def stale(plan: Plan, inventory: Inventory, target: TargetSnapshot) -> list[Problem]:
    """Inputs that differ from those the plan was made from."""
    now = {"inventory": inventory.design_digest(), "target": target.design_digest()}
    return [
        Problem(name, f"has changed since the plan was made (was {plan.inputs.get(name, '?')[:19]}…).", "Plan again.")
        for name, digest in now.items()
        if plan.inputs.get(name) != digest
    ]


def quotas(plan: Plan, target: TargetSnapshot) -> list[Problem]:
    """Counted again now: somebody else may have used what was free at plan time (facts/field, trap 8)."""
    new = sum(1 for op in plan.operations if isinstance(op, GrantRole) and op.action is Action.CREATE)
    return [
        Problem(
            count.scope, f"{count.used} role assignments of {count.limit} are used, {new} are needed.", "Free some."
        )
        for count in target.counts
        if count.what == "role_assignments" and count.used + new > count.limit
    ]


def sign_in_policies(policies: list[dict[str, Any]] | None, accepted: frozenset[str]) -> list[Problem]:
    """Conditional Access policies that name the classic applications and not the new ones (facts/classic 2.2).

    `None`: they could not be read. `accepted`: ids of findings that somebody answers for.
    """
    if policies is None:
        if "conditional-access:unread" in accepted:
            return []
        what = "could not be read, so nobody knows whether they cover the new service."
        mend = 'Grant Policy.Read.All, or accept it by name: [[accepted]] finding = "conditional-access:unread".'
        return [Problem("Conditional Access policies", what, mend)]
    return [
        Problem(
            f"Conditional Access policy {policy.get('displayName')}",
            "covers the classic service and not the new one.",
            f"Add the application ids {', '.join(sorted(NEW_APPS))}, "
            f'or accept it: finding = "conditional-access:{policy.get("id")}".',
        )
        for policy in policies
        if _leaves_a_hole(policy) and f"conditional-access:{policy.get('id')}" not in accepted
    ]


def _leaves_a_hole(policy: dict[str, Any]) -> bool:
    if policy.get("state") == "disabled":
        return False
    included = {fold(app) for app in _applications(policy, "includeApplications")}
    excluded = {fold(app) for app in _applications(policy, "excludeApplications")}
    everything = fold(EVERYTHING) in included
    old = bool(included & CLASSIC_APPS)
    new = everything or included >= NEW_APPS
    return (old and not new) or (bool(excluded & CLASSIC_APPS) and everything and bool(NEW_APPS - excluded))


def _applications(policy: dict[str, Any], which: str) -> list[str]:
    conditions = policy.get("conditions") or {}
    return list((conditions.get("applications") or {}).get(which) or [])


def needs_directory_writes(plan: Plan) -> bool:
    return any(isinstance(op, CreateDirectoryGroup) and op.action is Action.CREATE for op in plan.operations)
