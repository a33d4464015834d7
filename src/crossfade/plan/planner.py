"""All inputs -> one plan. Pure; what stands against a plan is told all at once."""

import math
from collections.abc import Iterable

import msgspec

from crossfade.assessment.findings import Findings
from crossfade.errors import PlanConflict, Problem
from crossfade.inventory.documents import digest
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import SessionHost
from crossfade.model.ids import fold, parent_key
from crossfade.model.modes import RESTORE
from crossfade.model.sign_in import CLASSIC_APPS, CLASSIC_FEED, NEW_APPS
from crossfade.plan import diagnostics, disks, mapping, restoring, scaling, scope, single_sign_on
from crossfade.plan.access import AccessPlan, plan_access
from crossfade.plan.hosts import HostPlan, plan_hosts
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout, lay_out
from crossfade.plan.objects import Objects
from crossfade.plan.operations import AnyOperation
from crossfade.plan.people import looked_up, who_is_who, with_todays_names
from crossfade.plan.plan import Answered, NotCarried, Plan, PoolPlan, Settings, Wave
from crossfade.plan.quotas import counted, quotas
from crossfade.plan.rbac import plan_roles
from crossfade.plan.titles import titles
from crossfade.plan.waves import (
    PoolHosts,
    at_once,
    hosts_at_once,
    hosts_needed,
    needs_outage,
    plan_waves,
    restoring_waves,
)

OUTAGE = "when-empty"
PREFLIGHT = ("conditional-access:", "classic:")
"""Findings that are judged before the first write."""
NAMED = 5
"""How many a sentence names before it only counts."""


def make_plan(inventory: Inventory, target: TargetSnapshot, findings: Findings, intent: Intent, *, today: str) -> Plan:
    """The plan of a migration. `today` (ISO day) decides whether acceptances of findings have run out.

    Raises PlanConflict with every problem: open blockers, missing settings, pools that cannot keep their floor,
    exhausted quotas. Objects that exist and differ do not raise: they are operations with the action `conflict`.
    """
    read = {"inventory": inventory.design_digest(), "target": target.design_digest()}
    layout, problems = lay_out(inventory, target, intent)
    problems += _fit(findings, read) + _open_blockers(findings, intent, today)
    known, unclear = who_is_who(intent.people, target)
    restores = findings.mode == RESTORE
    access = plan_access(inventory, target, layout, intent, known)
    access = restoring.nobody_leaves(access) if restores else access
    roles = plan_roles(inventory, target, layout, intent)
    objects = Objects(inventory, target, layout, intent, access.groups)
    people = {pool: len(named) for pool, named in access.by_person.items()}
    hosts = plan_hosts(with_todays_names(inventory, known.renamed), target, layout, intent, people)
    moves = disks.with_snapshots((move for moves in hosts.moves.values() for move in moves), intent)
    kept = disks.operations(moves, intent)
    operations = _unique([*objects.operations(), *access.setup, *kept, *_personal(access), *roles.operations])
    late = objects.late()
    problems += single_sign_on.problems(inventory, intent) + diagnostics.problems(target, intent)
    problems += scaling.problems(layout, inventory, target, intent) + disks.problems(layout, intent)
    problems += unclear + access.problems + roles.problems + objects.problems()
    moving = _pool_hosts(hosts, access)
    moving = moving if restores else [_with_outage(item, intent) for item in moving]
    problems += _unread(access) + hosts.problems
    problems += restoring.problems(hosts) if restores else _seats(moving, intent)
    problems += quotas(operations, target, intent.azure.subscription, _accepted(intent, today))
    if problems:
        raise PlanConflict("There is no plan for these inputs.", problems)
    waves = restoring_waves(moving) if restores else plan_waves(moving, intent.waves)
    settings = restoring.settings(_settings(intent)) if restores else _settings(intent)
    plan = Plan(
        inputs={**read, "findings": digest(findings.findings), "intent": digest(intent)},
        left_out=[pool.key for pool in inventory.pools if intent.pool(pool.key).skip],
        mode=findings.mode,
        tenant_id=intent.azure.tenant_id or target.tenant_id,
        subscription=intent.azure.subscription,
        names=sorted(layout.names, key=lambda name: (fold(name.source), name.target)),
        operations=[*operations, *(operation for group in late.values() for operation in group)],
        access=access.groups,
        pools=[_with_late(item.pool, late) for item in moving],
        hosts=moves,
        waves=waves,
        settings=settings,
        accepted=_accepted(intent, today),
        answered=_answered(intent, today),
        not_carried=_left(inventory, layout, intent, intent.azure.tenant_id or target.tenant_id),
        renamed=known.renamed,
        looked_up=looked_up(intent.people, intent.access.group_owners),
        proposals=access.proposals,
        roles=roles.proposals,
        quotas=counted(operations, target, intent.azure.subscription),
        titles=titles(inventory, layout, operations),
        notes=[
            *(restoring.notes(hosts) if restores else []),
            *hosts.notes,
            *disks.notes(moves),
            *([] if restores else _at_one_go(moving, intent)),
            *objects.notes(),
            *_skipped(inventory, intent),
            *_notes(access, waves, hosts),
            *_answers(findings, intent),
            _clients(intent),
        ],
    )
    return msgspec.structs.replace(plan, scope=scope.digests(plan, inventory, target))


