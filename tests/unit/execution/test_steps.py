"""A step: once, observed before it is tried again, its deadline counted from its first beginning."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crossfade.clock import SimulatedClock
from crossfade.errors import GateTimedOut, ServiceFailed, StepFailed
from crossfade.execution.control import NoControl
from crossfade.execution.inprocess import InProcessEngine
from crossfade.execution.journal import Journal
from crossfade.execution.own_tokens import OwnTokens
from crossfade.execution.steps import Steps, insist
from crossfade.execution.transitions import Kind

START = datetime(2026, 6, 1, tzinfo=UTC)


class Bench:
    """A journal with a run, and one body at a time on the in-process engine."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(START)
        self.path = folder / "journal.db"
        self.did: list[str] = []
        self.count = 0

    def do(self, work: Any) -> Any:
        """Run `work(steps, port)` as a process of its own would: a fresh engine, the same journal."""
        self.count += 1

        async def body(port: Any, args: dict[str, Any]) -> dict[str, Any]:
            steps = Steps(port, journal, self.clock, run_id="r", subject="host", control=NoControl())
            return {"gave": await work(steps, port)}

        async def once() -> Any:
            engine = InProcessEngine({"body": body}, self.clock)
            await engine.open()
            await engine.start("body", f"w{self.count}", {})
            ended = await engine.wait([f"w{self.count}"])
            await engine.close()
            return ended[f"w{self.count}"].raise_if_failed()["gave"]

        with Journal.open(self.path, self.clock) as journal:
            journal.add(Kind.RUN, "r", run_id="r")
            return self.clock.run(once())

    async def act(self) -> dict[str, Any]:
        self.did.append("act")
        return {"n": len(self.did)}

    async def is_so(self) -> dict[str, Any] | None:
        self.did.append("look")
        return {"seen": True}

    async def is_not(self) -> dict[str, Any] | None:
        self.did.append("look")
        return None


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_finished_step_is_not_done_again_and_gives_its_facts(bench: Bench) -> None:
    first = bench.do(lambda steps, port: steps.perform("save", bench.act))
    assert bench.do(lambda steps, port: steps.perform("save", bench.act)) == first == {"n": 1}
    assert bench.did == ["act"]


def test_what_is_so_already_is_noted_and_not_done(bench: Bench) -> None:
    assert bench.do(lambda steps, port: steps.perform("open", bench.act, observe=bench.is_so)) == {"seen": True}
    assert bench.did == ["look"]
    with Journal.open(bench.path, bench.clock) as journal:
        assert [step.state for step in journal.all(Kind.STEP)] == ["noop"]


def test_a_try_that_failed_may_have_acted_so_the_next_one_looks(bench: Bench) -> None:
    async def breaks() -> dict[str, Any]:
        bench.did.append("act")
        raise ServiceFailed("No answer.", "It broke half way.", "Again.")

    with pytest.raises(ServiceFailed):
        bench.do(lambda steps, port: steps.perform("install", breaks, observe=bench.is_so, only_again=True))
    bench.do(lambda steps, port: steps.perform("install", bench.act, observe=bench.is_so, only_again=True))
    assert bench.did == ["act", "look"]


def test_only_again_does_not_look_the_first_time(bench: Bench) -> None:
    bench.do(lambda steps, port: steps.perform("install", bench.act, observe=bench.is_not, only_again=True))
    assert bench.did == ["act"]


def test_a_foreign_error_leaves_no_text_of_its_own(bench: Bench) -> None:
    async def leaks() -> dict[str, Any]:
        raise ValueError("Bearer abc.def.ghi")

    with pytest.raises(StepFailed):
        bench.do(lambda steps, port: steps.perform("install", leaks))
    assert b"abc.def.ghi" not in bench.path.read_bytes()


def test_a_deadline_is_counted_from_the_first_beginning(bench: Bench) -> None:
    def waiting(steps: Steps, port: Any) -> Any:
        return steps.until("register", bench.is_not, every_s=10, within_s=100, waiting_for="the host")

    with pytest.raises(GateTimedOut):
        bench.do(waiting)
    looked, at = len(bench.did), bench.clock.now()
    with pytest.raises(GateTimedOut):
        bench.do(waiting)
    assert len(bench.did) == looked + 1, "one more look, and no more time"
    assert bench.clock.now() == at


def test_insist_pauses_between_tries_and_gives_up(bench: Bench) -> None:
    async def breaks() -> dict[str, Any]:
        bench.did.append("act")
        raise ServiceFailed("No answer.", "It broke.", "Again.")

    def work(steps: Steps, port: Any) -> Any:
        return insist(port, lambda: steps.perform("x", breaks), tries=3, pause_s=60, on=(ServiceFailed,))

    began = bench.clock.now()
    with pytest.raises(ServiceFailed):
        bench.do(work)
    assert bench.did == ["act"] * 3
    assert (bench.clock.now() - began).total_seconds() == 120


def test_own_tokens_are_remembered_across_processes(bench: Bench) -> None:
    with Journal.open(bench.path, bench.clock) as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        tokens = OwnTokens(journal, "r")
        tokens.making("/pools/a")
        tokens.making("/pools/b")
        tokens.making("/pools/b")
        tokens.revoked("/pools/a")
    with Journal.open(bench.path, bench.clock) as journal:
        assert OwnTokens(journal, "r").pools() == ["/pools/b"]
        assert OwnTokens(journal, "another run").pools() == []


# -- the limit of a step that does something


def test_a_step_that_hangs_is_cut_off_and_looked_at_when_it_is_tried_again(bench: Bench) -> None:
    async def hang() -> dict[str, Any]:
        bench.did.append("hang")
        await bench.clock.sleep(1e9)
        return {}

    with pytest.raises(StepFailed, match="had not ended after 4500 s"):
        bench.do(lambda steps, port: steps.perform("install", hang, observe=bench.is_not))
    assert (bench.clock.now() - START).total_seconds() == pytest.approx(4_500.0)
    with Journal.open(bench.path, bench.clock) as journal:
        (step,) = journal.all(Kind.STEP)
        assert step.state == "failed"
        assert step.data["until"] == "2026-06-01T01:15:00.000Z"
    assert bench.do(lambda steps, port: steps.perform("install", bench.act, observe=bench.is_so)) == {"seen": True}
    assert bench.did == ["look", "hang", "look"]


def test_a_time_out_of_the_steps_own_is_told_as_itself(bench: Bench) -> None:
    async def own() -> dict[str, Any]:
        raise TimeoutError

    with pytest.raises(StepFailed, match="TimeoutError"):
        bench.do(lambda steps, port: steps.perform("install", own))


def test_a_gate_may_take_longer_than_any_step(bench: Bench) -> None:
    begun = bench.clock.now()

    async def look() -> dict[str, Any] | None:
        return {} if (bench.clock.now() - begun).total_seconds() > 90_000.0 else None

    bench.do(lambda steps, port: steps.until("yes", look, every_s=60.0, within_s=1e6, waiting_for="a yes"))
    assert (bench.clock.now() - begun).total_seconds() > 90_000.0
