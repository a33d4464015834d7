"""A worker carries out the runs of a queue, several at once, and goes on with those of workers that are dead.

Each run has services, a journal and an engine of its own: what happens to one is nothing to the others. The engine is
the one without a store: what a run has done is in its journal, so there is no second memory that two workers could have
of it. A worker whose database does not answer waits until it does.
"""

import asyncio
import os
import platform
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from crossfade.clock import Clock, RandomIds
from crossfade.commands.apply import Applied, apply
from crossfade.commands.fleet import ANY_SCHEMA, require_queued
from crossfade.commands.stopping import Stop
from crossfade.commands.workspace import Workspace
from crossfade.errors import DatabaseLost, InputError, Problem, Stopped
from crossfade.execution.engine import error_as_data
from crossfade.execution.fleet import FINISHED, HELD, WAITING, Entry, Fleet, Watch, holder_of, next_of
from crossfade.execution.places import PostgresPlace
from crossfade.execution.run import MakeEngine, Services

LOOK_S = 5.0
"""So often a worker looks for runs to take, and for workers that are dead."""
BEATS = 6
"""In the time after which its silence means that it is dead, a worker beats so often."""
HEAR_S = 1.0
"""So often a worker that was silent for too long looks whether it may go on."""
AGAIN_S = 5.0
"""After so long a database that did not answer is asked again."""

OpenServices = Callable[[Entry], AbstractAsyncContextManager[Services]]
Say = Callable[[str], None]


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker did until it ended: run ids by what became of them. `left` wait for another worker."""

    worker: str
    finished: list[str] = []
    held: list[str] = []
    left: list[str] = []
    adopted: list[str] = []

    @property
    def exit_code(self) -> int:
        return 1 if self.held else 0


class Stops:
    """Asks all runs of this worker to end together, and the worker with them."""

    attached = True

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.by = ""
        self._times = 0
        self._runs: dict[str, Stop] = {}

    def of(self, run: str) -> Stop:
        """The one that this run is to listen to."""
        made = self._runs[run] = Stop()
        for _ in range(self._times):
            made.ask(self.by)
        return made

    def over(self, run: str) -> None:
        self._runs.pop(run, None)

    def ask(self, by: str) -> str:
        """Ask once more; see `Stop.ask`. What happens, in words."""
        self._times += 1
        self.by = self.by or by
        self.asked.set()
        return "\n".join(f"{run}: {stop.ask(by)}" for run, stop in self._runs.items()) or f"{by}: nothing is in flight."


def fresh_name() -> str:
    """Of a worker: where it is, and which. The database knows its connections by it, and keeps 63 letters of ASCII."""
    node = re.sub(r"[^A-Za-z0-9.-]", "-", platform.node())[:30]
    return f"{node or 'worker'}-{os.getpid()}-{RandomIds().fresh()[:6]}"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker works. `at_once`: so many runs side by side; silent for `silence_s` it counts as dead; with
    `until_done` it ends when nothing of the queue waits or works any more; without a `name` it gets one of its own."""

    at_once: int = 4
    silence_s: float = 60.0
    until_done: bool = False
    name: str = ""

    def check(self) -> None:
        """Raises InputError."""
        problems = [Problem("--at-once", "It must be 1 or more.", "")] if self.at_once < 1 else []
        problems += [Problem("--silence", "It must be 5 seconds or more.", "")] if self.silence_s < 5 else []
        if problems:
            raise InputError("The worker was not begun.", problems)


@dataclass(frozen=True)
class Means:
    """What a worker works with: a queue, time, services and an engine for each run, who asks it to end, who listens."""

    database: str
    clock: Clock
    open_services: OpenServices
    make_engine: MakeEngine
    stops: Stops
    say: Say


async def work(means: Means, terms: Terms | None = None) -> Worked:
    """Work until somebody asks to end, or until what the terms say.

    Raises InputError for what is no URL, DatabaseLost when the database does not answer at the very beginning.
    """
    terms = terms or Terms()
    terms.check()
    return await _Shift(means, terms).whole()