def _personal(access: AccessPlan) -> Iterable[AnyOperation]:
    for people in (*access.by_person.values(), *access.leaving.values()):
        for operations in people.values():
            yield from operations


def _unique(operations: Iterable[AnyOperation]) -> list[AnyOperation]:
    """Two names of one person lead to the same operation: it is done once."""
    found: dict[str, AnyOperation] = {}
    for operation in operations:
        found.setdefault(operation.id, operation)
    return list(found.values())


def _pool_hosts(hosts: HostPlan, access: AccessPlan) -> list[PoolHosts]:
    return [
        PoolHosts(
            pool=pool,
            hosts=hosts.moves[fold(pool.source)],
            serving=sum(1 for move in hosts.moves[fold(pool.source)] if fold(move.source) in hosts.serving),
            people=access.by_person.get(fold(pool.source), {}),
            leaving=access.leaving.get(fold(pool.source), {}),
            together=access.together.get(fold(pool.source), {}),
        )
        for pool in hosts.pools
    ]


def _with_outage(item: PoolHosts, intent: Intent) -> PoolHosts:
    """An outage is allowed, not ordered: a pool that can keep everybody working does so."""
    allowed = intent.pool(item.pool.source).outage == OUTAGE
    outage = allowed and needs_outage(item, intent.waves.headroom)
    return msgspec.structs.replace(item, pool=msgspec.structs.replace(item.pool, outage=outage))


def _with_late(pool: PoolPlan, late: dict[str, list[AnyOperation]]) -> PoolPlan:
    return msgspec.structs.replace(pool, late=[operation.id for operation in late.get(fold(pool.source), [])])


def _fit(findings: Findings, read: dict[str, str]) -> list[Problem]:
    """Findings of another inventory or target would hide what is wrong with these. `read`: digests of these."""
    return [
        Problem("findings.json", f"was made from another {name}.", "Run `crossfade assess` again.")
        for name, digest in read.items()
        if findings.inputs.get(name, digest) != digest
    ]


def _open_blockers(findings: Findings, intent: Intent, today: str) -> list[Problem]:
    """Blockers that nobody answers for; those of a pool that is left out stop nobody."""
    accepted = {fold(item.finding): item for item in intent.accepted}
    skipped = tuple(f"{fold(key)}/" for key, pool in intent.pools.items() if pool.skip)
    problems = []
    for finding in findings.blockers():
        answer = accepted.get(fold(finding.id))
        if skipped and f"{fold(finding.subject)}/".startswith(skipped):
            continue
        if answer is None:
            problems.append(Problem(finding.subject, f"{finding.what} {finding.why}", finding.mend))
        elif answer.until < today:
            what = f"the acceptance of {finding.id} by {answer.by} ran out on {answer.until}."
            problems.append(Problem("crossfade.toml [[accepted]]", what, "Mend the finding or accept it anew."))
    return problems


