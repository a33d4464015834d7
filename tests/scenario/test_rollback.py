"""The way back: a host, a wave or the whole run, with the care of the way there."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from back_kit import classic_of, say, sign_out_later, somebody_of, take_back, target_of
from kept_stages import kept
from stage import MORNING, Sessions, Stage, personal, pooled, short, spec_of

from avdtwin import agents
from crossfade.commands.apply import Hook
from crossfade.commands.rollback import is_rolled_back, under_way
from crossfade.commands.verify import verify
from crossfade.errors import CannotRollBack, InputError, Refused
from crossfade.execution.transitions import Kind
from crossfade.verification.verification import Verification

SMALL = spec_of(pooled(hosts=3), personal(hosts=1))
BEFORE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
"""Target and classic before the migrations that are kept."""


def moved(folder: Path, engine: str = "inprocess", **options: Any) -> tuple[Stage, dict[str, Any], dict[str, Any]]:
    """A finished migration, and target and classic as they were before it."""

    def make(place: Path) -> Stage:
        stage = Stage.of(SMALL, place, **options)
        stage.make_plan()
        BEFORE[key] = target_of(stage), classic_of(stage)
        assert stage.apply(engine).state == "finished"
        return stage

    key = f"moved on {engine} {sorted(options.items())}"
    return kept(key, folder, make), *BEFORE[key]


def proven(stage: Stage) -> Verification:
    return stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_a_whole_run_leaves_the_target_as_it_was(tmp_path: Path, engine: str) -> None:
    stage, target, classic = moved(tmp_path, engine)
    assert target_of(stage) != target
    assert classic_of(stage) != classic
    done = take_back(stage, engine=engine)
    assert (done.state, done.error) == ("rolled_back", None)
    assert set(stage.hosts().values()) == {"on_source"}
    assert target_of(stage) == target
    assert classic_of(stage) == classic
    with stage.journal() as journal:
        journal.verify()


def test_a_run_rolled_back_may_be_applied_again(tmp_path: Path) -> None:
    stage, target, _ = moved(tmp_path)
    there = target_of(stage)
    take_back(stage)
    with pytest.raises(Refused, match="nothing to prove on the target"):
        proven(stage)
    again = stage.apply()
    assert (again.state, again.error) == ("finished", None)
    assert proven(stage).equivalent()
    assert set(stage.hosts().values()) == {"confirmed"}
    assert set(there["resources"]) == set(target_of(stage)["resources"])
    assert take_back(stage).state == "rolled_back"
    assert target_of(stage) == target


def test_one_host_goes_back_and_stays_until_somebody_says_retry(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    done = take_back(stage, "off-1")
    assert (done.state, done.of) == ("holding", stage.move("off-1").source)
    assert stage.hosts()["off-1"] == "on_source"
    assert stage.arm("off-1") is None
    assert stage.apply().state == "finished"
    assert stage.hosts()["off-1"] == "on_source", "nobody said retry"
    say(stage, "retry", "off-1")
    again = stage.apply()
    assert (again.state, again.error) == ("finished", None)
    assert set(stage.hosts().values()) == {"confirmed"}


def test_a_personal_host_goes_back_with_its_person(tmp_path: Path) -> None:
    stage, _, classic = moved(tmp_path)
    take_back(stage, "own-0")
    now = classic_of(stage)
    mine = [key for key in classic["people"] if key[0] == "workstations"]
    assert {key: now["people"][key] for key in mine} == {key: classic["people"][key] for key in mine}
    assert stage.classic("own-0").allow_new_session  # type: ignore[union-attr]
    assert not [
        grant for grant in stage.world.state.arm.role_assignments.values() if "workstations" in grant.scope.lower()
    ]


def test_a_wave_goes_back_as_a_whole(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    wave = next(wave for wave in stage.plan.waves if wave.kind == "canary-wave")
    done = take_back(stage, wave.id)
    assert (done.state, done.error) == ("holding", None)
    assert {host for host, state in stage.hosts().items() if state == "on_source"} == {
        short(host) for host in wave.hosts
    }
    assert next(one.state for one in stage.entities(Kind.WAVE) if one.id == wave.id) == "reverted"
    assert stage.apply().state == "finished"
    assert next(one.state for one in stage.entities(Kind.WAVE) if one.id == wave.id) == "skipped"


def test_a_wave_that_leaves_the_target_short_of_seats_gives_its_people_classic_beside_it(tmp_path: Path) -> None:
    """Neither side has seats for everybody at their peak: both together have."""
    stage = Stage.of(spec_of(pooled(hosts=4, limit=2, groups=())), tmp_path)
    stage.make_plan()
    classic, wave = classic_of(stage)["people"], next(one.id for one in stage.plan.waves if len(one.hosts) == 2)
    assert stage.apply().state == "finished"
    assert classic_of(stage)["people"] != classic
    say(stage, "set", name="headroom", value="2")
    assert take_back(stage, wave).error is None
    assert classic_of(stage)["people"] == classic
    assert len(stage.world.state.arm.role_assignments) >= 3, "and the target too"


class Gone(BaseException):
    """The process is gone."""


def dies_at(number: int) -> Hook:
    count = iter(range(1, 1_000_000))

    def hook(point: str) -> None:
        if next(count) == number:
            raise Gone(point)

    return hook


def dies_after(write: str, *, before: bool = False) -> Hook:
    """At the first write of the journal that ends like this: behind it, or before it. Nothing is written later."""
    gone: list[str] = []

    def hook(point: str) -> None:
        if gone or (point.startswith("before " if before else "after ") and point.endswith(write)):
            gone.append(point)
            raise Gone(point)

    return hook


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_a_rollback_goes_on_where_it_was_interrupted(tmp_path: Path, engine: str) -> None:
    stage, target, classic = moved(tmp_path, engine)
    for number in (12, 40, 25, 33, 1_000):
        with contextlib.suppress(Gone):
            take_back(stage, engine=engine, hook=dies_at(number))
    assert [run.state for run in stage.entities(Kind.RUN)] == ["rolled_back"]
    assert set(stage.hosts().values()) == {"on_source"}
    assert target_of(stage) == target
    assert classic_of(stage) == classic


@pytest.mark.parametrize("number", [30, 150, 300, 420])
def test_a_run_that_was_interrupted_goes_back(tmp_path: Path, number: int) -> None:
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    target, classic = target_of(stage), classic_of(stage)
    with contextlib.suppress(Gone):
        stage.apply(hook=dies_at(number))
    done = take_back(stage)
    assert (done.state, done.error) == ("rolled_back", None)
    assert target_of(stage) == target
    assert classic_of(stage) == classic


def test_without_classic_there_is_no_way_back(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    stage.world.state.classic.alive = False
    there = target_of(stage)
    with pytest.raises(CannotRollBack, match="does not answer"):
        take_back(stage)
    assert target_of(stage) == there
    assert [run.state for run in stage.entities(Kind.RUN)] == ["finished"]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    stage.calls.clear()
    done = take_back(stage, dry_run=True)
    assert (done.state, done.exit_code, done.summary["hosts"]) == ("dry-run", 2, 4)
    assert not stage.calls


def test_what_the_plan_does_not_know_is_named(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    with pytest.raises(InputError, match="off-77"):
        take_back(stage, "off-77")


def test_whoever_works_on_the_target_is_told_and_waited_for(tmp_path: Path) -> None:
    """Somebody who does not heed the message: who heeds it comes back at once, perhaps to the next host that goes."""
    stage, target, _ = moved(tmp_path, settings={"heed_chance": 0.0})
    session = stage.sign_in("off-0", person=somebody_of(stage, "office pool"))
    sign_out_later(stage, session, 7_200.0)
    done = take_back(stage)
    assert done.error is None
    assert stage.records("message")[0].data["session"] == session.key
    assert stage.tally()["sessions_lost_without_notice"] == 0
    assert target_of(stage) == target


def test_people_at_work_find_a_way_all_the_while(tmp_path: Path) -> None:
    """Two working days: the way there in one, the way back in the next."""
    stage, target, classic = moved(tmp_path, people=True, start=MORNING)
    stage.wait(86_400.0)
    done = take_back(stage)
    assert (done.state, done.error) == ("rolled_back", None)
    stage.wait(86_400.0)
    tally = stage.tally()
    assert (tally["no_path"], tally["people_without_path_now"], tally["sessions_lost_without_notice"]) == (0, 0, 0)
    assert tally["refused_sign_ins"] == 0, tally["refused_by_cause"]
    assert target_of(stage) == target
    assert classic_of(stage) == classic


def test_while_it_goes_back_it_does_not_go_forward(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    with contextlib.suppress(Gone):
        take_back(stage, hook=dies_at(12))
    assert under_way(stage.workspace) == "run"
    with pytest.raises(Refused, match="crossfade rollback run"):
        stage.apply()
    with pytest.raises(InputError, match="another rollback"):
        take_back(stage, "off-1")
    assert not is_rolled_back(stage.workspace)
    assert take_back(stage).state == "rolled_back"
    assert under_way(stage.workspace) == ""


def test_a_rollback_that_was_aborted_comes_to_its_end_before_anything_goes_forward(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=1)), tmp_path)
    stage.make_plan(outage="when-empty")
    assert stage.apply().state == "finished"
    said: list[int] = []

    def hook(point: str) -> None:
        if point.startswith("after host") and point.endswith("reverting") and not said:
            said.append(say(stage, "abort"))

    held = take_back(stage, hook=hook)
    assert (held.state, set(stage.hosts().values()) & {"reverting"}) == ("holding", {"reverting"})
    assert "goes back" not in str(held.error), "it goes back already"
    assert under_way(stage.workspace) == "run", "that is what `crossfade resume` goes on with"
    with pytest.raises(Refused, match="crossfade rollback run"):
        stage.apply()
    assert take_back(stage).state == "rolled_back"
    assert under_way(stage.workspace) == ""


def test_a_host_whose_vm_somebody_deleted_holds_no_rollback(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled()), tmp_path)
    stage.make_plan()
    assert stage.apply().state == "finished"
    machine = stage.machine("off-0")
    agents.leave(stage.world, machine)
    del stage.world.state.machines[machine.vm]
    del stage.world.state.arm.resources[stage.move("off-0").vm.lower()]
    done = take_back(stage)
    assert (done.state, done.error) == ("rolled_back", None)
    assert stage.hosts() == {"off-0": "quarantined", "off-1": "on_source"}
    assert stage.of_type("hostPools") == [], "nothing is left on the target"
    assert "No VM is left of" in next(one.reason for one in stage.entities(Kind.RUN))


def test_a_rollback_that_classic_left_alone_is_gone_forward_from(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=1)), tmp_path)
    stage.make_plan(outage="when-empty")
    assert stage.apply().state == "finished"

    def hook(point: str) -> None:
        if point.startswith("after host") and point.endswith("on_source"):
            stage.world.state.classic.alive = False

    left = take_back(stage, hook=hook)
    assert left.state == "rolling_back"
    with pytest.raises(CannotRollBack, match="crossfade resume --without-classic"):
        take_back(stage)
    stage.without_classic = "olivia"
    assert stage.apply().state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}, "on classic nobody could use them"


def test_whoever_goes_on_just_behind_the_end_of_a_rollback_changes_nothing(tmp_path: Path) -> None:
    """The last write was the run's own; a supervisor resumes it, and no host may go forward again."""
    stage, target, _ = moved(tmp_path)
    take_back(stage)
    stage.calls.clear()
    assert is_rolled_back(stage.workspace)
    again = take_back(stage)
    assert (again.state, again.error, again.exit_code) == ("rolled_back", None, 0)
    assert take_back(stage, dry_run=True).exit_code == 0
    assert not stage.calls
    assert target_of(stage) == target
    with pytest.raises(CannotRollBack, match="already"):
        take_back(stage, "off-1")


