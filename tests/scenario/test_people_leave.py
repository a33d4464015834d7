"""People who leave the directory while the run goes on, or before it goes back, stop nobody else's way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from back_kit import classic_of, take_back
from stage import Stage, pooled, spec_of

from crossfade.commands.passages import Passages
from crossfade.commands.verify import verify
from crossfade.execution.undone import GONE
from crossfade.plan.intent import Access


def leaves(stage: Stage, upn: str) -> None:
    """Somebody's account is deleted, as on their last day."""
    directory = stage.world.state.directory
    user = directory.users[directory.upns.pop(upn)]
    user.deleted = True
    for group in directory.groups.values():
        group.members.pop(user.id, None)


def at(point: str, act: Callable[[], None]) -> Callable[[str], None]:
    """A journal's hook that acts once, at its first write that tells of `point`."""
    acted: list[str] = []

    def hook(write: str) -> None:
        if point in write and not acted:
            acted.append(write)
            act()

    return hook


def told_of(stage: Stage) -> set[str]:
    """Whom a step could write nothing for."""
    return {str(event.data.get("facts", {}).get(GONE, "")).lower() for event in stage.events("step")} - {""}


def test_whoever_leaves_stops_nobody_on_the_way_there_or_back(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=1)), tmp_path)
    stage.make_plan(outage="when-empty")
    before = classic_of(stage)["people"]
    first, second, third, *_ = sorted(stage.plan.access[0].people)
    ungiven, unretracted = at("draining", lambda: leaves(stage, first)), at("retract", lambda: leaves(stage, second))
    done = stage.apply(hook=lambda write: [each(write) for each in (ungiven, unretracted)] and None)
    assert (done.state, done.error) == ("finished", None)
    assert told_of(stage) == {first, second}
    assert Passages(stage.workspace, stage.plan).of(first) == [], "nothing was given to them, nor taken"
    stage.wait(1_200)
    proof = stage.with_services(lambda services: verify(stage.workspace, services, services.clock))
    assert (proof.lost, proof.gained, proof.unexplained) == ([], [], [])

    leaves(stage, third)
    back = take_back(stage)
    assert (back.state, back.error) == ("rolled_back", None)
    assert [one.lower().partition(" in ")[0] for one in back.left_out] == [third]
    now = classic_of(stage)["people"]
    assert now == {name: [upn for upn in people if upn != third] for name, people in before.items()}


def test_whoever_leaves_is_added_to_no_group(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=2)), tmp_path)
    stage.make_plan(access=Access(direct_threshold=2))
    leaver = sorted(stage.plan.access[0].people)[-1]
    done = stage.apply(hook=at("people/add-member", lambda: leaves(stage, leaver)))
    assert (done.state, done.error) == ("finished", None)
    assert told_of(stage) == {leaver}