def _clients(intent: Intent) -> str:
    """What changes on people's side whatever the estate is (facts/classic-service 2.1, 2.2)."""
    return (
        f"People's clients: the classic feed {CLASSIC_FEED} becomes {intent.notices.feed_address}; whoever subscribed "
        f"by address adds the new one. Sign-in policies name {' and '.join(CLASSIC_APPS)} for classic; the new service "
        f"is {' and '.join(NEW_APPS)}."
    )


def _accepted(intent: Intent, today: str) -> list[str]:
    return sorted(item.finding for item in intent.accepted if item.until >= today)


def _answered(intent: Intent, today: str) -> list[Answered]:
    kept = sorted((item for item in intent.accepted if item.until >= today), key=lambda item: item.finding)
    return [Answered(finding=one.finding, by=one.by, reason=one.reason, until=one.until) for one in kept]


def _answers(findings: Findings, intent: Intent) -> list[str]:
    """Acceptances that answer nothing: misspelled, or mended by now. Those of preflight are judged there."""
    known = {fold(finding.id) for finding in findings.findings}
    unused = [item.finding for item in intent.accepted if fold(item.finding) not in known]
    return [f"Accepted is {name}, which assessment did not find." for name in unused if not name.startswith(PREFLIGHT)]


def _unread(access: AccessPlan) -> list[Problem]:
    """Who was not looked up may well exist: a plan without them would take their access away in silence."""
    people = sorted(set(access.unread), key=fold)
    if not people:
        return []
    named = ", ".join(people[:NAMED]) + (" …" if len(people) > NAMED else "")
    what = f"{len(people)} assigned people were not looked up in the directory: {named}."
    return [Problem("target.json", what, "Run `crossfade discover --target` with the right to read users.")]


def _seats(pools: list[PoolHosts], intent: Intent) -> list[Problem]:
    """Pools that cannot keep everybody working while their last host moves (design 9)."""
    problems = []
    headroom = intent.waves.headroom
    for item in pools:
        pool = item.pool
        alone = pool.host_count == 1
        outage = intent.pool(pool.source).outage == OUTAGE
        if pool.personal or not pool.people or not pool.host_count:
            continue
        seated = sum(1 for move in item.hosts if move.capacity)
        left = seated - (0 if outage else 1)
        if not seated:
            what = f"all its {pool.host_count} hosts are drained and would stay closed: its people find no seat."
            mend = f'Open them in classic and discover again, or set [pools."{pool.source}"] open_drained = true.'
            problems.append(Problem(pool.source, what, mend))
        elif hosts_needed(pool, headroom) > left > 0:
            problems.append(_too_tight(pool, headroom, left, seated))
        elif seated == 1 and not outage:
            place = "to move" if alone else "with seats"
            what = f"has 1 host {place} and {pool.people} people: while it moves there is no seat for them."
            allow = f', or allow it: [pools."{pool.source}"] outage = "{OUTAGE}".'
            mend = f"Add a second host{allow if alone else ', or open one that is drained.'}"
            problems.append(Problem(pool.source, what, mend))
        elif not outage and hosts_needed(pool, headroom) + hosts_at_once(item, headroom) > seated:
            problems.append(_too_many_at_once(item, headroom, seated))
    return problems