@pytest.mark.parametrize("at", ["tell off-0.ad.stage.example/2 done", "notice begun", "empty begun"])
def test_nobody_is_told_twice_because_a_process_died(tmp_path: Path, at: str) -> None:
    stage, _, _ = moved(tmp_path, settings={"heed_chance": 0.0})
    session = stage.sign_in("off-0", person=somebody_of(stage, "office pool"))
    sign_out_later(stage, session, 7_200.0)
    with contextlib.suppress(Gone):
        take_back(stage, hook=dies_after(f"off-0.ad.stage.example#rollback 1/{at}"))
    done = take_back(stage)
    assert (done.state, done.error) == ("rolled_back", None)
    assert [record.data["session"] for record in stage.records("message")] == [session.key]


def test_whoever_outlasts_the_patience_of_a_rollback_is_waited_for_by_the_next(tmp_path: Path) -> None:
    """The host stands between: out of service, but with somebody on it."""
    stage = Stage.of(SMALL, tmp_path, settings={"heed_chance": 0.0})
    stage.make_plan(sessions=Sessions(drain_timeout_hours=1.0))
    assert stage.apply().state == "finished"
    session = stage.sign_in("off-0", person=somebody_of(stage, "office pool"))
    sign_out_later(stage, session, 5_400.0)
    held = take_back(stage)
    assert held.error is not None
    assert "waited 3600 s" in held.error["why"]
    assert stage.hosts()["off-0"] == "reverting"
    done = take_back(stage)
    assert (done.state, done.error) == ("rolled_back", None)
    assert stage.tally()["sessions_lost_without_notice"] == 0
    assert session.key not in [record.data["session"] for record in stage.records("session_lost")]


def test_a_try_that_is_over_is_given_up_once(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    with contextlib.suppress(Gone):
        take_back(stage, hook=dies_after("off-0.ad.stage.example#rollback 1/look begun"))
    assert take_back(stage).state == "rolled_back"
    given_up = [step.id for step in stage.entities(Kind.STEP) if step.id.endswith("/give-up") and "off-0" in step.id]
    assert [step.rpartition("#")[2] for step in given_up] == ["forward/give-up"]


def test_a_run_is_said_to_be_rolled_back_once(tmp_path: Path) -> None:
    stage, _, _ = moved(tmp_path)
    with contextlib.suppress(Gone):
        take_back(stage, hook=dies_after("rollback 1/end done", before=True))
    assert take_back(stage).state == "rolled_back"
    notes = [note for note in stage.events("note") if note.data.get("word") == "rolled-back"]
    assert len(notes) == 1
    assert all(step.state != "begun" for step in stage.entities(Kind.STEP))
