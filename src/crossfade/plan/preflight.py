"""Machine gates before the first write: rights, conflicts, sign-in policies, quotas, inputs that moved on. Pure."""

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, group_of, segments
from crossfade.model.rights import LINKS, LOGS, MACHINES, NEEDED, POWER, READERS, SCALING, SNAPSHOTS, allowed
from crossfade.model.sign_in import UNREAD, SignInPolicy, hole_in
from crossfade.plan import moved_on
from crossfade.plan.membership import broken, promises
from crossfade.plan.operations import Action, CreateDirectoryGroup, GrantRole, PutResource, SendLogs
from crossfade.plan.plan import HostMove, Plan
from crossfade.plan.quotas import quotas as count_quotas
from crossfade.plan.scaling import TYPE as SCALING_PLANS
from crossfade.plan.scope import Scope

LOG_WORKSPACES = "/providers/microsoft.operationalinsights/workspaces/"
ENOUGH = "Contributor and User Access Administrator have all that is needed"
SENDERS = (
    "Log Analytics Contributor or Monitoring Contributor, and User Access Administrator where people are let in there"
)
OPERATORS = "Contributor has all that is needed"
VM_GROUP = "Have Contributor granted there, or leave these pools out of the plan."
LOG_PLACE = "Check the id in [diagnostics], and have Log Analytics Contributor granted there."
UNREAD_RIGHTS = "the caller's permissions at"
"""How the subject of a gap begins where they could not be read."""


def rights(plan: Plan, target: TargetSnapshot) -> list[Problem]:
    """Judged by effective actions at the subscription, never by the names of roles; and at what may be in another one:
    the resource groups of VMs, and the workspace of the logs."""
    logs = log_workspace(plan)
    elsewhere = needed_for_machines(plan)
    return [
        *_lacking(f"/subscriptions/{plan.subscription}", needed(plan), ENOUGH, target),
        *(problem for group in elsewhere for problem in _judged(group, elsewhere[group], OPERATORS, VM_GROUP, target)),
        *_judged(logs, needed_for_logs(plan), SENDERS, LOG_PLACE, target),
    ]


def _judged(scope: str, actions: dict[str, str], enough: str, mend: str, target: TargetSnapshot) -> list[Problem]:
    """What is lacking at one scope, or why nobody knows. `mend` is for the latter."""
    doubt = next((gap for gap in target.gaps if fold(gap.subject) == fold(f"{UNREAD_RIGHTS} {scope}")), None)
    if not actions or doubt is None:
        return _lacking(scope, actions, enough, target)
    what = f"what {target.caller or 'the caller'} may do there could not be read: {doubt.why}"
    return [Problem(scope, what, mend)]


def _lacking(scope: str, actions: dict[str, str], enough: str, target: TargetSnapshot) -> list[Problem]:
    mine = [entry for entry in target.permissions if fold(entry.scope) == fold(scope)]
    return [
        Problem(
            scope,
            f"the caller {target.caller or 'signed in'} may not {what}.",
            f"Grant a role with {action} here: {enough}.",
        )
        for action, what in actions.items()
        if not allowed(action, mine)
    ]


def needed(plan: Plan) -> dict[str, str]:
    """Actions that this plan needs, and what for."""
    writes = (Action.CREATE, Action.UPDATE)
    logs = any(isinstance(op, SendLogs) and op.action in writes for op in plan.operations)
    scaled = any(isinstance(op, PutResource) and op.type == SCALING_PLANS for op in plan.operations)
    return {**NEEDED, **_on_machines(plan.hosts), **(LOGS if logs else {}), **(SCALING if scaled else {})}


def needed_for_machines(plan: Plan) -> dict[str, dict[str, str]]:
    """Resource groups of VMs outside the plan's subscription -> actions that the plan needs there, and what for."""
    found: dict[str, list[HostMove]] = {}
    for move in plan.hosts:
        if fold(segments(move.vm).get("subscriptions", "")) != fold(plan.subscription):
            found.setdefault(fold(group_of(move.vm)), []).append(move)
    return {group_of(moves[0].vm): {**MACHINES, **_on_machines(moves)} for _, moves in sorted(found.items())}


def _on_machines(moves: list[HostMove]) -> dict[str, str]:
    """Actions on the VMs of these hosts that not every plan needs."""
    off, kept = any(move.start for move in moves), any(move.snapshot for move in moves)
    return {**(POWER if off else {}), **(SNAPSHOTS if kept else {})}


def log_workspace(plan: Plan) -> str:
    """Id of the Log Analytics workspace that a plan has something to do with; empty for none."""
    sent = (operation.workspace for operation in plan.operations if isinstance(operation, SendLogs))
    read = (op.scope for op in plan.operations if isinstance(op, GrantRole) and LOG_WORKSPACES in fold(op.scope))
    return next(iter((*sent, *read)), "")


def needed_for_logs(plan: Plan) -> dict[str, str]:
    """Actions that a plan needs at that workspace, and what for."""
    made = [op for op in plan.operations if op.action in (Action.CREATE, Action.UPDATE)]
    links = any(isinstance(op, SendLogs) for op in made)
    grants = any(isinstance(op, GrantRole) and LOG_WORKSPACES in fold(op.scope) for op in made)
    return {**(LINKS if links else {}), **(READERS if grants else {})}