def _at_one_go(pools: list[PoolHosts], intent: Intent) -> Iterable[str]:
    """Pools of several hosts that have an outage: what that means for the people in them."""
    for item in pools:
        pool, seated = item.pool, sum(1 for move in item.hosts if move.capacity)
        if pool.outage and pool.host_count > 1:
            wanted = math.ceil((1 + intent.waves.headroom) * pool.people * pool.expected_share)
            yield (
                f'{pool.source}: outage = "{OUTAGE}" is made use of. {(seated - 1) * pool.capacity} seats stay while '
                f"one of its {pool.host_count} hosts moves, and {pool.people} people want {wanted} at their peak, with "
                "headroom. So all its hosts move in one wave, begun in quiet hours when nobody is signed in on any of "
                "them; until they have arrived nobody of the pool can work, and then everybody has the target at once "
                "and no longer classic: tell them beforehand."
            )


def _too_many_at_once(item: PoolHosts, headroom: float, seated: int) -> Problem:
    """People of an existing group get the target at one moment, and keep their classic seats until they have come."""
    pool = item.pool
    most = max(map(len, at_once(item.together.values())))
    more = hosts_needed(pool, headroom) + hosts_at_once(item, headroom) - seated
    what = (
        f"has {seated * pool.capacity} seats on {seated} hosts; {most} people get the target at one moment, through "
        f"existing groups, and until they have come they want {hosts_at_once(item, headroom)} hosts on classic beside "
        f"the {hosts_needed(pool, headroom)} on the target that carry all {pool.people}."
    )
    mend = (
        f"Add {more} host(s), take the group out of [groups] so that people come one by one, or lower waves.headroom."
    )
    return Problem(pool.source, what, mend)


def _too_tight(pool: PoolPlan, headroom: float, open_hosts: int, seated: int) -> Problem:
    """What would make a plan possible, in figures. `open_hosts`: how many are open at the tightest moment; `seated`:
    how many have seats at all."""
    demand = pool.people * pool.expected_share
    seats = open_hosts * pool.capacity
    more = hosts_needed(pool, headroom) - open_hosts
    what = (
        f"has {seats} seats on the {open_hosts} of its {pool.host_count} hosts that are open at the tightest moment; "
        f"{pool.people} people want {math.ceil(demand)} at their peak, with headroom "
        f"{math.ceil((1 + headroom) * demand)}."
    )
    least = math.floor((seats / demand - 1) * 100) / 100
    lower = f"lower waves.headroom to {least}, " if least >= 0 else ""
    share = math.floor(seats / ((1 + headroom) * pool.people) * 100) / 100
    mend = (
        f"Add {more} host(s), {lower}or, if fewer come at once, "
        f'set [pools."{pool.source}"] expected_share to {share} or less.'
    )
    if hosts_needed(pool, headroom) <= seated and open_hosts < seated:
        mend += f' Or allow it to move as a whole while nobody is signed in: outage = "{OUTAGE}" there.'
    return Problem(pool.source, what, mend)


def _settings(intent: Intent) -> Settings:
    waves, sessions, installers = intent.waves, intent.sessions, intent.installers
    return Settings(
        headroom=waves.headroom,
        parallel_moves=waves.parallel_moves,
        grace_s=sessions.grace_minutes * 60,
        drain_timeout_s=sessions.drain_timeout_hours * 3600,
        disconnected=sessions.disconnected,
        active=sessions.active,
        message_title=sessions.message_title,
        message_body=sessions.message_body,
        soak_s=waves.soak_minutes * 60,
        last_wave_due_s=waves.last_wave_due_hours * 3600,
        failure_budget=waves.failure_budget,
        run_failure_budget=waves.run_failure_budget,
        owner=waves.owner,
        installers={name: str(value) for name, value in msgspec.to_builtins(installers).items()},
        repoint=waves.repoint,
        canary_return=waves.canary_return,
        people_gate=waves.people_gate,
        completion_wait_s=waves.completion_wait_days * 86_400,
        reminder_s=intent.notices.reminder_hours * 3600,
        reminders=intent.notices.reminders,
        hooks={name: path for name, path in intent.hooks.paths().items() if path},
        hook_deadline_s=intent.hooks.deadline_seconds,
        contact=intent.notices.contact,
        feed_address=intent.notices.feed_address,
        web_address=intent.notices.web_address,
        quiet_hours={
            "from": sessions.quiet_from,
            "to": sessions.quiet_to,
            "utc_offset_hours": sessions.quiet_utc_offset_hours,
        },
    )


