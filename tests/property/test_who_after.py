"""Whole migrations on generated estates: who may open what equals the twin's feed before, between waves and after; and
a loss, a gain and a swap of two personal desktops, planted in the twin, are each found."""

from __future__ import annotations

import asyncio
import copy
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from access_equality import assert_equal, documents, feed_rows

sys.path.insert(0, str(Path(__file__).parents[1] / "scenario"))
from stage import EVENING, QUICK, Stage, personal, pooled, spec_of

from avdtwin.state import RoleAssignment
from crossfade.app import in_process_engine
from crossfade.cloud.services import Services
from crossfade.commands.apply import apply
from crossfade.commands.passages import GIVEN, TAKEN_OUT
from crossfade.commands.report import summary, write_report
from crossfade.commands.verify import exit_code, verify
from crossfade.commands.who import what, who
from crossfade.commands.workspace import INVENTORY
from crossfade.errors import StalePlan
from crossfade.execution.transitions import Kind
from crossfade.plan.intent import Access
from crossfade.verification.verification import Verification

LOOK_EVERY_S = 1_200.0
WITHIN_S = 6 * 3600.0
"""Some runs wait for days, for somebody who never signs out: those are left where they are by then."""


def equal_now(stage: Stage) -> None:
    inventory, target = stage.run(documents(stage.rehearsal))
    assert_equal(stage.world, inventory, target, stage.plan)


def proof(stage: Stage) -> Verification:
    return stage.with_services(lambda services: verify(stage.workspace, services, services.clock))


def under_way(stage: Stage) -> bool:
    """Whether a grant or membership was written that is not in force yet: no list of either service says so."""
    now, state = stage.world.now, stage.world.state
    times = [grant.effective_at for grant in state.arm.role_assignments.values()]
    times += [since for group in state.directory.groups.values() for since in group.members.values()]
    return any(time > now for time in times)