def conflicts(plan: Plan) -> list[Problem]:
    mend = (
        'Decide: "update" or "adopt" under [conflicts], or another name under [rename] for what cannot be changed; '
        "then plan."
    )
    return [
        Problem(operation.subject, operation.reason + ".", mend)
        for operation in plan.operations
        if operation.action is Action.CONFLICT
    ]


def stale(
    plan: Plan,
    inventory: Inventory,
    target: TargetSnapshot,
    was_inventory: Inventory | None = None,
    was_target: TargetSnapshot | None = None,
) -> list[Problem]:
    """Inputs that differ, in what the plan depends on, from those it was made from; and in what, where these are
    given."""
    if was_target and was_target.design_digest() != plan.inputs.get("target"):
        was_target = None  # another discovery has written over it: what it differs in says nothing of the plan
    if not plan.scope:  # of an earlier version
        return _differing(plan.inputs, inventory, target, was_inventory, was_target)
    scope = Scope(plan)
    mine, mine_was = scope.inventory(inventory), scope.inventory(was_inventory) if was_inventory else None
    cut = scope.target(target, mine)
    cut_was = scope.target(was_target, mine_was) if was_target and mine_was else None
    return _differing(plan.scope, mine, cut, mine_was, cut_was)


def _differing(
    then: dict[str, str],
    inventory: Inventory,
    target: TargetSnapshot,
    was_inventory: Inventory | None,
    was_target: TargetSnapshot | None,
) -> list[Problem]:
    """`then`: the digests as they were."""
    differences = {
        "inventory": lambda: moved_on.classic(was_inventory, inventory) if was_inventory else [],
        "target": lambda: moved_on.target(was_target, target) if was_target else [],
    }
    now = {"inventory": inventory.design_digest(), "target": target.design_digest()}
    return [
        _stale(name, then.get(name, "?"), differences[name]()) for name, found in now.items() if then.get(name) != found
    ]


def _stale(name: str, then: str, differences: list[str]) -> Problem:
    was = f"(was {then[:19]}…)"
    detail = f": {moved_on.told(differences)}." if differences else "."
    return Problem(name, f"has changed since the plan was made {was}{detail}", "Plan again.")


def quotas(plan: Plan, target: TargetSnapshot, accepted: frozenset[str] = frozenset()) -> list[Problem]:
    """Counted again now: somebody else may have used what was free at plan time (facts/field, trap 8)."""
    return count_quotas(plan.operations, target, plan.subscription, accepted)


def existing_groups(plan: Plan, target: TargetSnapshot) -> list[Problem]:
    """Existing groups that the plan publishes through, as they are now: never one member more than the app group has
    people (design 8), and nobody gone whom the plan counts on. `target` was read with `group_ids(plan)`."""
    now = {fold(group.id): group for group in target.candidates}
    known = {fold(one.object_id): one.upn for one in target.identities if one.object_id}
    problems = []
    for (_, directory_group), promise in promises(plan).items():
        group = now.get(directory_group)
        members = group.members if group and group.complete else None
        names = {**known, **(group.names if group else {})}
        problems += [
            Problem(f"directory group {promise.display_name}", what, mend)
            for what, mend in broken(promise, members, names)
        ]
    return problems


def group_ids(plan: Plan) -> list[str]:
    """Object ids of the existing groups that the plan publishes through."""
    used = {nickname for access in plan.access for nickname in access.existing}
    found = (one for one in plan.operations if isinstance(one, CreateDirectoryGroup) and one.mail_nickname in used)
    return sorted({operation.prior_id for operation in found if operation.prior_id})


def sign_in_policies(policies: list[SignInPolicy] | None, accepted: frozenset[str]) -> list[Problem]:
    """Conditional Access policies that treat the two services differently, as they are now.

    `None`: they could not be read. `accepted`: ids of findings that somebody answers for today.
    """
    known = {fold(name) for name in accepted}
    if policies is None:
        if fold(UNREAD) in known:
            return []
        what = "could not be read, so nobody knows whether they cover the new service."
        mend = f'Grant Policy.Read.All, or accept it by name: [[accepted]] finding = "{UNREAD}".'
        return [Problem("Conditional Access policies", what, mend)]
    holes = [hole for hole in map(hole_in, policies) if hole and fold(hole.finding) not in known]
    return [
        Problem(
            f"Conditional Access policy {hole.policy.name}",
            hole.what,
            f'{hole.mend} Or accept it: [[accepted]] finding = "{hole.finding}".',
        )
        for hole in holes
    ]


def accepted(plan: Plan, today: str) -> frozenset[str]:
    """Ids of the findings that somebody answers for on a day (ISO). An acceptance that ran out since is none."""
    over = {fold(one.finding) for one in plan.answered if one.until < today}
    return frozenset(name for name in plan.accepted if fold(name) not in over)


def needs_directory_writes(plan: Plan) -> bool:
    return any(isinstance(op, CreateDirectoryGroup) and op.action is Action.CREATE for op in plan.operations)
