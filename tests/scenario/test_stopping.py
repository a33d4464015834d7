"""SIGINT and SIGTERM while a run is carried out: real signals, sent to this very process at a known moment."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from stage import QUICK, Stage, personal, pooled, spec_of

from crossfade.app import durable_engine, in_process_engine
from crossfade.cli.signals import heard
from crossfade.cloud.services import Services
from crossfade.commands.apply import Applied, apply
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