def migrate(stage: Stage) -> int:
    """Apply, while somebody compares again and again; how often nothing changed during the look, so that it counts."""
    looks = 0

    async def watch() -> None:
        nonlocal looks
        while True:
            await stage.rehearsal.clock.sleep(LOOK_EVERY_S)
            before = feed_rows(stage.world)
            inventory, target = await documents(stage.rehearsal)
            if feed_rows(stage.world) == before and not under_way(stage):
                assert_equal(stage.world, inventory, target, stage.plan)
                looks += 1

    async def both(services: Services) -> None:
        clock = stage.rehearsal.clock
        running = apply(stage.workspace, services, clock, in_process_engine(clock), synchronous="NORMAL")
        tasks = [asyncio.ensure_future(running), asyncio.ensure_future(watch())]
        await asyncio.wait(tasks, timeout=WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    stage.with_services(both)
    return looks


LEAST = (1, 2, 3, 5)
"""Estates that take least time."""


@pytest.mark.slow
@pytest.mark.parametrize("number", [n if n in LEAST else pytest.param(n, marks=pytest.mark.long) for n in range(20)])
def test_before_between_waves_and_after(number: int, tmp_path: Path) -> None:
    compare_during(number, tmp_path)


def compare_during(number: int, folder: Path) -> int:
    """One estate, looked at every twenty minutes of its migration; how often every person was compared."""
    stage = Stage.of(f"small-{number}", folder, seed=number, start=EVENING)
    stage.make_plan(waves=msgspec.structs.replace(QUICK, expected_share=0.2), outage="when-empty")
    equal_now(stage)
    looks = migrate(stage)
    assert looks or not stage.plan.hosts
    stage.wait(900)
    equal_now(stage)
    if all(host.state == "confirmed" for host in stage.entities(Kind.HOST)):
        found = proof(stage)
        assert found.equivalent(), (found.lost[:3], found.gained[:3], found.swapped, found.unexplained)
    return looks + 2


# ---------------------------------------------------------------- planted faults


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A pooled pool with a desktop and apps, through directory groups, and personal desktops; all moved."""
    spec = spec_of(pooled(hosts=3, desktop_people=4), personal(hosts=2))
    stage = Stage.of(spec, tmp_path_factory.mktemp("migrated"))
    stage.make_plan(access=Access(direct_threshold=3))
    assert stage.apply().state == "finished"
    stage.wait(900)
    assert proof(stage).passed()
    return stage


@pytest.fixture
def stage(migrated: Stage) -> Iterator[Stage]:
    """The migrated estate; its twin is as before afterwards."""
    state = migrated.world.state
    arm, directory = copy.deepcopy(state.arm), copy.deepcopy(state.directory)
    yield migrated
    state.arm, state.directory = arm, directory
    migrated.world.derived.clear()


def grants(stage: Stage, principal_type: str) -> list[RoleAssignment]:
    """Grants that publish, in the twin."""
    role = "1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63"
    found = stage.world.state.arm.role_assignments.values()
    return [one for one in found if one.role_definition_id.endswith(role) and one.principal_type == principal_type]


def someone_else(stage: Stage) -> str:
    """Object id of somebody to whom nothing is published."""
    pairs = [people for group in stage.plan.access for people in group.people.values()]
    return next(user for user in stage.world.state.directory.users if user not in pairs)


class TestPlanted:
    def test_an_assignment_lost(self, stage: Stage) -> None:
        lost = grants(stage, "User")[0]
        del stage.world.state.arm.role_assignments[lost.id.lower()]
        found = proof(stage)
        upn = stage.world.state.directory.users[lost.principal_id].upn
        assert {one.person for one in found.lost} == {upn}
        assert not found.gained

    def test_a_member_lost_and_one_gained(self, stage: Stage) -> None:
        group = stage.world.state.directory.groups[grants(stage, "Group")[0].principal_id]
        gone = next(iter(group.members))
        del group.members[gone]
        group.members[someone_else(stage)] = 0.0
        found = proof(stage)
        users = stage.world.state.directory.users
        assert {one.person for one in found.lost} == {users[gone].upn}
        assert {one.person for one in found.gained} == {users[someone_else(stage)].upn}

    def test_a_stranger_at_the_subscription(self, stage: Stage) -> None:
        stranger = someone_else(stage)
        template = grants(stage, "User")[0]
        scope = "/".join(template.scope.split("/")[:3])
        added = copy.deepcopy(template)
        added.id, added.scope, added.principal_id = f"{scope}/{template.name}0", scope, stranger
        stage.world.state.arm.role_assignments[added.id.lower()] = added
        stage.world.derived.clear()
        assert stage.world.state.directory.users[stranger].upn in {one.person for one in proof(stage).gained}

    def test_two_personal_desktops_swapped(self, stage: Stage) -> None:
        one, other = (host for host in stage.of_type("hostPools/sessionHosts") if host.properties.get("assignedUser"))
        pair = one.properties["assignedUser"], other.properties["assignedUser"]
        other.properties["assignedUser"], one.properties["assignedUser"] = pair
        found = proof(stage)
        assert {swap.person for swap in found.swapped} == set(pair)
        assert not found.lost
        assert not found.gained

    def test_a_group_taken_out_of_the_workspace(self, stage: Stage) -> None:
        (workspace,) = stage.of_type("workspaces")
        workspace.properties["applicationGroupReferences"] = workspace.properties["applicationGroupReferences"][1:]
        found = proof(stage)
        assert found.lost
        assert not found.equivalent()

    def test_an_app_hidden_and_a_group_hidden(self, stage: Stage) -> None:
        stage.of_type("applicationGroups/applications")[0].properties["showInPortal"] = False
        assert {one.resource.rpartition("/")[2] for one in proof(stage).lost} == {"Excel"}

    def test_the_preferred_type_flipped(self, stage: Stage) -> None:
        """Nobody holds both kinds here, so access is the same; the setting is not, and is told."""
        pool = next(one for one in stage.of_type("hostPools") if one.properties["hostPoolType"] == "Pooled")
        pool.properties["preferredAppGroupType"] = "RailApplications"
        found = proof(stage)
        assert found.equivalent()
        assert [check.property for check in found.different()] == ["preferredAppGroupType"]

    def test_nothing_planted(self, stage: Stage) -> None:
        assert proof(stage).passed()


# ---------------------------------------------------------------- the commands


def test_who_and_what_tell_of_both_sides(stage: Stage) -> None:
    proof(stage)
    person = next(person for group in stage.plan.access for person in group.people)
    view = who(stage.workspace, person)
    assert [path.resource for path in view.before] == [path.resource for path in view.after or []]
    assert all(path.opens for path in (*view.before, *(view.after or [])))
    assert view.classic == []
    assert {passage.what for passage in view.passages} == {GIVEN, TAKEN_OUT}
    assert sorted(passage.at for passage in view.passages) == [passage.at for passage in view.passages]
    (excel,) = what(stage.workspace, "Excel")
    assert {path.person.lower() for path in excel.before} == {path.person.lower() for path in excel.after or []}


def test_a_report_of_the_run(stage: Stage) -> None:
    proof(stage)
    page = write_report(stage.workspace, "https://portal.azure.com", made_at="2026-06-09T00:00:00Z").read_text()
    assert "Everybody opens exactly what they opened before" in page
    assert "5 of 5" in page
    assert "<rect" in page
    assert "hosts moved" in summary(stage.workspace)


def test_an_inventory_made_after_the_plan_is_never_taken_for_its_own(stage: Stage) -> None:
    """The run has taken people out of classic by then: they would seem to have had nothing. The proof is made from the
    copy that the run kept, and refused where that one is gone."""
    first = stage.workspace.path(INVENTORY).read_bytes()
    (copy,) = stage.workspace.path(INVENTORY).parent.glob("runs/*/inventory.json")
    stage.discover()
    assert exit_code(proof(stage)) == 0
    copy.unlink()
    with pytest.raises(StalePlan, match="not the inventory that the plan was made of"):
        proof(stage)
    copy.write_bytes(first)
    stage.workspace.write_bytes(INVENTORY, first)
    assert exit_code(proof(stage)) == 0
