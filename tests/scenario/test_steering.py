"""A running migration, steered from another terminal: what is said, what is answered, what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from back_kit import answer, apply_while, say, take_back, wait_until
from stage import QUICK, Stage, personal, pooled, spec_of

from crossfade.execution.records import Entity
from crossfade.execution.transitions import Kind

SMALL = spec_of(pooled(hosts=3), personal(hosts=1))


def planned(folder: Path, **waves: Any) -> Stage:
    stage = Stage.of(SMALL, folder)
    stage.make_plan(waves=msgspec.structs.replace(QUICK, canary_return=False, **waves))
    return stage


def in_flight(stage: Stage, part: str) -> list[Entity]:
    with stage.journal() as journal:
        return [step for step in journal.unknown_steps() if part in step.id]


def run_state(stage: Stage) -> str:
    return next(iter(stage.entities(Kind.RUN))).state


# -- abort


def test_abort_lets_the_step_in_flight_end_and_holds(tmp_path: Path) -> None:
    stage = planned(tmp_path)
    said: list[int] = []

    async def script() -> None:
        await wait_until(stage, lambda: bool(in_flight(stage, "#forward/install")), every_s=5.0)
        said.append(say(stage, "abort"))

    held = apply_while(stage, script)
    assert (held.state, held.exit_code) == ("holding", 1)
    assert held.error is not None
    assert "olivia" in held.error["why"]
    assert answer(stage, said[0])[0] == "done"
    assert not in_flight(stage, "install"), "the step in flight has an outcome"
    assert not [step for step in stage.entities(Kind.STEP) if "restart-registered" in step.id], "no step began"
    assert stage.apply().state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}


def test_after_an_abort_the_run_can_go_back(tmp_path: Path) -> None:
    stage = planned(tmp_path)

    async def script() -> None:
        await wait_until(stage, lambda: "registered" in stage.hosts().values(), every_s=5.0)
        say(stage, "abort")

    assert apply_while(stage, script).state == "holding"
    assert take_back(stage).state == "rolled_back"
    assert set(stage.hosts().values()) == {"on_source"}


def test_a_rollback_of_a_run_that_goes_forward_is_refused_with_the_way_to_it(tmp_path: Path) -> None:
    stage = planned(tmp_path)
    said: list[int] = []

    async def script() -> None:
        await wait_until(stage, lambda: "draining" in stage.hosts().values() or "drained" in stage.hosts().values())
        said.append(say(stage, "rollback"))

    assert apply_while(stage, script).state == "finished"
    state, text = answer(stage, said[0])
    assert state == "refused"
    assert "crossfade abort" in text


# -- people gates


def test_each_wave_waits_for_a_yes(tmp_path: Path) -> None:
    stage = planned(tmp_path, people_gate="waves")
    waited: list[float] = []
    said: list[int] = []

    async def script() -> None:
        for _ in stage.plan.waves:
            await wait_until(stage, lambda: bool(in_flight(stage, "/yes")))
            (gate,) = in_flight(stage, "/yes")
            assert "crossfade approve" in gate.reason
            assert gate.data["until"] > gate.added_at
            begun = stage.world.now
            await stage.rehearsal.clock.sleep(3 * 3600.0)
            assert in_flight(stage, "/yes"), "it opened by itself"
            waited.append(stage.world.now - begun)
            said.append(say(stage, "approve"))
            await wait_until(stage, lambda gate=gate: gate.id not in [s.id for s in in_flight(stage, "/yes")])  # type: ignore[misc]

    assert apply_while(stage, script).state == "finished"
    assert len(waited) == len(stage.plan.waves)
    assert all(answer(stage, one)[0] == "done" for one in said)
    facts = [step.data["facts"] for step in stage.entities(Kind.STEP) if step.id.endswith("/yes")]
    assert facts == [{"by": "olivia"}] * len(stage.plan.waves)


def test_a_wave_may_be_approved_beforehand_by_name(tmp_path: Path) -> None:
    stage = planned(tmp_path, people_gate="waves")

    async def script() -> None:
        await wait_until(stage, lambda: bool(stage.entities(Kind.WAVE)), every_s=1.0)
        for wave in stage.plan.waves:
            say(stage, "approve", wave.id.upper())

    assert apply_while(stage, script).state == "finished"


def test_an_approval_that_nothing_asks_for_is_refused(tmp_path: Path) -> None:
    stage = planned(tmp_path)
    said: list[int] = []

    async def script() -> None:
        await wait_until(stage, lambda: bool(stage.entities(Kind.WAVE)), every_s=1.0)
        said.append(say(stage, "approve"))

    apply_while(stage, script)
    assert answer(stage, said[0])[0] == "refused"
    assert "people_gate" in answer(stage, said[0])[1]


# -- set, skip, retry


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("parallel-moves", "1", "done"),
        ("grace-s", "600", "done"),
        ("headroom", "0.5", "done"),
        ("parallel-moves", "0", "refused"),
        ("parallel-moves", "1.5", "refused"),
        ("grace-s", "5", "refused"),
        ("headroom", "-1", "refused"),
        ("headroom", "nan", "refused"),
        ("soak-s", "1", "refused"),
    ],
)
def test_settings_change_within_safe_bounds(tmp_path: Path, name: str, value: str, state: str) -> None:
    stage = planned(tmp_path)
    said: list[int] = []

    async def script() -> None:
        await wait_until(stage, lambda: bool(stage.entities(Kind.WAVE)), every_s=1.0)
        said.append(say(stage, "set", name=name, value=value))

    apply_while(stage, script)
    assert answer(stage, said[0])[0] == state, answer(stage, said[0])


def test_fewer_hosts_move_at_once_from_the_next_one_on(tmp_path: Path) -> None:
    stage = planned(tmp_path)

    async def script() -> None:
        await wait_until(stage, lambda: bool(stage.entities(Kind.WAVE)), every_s=1.0)
        say(stage, "set", name="parallel_moves", value="1")

    assert apply_while(stage, script).state == "finished"
    away: set[str] = set()
    most = 0
    for event in stage.events("host"):
        if event.to_state in ("draining", "reverting"):
            away.add(event.subject)
        elif event.to_state in ("accepting", "on_source", "quarantined"):
            away.discard(event.subject)
        most = max(most, len(away))
    assert most == 1


def test_a_skipped_host_stays_on_classic_until_somebody_says_retry(tmp_path: Path) -> None:
    stage = planned(tmp_path, failure_budget=0)
    said: list[int] = []

    async def script() -> None:
        await wait_until(stage, lambda: bool(stage.entities(Kind.WAVE)), every_s=1.0)
        said.append(say(stage, "skip", "own-0"))

    assert apply_while(stage, script).state == "finished"
    assert answer(stage, said[0])[0] == "done"
    assert stage.hosts()["own-0"] == "on_source"
    assert stage.classic("own-0").allow_new_session  # type: ignore[union-attr]
    assert stage.arm("own-0") is None
    said.append(say(stage, "retry", "own-0.ad.stage.example"))
    assert stage.apply().state == "finished"
    assert answer(stage, said[1])[0] == "done"
    assert set(stage.hosts().values()) == {"confirmed"}


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_a_finished_run_goes_on_for_a_host_that_is_tried_again(tmp_path: Path, engine: str) -> None:
    stage = planned(tmp_path, failure_budget=1)
    kept = dict(stage.machine("off-1").files)
    stage.machine("off-1").files.clear()
    assert stage.apply(engine).state == "finished"
    assert stage.hosts()["off-1"] == "quarantined"
    assert stage.apply(engine).state == "finished"
    assert stage.hosts()["off-1"] == "quarantined", "nobody asked"
    stage.machine("off-1").files = kept
    said = say(stage, "retry", "off-1")
    again = stage.apply(engine)
    assert (again.state, again.error) == ("finished", None)
    assert answer(stage, said)[0] == "done"
    assert set(stage.hosts().values()) == {"confirmed"}


def test_words_about_hosts_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    stage = planned(tmp_path)
    assert stage.apply().state == "finished"
    said = [
        say(stage, "skip", "off-1"),
        say(stage, "retry", "off-1"),
        say(stage, "skip", "nobody"),
        say(stage, "retry"),
    ]
    assert stage.apply().state == "finished"
    assert [answer(stage, one)[0] for one in said] == ["refused"] * 4
    assert "confirmed" in answer(stage, said[0])[1]
    assert run_state(stage) == "finished"
