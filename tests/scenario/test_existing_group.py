"""An existing Entra group publishes a pool after a yes: proposed, applied, proven; a joiner stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stage import Stage, pooled, spec_of

from crossfade.assessment.findings import Findings
from crossfade.cloud.services import Services
from crossfade.commands.discover import discover_target
from crossfade.commands.verify import verify
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET
from crossfade.errors import PlanConflict, PreflightFailed
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.group_choice import Proposal
from crossfade.plan.operations import GrantRole
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan
from crossfade.verification.verification import Verification


def read_groups(stage: Stage) -> None:
    async def work(services: Services) -> None:
        inventory = stage.workspace.read(INVENTORY, Inventory)
        found = await discover_target(services, inventory, [stage.rehearsal.subscription], candidates=True)
        stage.workspace.write(TARGET, found)

    stage.with_services(work)


def plan(stage: Stage, **choices: Any) -> Plan:
    target, inventory = stage.workspace.read(TARGET, TargetSnapshot), stage.workspace.read(INVENTORY, Inventory)
    stage.plan = make_plan(inventory, target, Findings(), stage.intent(**choices), today="2026-01-01")
    stage.workspace.write(PLAN, stage.plan)
    return stage.plan


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A pool; the twin's directory has groups of its own, some of which fit."""
    found = Stage.of(spec_of(pooled()), tmp_path)
    found.discover()
    read_groups(found)
    return found


def with_yes(stage: Stage) -> Proposal:
    """A plan that publishes through the first proposed group, which it gives."""
    proposed = plan(stage).proposals[0]
    assert not proposed.chosen
    plan(stage, groups={proposed.source: [proposed.group]})
    return proposed


def test_after_a_yes_the_group_publishes_and_the_proof_holds(stage: Stage) -> None:
    proposed = with_yes(stage)
    (access,) = [one for one in stage.plan.access if one.source == proposed.source]
    granted = [one for one in stage.plan.operations if isinstance(one, GrantRole) and one.scope == access.target]
    assert len(granted) == 1 + len(access.people) - proposed.people
    assert stage.apply().state == "finished"
    stage.wait(1_200)

    async def prove(services: Services) -> Verification:
        return await verify(stage.workspace, services, services.clock)

    proof = stage.with_services(prove)
    assert (proof.lost, proof.gained, proof.unexplained) == ([], [], [])
    there = {one.principal_id for one in stage.world.state.arm.role_assignments.values()}
    assert proposed.group in there


def test_who_joins_between_plan_and_apply_stops_it_by_name(stage: Stage) -> None:
    proposed = with_yes(stage)
    assigned = {one for access in stage.plan.access for one in access.people.values()}
    joiner = next(one for one in stage.world.state.directory.users if one not in assigned)
    stage.world.state.directory.groups[proposed.group].members[joiner] = 0.0
    with pytest.raises(PreflightFailed) as caught:
        stage.apply()
    assert [problem.what for problem in caught.value.problems if joiner in problem.what]
    assert not stage.of_type("hostPools")
    read_groups(stage)
    with pytest.raises(PlanConflict, match="1 of whose people do not have it"):
        plan(stage, groups={proposed.source: [proposed.group]})
