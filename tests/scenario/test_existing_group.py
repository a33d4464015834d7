"""An existing Entra group publishes a pool after a yes: proposed, applied, proven; a joiner stops it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from stage import QUICK, Stage, pooled, spec_of

from avdtwin import faults
from avdtwin.state import User
from crossfade.assessment.findings import Findings
from crossfade.cloud.services import Services
from crossfade.commands.apply import Applied
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


def somebody_else(stage: Stage) -> str:
    """Object id of somebody to whom the plan gives nothing."""
    assigned = {one for access in stage.plan.access for one in access.people.values()}
    return next(one for one, user in stage.world.state.directory.users.items() if one not in assigned and user.enabled)


def upn_of(stage: Stage, person: str) -> str:
    return stage.world.state.directory.users[person].upn


def at_the_first_write(stage: Stage, change: Callable[[], None]) -> None:
    """Have something happen in the directory once the machine gates are behind the run."""
    left = [change]

    def tap(scope: dict[str, Any]) -> None:
        if left and scope.get("method") == "PUT" and "/hostPools/" in str(scope.get("path")):
            left.pop()()

    stage.taps.append(tap)


def wave_error(stage: Stage, applied: Applied) -> str:
    assert applied.state == "holding", applied
    assert applied.error is not None
    return f"{applied.error['what']} {applied.error['why']} {applied.error['mend']}"


def test_a_group_that_grew_before_it_is_published_holds_the_run_by_name(stage: Stage) -> None:
    proposed = with_yes(stage)
    group, joiner = stage.world.state.directory.groups[proposed.group], somebody_else(stage)
    at_the_first_write(stage, lambda: group.members.update({joiner: 0.0}))
    told = wave_error(stage, stage.apply())
    assert "1 members now who do not have" in told
    assert upn_of(stage, joiner) in told
    assert proposed.group not in {one.principal_id for one in stage.world.state.arm.role_assignments.values()}
    del group.members[joiner]
    assert stage.apply().state == "finished"
    assert proposed.group in {one.principal_id for one in stage.world.state.arm.role_assignments.values()}


def test_a_group_that_shrank_before_it_is_published_holds_the_run_by_name(stage: Stage) -> None:
    proposed = with_yes(stage)
    group = stage.world.state.directory.groups[proposed.group]
    leaver = next(iter(group.members))
    at_the_first_write(stage, lambda: group.members.pop(leaver))
    told = wave_error(stage, stage.apply())
    assert "has lost 1 members who come to" in told
    assert upn_of(stage, leaver).casefold() in told.casefold()
    group.members[leaver] = 0.0
    assert stage.apply().state == "finished"


def one_group(folder: Path, *, hosts: int) -> tuple[Stage, Callable[[], Plan]]:
    """Four people with two seats a host, all of whom come at once, through one group; and how to plan that."""
    tight = Stage.of(spec_of(pooled(hosts=hosts, desktop_people=4, groups=(), limit=2)), folder)
    waves = msgspec.structs.replace(QUICK, expected_share=1.0)
    (access,) = tight.make_plan(waves=waves).access
    groups = tight.world.state.directory.groups.values()
    group = next(one for one in groups if one.security_enabled and not one.role_assignable)
    group.members = dict.fromkeys(access.people.values(), 0.0)
    read_groups(tight)
    return tight, lambda: plan(tight, waves=waves, groups={access.source: [group.id]})


def test_a_group_that_may_not_be_read_any_more_is_not_published(stage: Stage) -> None:
    proposed = with_yes(stage)
    route = "groups/{key}/transitiveMembers/microsoft.graph.user"
    fault = {"kind": "error", "status": 403, "match": {"service": "graph", "route": route}}
    at_the_first_write(stage, lambda: faults.put_in(stage.world, [fault]))
    told = wave_error(stage, stage.apply())
    assert f"The group {proposed.display_name} is not published." in told
    assert "could not be read" in told
    assert proposed.group not in {one.principal_id for one in stage.world.state.arm.role_assignments.values()}


def test_seats_that_are_just_enough_are_enough_for_a_group(tmp_path: Path) -> None:
    """Its grant is no person more: four on the target, four on classic until they have come."""
    tight, make = one_group(tmp_path, hosts=4)
    made = make()
    assert [one.principal_type for one in made.operations if isinstance(one, GrantRole)] == ["Group"]
    done = tight.apply()
    assert done.state == "finished", done.error


def test_a_group_for_whom_the_seats_of_both_sides_are_too_few_is_refused_in_figures(tmp_path: Path) -> None:
    _, make = one_group(tmp_path, hosts=3)
    with pytest.raises(PlanConflict) as caught:
        make()
    (problem,) = caught.value.problems
    assert problem.where.endswith("/Office Pool")
    assert "6 seats on 3 hosts; 4 people get the target at one moment" in problem.what
    assert "want 2 hosts on classic beside the 2 on the target" in problem.what
    assert "Add 1 host(s)" in problem.mend


def test_who_leaves_between_plan_and_apply_stops_it_by_name(stage: Stage) -> None:
    proposed = with_yes(stage)
    leaver = next(iter(stage.world.state.directory.groups[proposed.group].members))
    del stage.world.state.directory.groups[proposed.group].members[leaver]
    with pytest.raises(PreflightFailed) as caught:
        stage.apply()
    told = [problem for problem in caught.value.problems if problem.where.startswith("directory group ")]
    assert upn_of(stage, leaver).casefold() in told[0].what.casefold()
    assert "assigned by name" in told[0].mend
    assert not stage.of_type("hostPools")


def test_groups_in_a_circle_are_read_once_and_published(stage: Stage) -> None:
    """A group in which the group around it is: its people are those of both, and each is one."""
    proposed = with_yes(stage)
    directory = stage.world.state.directory
    group = directory.groups[proposed.group]
    inner = next(one for one in directory.groups.values() if one.id != group.id)
    moved = next(iter(group.members))
    inner.members = {moved: group.members.pop(moved), group.id: 0.0}
    group.members[inner.id] = 0.0
    done = stage.apply()
    assert done.state == "finished", done.error
    stage.wait(1_200)
    proof = stage.with_services(lambda services: verify(stage.workspace, services, services.clock))
    assert (proof.lost, proof.gained, proof.unexplained) == ([], [], [])


def test_a_group_of_200_000_is_left_after_one_page_and_a_yes_to_it_refused(stage: Stage) -> None:
    directory = stage.world.state.directory
    group = next(one for one in directory.groups.values() if one.security_enabled and not one.role_assignable)
    for number in range(200_000):
        one = User(id=f"{number:08d}-0000-4000-8000-00000000feed", upn=f"p{number}@stage.example", display_name="P")
        directory.users[one.id] = one
        group.members[one.id] = 0.0
    pages: list[str] = []
    stage.taps.append(lambda scope: pages.append(str(scope["path"])) if group.id in str(scope["path"]) else None)
    read_groups(stage)
    assert len([page for page in pages if "transitiveMembers" in page]) == 1
    source = stage.make_plan().access[0].source
    read_groups(stage)
    with pytest.raises(PlanConflict, match=f"names the group {group.display_name}: it has more people than classic"):
        plan(stage, groups={source: [group.id]})


def test_members_are_read_again_at_verify(stage: Stage) -> None:
    proposed = with_yes(stage)
    assert stage.apply().state == "finished"
    group, joiner = stage.world.state.directory.groups[proposed.group], somebody_else(stage)
    leaver = next(iter(group.members))
    del group.members[leaver]
    group.members[joiner] = 0.0
    stage.wait(1_200)
    proof = stage.with_services(lambda services: verify(stage.workspace, services, services.clock))
    assert {one.person.casefold() for one in proof.lost} == {upn_of(stage, leaver).casefold()}
    assert {one.person.casefold() for one in proof.gained} == {upn_of(stage, joiner).casefold()}


def test_an_assignment_that_vanishes_between_plan_and_apply_is_named(stage: Stage) -> None:
    plan(stage)
    users = stage.pool_record("Office Pool").groups["desktop application group"].users
    gone = users.pop(next(iter(users)))
    with pytest.raises(PreflightFailed) as caught:
        stage.apply()
    (problem,) = [one for one in caught.value.problems if one.where == "inventory"]
    assert f"{gone} is no longer assigned to Office Pool/Desktop Application Group" in problem.what
    assert not stage.of_type("hostPools")


def test_who_joins_between_plan_and_apply_stops_it_by_name(stage: Stage) -> None:
    proposed = with_yes(stage)
    joiner = somebody_else(stage)
    stage.world.state.directory.groups[proposed.group].members[joiner] = 0.0
    with pytest.raises(PreflightFailed) as caught:
        stage.apply()
    named = f"{upn_of(stage, joiner)} ({joiner})"
    assert [problem.what for problem in caught.value.problems if named in problem.what]
    assert not stage.of_type("hostPools")
    read_groups(stage)
    with pytest.raises(PlanConflict, match="1 of whose people do not have it"):
        plan(stage, groups={proposed.source: [proposed.group]})
