"""Is a plan whole? The planner's own output is checked, and so is a plan that somebody edited by hand.

Whatever apply would act on must hang together: it decides nothing new, so it would carry out nonsense as readily as
sense. Beside broken references this looks for access that the plan's own list of people does not explain.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from crossfade.errors import Problem
from crossfade.model.diagnostics import resource_of
from crossfade.model.ids import DESKTOP_USER_ROLE, fold, same
from crossfade.plan.intent_ranges import ACTIVE, DISCONNECTED
from crossfade.plan.operations import (
    AddMember,
    CreateDirectoryGroup,
    GrantRole,
    PatchHostPool,
    PatchResource,
    PutResource,
    RetractAssignment,
    SendLogs,
    SetIcon,
    SnapshotDisk,
)
from crossfade.plan.plan import GroupAccess, Plan, Wave
from crossfade.plan.role_proposal import RoleProposal

MEND = "Make the plan again with `crossfade plan`; choices belong into crossfade.toml."
KINDS = ("canary-host", "canary-wave", "wave", "last-wave", "restore-wave")
Wrong = tuple[str, str]
"""Where inside the plan, and what."""


def check_plan(plan: Plan) -> list[Problem]:
    """Everything that cannot be in a plan made by the planner; empty when it is whole."""
    found = [*_operations(plan), *_references(plan), *_hosts(plan), *_waves(plan), *_access(plan), *_settings(plan)]
    return [Problem(f"plan.json: {where}", what, MEND) for where, what in found]


def _operations(plan: Plan) -> Iterator[Wrong]:
    for name, count in Counter(operation.id for operation in plan.operations).items():
        if count > 1:
            yield f"operations {name}", f"is there {count} times."
    home = f"/subscriptions/{plan.subscription}/".casefold()
    for operation in plan.operations:
        if isinstance(operation, SendLogs) and not same(resource_of(operation.subject), operation.resource):
            yield f"operations {operation.id}", f"is no setting of {operation.resource}."
        if isinstance(operation, PutResource | PatchResource | PatchHostPool | SendLogs | SetIcon):
            if not f"{operation.subject}/".casefold().startswith(home):
                yield f"operations {operation.id}", f"writes to {operation.subject}, outside the plan's subscription."
            if not isinstance(operation, SendLogs) and not isinstance(operation.body.get("properties", {}), dict):
                yield f"operations {operation.id}", "has a body without properties."


# ---------------------------------------------------------------- who names which operation


def _references(plan: Plan) -> Iterator[Wrong]:
    known = {operation.id: operation for operation in plan.operations}
    lists = [
        ("publish", (GrantRole, AddMember), list(_published(plan.waves))),
        ("retract", (RetractAssignment,), list(_retracted(plan.waves))),
        ("late", (PatchHostPool, PatchResource), [name for pool in plan.pools for name in pool.late]),
    ]
    for what, kinds, names in lists:
        for name, count in Counter(names).items():
            if name not in known:
                yield f"{what} {name}", "names an operation that the plan does not hold."
            elif not isinstance(known[name], kinds):
                yield f"{what} {name}", f"is a {type(known[name]).__struct_config__.tag}, which does not belong there."
            if count > 1:
                yield f"{what} {name}", f"is named {count} times."


def _published(waves: Iterable[Wave]) -> Iterator[str]:
    for wave in waves:
        yield from wave.publish
        for names in wave.publish_by_host.values():
            yield from names


def _retracted(waves: Iterable[Wave]) -> Iterator[str]:
    for wave in waves:
        yield from wave.retract
        for names in wave.retract_by_host.values():
            yield from names


# ---------------------------------------------------------------- hosts and waves


def _hosts(plan: Plan) -> Iterator[Wrong]:
    pools = {fold(pool.source): fold(pool.target) for pool in plan.pools}
    snapshots = {one.id: (one.host, one.vm) for one in plan.operations if isinstance(one, SnapshotDisk)}
    for what, values in (("host", [move.source for move in plan.hosts]), ("VM", [move.vm for move in plan.hosts])):
        for name, count in Counter(map(fold, values)).items():
            if count > 1:
                yield f"hosts {name}", f"is the {what} of {count} moves, must be of one."
    for move in plan.hosts:
        place = f"hosts {move.source}"
        if fold(move.source_pool) not in pools or not fold(move.source).startswith(f"{fold(move.source_pool)}/"):
            yield place, f"leaves {move.source_pool}, which is no pool of the plan or not its own."
        elif pools[fold(move.source_pool)] != fold(move.target_pool):
            yield place, f"goes to {move.target_pool}, which is not where its pool goes."
        if "/providers/microsoft.compute/virtualmachines/" not in move.vm.casefold() or not move.vm.startswith("/"):
            yield place, f"has no VM resource id but {move.vm!r}."
        seated = not move.stays_closed or move.personal
        if move.snapshot and (not move.personal or snapshots.get(move.snapshot) != (move.source, move.vm)):
            yield place, f"names {move.snapshot}, which is no snapshot of its own disk, or is not personal."
        if (move.capacity >= 1) != seated:
            yield place, "has no seats." if seated else f"stays closed and has {move.capacity} seats."
    counts = Counter(fold(move.source_pool) for move in plan.hosts)
    for pool in plan.pools:
        count = counts[fold(pool.source)]
        if count != pool.host_count:
            yield f"pools {pool.source}", f"says {pool.host_count} hosts, the plan moves {count}."
        if pool.capacity < 1 or pool.people < 0 or not 0 <= pool.expected_share <= 1:
            yield f"pools {pool.source}", "has figures that cannot be: capacity, people or expected_share."


def _waves(plan: Plan) -> Iterator[Wrong]:
    hosts = {fold(move.source): move for move in plan.hosts}
    for name, count in Counter(wave.id for wave in plan.waves).items():
        if count > 1:
            yield f"waves {name}", f"is there {count} times."
    moved = Counter(fold(host) for wave in plan.waves for host in wave.hosts)
    for host in moved:
        if host not in hosts:
            yield f"waves: {host}", "names a host that the plan does not move."
    for host in sorted(hosts):
        if moved[host] != 1:
            yield f"hosts {host}", f"is in {moved[host]} waves, must be in one."
    for pool in (pool for pool in plan.pools if pool.outage):
        mine = {host for host, move in hosts.items() if fold(move.source_pool) == fold(pool.source)}
        parts = sum(1 for wave in plan.waves if not mine.isdisjoint(map(fold, wave.hosts)))
        if parts > 1:
            yield f"pools {pool.source}", f"has an outage and moves in {parts} waves, must be in one."
    for wave in plan.waves:
        if wave.kind not in KINDS:
            yield f"waves {wave.id}", f"is a {wave.kind!r}, must be one of {', '.join(KINDS)}."
        if not wave.hosts:
            yield f"waves {wave.id}", "moves nothing."
        mine = {fold(host) for host in wave.hosts}
        for host in {*wave.publish_by_host, *wave.retract_by_host}:
            if fold(host) not in mine:
                yield f"waves {wave.id}", f"publishes with {host}, which does not move in it."


# ---------------------------------------------------------------- access


def _access(plan: Plan) -> Iterator[Wrong]:
    """Every grant and member is explained by the plan's own list of people, and everybody in it has theirs."""
    by_scope = {fold(group.target): group for group in plan.access}
    by_nickname = _by_nickname(plan)
    roles = {role.operation: role for role in plan.roles if role.decision == "grant"}
    ids = {group.source: {fold(object_id) for object_id in group.people.values()} for group in plan.access}
    groups = {op.subject: op for op in plan.operations if isinstance(op, CreateDirectoryGroup)}
    given: dict[str, set[str]] = {}
    for operation in plan.operations:
        place = f"operations {operation.id}"
        if isinstance(operation, GrantRole) and operation.id in roles:
            yield from _role(place, operation, roles[operation.id])
        elif isinstance(operation, GrantRole):
            yield from _grant(place, operation, by_scope, ids)
            if operation.principal_type == "Group" and not _is_ours(operation, groups):
                yield place, f"grants to the group {operation.principal}, which is none of this plan."
            given.setdefault(fold(operation.scope), set()).add(fold(operation.principal))
        elif isinstance(operation, AddMember):
            users = by_nickname.get(operation.subject, [])
            if not users or any(fold(operation.member) not in ids[group.source] for group in users):
                yield place, f"lets {operation.member_label} into a group whose people do not name them."
            for group in users:
                given.setdefault(fold(group.target), set()).add(fold(operation.member))
        elif isinstance(operation, CreateDirectoryGroup) and operation.subject not in by_nickname:
            yield place, "makes a group that no app group uses."
    for nickname, group in ((name, group) for name, users in by_nickname.items() for group in users):
        principals = {nickname, groups[nickname].prior_id or nickname} if nickname in groups else set()
        if not given.get(fold(group.target), set()) & {fold(one) for one in principals}:
            yield f"access {group.source}", f"its people are in {nickname}, and no operation gives that {group.target}."
    for group in plan.access:
        for upn, object_id in group.people.items():
            if fold(object_id) not in given.get(fold(group.target), set()):
                yield f"access {group.source}", f"{upn} is listed and no operation gives them {group.target}."


