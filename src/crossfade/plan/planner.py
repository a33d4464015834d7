"""All inputs -> one plan. Pure; what stands against a plan is told all at once."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from crossfade.assessment.findings import Findings
from crossfade.errors import PlanConflict, Problem
from crossfade.inventory.documents import digest
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.model.modes import RESTORE
from crossfade.model.sign_in import CLASSIC_APPS, CLASSIC_FEED, NEW_APPS
from crossfade.plan import acceptances, balancing, diagnostics, disks, floor, restoring, scaling, scope, single_sign_on
from crossfade.plan.access import AccessPlan, plan_access
from crossfade.plan.hosts import HostPlan, plan_hosts
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout, lay_out
from crossfade.plan.left_behind import left_behind
from crossfade.plan.objects import Objects
from crossfade.plan.operations import AnyOperation
from crossfade.plan.people import WhoIsWho, looked_up, unlisted, who_is_who, with_todays_names
from crossfade.plan.plan import HostMove, Plan, PoolPlan, Wave
from crossfade.plan.quotas import counted, quotas
from crossfade.plan.rbac import Roles, plan_roles
from crossfade.plan.run_settings import run_settings
from crossfade.plan.titles import titles
from crossfade.plan.waves import PoolHosts, plan_waves, restoring_waves

NAMED = 5
"""How many a sentence names before it only counts."""


class _Given(NamedTuple):
    """What a plan is made of."""

    inventory: Inventory
    target: TargetSnapshot
    findings: Findings
    intent: Intent
    today: str
    digests: dict[str, str]
    """Of inventory and target."""

    @property
    def restores(self) -> bool:
        return self.findings.mode == RESTORE

    @property
    def tenant_id(self) -> str:
        return self.intent.azure.tenant_id or self.target.tenant_id


class _Design(NamedTuple):
    """What is to be, whether or not something stands against it."""

    layout: Layout
    known: WhoIsWho
    access: AccessPlan
    roles: Roles
    objects: Objects
    hosts: HostPlan
    moves: list[HostMove]
    pools: list[PoolHosts]
    operations: list[AnyOperation]
    late: dict[str, list[AnyOperation]]


def make_plan(inventory: Inventory, target: TargetSnapshot, findings: Findings, intent: Intent, *, today: str) -> Plan:
    """The plan of a migration. `today` (ISO day) decides whether acceptances of findings have run out.

    Raises PlanConflict with every problem: open blockers, missing settings, pools that cannot keep their floor,
    exhausted quotas. Objects that exist and differ do not raise: they are operations with the action `conflict`.
    """
    read = {"inventory": inventory.design_digest(), "target": target.design_digest()}
    given = _Given(inventory, target, findings, intent, today, read)
    design, problems = _designed(given)
    problems += _problems(given, design)
    if problems:
        raise PlanConflict("There is no plan for these inputs.", problems)
    plan = _told(given, design)
    return msgspec.structs.replace(plan, scope=scope.digests(plan, inventory, target))


def _designed(given: _Given) -> tuple[_Design, list[Problem]]:
    inventory, target, _, intent, *_ = given
    layout, problems = lay_out(inventory, target, intent)
    known, unclear = who_is_who(intent.people, target)
    access = plan_access(inventory, target, layout, intent, known)
    access = restoring.nobody_leaves(access) if given.restores else access
    roles = plan_roles(inventory, target, layout, intent)
    objects = Objects(inventory, target, layout, intent, access.groups)
    people = {pool: len(named) for pool, named in access.by_person.items()}
    hosts = plan_hosts(with_todays_names(inventory, known.renamed), target, layout, intent, people)
    moves = disks.with_snapshots((move for moves in hosts.moves.values() for move in moves), intent)
    pools = _pool_hosts(hosts, access)
    kept = disks.operations(moves, intent)
    design = _Design(
        layout=layout,
        known=known,
        access=access,
        roles=roles,
        objects=objects,
        hosts=hosts,
        moves=moves,
        pools=pools if given.restores else [floor.with_outage(item, intent) for item in pools],
        operations=_unique([*objects.operations(), *access.setup, *kept, *_personal(access), *roles.operations]),
        late=objects.late(),
    )
    return design, problems + unclear


def _problems(given: _Given, design: _Design) -> list[Problem]:
    """Everything that stands against it."""
    inventory, target, findings, intent, today, _ = given
    layout, access, hosts = design.layout, design.access, design.hosts
    return [
        *_fit(given),
        *acceptances.open_blockers(findings, intent, today),
        *single_sign_on.problems(inventory, intent),
        *diagnostics.problems(target, intent),
        *scaling.problems(layout, inventory, target, intent),
        *disks.problems(layout, intent),
        *balancing.problems(layout, intent),
        *access.problems,
        *design.roles.problems,
        *design.objects.problems(),
        *_unread(access),
        *hosts.problems,
        *(restoring.problems(hosts) if given.restores else floor.problems(design.pools, intent, hosts.assumed)),
        *quotas(design.operations, target, intent.azure.subscription, acceptances.in_force(intent, today)),
    ]


def _told(given: _Given, design: _Design) -> Plan:
    inventory, target, findings, intent, today, _ = given
    settings = run_settings(intent)
    waves = restoring_waves(design.pools) if given.restores else plan_waves(design.pools, intent.waves)
    late = [operation for group in design.late.values() for operation in group]
    return Plan(
        inputs={**given.digests, "findings": digest(findings.findings), "intent": digest(intent)},
        left_out=[pool.key for pool in inventory.pools if intent.pool(pool.key).skip],
        mode=findings.mode,
        tenant_id=given.tenant_id,
        subscription=intent.azure.subscription,
        names=sorted(design.layout.names, key=lambda name: (fold(name.source), name.target)),
        operations=[*design.operations, *late],
        access=design.access.groups,
        pools=[_with_late(item.pool, design.late) for item in design.pools],
        hosts=design.moves,
        waves=waves,
        settings=restoring.settings(settings) if given.restores else settings,
        accepted=acceptances.in_force(intent, today),
        answered=acceptances.answered(intent, today),
        not_carried=left_behind(inventory, design.layout, intent, given.tenant_id),
        renamed=design.known.renamed,
        looked_up=looked_up(intent.people, intent.access.group_owners),
        proposals=design.access.proposals,
        roles=design.roles.proposals,
        quotas=counted(design.operations, target, intent.azure.subscription),
        titles=titles(inventory, design.layout, design.operations),
        notes=list(_notes(given, design, waves)),
    )


def _notes(given: _Given, design: _Design, waves: list[Wave]) -> Iterable[str]:
    inventory, _, findings, intent, *_ = given
    yield from restoring.notes(design.hosts) if given.restores else ()
    yield from design.hosts.notes
    yield from disks.notes(design.moves)
    yield from () if given.restores else floor.at_one_go(design.pools, intent)
    yield from design.objects.notes()
    yield from _skipped(inventory, intent)
    yield from _missing(design.access)
    yield from unlisted(intent.people, inventory)
    yield from _empty(design.hosts)
    yield from _in_several_waves(waves)
    yield from acceptances.unused(findings, intent)
    yield _clients(intent)


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


def _with_late(pool: PoolPlan, late: dict[str, list[AnyOperation]]) -> PoolPlan:
    return msgspec.structs.replace(pool, late=[operation.id for operation in late.get(fold(pool.source), [])])


def _fit(given: _Given) -> list[Problem]:
    """Findings of another inventory or target would hide what is wrong with these."""
    return [
        Problem("findings.json", f"was made from another {name}.", "Run `crossfade assess` again.")
        for name, digest in given.digests.items()
        if given.findings.inputs.get(name, digest) != digest
    ]


def _unread(access: AccessPlan) -> list[Problem]:
    """Who was not looked up may well exist: a plan without them would take their access away in silence."""
    people = sorted(set(access.unread), key=fold)
    if not people:
        return []
    named = ", ".join(people[:NAMED]) + (" …" if len(people) > NAMED else "")
    what = f"{len(people)} assigned people were not looked up in the directory: {named}."
    return [Problem("target.json", what, "Run `crossfade discover --target` with the right to read users.")]


def _skipped(inventory: Inventory, intent: Intent) -> list[str]:
    return [
        f"{pool.key} is left on classic, as decided: nothing of it is carried."
        for pool in inventory.pools
        if intent.pool(pool.key).skip
    ]


def _clients(intent: Intent) -> str:
    """What changes on people's side whatever the estate is (facts/classic-service 2.1, 2.2)."""
    return (
        f"People's clients: the classic feed {CLASSIC_FEED} becomes {intent.notices.feed_address}; whoever subscribed "
        f"by address adds the new one. Sign-in policies name {' and '.join(CLASSIC_APPS)} for classic; the new service "
        f"is {' and '.join(NEW_APPS)}."
    )


def _missing(access: AccessPlan) -> Iterable[str]:
    for upn in sorted({upn for group in access.groups for upn in group.missing}):
        yield f"{upn} is not in the directory and gets nothing: `crossfade identities` takes in who they are now."


def _empty(hosts: HostPlan) -> Iterable[str]:
    for pool in hosts.pools:
        if pool.people and not pool.host_count:
            yield f"{pool.source} has no hosts: its {pool.people} people get it at once, and it stays empty."


def _in_several_waves(waves: list[Wave]) -> Iterable[str]:
    published: dict[str, set[str]] = {}
    for wave in waves:
        for person in wave.cohort:
            published.setdefault(person, set()).add(wave.id)
    split = sum(1 for seen in published.values() if len(seen) > 1)
    if split:
        yield f"{split} people are in several pools and get them in different waves."
