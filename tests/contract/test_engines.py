"""One contract for both engines: the same bodies, the same assertions, under virtual time.

With its store in a PostgreSQL the durable engine writes the same journal in every run of the tests; the rest of the
contract is left to `make soak`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crossfade.clock import SimulatedClock, SystemClock
from crossfade.errors import Conflict, InputError, JournalMismatch, Problem, StepFailed, Throttled
from crossfade.execution import engine_store
from crossfade.execution.engine import Bodies, Engine, Outcome, Workflow, WorkflowState, error_from_data
from crossfade.execution.inprocess import InProcessEngine
from crossfade.execution.journal import Journal
from crossfade.execution.places import Place, PostgresPlace
from crossfade.execution.postgres_store import forget
from crossfade.execution.transitions import Kind
from postgres_kit import Server

START = datetime(2026, 6, 1, 20, tzinfo=UTC)
SECRET = "planted-secret-3141592"


class Bench:
    """One engine of a kind at a time on one folder, and the virtual time that goes on when a process is abandoned."""

    def __init__(self, kind: str, folder: Path, database: str = "") -> None:
        self.kind = kind
        self.folder = folder
        self.store: Place = PostgresPlace(database, "engine") if database else folder / "engine.db"
        self.clock = SimulatedClock(START)

    def engine(self, bodies: Bodies) -> Engine:
        if self.kind == "inprocess":
            return InProcessEngine(bodies, self.clock)
        from crossfade.execution.dbos_engine import DbosEngine

        return DbosEngine(bodies, self.clock, self.store)

    def run(self, bodies: Bodies, main: Callable[[Engine], Coroutine[Any, Any, Any]]) -> Any:
        """Open an engine, run `main` with it, close it: what still runs then is abandoned, as by a crash."""

        async def life() -> Any:
            engine = self.engine(bodies)
            await engine.open()
            try:
                return await main(engine)
            finally:
                await engine.close()

        return self.clock.run(life())

    def crash(self, *, lose_store: bool = False) -> None:
        """Another process, at the same virtual time."""
        now = self.clock.now()
        self.clock.close()
        self.clock = SimulatedClock(now)
        if lose_store:
            for file in self.folder.glob("engine.db*"):
                file.unlink()
            if isinstance(self.store, PostgresPlace):
                forget(self.store)


@pytest.fixture(params=["inprocess", "dbos", pytest.param("dbos-postgres", marks=pytest.mark.long)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    database = request.getfixturevalue("postgres") if request.param == "dbos-postgres" else ""
    made = Bench(request.param, tmp_path, database)
    yield made
    made.clock.close()


def giving(value: Any, log: list[Any] | None = None) -> Callable[[], Awaitable[Any]]:
    async def fn() -> Any:
        if log is not None:
            log.append(value)
        return value

    return fn


def raising(error: Exception) -> Callable[[], Awaitable[Any]]:
    async def fn() -> Any:
        raise error

    return fn


def outcome_of(bench: Bench, bodies: Bodies, args: dict[str, Any] | None = None) -> Outcome:
    """Run the body `main` to its end."""

    async def main(engine: Engine) -> Outcome:
        await engine.recover()
        await engine.start("main", "w", args or {})
        return (await engine.wait(["w"]))["w"]

    result: Outcome = bench.run(bodies, main)
    return result


# -- steps


def test_steps_run_in_order_and_give_plain_json(bench: Bench) -> None:
    log: list[Any] = []

    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        given = [await port.step(f"s{i}", giving((i, args["x"]), log)) for i in range(5)]
        return {"given": given, "id": port.id}

    outcome = outcome_of(bench, {"main": body}, {"x": "é"})
    assert outcome.result == {"given": [[i, "é"] for i in range(5)], "id": "w"}
    assert log == [(i, "é") for i in range(5)]


@pytest.mark.parametrize(
    "error",
    [
        Throttled("PUT x", "429", "wait", service="arm", status=429, retry_after_s=17.0, correlation_id="c"),
        Conflict("PUT y", "exists", "adopt", service_code="Taken"),
        InputError("bad", [Problem("f:1", "no", "mend"), Problem("f:2", "nor", "mend")]),
        StepFailed("a", "b", "c"),
    ],
)
def test_our_errors_arrive_whole(bench: Bench, error: Exception) -> None:
    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        try:
            await port.step("s", raising(error))
        except type(error) as caught:
            return caught.as_data()  # type: ignore[attr-defined]

    assert outcome_of(bench, {"main": body}).result == error.as_data()  # type: ignore[attr-defined]


def test_foreign_errors_arrive_without_their_text(bench: Bench) -> None:
    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        try:
            await port.step("s", raising(ValueError(f"Bearer {SECRET}")))
        except StepFailed as caught:
            return str(caught)

    text = outcome_of(bench, {"main": body}).result
    assert "ValueError at test_engines.py:" in text
    for file in bench.folder.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file.name


def test_a_failing_body_is_an_outcome(bench: Bench) -> None:
    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        await port.step("s", raising(Conflict("PUT y", "exists", "adopt")))

    outcome = outcome_of(bench, {"main": body})
    assert outcome.state is WorkflowState.FAILED
    with pytest.raises(Conflict, match="PUT y exists adopt"):
        outcome.raise_if_failed()


def test_two_steps_at_once_are_refused(bench: Bench) -> None:
    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        async def slow() -> None:
            await bench.clock.sleep(1)

        for result in await asyncio.gather(port.step("a", slow), port.step("b", slow), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    error = outcome_of(bench, {"main": body}).error
    assert error is not None
    assert "AssertionError" in error["why"]


def test_what_is_no_json_is_refused(bench: Bench) -> None:
    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        await port.step("a", giving(object()))

    assert outcome_of(bench, {"main": body}).state is WorkflowState.FAILED


# -- time


def test_a_night_passes_and_the_workflow_has_its_own_time(bench: Bench) -> None:
    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        async def long() -> None:
            await bench.clock.sleep(30)

        before = port.now()
        await port.sleep(8 * 3600)
        await port.step("long", long)
        return (port.now() - before).total_seconds()

    assert outcome_of(bench, {"main": body}).result == 8 * 3600 + 30
    assert (bench.clock.now() - START).total_seconds() == 8 * 3600 + 30


# -- children


async def _child(port: Workflow, args: dict[str, Any]) -> Any:
    await port.sleep(args["s"])
    if args.get("fail"):
        raise Conflict("PUT z", "exists", "adopt")
    return args["s"]


def test_children_run_side_by_side(bench: Bench) -> None:
    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        for n in (3, 1, 2):
            await port.start("child", f"c{n}", {"s": n * 100, "fail": n == 2})
            await port.start("child", f"c{n}", {"s": n * 100, "fail": n == 2})
        ended = await port.wait(["c1", "c2", "c3"])
        return [[each, ended[each].state, ended[each].result] for each in sorted(ended)]

    outcome = outcome_of(bench, {"main": body, "child": _child})
    assert outcome.result == [["c1", "done", 100], ["c2", "failed", None], ["c3", "done", 300]]
    assert (bench.clock.now() - START).total_seconds() == 300


def test_starting_again_changes_nothing(bench: Bench) -> None:
    log: list[Any] = []

    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        return await port.step("s", giving(args["n"], log))

    async def main(engine: Engine) -> Any:
        assert await engine.status("w") is None
        await engine.start("main", "w", {"n": 1})
        await engine.start("main", "w", {"n": 2})
        assert await engine.status("w") is WorkflowState.RUNNING
        await engine.wait(["w"])
        await engine.start("main", "w", {"n": 3})
        return (await engine.wait(["w"]))["w"].result, await engine.status("w")

    assert bench.run({"main": body}, main) == (1, WorkflowState.DONE)
    assert log == [1]


def test_waiting_for_nobody_is_refused(bench: Bench) -> None:
    async def main(engine: Engine) -> Any:
        await engine.wait(["nobody"])

    with pytest.raises(Exception, match="Nobody has started workflow nobody"):
        bench.run({}, main)


# -- cancelling


def test_cancel_lets_the_step_end_and_starts_no_other(bench: Bench) -> None:
    log: list[Any] = []

    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        async def slow() -> None:
            await bench.clock.sleep(10)
            log.append("slow")

        try:
            await port.step("slow", slow)
            await port.step("next", giving("next", log))
        except Exception:
            log.append("swallowed")

    async def main(engine: Engine) -> Any:
        await engine.start("main", "w", {})
        await bench.clock.sleep(5)
        await engine.cancel("w")
        return (await engine.wait(["w"]))["w"].state

    assert bench.run({"main": body}, main) is WorkflowState.CANCELLED
    assert log == ["slow"]


def test_cancel_cuts_a_sleep_short_and_resume_goes_on(bench: Bench) -> None:
    with Journal.open(bench.folder / "journal.db", bench.clock, synchronous="NORMAL") as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        log: list[Any] = []

        async def main(engine: Engine) -> Any:
            await engine.start("main", "w", {})
            await bench.clock.sleep(5)
            await engine.cancel("w")
            state = (await engine.wait(["w"]))["w"].state
            at = (bench.clock.now() - START).total_seconds()
            await engine.resume("w")
            await engine.resume("w")
            ended = (await engine.wait(["w"]))["w"]
            await engine.resume("w")
            return state, at, ended.state, await engine.status("w")

        body = _journalled(journal, log, ["a", 3600, "b"])
        done = (WorkflowState.CANCELLED, 5, WorkflowState.DONE, WorkflowState.DONE)
        assert bench.run({"main": body}, main) == done
        assert log == ["a", "b"]


def test_resume_begins_a_failed_workflow_anew(bench: Bench) -> None:
    broken = [True]

    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        if broken[0]:
            await port.step("s", raising(Conflict("PUT y", "exists", "adopt")))
        return args

    async def main(engine: Engine) -> Any:
        await engine.start("main", "w", {"n": 7})
        before = (await engine.wait(["w"]))["w"].state
        broken[0] = False
        await engine.resume("w")
        return before, (await engine.wait(["w"]))["w"].result

    assert bench.run({"main": body}, main) == (WorkflowState.FAILED, {"n": 7})


@pytest.mark.parametrize("crash", [False, True])
def test_resume_begins_failed_children_anew_and_leaves_the_others(bench: Bench, crash: bool) -> None:
    log: list[Any] = []
    broken = [True]

    async def child(port: Workflow, args: dict[str, Any]) -> Any:
        await port.step("s", giving(port.id, log))
        if broken[0] and args["n"] == 1:
            raise Conflict("PUT y", "exists", "adopt")
        return args["n"]

    async def wave(port: Workflow, args: dict[str, Any]) -> Any:
        for n in range(3):
            await port.start("child", f"c{n}", {"n": n})
        return [each.raise_if_failed() for each in (await port.wait(["c0", "c1", "c2"])).values()]

    async def run(port: Workflow, args: dict[str, Any]) -> Any:
        await port.start("wave", "wave", {})
        return (await port.wait(["wave"]))["wave"].raise_if_failed()

    async def main(engine: Engine) -> Any:
        await engine.recover()
        await engine.start("main", "w", {})
        await engine.resume("w")
        return (await engine.wait(["w"]))["w"]

    async def twice(engine: Engine) -> Any:
        await main(engine)
        broken[0] = False
        await engine.resume("w")
        return (await engine.wait(["w"]))["w"]

    bodies = {"main": run, "wave": wave, "child": child}
    if crash:
        assert bench.run(bodies, main).state is WorkflowState.FAILED
        bench.crash()
        broken[0] = False
    assert bench.run(bodies, main if crash else twice).result == [0, 1, 2]
    again = ["c0", "c1", "c2"] if crash and bench.kind == "inprocess" else ["c1"]
    assert log == ["c0", "c1", "c2", *again]


# -- crashes


def _journalled(journal: Journal, log: list[Any], plan: list[str | int]) -> Any:
    """A body that does each named step once, by the journal, and sleeps for each number."""

    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        for each in plan:
            if isinstance(each, int):
                await port.sleep(each)
            else:
                await port.step(each, _perform(journal, f"{port.id}/{each}", each, log))

    return body


def _perform(journal: Journal, step_id: str, effect: str, log: list[Any], slow_s: float = 0.0) -> Any:
    async def fn() -> None:
        attempt = journal.begin(step_id, run_id="r", parent="r")
        if attempt is None:
            return
        await asyncio.sleep(slow_s)
        if effect not in log:
            log.append(effect)
        journal.finish(step_id)

    return fn


@pytest.mark.parametrize("then", ["kept", "lost", "by another program"])
def test_an_abandoned_run_goes_on(bench: Bench, then: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two children, abandoned every few minutes: each effect happens once, and all comes to an end. Also where the
    store was lost, and where each life is that of a program that has changed since."""
    log: list[Any] = []
    path = bench.folder / "journal.db"
    lives = 0
    while True:
        lives += 1
        assert lives < 30, "no progress"
        if then == "by another program":
            monkeypatch.setattr(engine_store, "bodies_version", partial(str, lives))
        with Journal.open(path, bench.clock, synchronous="NORMAL") as journal:
            journal.add(Kind.RUN, "r", run_id="r")
            if bench.run(_family(journal, log), _for_100_s(bench)):
                journal.verify()
                break
        bench.crash(lose_store=then == "lost")
    assert sorted(log) == sorted(["0a", "0b", "0c", "1a", "1b", "1c"])
    assert lives >= 3