class _Shift:
    """One worker, from its beginning to its end."""

    def __init__(self, means: Means, terms: Terms) -> None:
        self._means = means
        self._clock, self._stops, self._say = means.clock, means.stops, means.say
        self._terms = terms
        self._place = PostgresPlace(means.database, ANY_SCHEMA)
        self._name = terms.name or fresh_name()
        self._entered = False
        self._alive_until = self._promised()
        self._watch = Watch(means.clock)
        self._tasks: dict[str, asyncio.Task[tuple[str, str]]] = {}
        self._became: dict[str, str] = {}
        self._adopted: list[str] = []

    async def whole(self) -> Worked:
        try:
            await self._through_losses()
        finally:
            await self._drop_all()
        by = {state: sorted(run for run, each in self._became.items() if each == state) for state in _STATES}
        return Worked(
            worker=self._name, finished=by[FINISHED], held=by[HELD], left=by[WAITING], adopted=sorted(self._adopted)
        )

    async def _through_losses(self) -> None:
        """The database may go away and come back: what ran then has ended by itself, and waits in the queue."""
        while True:
            try:
                with Fleet.open(self._place, self._clock, application=self._name) as fleet:
                    return await self._in_touch(fleet)
            except DatabaseLost as error:
                if not self._entered:
                    raise
                self._say(f"{error.what} Asking again in {AGAIN_S:g} s.")
                await self._clock.sleep(AGAIN_S)
                if self._stops.asked.is_set():
                    return None

    async def _in_touch(self, fleet: Fleet) -> None:
        if not self._entered:
            self._enter(fleet)
            self._entered = True
            self._say(f"Worker {self._name} begins.")
        beating = asyncio.ensure_future(self._beat(fleet))
        try:
            while not self._is_over(fleet):
                if beating.done():
                    await beating
                self._tell(fleet)
                self._adopt(fleet)
                self._take(fleet)
                await self._until_something(beating)
            self._tell(fleet)
            fleet.leave(self._name, f"{self._stops.by} asked for it" if self._stops.by else "nothing is left to do")
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def _enter(self, fleet: Fleet) -> None:
        self._alive_until = self._promised()
        fleet.enter(self._name, at_once=self._terms.at_once, silence_s=self._terms.silence_s)

    async def _beat(self, fleet: Fleet) -> None:
        """Returns never; raises DatabaseLost. Declared dead while it stood still, this worker begins under another
        name: what it had is another one's."""
        while True:
            until = self._promised()
            if fleet.beat(self._name):
                self._alive_until = until
            else:
                self._say(f"Worker {self._name} was silent for too long: what it had is another one's now.")
                await self._drop_all()
                self._name = fresh_name()
                self._enter(fleet)
            await self._clock.sleep(self._terms.silence_s / BEATS)

    def _promised(self) -> datetime:
        """Until when nobody takes this worker for dead, when it gives a sign of life now."""
        return self._clock.now() + timedelta(seconds=self._terms.silence_s)

    async def _while_alive(self) -> None:
        """Returns while nobody can have taken this worker for dead. One that has stood still for too long calls no
        service before it has heard what became of it."""
        while self._clock.now() >= self._alive_until:
            await self._clock.sleep(HEAR_S)

    # -- one look

    def _is_over(self, fleet: Fleet) -> bool:
        if any(not task.done() for task in self._tasks.values()):
            return False
        if self._stops.asked.is_set():
            return True
        return self._terms.until_done and not self._tasks and all(each.state in _ENDS for each in fleet.entries())

    def _tell(self, fleet: Fleet) -> None:
        """The queue hears what has ended. It keeps what cannot be told until it can."""
        for run in [run for run, task in self._tasks.items() if task.done()]:
            state, reason = self._tasks[run].result()
            if fleet.end(self._name, run, state, reason):
                self._became[run] = state
                self._say(f"Run {run} {_TOLD[state]}{f': {reason}' if reason else '.'}")
            del self._tasks[run]

    def _adopt(self, fleet: Fleet) -> None:
        for dead in self._watch.dead(fleet.workers()):
            if dead.id == self._name:
                continue
            runs = fleet.adopt(dead)
            self._say(f"Worker {dead.id} is dead. It had {', '.join(runs) or 'nothing'}.")

    def _take(self, fleet: Fleet) -> None:
        while len(self._tasks) < self._terms.at_once and not self._stops.asked.is_set():
            entries = fleet.entries()  # one look is cheap, a claim is not
            entry = self._given(entries) or (fleet.claim(self._name) if next_of(entries) else None)
            if entry is None:
                return
            self._say(f"Run {entry.run} ({entry.name}) is taken{f': {entry.reason}' if entry.reason else '.'}")
            if entry.adopted:
                self._adopted.append(entry.run)
            self._tasks[entry.run] = asyncio.ensure_future(self._carry_out(entry))

    def _given(self, entries: Sequence[Entry]) -> Entry | None:
        """A run that was given to this worker, and the database went away before it could say so."""
        return next((each for each in entries if each.worker == self._name and each.run not in self._tasks), None)

    async def _until_something(self, beating: "asyncio.Future[None]") -> None:
        asked = [] if self._stops.asked.is_set() else [asyncio.ensure_future(self._stops.asked.wait())]
        resting = asyncio.ensure_future(self._clock.sleep(LOOK_S))
        waited: list[asyncio.Future[Any]] = [beating, resting, *asked, *self._tasks.values()]
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (resting, *asked):
                each.cancel()

    # -- one run

    async def _carry_out(self, entry: Entry) -> tuple[str, str]:
        """What became of it, and why. Whatever goes wrong in one run is that run's, and nobody else's."""
        workspace = Workspace(Path(entry.folder), self._means.database)
        try:
            require_queued(workspace, entry)
            async with self._means.open_services(entry) as services:
                services.only_while(self._while_alive)
                applied = await apply(
                    workspace,
                    services,
                    self._clock,
                    self._means.make_engine,
                    stop=self._stops.of(entry.run),
                    holder=holder_of(self._name),
                )
        except DatabaseLost as error:
            return WAITING, str(error)
        except Exception as error:
            return HELD, _words(error_as_data(error, f"Run {entry.run}"))
        finally:
            self._stops.over(entry.run)
        return _ended(applied)

    async def _drop_all(self) -> None:
        """Leave everything as it is, at once."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_STATES = (FINISHED, HELD, WAITING)
_ENDS = (FINISHED, HELD)
_TOLD = {FINISHED: "is finished", HELD: "holds", WAITING: "is left for another worker"}
_GOES_ON = (Stopped.code, DatabaseLost.code)


def _ended(applied: Applied) -> tuple[str, str]:
    if applied.error is None:
        return (FINISHED, "") if applied.state == FINISHED else (HELD, f"It is {applied.state}.")
    return (WAITING if applied.error.get("code") in _GOES_ON else HELD), _words(applied.error)


def _words(error: dict[str, Any]) -> str:
    """An error as data, in one line: the first of its problems, and how many there are more."""
    problems = [" ".join(str(each[name]) for name in ("where", "what", "mend")) for each in error.get("problems", [])]
    more = [f"({len(problems) - 1} more)"] if len(problems) > 1 else []
    texts = [str(error[name]) for name in ("what", "why", "mend") if error.get(name)]
    return " ".join(" ".join([*texts, *problems[:1], *more]).split())
