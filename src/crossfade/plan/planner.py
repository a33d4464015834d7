"""All inputs -> one plan. Pure; what stands against a plan is told all at once."""

from collections.abc import Iterable

import msgspec

from crossfade.assessment.findings import Findings
from crossfade.errors import PlanConflict, Problem
from crossfade.inventory.documents import digest
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import Tenant
from crossfade.model.ids import fold
from crossfade.plan import mapping
from crossfade.plan.access import AccessPlan, plan_access
from crossfade.plan.hosts import HostPlan, plan_hosts
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout, lay_out
from crossfade.plan.objects import Objects
from crossfade.plan.operations import Action, AnyOperation, GrantRole
from crossfade.plan.plan import NotCarried, Plan, PoolPlan, Settings, Wave
from crossfade.plan.waves import PoolHosts, plan_waves

ASSIGNMENTS_PER_OBJECT = 200
"""Source: facts/arm-service 10."""


def make_plan(inventory: Inventory, target: TargetSnapshot, findings: Findings, intent: Intent, *, today: str) -> Plan:
    """The plan of a migration. `today` (ISO day) decides whether acceptances of findings have run out.

    Raises PlanConflict with every problem: open blockers, missing settings, pools that cannot keep their floor,
    exhausted quotas. Objects that exist and differ do not raise: they are operations with the action `conflict`.
    """
    layout, problems = lay_out(inventory, intent)
    problems += _open_blockers(findings, intent, today)
    if problems:
        raise PlanConflict("There is no plan for these inputs.", problems)
    access = plan_access(inventory, target, layout, intent)
    objects = Objects(inventory, target, layout, intent)
    people = {pool: len(named) for pool, named in access.by_person.items()}
    hosts = plan_hosts(inventory, target, layout, intent, people)
    operations = _unique([*objects.operations(), *access.setup, *_personal(access)])
    late = objects.late()
    problems = _seats(hosts, intent) + _quotas(operations, target)
    if problems:
        raise PlanConflict("There is no plan that holds what it must.", problems)
    waves = plan_waves(_pool_hosts(hosts, access), intent.waves)
    return Plan(
        inputs={
            "inventory": inventory.design_digest(),
            "target": target.design_digest(),
            "findings": digest(findings.findings),
            "intent": digest(intent),
        },
        mode=findings.mode,
        tenant_id=intent.azure.tenant_id or target.tenant_id,
        subscription=intent.azure.subscription,
        names=sorted(layout.names, key=lambda name: (fold(name.source), name.target)),
        operations=[*operations, *(operation for group in late.values() for operation in group)],
        access=access.groups,
        pools=[_with_late(pool, late) for pool in hosts.pools],
        hosts=[move for moves in hosts.moves.values() for move in moves],
        waves=waves,
        settings=_settings(intent),
        accepted=sorted(item.finding for item in intent.accepted if item.until >= today),
        not_carried=_left(inventory, layout),
        notes=hosts.notes + _notes(access, waves),
    )


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
            people=access.by_person.get(fold(pool.source), {}),
            leaving=access.leaving.get(fold(pool.source), {}),
        )
        for pool in hosts.pools
    ]


def _with_late(pool: PoolPlan, late: dict[str, list[AnyOperation]]) -> PoolPlan:
    return msgspec.structs.replace(pool, late=[operation.id for operation in late.get(fold(pool.source), [])])


def _open_blockers(findings: Findings, intent: Intent, today: str) -> list[Problem]:
    accepted = {item.finding: item for item in intent.accepted}
    problems = []
    for finding in findings.blockers():
        answer = accepted.get(finding.id)
        if answer is None:
            problems.append(Problem(finding.subject, f"{finding.what} {finding.why}", finding.mend))
        elif answer.until < today:
            what = f"the acceptance of {finding.id} by {answer.by} ran out on {answer.until}."
            problems.append(Problem("crossfade.toml [[accepted]]", what, "Mend the finding or accept it anew."))
    return problems


def _seats(hosts: HostPlan, intent: Intent) -> list[Problem]:
    """A pooled pool with one host cannot keep anybody working while it moves."""
    return [
        Problem(
            pool.source,
            f"has {pool.host_count} host to move and {pool.people} people: while it moves there is no seat for them.",
            f'Add a second host, or allow it: [pools."{pool.source}"] outage = "when-empty".',
        )
        for pool in hosts.pools
        if not pool.personal
        and pool.host_count == 1
        and pool.people
        and intent.pool(pool.source).outage != "when-empty"
    ]


def _quotas(operations: list[AnyOperation], target: TargetSnapshot) -> list[Problem]:
    new = [op for op in operations if isinstance(op, GrantRole) and op.action is Action.CREATE]
    problems = []
    for count in target.counts:
        if count.what == "role_assignments" and count.used + len(new) > count.limit:
            what = f"has {count.used} role assignments, {len(new)} more are needed, {count.limit} are allowed."
            problems.append(Problem(count.scope, what, "Lower access.direct_threshold or remove old assignments."))
    per_scope: dict[str, int] = {}
    for operation in new:
        per_scope[operation.scope] = per_scope.get(operation.scope, 0) + 1
    problems += [
        Problem(
            scope, f"would get {count} assignments, the service takes {ASSIGNMENTS_PER_OBJECT}.", "Lower the threshold."
        )
        for scope, count in per_scope.items()
        if count > ASSIGNMENTS_PER_OBJECT
    ]
    return problems


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
        installers={name: str(value) for name, value in msgspec.to_builtins(installers).items()},
        repoint=waves.repoint,
        canary_return=waves.canary_return,
        quiet_hours={
            "from": sessions.quiet_from,
            "to": sessions.quiet_to,
            "utc_offset_hours": sessions.quiet_utc_offset_hours,
        },
    )


def _left(inventory: Inventory, layout: Layout) -> list[NotCarried]:
    groups = {fold(group.key) for group in layout.groups}
    tenants: list[Tenant] = list(inventory.tenants)
    desktops = [item for item in inventory.desktops if fold(item.key) in groups]
    apps = [item for item in inventory.apps if fold(item.key) in layout.app_ids]
    return mapping.not_carried([*tenants, *layout.pools, *layout.groups, *desktops, *apps])


def _notes(access: AccessPlan, waves: list[Wave]) -> list[str]:
    missing = {upn for group in access.groups for upn in group.missing}
    notes = [f"{upn} could not be resolved and keeps a named placeholder." for upn in sorted(missing)]
    published: dict[str, set[str]] = {}
    for wave in waves:
        for person in wave.cohort:
            published.setdefault(person, set()).add(wave.id)
    split = sum(1 for seen in published.values() if len(seen) > 1)
    if split:
        notes.append(f"{split} people are in several pools and get them in different waves.")
    return notes