def _family(journal: Journal, log: list[Any]) -> Bodies:
    async def child(port: Workflow, args: dict[str, Any]) -> Any:
        for name in "abc":
            await port.step(name, _perform(journal, f"{port.id}/{name}", f"{args['n']}{name}", log, 70.0))
            await port.sleep(5)

    async def main(port: Workflow, args: dict[str, Any]) -> Any:
        for n in range(2):
            await port.start("child", f"w/{n}", {"n": n})
        return sorted(await port.wait(["w/0", "w/1"]))

    return {"main": main, "child": child}


def _for_100_s(bench: Bench) -> Callable[[Engine], Coroutine[Any, Any, bool]]:
    async def main(engine: Engine) -> bool:
        await engine.recover()
        await engine.start("main", "w", {})
        try:
            await asyncio.wait_for(engine.wait(["w"]), 100)
        except TimeoutError:
            return False
        return True

    return main


# -- parity


def _random_bodies(clock: SimulatedClock, journal: Journal) -> Bodies:
    async def host(port: Workflow, args: dict[str, Any]) -> Any:
        dice = random.Random(args["seed"])
        journal.add(Kind.HOST, port.id, run_id="r")
        for number in range(dice.randint(1, 6)):
            if dice.random() < 0.5:
                await port.sleep(dice.choice([0, 1, 5]))
            delay = dice.choice([0, 0, 1, 2])

            async def effect(number: int = number, delay: int = delay) -> int:
                journal.begin(f"{port.id}/{number}", run_id="r", parent=port.id)
                if delay:
                    await clock.sleep(delay)
                journal.finish(f"{port.id}/{number}", data={"n": number})
                return number

            await port.step(f"s{number}", effect)
        if dice.random() < 0.2:
            raise Conflict("PUT z", "exists", "adopt")
        return dice.random()

    async def run(port: Workflow, args: dict[str, Any]) -> Any:
        dice = random.Random(args["seed"])
        for wave in range(2):
            ids = [f"h{wave}.{n}" for n in range(dice.randint(1, 5))]
            for each in ids:
                await port.start("host", each, {"seed": dice.random()})
            ended = await port.wait(ids)
            told = {each: str(outcome.state) for each, outcome in ended.items()}

            async def note(told: dict[str, str] = told) -> None:
                journal.note("wave", "ended", run_id="r", data=told)

            await port.step(f"note {wave}", note)
        return port.now().isoformat()

    return {"main": run, "host": host}


