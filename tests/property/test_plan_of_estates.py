"""Over generated estates, read through the real clients from the twin: what every plan must hold."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from crossfade.app import Rehearsal
from crossfade.assessment.assess import assess
from crossfade.assessment.findings import Findings
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.init import initial_intent
from crossfade.inventory.documents import decode, encode
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.growth import Growth
from crossfade.model.ids import fold, parent_key
from crossfade.plan.intent import Access, Intent, PoolIntent, Waves
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.operations import AddMember, GrantRole, RetractAssignment
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan
from crossfade.plan.selfcheck import check_plan

TODAY = "2026-06-01"
Estate = tuple[Inventory, TargetSnapshot, str]


def read(name: str) -> Estate:
    rehearsal = Rehearsal.of_estate(name, seed=1, people=False)

    async def both() -> tuple[Inventory, TargetSnapshot]:
        async with rehearsal.services() as services:
            inventory = await discover(services)
            return inventory, await discover_target(services, inventory, [rehearsal.subscription])

    return (*rehearsal.clock.run(both()), rehearsal.subscription)


def intent_of(estate: Estate) -> Intent:
    """Every pool may have an outage: small estates are tight."""
    inventory, target, subscription = estate
    text = initial_intent(inventory, target, subscription=subscription, location="westeurope")
    relaxed = {pool.key: PoolIntent(outage="when-empty", expected_share=0.3) for pool in inventory.pools}
    return replace(read_intent(text), pools=relaxed, waves=Waves(headroom=0.0, size=3))


def named(plan: Plan, what: str) -> list[str]:
    found = []
    for wave in plan.waves:
        found += getattr(wave, what) + [name for ids in getattr(wave, f"{what}_by_host").values() for name in ids]
    return found


@pytest.fixture(scope="module", params=range(12))
def estate(request: pytest.FixtureRequest) -> Estate:
    return read(f"small-{request.param}")


def test_plans_of_random_estates(estate: Estate) -> None:
    inventory, target, _ = estate
    findings = assess(inventory, target, Growth(), made_at=TODAY)
    assert not findings.blockers(), findings.blockers()
    intent = intent_of(estate)
    plan = make_plan(inventory, target, findings, intent, today=TODAY)
    assert check_plan(plan) == []
    _hosts_move_once(plan, inventory)
    _everybody_is_published_and_retracted_once(plan, inventory)
    _names_are_unique(plan)
    assert encode(make_plan(inventory, target, findings, intent, today=TODAY)) == encode(plan)
    assert decode(encode(plan), Plan, place="plan.json") == plan


def test_plans_through_directory_groups(estate: Estate) -> None:
    inventory, target, _ = estate
    intent = replace(intent_of(estate), access=Access(direct_threshold=0))
    plan = make_plan(inventory, target, Findings(), intent, today=TODAY)
    assert check_plan(plan) == []
    assert not any(op.principal_type == "User" for op in plan.operations if isinstance(op, GrantRole))
    _everybody_is_published_and_retracted_once(plan, inventory)


def _hosts_move_once(plan: Plan, inventory: Inventory) -> None:
    moved = Counter(host for wave in plan.waves for host in wave.hosts)
    assert set(moved.values()) <= {1}
    left = {note.partition(" stays")[0] for note in plan.notes if " stays where it is" in note}
    assert set(moved) | left == {host.key for host in inventory.hosts}
    if plan.waves:
        rank = ["canary-host", "canary-wave", "wave", "last-wave"]
        kinds = [rank.index(wave.kind) for wave in plan.waves]
        assert kinds == sorted(kinds)


def _everybody_is_published_and_retracted_once(plan: Plan, inventory: Inventory) -> None:
    """Person by person and group by group: in exactly one wave, or told to be gone, or of a pool without hosts."""
    wanted = {(fold(item.key), fold(item.upn)) for item in inventory.assignments}
    planned = {(fold(group.source), upn) for group in plan.access for upn in group.people}
    gone = {(fold(group.source), fold(upn)) for group in plan.access for upn in group.missing}
    assert planned | gone == wanted
    assert not planned & gone
    published, retracted = named(plan, "publish"), named(plan, "retract")
    assert set(Counter(published).values()) | set(Counter(retracted).values()) <= {1}
    populated = {fold(pool.source) for pool in plan.pools if pool.host_count}
    single = {
        op.id
        for op in plan.operations
        if (isinstance(op, AddMember) or (isinstance(op, GrantRole) and op.principal_type == "User"))
        and fold(parent_key(op.source or "")) in populated
    }
    assert set(published) == single
    leaving = {
        op.id for op in plan.operations if isinstance(op, RetractAssignment) and fold(parent_key(op.group)) in populated
    }
    assert set(retracted) == leaving
    assert len(leaving) == sum(1 for group, _ in planned if parent_key(group) in populated)


def _names_are_unique(plan: Plan) -> None:
    targets = [fold(name.target) for name in plan.names]
    assert len(set(targets)) == len(targets)


@pytest.mark.parametrize("name", ["contoso", "tiny"])
def test_the_estates_that_we_show_have_a_plan_as_init_writes_it(name: str) -> None:
    inventory, target, subscription = read(name)
    intent = read_intent(initial_intent(inventory, target, subscription=subscription, location="westeurope"))
    findings = assess(inventory, target, intent.growth, made_at=TODAY)
    plan = make_plan(inventory, target, findings, intent, today=TODAY)
    assert check_plan(plan) == []
    assert len(plan.hosts) == len(inventory.hosts)
    assert findings.advice