def _by_nickname(plan: Plan) -> dict[str, list[GroupAccess]]:
    """Subject of a directory group -> the app groups that it publishes."""
    found: dict[str, list[GroupAccess]] = {}
    for group in plan.access:
        for nickname in [*([group.directory_group] if group.directory_group else []), *group.existing]:
            found.setdefault(f"group:{nickname}", []).append(group)
    return found


def _role(place: str, operation: GrantRole, role: RoleProposal) -> Iterator[Wrong]:
    """A grant beside publishing is one of the plan's proposals, to the letter."""
    told = (operation.scope, operation.role, operation.principal, operation.principal_type, operation.condition)
    said = (role.scope, role.role, role.principal, role.principal_type, role.condition)
    if [fold(one) for one in told] != [fold(one) for one in said]:
        yield place, f"is not what the proposal {role.id} says."


def _is_ours(operation: GrantRole, groups: dict[str, CreateDirectoryGroup]) -> bool:
    known = {fold(name) for name in groups} | {fold(group.prior_id) for group in groups.values() if group.prior_id}
    return fold(operation.principal) in known


def _grant(
    place: str, operation: GrantRole, by_scope: dict[str, GroupAccess], ids: dict[str, set[str]]
) -> Iterator[Wrong]:
    group = by_scope.get(fold(operation.scope))
    if operation.condition:
        yield place, "publishes under a condition, which no plan does."
    if fold(operation.role) != DESKTOP_USER_ROLE:
        yield place, f"grants the role {operation.role}; a plan grants Desktop Virtualization User only."
    if operation.principal_type not in ("User", "Group"):
        yield place, f"grants to a {operation.principal_type!r}."
    if group is None:
        yield place, f"grants {operation.scope}, which is no app group of the plan."
    elif operation.principal_type == "User" and fold(operation.principal) not in ids[group.source]:
        yield place, f"grants to {operation.principal_label}, whom the people of {group.source} do not name."
    elif operation.principal_type == "Group" and not (group.directory_group or group.existing):
        yield place, f"grants to a group, but the people of {group.source} are assigned one by one."


# ---------------------------------------------------------------- settings


def _settings(plan: Plan) -> Iterator[Wrong]:
    settings = plan.settings
    least = {
        "headroom": (settings.headroom, 0),
        "parallel_moves": (settings.parallel_moves, 1),
        "grace_s": (settings.grace_s, 60),
        "drain_timeout_s": (settings.drain_timeout_s, 60),
        "step_timeout_s": (settings.step_timeout_s, 60),
        "soak_s": (settings.soak_s, 0),
        "last_wave_due_s": (settings.last_wave_due_s, 0),
        "failure_budget": (settings.failure_budget, 0),
    }
    for name, (value, low) in least.items():
        if not value >= low:
            yield f"settings.{name}", f"is {value}, must be at least {low}."
    choices = {"disconnected": (settings.disconnected, DISCONNECTED), "active": (settings.active, ACTIVE)}
    for name, (chosen, known) in choices.items():
        if chosen not in known:
            yield f"settings.{name}", f"is {chosen!r}, must be one of {', '.join(known)}."
