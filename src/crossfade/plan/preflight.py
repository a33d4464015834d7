"""Machine gates before the first write: rights, conflicts, sign-in policies, quotas, inputs that moved on. Pure."""

from collections.abc import Iterable
from typing import Any

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.model.rights import LOGS, NEEDED, SCALING, allowed
from crossfade.plan.operations import Action, CreateDirectoryGroup, PutResource, SendLogs
from crossfade.plan.plan import Plan
from crossfade.plan.quotas import quotas as count_quotas
from crossfade.plan.scaling import TYPE as SCALING_PLANS

CLASSIC_APPS = frozenset({"5a0aa725-4958-4b0c-80a9-34562e23f3b7", "fa4345a4-a730-4230-84a8-7d9651b86739"})
"""Server and client application of the classic service (facts/classic-service 2.2)."""
NEW_APPS = frozenset({"9cdead84-a844-4324-93f2-b2e6bb768d07", "a85cf173-4192-42f8-81fa-777a763e6e2c"})
EVERYTHING = "All"


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
        for action, what in needed(plan).items()
        if not allowed(action, mine)
    ]


def needed(plan: Plan) -> dict[str, str]:
    """Actions that this plan needs, and what for."""
    writes = (Action.CREATE, Action.UPDATE)
    logs = any(isinstance(op, SendLogs) and op.action in writes for op in plan.operations)
    scaled = any(isinstance(op, PutResource) and op.type == SCALING_PLANS for op in plan.operations)
    return {**NEEDED, **(LOGS if logs else {}), **(SCALING if scaled else {})}


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
    return count_quotas(plan.operations, target, plan.subscription)


def existing_groups(plan: Plan, target: TargetSnapshot) -> list[Problem]:
    """Existing groups that the plan publishes through, as they are now: never one member more than the app group has
    people (design 8). `target` was read with `group_ids(plan)`."""
    ids = {
        operation.mail_nickname: operation
        for operation in plan.operations
        if isinstance(operation, CreateDirectoryGroup)
    }
    now = {fold(group.id): group for group in target.candidates}
    problems = []
    for access in plan.access:
        has = {fold(one) for one in access.people.values()}
        for operation in (ids[nickname] for nickname in access.existing if nickname in ids):
            group = now.get(fold(operation.prior_id or ""))
            strangers = set(group.members) - has if group and group.complete else set()
            if group is None or not group.complete:
                what, mend = "could not be read: nobody knows who would gain access.", "Plan again without it."
            else:
                what = f"has {len(strangers)} members now who do not have {access.source}: {some(strangers)}."
                mend = "They would gain it. Take them out of the group, or the group out of [groups], and plan again."
            if strangers or group is None or not group.complete:
                problems.append(Problem(f"directory group {operation.display_name}", what, mend))
    return problems


def group_ids(plan: Plan) -> list[str]:
    """Object ids of the existing groups that the plan publishes through."""
    used = {nickname for access in plan.access for nickname in access.existing}
    found = (one for one in plan.operations if isinstance(one, CreateDirectoryGroup) and one.mail_nickname in used)
    return sorted({operation.prior_id for operation in found if operation.prior_id})


def some(names: Iterable[str], most: int = 5) -> str:
    found = sorted(names)
    return ", ".join(found[:most]) + (" …" if len(found) > most else "")


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