def _history(kind: str, folder: Path, seed: int, database: str = "") -> tuple[list[Any], Any]:
    folder.mkdir()
    bench = Bench(kind, folder, database)
    place = PostgresPlace(database, "journal") if database else folder / "journal.db"
    with Journal.open(place, bench.clock, synchronous="NORMAL") as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        outcome = outcome_of(bench, _random_bodies(bench.clock, journal), {"seed": seed})
        told = [*journal.events(), *(one for kind in Kind for one in journal.all(kind))]
        journal.verify()
    bench.clock.close()
    return told, outcome


SEEDS = int(os.environ.get("CROSSFADE_PARITY_SEEDS", "6"))
"""How many random runs are compared; docs/benchmarks.md tells of more."""


def test_every_engine_writes_the_same_journal(tmp_path: Path, seed: int, postgres_server: Server) -> None:
    for number in range(SEEDS):
        one = _history("inprocess", tmp_path / f"i{number}", seed + number)
        assert len(one[0]) > 8
        assert _history("dbos", tmp_path / f"d{number}", seed + number) == one, f"seed {seed + number}, SQLite"
        if number % 2 == 0:
            url = postgres_server.new_database()
            assert _history("dbos", tmp_path / f"p{number}", seed + number, url) == one, f"seed {seed + number}"