def _elsewhere(inventory: Inventory, tenant_id: str) -> list[NotCarried]:
    """Tenants of another directory than the target's: the rule other-directory blocks them unless somebody answers."""
    why = "the target's directory is another one: people of this directory cannot be assigned there"
    return [
        NotCarried(subject=tenant.key, property="aad_tenant_id", value=tenant.aad_tenant_id, why=why)
        for tenant in inventory.tenants
        if tenant_id and tenant.aad_tenant_id and fold(tenant.aad_tenant_id) != fold(tenant_id)
    ]


def _skipped(inventory: Inventory, intent: Intent) -> list[str]:
    return [
        f"{pool.key} is left on classic, as decided: nothing of it is carried."
        for pool in inventory.pools
        if intent.pool(pool.key).skip
    ]


def _replaced(layout: Layout, intent: Intent) -> list[NotCarried]:
    """Values of classic that the operator has replaced."""
    why = "the operator's choice takes its place: [pools] load_balancer in crossfade.toml"
    return [
        NotCarried(subject=pool.key, property="load_balancer", value=pool.load_balancer, why=why)
        for pool in layout.pools
        if intent.pool(pool.key).load_balancer and not pool.personal
    ]


def _opened(hosts: Iterable[SessionHost], intent: Intent) -> list[NotCarried]:
    """Drained hosts that the operator has opened."""
    why = "the operator's choice: [pools] open_drained in crossfade.toml"
    return [
        NotCarried(subject=host.key, property="allow_new_session", value=False, why=why)
        for host in hosts
        if not host.allow_new_session and intent.pool(parent_key(host.key)).open_drained
    ]


def _left(inventory: Inventory, layout: Layout, intent: Intent, tenant_id: str) -> list[NotCarried]:
    """What is not carried of everything that belongs to a migrated pool, and of the tenants."""
    pools = {fold(pool.key) for pool in layout.pools}
    groups = {fold(group.key) for group in layout.groups}
    desktops = [item for item in inventory.desktops if fold(item.key) in groups]
    apps = [item for item in inventory.apps if fold(item.key) in layout.app_ids]
    people = [item for item in inventory.assignments if fold(item.key) in groups]
    hosts = [item for item in inventory.hosts if fold(parent_key(item.key)) in pools]
    objects = [
        *inventory.tenant_groups,
        *inventory.tenants,
        *layout.pools,
        *layout.groups,
        *desktops,
        *apps,
        *people,
        *hosts,
    ]
    signed = {tenant.key for tenant in inventory.tenants if single_sign_on.properties(tenant, intent)}
    left = [
        row
        for row in mapping.not_carried(objects)
        if row.subject not in signed or row.property not in single_sign_on.PROPERTIES
    ]
    left = [diagnostics.replaced(row, intent) for row in left]
    left += _replaced(layout, intent) + _opened(hosts, intent) + _elsewhere(inventory, tenant_id)
    return left + mapping.roles_left(inventory.roles)


def _notes(access: AccessPlan, waves: list[Wave], hosts: HostPlan) -> list[str]:
    missing = {upn for group in access.groups for upn in group.missing}
    notes = [
        f"{upn} is not in the directory and gets nothing: `crossfade identities` takes in who they are now."
        for upn in sorted(missing)
    ]
    notes += [
        f"{pool.source} has no hosts: its {pool.people} people get it at once, and it stays empty."
        for pool in hosts.pools
        if pool.people and not pool.host_count
    ]
    published: dict[str, set[str]] = {}
    for wave in waves:
        for person in wave.cohort:
            published.setdefault(person, set()).add(wave.id)
    split = sum(1 for seen in published.values() if len(seen) > 1)
    if split:
        notes.append(f"{split} people are in several pools and get them in different waves.")
    return notes
