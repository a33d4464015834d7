"""The engine port, and the half of an engine that keeps no store.

A workflow body is a plain `async def body(port, args) -> dict`, registered by name in `Bodies`. It acts only through
its port. An engine that has a store replays a body after a crash, so a body

* decides by its args, by what its steps and waits gave it, and by `port.now()`: never by a clock, and never by the
  journal read outside a step;
* runs its steps one after another: two at once cannot be replayed. Concurrency is a matter of child workflows.

Because the journal is the truth, a body must also be right when run again from its start with nothing remembered.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Protocol, TypeVar

import msgspec

from crossfade.clock import Clock, iso, parse_iso
from crossfade.errors import (
    CloudError,
    ExecutionError,
    InputError,
    LeaseLost,
    MigrationError,
    PlanConflict,
    Problem,
    StepFailed,
    StoreLost,
)

T = TypeVar("T")
Json = Any
"""Plain JSON: dict, list, str, int, float, bool, None. In steps: ids and counts only, never a secret."""


LOST = (StoreLost, LeaseLost)
"""Nothing that a body does can be remembered any more. No body hears of it: all stop where they are, as after a kill,
and whoever waits for one of them gets the error."""


class WorkflowState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Outcome(msgspec.Struct, frozen=True):
    """How a workflow ended. `result` is what its body returned; `error` is `MigrationError.as_data()`; `seq` the
    journal's last event by then."""

    state: WorkflowState
    at: str
    result: Json = None
    error: dict[str, Json] | None = None
    seq: int = 0

    def raise_if_failed(self) -> Json:
        """The result; raises the body's error, or `StepFailed` for a cancelled one."""
        if self.error is not None:
            raise error_from_data(self.error)
        if self.state is WorkflowState.CANCELLED:
            raise StepFailed("The workflow was cancelled.", "Somebody asked for it.", "Resume it to go on.")
        return self.result


class WorkflowCancelled(BaseException):
    """Raised inside a body whose workflow was cancelled. No `Exception`: a broad handler must not swallow it."""