# -- DBOS alone


def test_on_the_real_clock(tmp_path: Path) -> None:
    from crossfade.execution.dbos_engine import DbosEngine

    async def body(port: Workflow, args: dict[str, Any]) -> Any:
        for n in range(2):
            await port.start("child", f"c{n}", {"s": 0.01})
        await port.wait(["c0", "c1"])
        return [await port.step(f"s{i}", giving(i)) for i in range(3)]

    async def main() -> Any:
        engine = DbosEngine({"main": body, "child": _child}, SystemClock(), tmp_path / "engine.db")
        await engine.open()
        try:
            assert await engine.recover() == []
            await engine.start("main", "w", {})
            return (await engine.wait(["w"]))["w"].result
        finally:
            await engine.close()

    assert asyncio.run(main()) == [0, 1, 2]


def test_a_store_that_is_none_is_named(tmp_path: Path) -> None:
    bench = Bench("dbos", tmp_path)
    (tmp_path / "engine.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(JournalMismatch, match="remove it and run `crossfade resume`"):
        outcome_of(bench, {"main": _child}, {"s": 1})


def test_bodies_that_changed_under_a_store_are_told(tmp_path: Path) -> None:
    bench = Bench("dbos", tmp_path)

    def shaped(name: str) -> Bodies:
        async def body(port: Workflow, args: dict[str, Any]) -> Any:
            await port.step(name, giving(1))
            await port.sleep(1000)

        return {"main": body}

    bench.run(shaped("old"), _for_100_s(bench))
    bench.crash()
    error = outcome_of(bench, shaped("new")).error
    assert error is not None
    assert isinstance(error_from_data(error), JournalMismatch)
    assert "Remove engine.db" in error["mend"]
