"""SIGINT and SIGTERM while a run is carried out: real signals, sent to this very process at a known moment."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from back_kit import take_back
from stage import QUICK, Stage, personal, pooled, spec_of

from crossfade.app import durable_engine, in_process_engine
from crossfade.cli.signals import heard
from crossfade.cloud.services import Services
from crossfade.commands.apply import Applied, apply
from crossfade.commands.rollback import RolledBack, rollback, under_way
from crossfade.commands.stopping import Stop
from crossfade.commands.workspace import ENGINE
from crossfade.execution.control import PATIENT
from crossfade.execution.transitions import Kind

SMALL = spec_of(pooled(hosts=3), personal(hosts=1))
ENGINES = ["inprocess", "dbos"]
Points = Callable[[str], bool]


def planned(folder: Path) -> Stage:
    stage = Stage.of(SMALL, folder)
    stage.make_plan(waves=msgspec.structs.replace(QUICK, canary_return=False))
    return stage


def stopped_at(stage: Stage, engine: str, at: Points, number: int, *, times: int = 1) -> tuple[Applied, list[str]]:
    """Apply, and get a signal from outside once `at` accepts a point, and again at each point that follows."""
    said: list[str] = []
    sent = 0

    def hook(point: str) -> None:
        nonlocal sent
        if sent < times and point.startswith("after") and (sent or at(point)):
            sent += 1
            os.kill(os.getpid(), number)

    async def work(services: Services) -> Applied:
        clock, stop = stage.rehearsal.clock, Stop()
        store = stage.workspace.path(ENGINE)
        make = in_process_engine(clock) if engine == "inprocess" else durable_engine(clock, store)
        with heard(stop, said.append):
            return await apply(stage.workspace, services, clock, make, synchronous="NORMAL", hook=hook, stop=stop)

    applied = stage.with_services(work)
    assert sent >= 1, "nobody sent a signal"
    return applied, said


def in_flight(stage: Stage) -> list[str]:
    """Steps that have begun and not ended, but for those that only look."""
    with stage.journal() as journal:
        return [step.id for step in journal.unknown_steps() if not step.reason.startswith(PATIENT)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_ends_and_resume_goes_on(tmp_path: Path, engine: str, number: int) -> None:
    stage = planned(tmp_path)
    applied, said = stopped_at(stage, engine, lambda point: point.endswith("#forward/install begun"), number)
    assert applied.exit_code == 130
    assert applied.error is not None
    assert applied.error["code"] == "stopped"
    assert signal.Signals(number).name in applied.error["why"]
    assert "crossfade resume" in applied.error["mend"]
    assert len(said) == 1
    assert "/install, since" in said[0], "it says what it waits for"
    assert not in_flight(stage)
    begun = {step.id.rpartition("/")[2] for step in stage.entities(Kind.STEP)}
    assert "install" in begun
    assert "restart-registered" not in begun, "no step began any more"
    assert stage.entities(Kind.RUN)[0].state == "running"
    assert stage.apply(engine).state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_signal_says_what_is_waited_for_and_a_third_leaves(tmp_path: Path, engine: str) -> None:
    stage = planned(tmp_path)

    def send(stop: Stop) -> list[str]:
        return [stop.ask("SIGTERM") for _ in range(3)]

    said: list[str] = []

    async def work(services: Services) -> Applied:
        clock, stop = stage.rehearsal.clock, Stop()
        store = stage.workspace.path(ENGINE)
        make = in_process_engine(clock) if engine == "inprocess" else durable_engine(clock, store)

        def hook(point: str) -> None:
            if point.startswith("after") and point.endswith("#forward/install begun") and not said:
                said.append("")
                asyncio.get_running_loop().call_later(1.0, lambda: said.extend(send(stop)))

        return await apply(stage.workspace, services, clock, make, synchronous="NORMAL", hook=hook, stop=stop)

    applied = stage.with_services(work)
    assert "/install, since" in said[2]
    assert "still waited for" in said[2]
    assert applied.exit_code == 130
    assert applied.error is not None
    assert "/install" in applied.error["why"], "it says what is left in flight"
    assert in_flight(stage), "it was left"
    assert stage.apply(engine).state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}


def test_before_a_run_listens_a_signal_interrupts_and_nothing_was_written(tmp_path: Path) -> None:
    stage = planned(tmp_path)
    stage.taps.append(lambda scope: os.kill(os.getpid(), signal.SIGTERM))

    async def work(services: Services) -> Applied:
        clock = stage.rehearsal.clock
        stop = Stop()
        with heard(stop, print):
            return await apply(stage.workspace, services, clock, in_process_engine(clock), stop=stop)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        stage.with_services(work)
    assert signal.getsignal(signal.SIGTERM) is before
    assert stage.writes() == 0
    assert not (tmp_path / "journal.db").exists()


def rollback_stopped(
    stage: Stage, number: int, *, at: Points = lambda point: False, asking: str = ""
) -> tuple[RolledBack, list[str]]:
    """Roll back, and get a signal at each point of the journal that `at` accepts; or as soon as `asking` is in the path
    of a call."""
    said: list[str] = []

    def hook(point: str) -> None:
        if point.startswith("after") and at(point):
            os.kill(os.getpid(), number)

    def tap(scope: dict[str, Any]) -> None:
        if asking and not said and asking in scope["path"]:
            os.kill(os.getpid(), number)

    async def work(services: Services) -> RolledBack:
        clock, stop = stage.rehearsal.clock, Stop()
        with heard(stop, said.append):
            make = in_process_engine(clock)
            return await rollback(stage.workspace, services, clock, make, synchronous="NORMAL", hook=hook, stop=stop)

    stage.taps.append(tap)
    done = stage.with_services(work)
    stage.taps.remove(tap)
    assert done.exit_code == 130
    return done, said


def way_on(done: RolledBack) -> str:
    """What a stopped rollback says how to go on, as a word for `rollback`."""
    assert done.error is not None
    found = re.fullmatch(r"`crossfade rollback (\S+)` goes on\.", done.error["mend"])
    assert found, done.error["mend"]
    return found[1]


def test_a_rollback_that_is_stopped_says_how_to_go_on_with_it(tmp_path: Path) -> None:
    """`crossfade resume` would move the next host forward where the rollback had only looked by then."""
    stage = Stage.of(spec_of(personal(hosts=2)), tmp_path)
    stage.make_plan(waves=msgspec.structs.replace(QUICK, canary_return=False))
    assert stage.interrupt(lambda point: point.endswith("confirmed"))
    moved, before = stage.hosts(), stage.writes()
    assert sorted(moved.values()) == ["accepting", "on_source"]
    looked, _ = rollback_stopped(stage, signal.SIGTERM, asking="/RdsManagement/")
    assert (looked.state, under_way(stage.workspace)) == ("running", "")
    assert (stage.hosts(), stage.writes()) == (moved, before), "it only looked"
    again = way_on(looked)
    begun, said = rollback_stopped(
        stage, signal.SIGINT, at=lambda point: point.endswith(("/restore begun", "/restore done"))
    )
    assert (begun.of, begun.state, under_way(stage.workspace)) == ("run", "rolling_back", "run")
    assert way_on(begun) == again
    assert "/restore, since" in said[0], "it says what it waits for"
    assert "`crossfade rollback run` looks first" in said[1]
    assert not in_flight(stage)
    assert take_back(stage, again).state == "rolled_back"
    assert set(stage.hosts().values()) == {"on_source"}