class Workflow(Protocol):
    """What a body sees of its engine."""

    @property
    def id(self) -> str: ...

    def now(self) -> datetime:
        """The workflow's own time: the end of its last step, sleep or wait. The same again in a replay."""
        ...

    async def step(self, name: str, fn: Callable[[], Awaitable[Json]]) -> Json:
        """What `fn` returned, as plain JSON; remembered where the engine has a store. At least once, never at once.

        Raises the `MigrationError` that `fn` raised; anything else that broke in it arrives as `StepFailed`.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass. After a crash only the rest is slept, where the engine has a store."""
        ...

    async def start(self, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        """Start a child. Harmless when it was started before."""
        ...

    async def wait(self, workflow_ids: Sequence[str]) -> dict[str, Outcome]:
        """The outcomes of these workflows, when all have ended."""
        ...


Body = Callable[[Workflow, dict[str, Json]], Awaitable[Json]]
Bodies = dict[str, Body]
MemoFn = Callable[[], Coroutine[Any, Any, dict[str, Json]]]


class Engine(Protocol):
    """Runs workflow bodies. One engine at a time works on a store."""

    def follow(self, last_seq: Callable[[], int]) -> None:
        """Before `open`: the number of the journal's last event. A store that remembers what came after the journal's
        end is not gone on with: StoreLost."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def recover(self) -> list[str]:
        """Go on with the workflows that an earlier process left running; their ids. Call it once, before `start`."""
        ...

    async def start(self, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        """Start a workflow; harmless when this id was started before, whatever became of it."""
        ...

    async def wait(self, workflow_ids: Sequence[str]) -> dict[str, Outcome]:
        """The outcomes of these workflows, when all have ended. Raises StoreLost or LeaseLost when nothing can be
        remembered any more: then everything has stopped where it was."""
        ...

    async def cancel(self, workflow_id: str) -> None:
        """Let the step in flight end, start no other. Its children are not cancelled with it."""
        ...

    async def resume(self, workflow_id: str) -> None:
        """Go on with a cancelled workflow, or begin a failed one anew, with those of its children that failed or were
        cancelled; harmless for one that runs or is done."""
        ...

    async def status(self, workflow_id: str) -> WorkflowState | None:
        """None for an id that was never started."""
        ...


# -- errors as data


def _tree(base: type[MigrationError]) -> Iterable[type[MigrationError]]:
    yield base
    for child in base.__subclasses__():
        yield from _tree(child)


def error_from_data(data: dict[str, Json]) -> MigrationError:
    """The error whose `as_data()` this is; an unknown code gives an `ExecutionError`."""
    kind = {each.code: each for each in _tree(MigrationError)}.get(data.get("code", ""), ExecutionError)
    if issubclass(kind, InputError | PlanConflict):
        return kind(data["what"], [msgspec.convert(problem, Problem) for problem in data.get("problems", [])])
    texts = (data.get("what", ""), data.get("why", ""), data.get("mend", ""))
    if issubclass(kind, CloudError):
        return kind(*texts, **{name: data[name] for name in _CLOUD_DETAILS if name in data})
    return kind(*texts)


_CLOUD_DETAILS = ("service", "status", "service_code", "request_id", "correlation_id", "retry_after_s")


def error_as_data(error: Exception, what: str) -> dict[str, Json]:
    """Our errors as they are; of a foreign one only its type and place: its text may hold a secret."""
    if isinstance(error, MigrationError):
        return error.as_data()
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    mend = "This is a defect of Crossfade: please report it. `crossfade resume` tries again."
    return StepFailed(f"{what} broke.", f"{type(error).__name__}{place}.", mend).as_data()


def plain(value: Json) -> Json:
    """The value as JSON would give it back. Raises TypeError for what is no plain JSON."""
    if value is None or value.__class__ in (str, int, bool):
        return value
    return msgspec.json.decode(msgspec.json.encode(value))


# -- the half without a store


class LocalPort:
    """A workflow's port. `memo` runs a function once per name and place in the workflow, and remembers what it gave."""

    def __init__(self, engine: "LocalEngine", workflow_id: str, started_at: datetime) -> None:
        self._engine = engine
        self._id = workflow_id
        self._now = started_at
        self._busy: str | None = None

    @property
    def id(self) -> str:
        return self._id

    def now(self) -> datetime:
        return self._now

    async def step(self, name: str, fn: Callable[[], Awaitable[Json]]) -> Json:
        async def guarded() -> dict[str, Json]:
            try:
                return self._record(value=plain(await fn()))
            except LOST:
                raise
            except Exception as error:
                return self._record(error=error_as_data(error, f"Step {name} of {self._id}"))

        record = await self._one_at_a_time(name, guarded)
        if "error" in record:
            raise error_from_data(record["error"])
        return record["value"]

    async def sleep(self, seconds: float) -> None:
        async def deadline() -> dict[str, Json]:
            # Microseconds: rounding to the milliseconds of documents would make time creep.
            return {"at": (self._engine.clock.now() + timedelta(seconds=max(0.0, seconds))).isoformat()}

        record = await self._one_at_a_time("sleep", deadline)
        left = (parse_iso(record["at"]) - self._engine.clock.now()).total_seconds()
        await self._engine.interruptible(self._id, self._engine.clock.sleep(max(0.0, left)))

    async def start(self, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        self._refuse_a_second(f"start {workflow_id}")
        self._engine.raise_if_cancelled(self._id)
        await self._engine.or_stop(self._engine.start_child(self._id, body, workflow_id, plain(args)))

    async def wait(self, workflow_ids: Sequence[str]) -> dict[str, Outcome]:
        async def outcomes() -> dict[str, Json]:
            ended = await self._engine.interruptible(self._id, self._engine.wait(workflow_ids))
            return self._record(value={each: msgspec.to_builtins(outcome) for each, outcome in ended.items()})

        record = await self._one_at_a_time("wait", outcomes)
        return {each: msgspec.convert(outcome, Outcome) for each, outcome in record["value"].items()}

    def _record(self, **content: Json) -> dict[str, Json]:
        return {"at": self._engine.clock.now().isoformat(), "seq": self._engine.last_seq(), **content}

    async def _one_at_a_time(self, name: str, fn: MemoFn) -> dict[str, Json]:
        self._refuse_a_second(name)
        self._engine.raise_if_cancelled(self._id)
        ran = False

        async def kept_from_store() -> dict[str, Json]:
            nonlocal ran
            ran = True
            return await self._engine.or_stop(fn())

        self._busy = name
        try:
            record = await self._engine.or_stop(self._engine.memo(self._id, name, kept_from_store))
        finally:
            self._busy = None
        if not ran:
            await self._engine.or_stop(self._engine.remembered(self._id, record.get("seq", 0)))
        self._now = max(self._now, parse_iso(record["at"]))
        return record

    def _refuse_a_second(self, name: str) -> None:
        assert self._busy is None, f"{self._id}: {name} beside {self._busy}: the steps of a workflow are sequential"


class LocalEngine:
    """What every engine does in its own process: bodies, outcomes, cancelling. Subclasses add the store."""

    def __init__(self, bodies: Bodies, clock: Clock) -> None:
        self.clock = clock
        self._bodies = bodies
        self._ended: dict[str, asyncio.Future[Outcome]] = {}
        self._stops: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.last_seq: Callable[[], int] = lambda: 0
        self._began_at: int | None = None
        self._lost: StoreLost | LeaseLost | None = None
        self._losing = asyncio.Event()

    # -- for subclasses

    async def memo(self, workflow_id: str, name: str, fn: MemoFn) -> dict[str, Json]:
        """Run `fn`, or give what it gave the last time."""
        return await fn()

    async def start_child(self, parent: str, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        raise NotImplementedError

    async def foreign_outcome(self, workflow_id: str) -> Outcome:
        """The outcome of a workflow that does not run in this process. Raises ExecutionError when nobody knows it."""
        raise ExecutionError(
            f"Nobody has started workflow {workflow_id}.",
            "An engine can wait only for what was started.",
            "This is a defect of Crossfade: please report it.",
        )

    # -- running

    def body(self, name: str) -> Body:
        assert name in self._bodies, f"no workflow body is called {name}"
        return self._bodies[name]

    def runs_here(self, workflow_id: str) -> bool:
        return workflow_id in self._ended

    def announce(self, workflow_id: str) -> None:
        """From now on this workflow runs in this process."""
        self._ended[workflow_id] = asyncio.get_running_loop().create_future()
        self._stops[workflow_id] = asyncio.Event()

    async def run_body(self, body: str, workflow_id: str, args: dict[str, Json], started_at: datetime) -> Outcome:
        """Run a body to its end; its exceptions become the outcome. A cancelled one raises WorkflowCancelled."""
        try:
            outcome = await self._outcome_of(body, workflow_id, args, started_at)
        except BaseException:
            self._settle(workflow_id, Outcome(WorkflowState.CANCELLED, iso(self.clock.now())))
            raise
        self._settle(workflow_id, outcome)
        return outcome

    async def _outcome_of(self, body: str, workflow_id: str, args: dict[str, Json], started_at: datetime) -> Outcome:
        port = LocalPort(self, workflow_id, started_at)
        try:
            result = plain(await self.or_stop(self.body(body)(port, args)))
        except Exception as error:
            data = error_as_data(error, f"Workflow {workflow_id}")
            return Outcome(WorkflowState.FAILED, iso(self.clock.now()), error=data, seq=self.last_seq())
        return Outcome(WorkflowState.DONE, iso(self.clock.now()), result=result, seq=self.last_seq())

    def _settle(self, workflow_id: str, outcome: Outcome) -> None:
        future = self._ended[workflow_id]
        if not future.done():
            future.set_result(outcome)

    def keep_task(self) -> None:
        """The current task runs a workflow: hold on to it until it is done."""
        task = asyncio.current_task()
        assert task is not None, "called from a task"
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drop_tasks(self) -> None:
        """Abandon what still runs, as the end of the process would; also what is begun while the others are dropped."""
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)

    # -- losing the store

    def follow(self, last_seq: Callable[[], int]) -> None:
        self.last_seq = last_seq
        self._began_at = last_seq()

    async def remembered(self, workflow_id: str, seq: int) -> None:
        """The store says what was so when the journal had `seq` events. Raises StoreLost when it never had so many."""
        if self._began_at is not None and seq > self._began_at:
            raise StoreLost(
                f"The engine's store knows more of {workflow_id} than the journal does.",
                f"The journal ended at event {self._began_at}, the store goes on to {seq}: an older copy of the "
                "journal was put back.",
                "Remove engine.db and rollback.db, then run `crossfade resume`: it goes by the journal.",
            )

    async def or_stop(self, work: Awaitable[T]) -> T:
        """What `work` gives. After a loss its caller never goes on, and others stop at their next step."""
        try:
            return await work
        except LOST as error:
            self._lost = self._lost or error
            self._losing.set()
            await asyncio.Event().wait()
            raise

    async def _unless_lost(self, waiting: Coroutine[Any, Any, T]) -> T:
        task, losing = asyncio.ensure_future(waiting), asyncio.ensure_future(self._losing.wait())
        try:
            await asyncio.wait({task, losing}, return_when=asyncio.FIRST_COMPLETED)
            if self._lost is not None:
                raise self._lost
            return task.result()
        finally:
            for each in (task, losing):
                each.cancel()

    # -- waiting

    async def wait(self, workflow_ids: Sequence[str]) -> dict[str, Outcome]:
        return await self._unless_lost(self._outcomes(workflow_ids))

    async def _outcomes(self, workflow_ids: Sequence[str]) -> dict[str, Outcome]:
        return {each: await self._outcome(each) for each in workflow_ids}

    async def _outcome(self, workflow_id: str) -> Outcome:
        future = self._ended.get(workflow_id)
        return await asyncio.shield(future) if future is not None else await self.foreign_outcome(workflow_id)

    # -- cancelling

    def raise_if_cancelled(self, workflow_id: str) -> None:
        if self._stops[workflow_id].is_set():
            raise WorkflowCancelled(workflow_id)

    def stop(self, workflow_id: str) -> None:
        self._stops[workflow_id].set()

    def stopping(self, workflow_id: str) -> bool:
        return self._stops[workflow_id].is_set()

    def retract(self, workflow_id: str) -> None:
        """Forget a workflow: it does not run in this process, or is to run again."""
        self._ended.pop(workflow_id, None)
        self._stops.pop(workflow_id, None)

    def ended(self, workflow_id: str) -> Outcome | None:
        """The outcome of a workflow of this process, once it has one."""
        future = self._ended.get(workflow_id)
        return future.result() if future is not None and future.done() else None

    async def interruptible(self, workflow_id: str, waiting: Awaitable[Any]) -> Any:
        """What `waiting` gives, unless the workflow is cancelled first: then it is dropped."""
        task = asyncio.ensure_future(waiting)
        stop = asyncio.ensure_future(self._stops[workflow_id].wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise WorkflowCancelled(workflow_id)
            return task.result()
        finally:
            for each in (task, stop):
                each.cancel()


def state_of(outcome: Outcome | None) -> WorkflowState:
    return WorkflowState.RUNNING if outcome is None else outcome.state
