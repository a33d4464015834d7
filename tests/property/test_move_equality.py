"""Who may open what, through a whole migration of generated estates: the product's answer equals the twin's own feed
before, between the waves and after; and a loss, a gain and a swap planted after the run are found by `verify`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from access_equality import assert_equal, documents

sys.path.insert(0, str(Path(__file__).parents[1] / "scenario"))

from stage import MORNING, Sessions, Stage, personal, pooled, spec_of

from crossfade.commands.verify import exit_code, verify
from crossfade.execution.workflows import drain
from crossfade.plan.intent import Waves
from crossfade.verification.verification import Verification

WAVES = Waves(
    last_wave_due_hours=6.0,
    soak_minutes=2.0,
    canary_return=False,
    canary_wave=2,
    size=3,
    headroom=0.0,
    expected_share=0.2,
    failure_budget=99,
    run_failure_budget=999,
)
SESSIONS = Sessions(drain_timeout_hours=4.0, quiet_from="00:00", quiet_to="23:59")
"""Quick rather than kind: what is compared is who may open what, not who is disturbed."""

SEAT_WITHIN_S = 8 * 3600.0
"""How long a host waits for seats before the run holds: the usual days would show nothing more."""


@pytest.mark.parametrize("number", [*range(3), *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 20))])
def test_who_equals_the_feed_before_between_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(drain, "SEAT_WITHIN_S", SEAT_WITHIN_S)
    compare(number, tmp_path)


def compare(number: int, folder: Path) -> int:
    """One estate, through its whole migration; how often every person was compared. Fails at the first difference."""
    stage = Stage.of(f"small-{number}", folder, seed=number, people=True, start=MORNING)
    stage.make_plan(waves=WAVES, outage="when-empty", sessions=SESSIONS)
    looks = 0
    equal(stage)
    while stage.interrupt(after_a_wave(done := [])):
        equal(stage)
        looks += 1
        assert looks <= len(stage.plan.waves), done
    applied = stage.apply()
    assert applied.state in ("finished", "holding"), applied
    stage.wait(300)
    equal(stage)
    assert looks >= min(1, len(stage.plan.waves))
    return looks + 2


def after_a_wave(seen: list[str]) -> Any:
    """Accepts the point where a wave has just been confirmed; a later process never sees it again."""

    def at(point: str) -> bool:
        if point.startswith("after wave ") and point.endswith(" confirmed"):
            seen.append(point)
        return bool(seen)

    return at


def equal(stage: Stage) -> None:
    """What is being propagated comes to rest first: the feed tells what counts now."""
    stage.wait(180)
    inventory, target = stage.run(documents(stage.rehearsal))
    assert_equal(stage.world, inventory, target, stage.plan)


# -- planted


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, bytes]:
    """A finished run, and the twin as it left it."""
    stage = Stage.of(spec_of(pooled(), personal(hosts=3), name="planted"), tmp_path_factory.mktemp("planted"))
    stage.make_plan()
    assert stage.apply().state == "finished"
    stage.wait(300)
    return stage, stage.world.snapshot()


def verified(stage: Stage) -> Verification:
    return stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))


@pytest.fixture
def after(moved: tuple[Stage, bytes]) -> Stage:
    from avdtwin.world import World

    stage, kept = moved
    stage.world.adopt(World.restore(kept, stage.world.clock).state)
    return stage


def test_nothing_planted_nothing_found(after: Stage) -> None:
    found = verified(after)
    assert (found.lost, found.gained, found.swapped, found.unexplained) == ([], [], [], [])
    assert exit_code(found) == 0


def test_a_planted_loss_is_found(after: Stage) -> None:
    world = after.world
    people = {user.id: user.upn for user in world.state.directory.users.values()}
    key, grant = next(
        (key, one)
        for key, one in world.state.arm.role_assignments.items()
        if one.principal_id in people and "/applicationgroups/" in one.scope.lower()
    )
    del world.state.arm.role_assignments[key]
    found = verified(after)
    assert {one.person for one in found.lost} == {people[grant.principal_id].lower()}
    assert found.gained == []
    assert exit_code(found) != 0


def test_a_planted_gain_is_found(after: Stage) -> None:
    import msgspec

    world = after.world
    people = {user.id: user.upn.lower() for user in world.state.directory.users.values() if not user.deleted}
    grants = world.state.arm.role_assignments
    groups = sorted({one.scope for one in grants.values() if "/applicationgroups/" in one.scope.lower()})
    has = {(one.scope, one.principal_id) for one in grants.values()}
    model = next(one for one in grants.values() if one.scope == groups[0])
    stranger = next(user for user in sorted(people) if not any((scope, user) in has for scope in groups))
    gift = msgspec.structs.replace(
        model, id=model.id[:-4] + "beef", name=model.name[:-4] + "beef", principal_id=stranger
    )
    grants[gift.id.lower()] = gift
    found = verified(after)
    assert {one.person for one in found.gained} == {f"object {stranger}"}, "nobody whom the plan knows by name"
    assert found.lost == []
    assert exit_code(found) != 0


def test_a_planted_swap_of_two_desktops_is_found(after: Stage) -> None:
    first, second = after.arm("own-0"), after.arm("own-1")
    assert first is not None
    assert second is not None
    one, two = first.properties["assignedUser"], second.properties["assignedUser"]
    first.properties["assignedUser"], second.properties["assignedUser"] = two, one
    found = verified(after)
    assert {each.person for each in found.swapped} == {one.lower(), two.lower()}
    assert exit_code(found) != 0
