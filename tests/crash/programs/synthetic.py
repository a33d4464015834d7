"""Four hosts, each two journalled effects on a small world and a wait for what the world does by itself.

What a move needs of engine, journal and twin, and nothing else: the first program to fail when one of them is wrong.
"""

from __future__ import annotations

from typing import Any

import dbos  # noqa: F401 - the server imports it once for all lives
from life import End, Life

from avdtwin.clock import BorrowedClock
from avdtwin.world import World, on
from crossfade.execution.engine import Bodies, Engine, Workflow
from crossfade.execution.journal import Journal, Move
from crossfade.execution.transitions import HostState, Kind, RunState

HOSTS = ("h1", "h2", "h3", "h4")
CALL_S = 5.0
READY_S = 90.0


@on("synthetic.ready")
def _ready(world: World, at: float, *, host: str) -> None:
    world.record("ready", host=host)


class Twin:
    """Each call takes a while, half of it before its effect; what is done twice is recorded twice."""

    def __init__(self, world: World, life: Life, *, blind: bool = False) -> None:
        self.world = world
        self._life = life
        self._blind = blind

    async def call(self, verb: str, host: str) -> None:
        self._life.called(f"before {verb} {host}")
        await self.world.clock.sleep(CALL_S / 2)
        self.world.settle()
        if verb in ("drain", "install"):
            self.world.count_call("synthetic", verb, 200)
            self.world.record(verb, host=host)
            if verb == "install":
                self.world.schedule(READY_S, "synthetic.ready", host=host)
        await self.world.clock.sleep(CALL_S / 2)
        self._life.called(f"after {verb} {host}")

    def done(self, verb: str, host: str) -> bool:
        """Whether a step that was cut off has had its effect; a blind twin never looks."""
        return not self._blind and self.has(verb, host)

    def has(self, kind: str, host: str) -> bool:
        self.world.settle()
        return any(each.kind == kind and each.data == {"host": host} for each in self.world.state.records)


def main(life: Life) -> End:
    return _program(life, blind=False)


def careless(life: Life) -> End:
    """The same, but it does not observe before it acts again: the harness must find out."""
    return _program(life, blind=True)


def _program(life: Life, *, blind: bool) -> End:
    clock = BorrowedClock(life.clock.timestamp, life.clock.sleep)
    if life.snapshot is None:
        world = World.empty(clock, tenant_id="t")
    else:
        world = World.restore(life.snapshot, clock)
    life.keep(world.snapshot)
    with Journal.open(life.folder / "journal.db", life.clock, synchronous="NORMAL", hook=life.point) as journal:
        outcome = life.clock.run(_run(life, journal, Twin(world, life, blind=blind)))
        hosts = {each.id: each.state for each in journal.all(Kind.HOST)}
        steps = {each.id: each.state for each in journal.all(Kind.STEP)}
        journal.verify()
    effects = sorted(f"{each.kind} {each.data['host']}" for each in world.state.records)
    same = {"outcome": outcome, "hosts": hosts, "steps": steps, "effects": effects}
    return End(same, writes=dict(world.state.calls))


async def _run(life: Life, journal: Journal, twin: Twin) -> Any:
    _prepare(journal)
    engine: Engine = life.open_engine(_bodies(life, journal, twin))
    await engine.open()
    try:
        await engine.recover()
        await engine.start("run", "run", {})
        return (await engine.wait(["run"]))["run"].raise_if_failed()
    finally:
        await engine.close()


def _prepare(journal: Journal) -> None:
    journal.add(Kind.RUN, "run", run_id="run")
    journal.add(Kind.WAVE, "wave", run_id="run", parent="run")
    for host in HOSTS:
        journal.add(Kind.HOST, host, run_id="run", parent="wave")


def _bodies(life: Life, journal: Journal, twin: Twin) -> Bodies:
    async def step(port: Workflow, host: str, verb: str, act: Any, to: HostState) -> None:
        async def once() -> None:
            attempt = journal.begin(f"{host}/{verb}", run_id="run", parent=host)
            if attempt is None:
                return
            if not (attempt.unknown and twin.done(verb, host)):
                await act()
            journal.finish(f"{host}/{verb}", moves=[Move(Kind.HOST, host, to)])

        await port.step(verb, once)

    async def host(port: Workflow, args: dict[str, Any]) -> Any:
        name = args["host"]

        async def until_ready() -> None:
            while not twin.has("ready", name):
                await life.clock.sleep(30)

        await step(port, name, "stage", lambda: twin.call("look", name), HostState.STAGED)
        await step(port, name, "drain", lambda: twin.call("drain", name), HostState.DRAINING)
        await port.sleep(60)
        await step(port, name, "install", lambda: twin.call("install", name), HostState.DRAINED)
        await step(port, name, "ready", until_ready, HostState.SAVED)
        return name

    async def run(port: Workflow, args: dict[str, Any]) -> Any:
        async def begun() -> None:
            if journal.get(Kind.RUN, "run").state == RunState.PLANNED:  # type: ignore[union-attr]
                journal.move(Kind.RUN, "run", RunState.RUNNING)

        async def ended() -> None:
            if journal.get(Kind.RUN, "run").state == RunState.RUNNING:  # type: ignore[union-attr]
                journal.move(Kind.RUN, "run", RunState.FINISHED)

        await port.step("begun", begun)
        for pair in (HOSTS[:2], HOSTS[2:]):
            for each in pair:
                await port.start("host", f"run/{each}", {"host": each})
            outcomes = await port.wait([f"run/{each}" for each in pair])
            assert all(each.state == "done" for each in outcomes.values()), outcomes
        await port.step("ended", ended)
        return "all moved"

    return {"run": run, "host": host}


PROGRAMS = {"main": (main, ""), "careless": (careless, "")}
