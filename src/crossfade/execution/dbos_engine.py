"""The durable engine: workflow bodies on DBOS, its store one SQLite file (or PostgreSQL by URL).

What was measured and decided (docs/decisions, design section 5):

* DBOS does its bookkeeping through `asyncio.to_thread`. On the real loop those are threads; `VirtualLoop` runs them
  inline, so that under virtual time a workflow advances exactly as it does in `InProcessEngine`.
* DBOS itself recovers only workflows of the same `executor_id`, in threads, at once. Each process takes an id of its
  own, so that nothing moves until `recover()`: it puts the orphans on our queue, whose thread hands them to our loop
  while virtual time stands still (`VirtualLoop.held`), and lets them go in the order of their ids.
* Nothing but plain JSON reaches the store: results and errors are caught and turned into data inside step and workflow.
* DBOS.sleep, recv and its time-outs follow the real clock: unused.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID, WorkflowStatus
from dbos import error as dbos_errors
from dbos._core import WorkflowHandleAsyncTask  # the only handle of a workflow that this very call has set going
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from crossfade.clock import Clock, RandomIds, parse_iso
from crossfade.errors import ExecutionError, JournalMismatch, MigrationError, StoreLost
from crossfade.execution import engine_store
from crossfade.execution.engine import (
    Bodies,
    Json,
    LocalEngine,
    MemoFn,
    Outcome,
    WorkflowCancelled,
    WorkflowState,
    error_as_data,
    error_from_data,
    state_of,
)
from crossfade.execution.places import Place
from crossfade.execution.records import ENGINE_MEND, engine_error

APPLICATION = "crossfade"
_ADOPTED = "crossfade-adopted"
_OUTCOME_POLL_S = 1.0
POOL = 4
"""Connections to PostgreSQL of one process. A run's bookkeeping is short; its waiting is elsewhere."""


class JsonSerializer(Serializer):
    """Sorted JSON instead of pickle; an exception as our error data."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            problem = data if isinstance(data, Exception) else Exception(type(data).__name__)
            data = {"$error": error_as_data(problem, "A workflow")}
        return msgspec.json.encode(data, order="sorted").decode()

    def deserialize(self, serialized_data: str) -> Any:
        data = msgspec.json.decode(serialized_data)
        return error_from_data(data["$error"]) if isinstance(data, dict) and "$error" in data else data

    def name(self) -> str:
        return "crossfade_json"


class DbosEngine(LocalEngine):
    """One per process: DBOS is a singleton. Open it on the loop that is to run the bodies."""

    def __init__(self, bodies: Bodies, clock: Clock, store: Place, *, executor_id: str = "") -> None:
        super().__init__(bodies, clock)
        self._store = store
        self._executor_id = executor_id or f"{os.getpid()}-{RandomIds().fresh()}"
        self._wrapped: dict[str, Callable[..., Any]] = {}
        self._gate: dict[str, asyncio.Future[None]] | None = {}
        self._arrived = asyncio.Event()

    # -- life

    async def open(self) -> None:
        """Raises JournalMismatch when the store cannot be used. It may always be deleted: the journal rebuilds it. So
        one that other bodies wrote is."""
        if engine_store.is_of_others(self._store):
            engine_store.forget(self._store)
        config = DBOSConfig(
            name=APPLICATION,
            system_database_url=self._url(),
            sys_db_pool_size=1 if isinstance(self._store, Path) else POOL,
            application_version=engine_store.bodies_version(),
            executor_id=self._executor_id,
            serializer=JsonSerializer(),
            log_level="CRITICAL",
            notification_listener_polling_interval_sec=0.2,
            use_listen_notify=False,
        )
        if not isinstance(self._store, Path):
            config["dbos_system_schema"] = self._store.schema
        for name in self._bodies:
            self._wrapped[name] = DBOS.workflow(name=name, max_recovery_attempts=None)(self._wrap(name))
        try:
            DBOS(config=config)
            DBOS.launch()
            await DBOS.register_queue_async(_ADOPTED, polling_interval_sec=_poll_s())
        except Exception as error:
            DBOS.destroy(destroy_registry=True)
            raise self._unusable(error) from error

    async def close(self) -> None:
        """Stop. Workflows that still run stay as they are in the store, for the next `recover`."""
        await self.drop_tasks()
        DBOS.destroy(destroy_registry=True)

    async def recover(self) -> list[str]:
        with self._our_errors():
            return await self._recover()

    async def _recover(self) -> list[str]:
        orphans = await DBOS.list_workflows_async(
            status=["PENDING", "ENQUEUED"], load_input=False, load_output=False, sort_desc=False
        )
        unknown = sorted({each.name for each in orphans} - set(self._bodies))
        if unknown:
            raise self._unusable(ValueError(f"it holds workflows of kinds we do not know: {', '.join(unknown)}"))
        ids = sorted(each.workflow_id for each in orphans)
        if ids:
            await self._adopt(ids)
        self._open_gate()
        return ids

    # -- workflows

    async def start(self, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        if not self.runs_here(workflow_id):
            await self._start(body, workflow_id, args)

    async def start_child(self, parent: str, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        # Always through DBOS: starting a child is a step of its parent, and a replay must find it again.
        await self._start(body, workflow_id, args)

    async def _start(self, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        if self._gate is not None:
            self._open_gate()
        self.body(body)
        fresh = not self.runs_here(workflow_id)
        if fresh:
            self.announce(workflow_id)
        with SetWorkflowID(workflow_id), self._our_errors(workflow_id):
            now = self.clock.now().isoformat()
            handle = await DBOS.start_workflow_async(self._wrapped[body], workflow_id, args, now)
        if fresh and not isinstance(handle, WorkflowHandleAsyncTask):
            self.retract(workflow_id)

    async def memo(self, workflow_id: str, name: str, fn: MemoFn) -> dict[str, Json]:
        with self._our_errors(workflow_id):
            return await DBOS.run_step_async({"name": name}, fn)

    async def foreign_outcome(self, workflow_id: str) -> Outcome:
        while True:
            if self.runs_here(workflow_id):
                return await self._outcome(workflow_id)
            outcome = await self._stored(workflow_id)
            if outcome is None:
                return await super().foreign_outcome(workflow_id)
            if outcome.state is not WorkflowState.RUNNING:
                await self.remembered(workflow_id, outcome.seq)
                return outcome
            await self.clock.sleep(_OUTCOME_POLL_S)

    async def cancel(self, workflow_id: str) -> None:
        if self.runs_here(workflow_id):
            self.stop(workflow_id)
        if await self.status(workflow_id) is WorkflowState.RUNNING:
            with self._our_errors(workflow_id):
                await DBOS.cancel_workflow_async(workflow_id)

    async def resume(self, workflow_id: str) -> None:
        await self._let_go(workflow_id)
        stored = await self._stored(workflow_id)
        with self._our_errors(workflow_id):
            if stored is not None and stored.state is WorkflowState.CANCELLED:
                self.retract(workflow_id)
                await self._adopt([workflow_id])
            elif stored is not None and stored.state is WorkflowState.FAILED:
                await self._start_again(workflow_id)

    async def status(self, workflow_id: str) -> WorkflowState | None:
        if self.runs_here(workflow_id):
            return state_of(self.ended(workflow_id))
        stored = await self._stored(workflow_id)
        return None if stored is None else stored.state

    # -- inside

    def _wrap(self, name: str) -> Callable[..., Awaitable[dict[str, Json]]]:
        async def workflow(workflow_id: str, args: dict[str, Json], started_at: str) -> dict[str, Json]:
            self.keep_task()
            await self._arrive(workflow_id)
            outcome = await self.run_body(name, workflow_id, args, parse_iso(started_at))
            stored: dict[str, Json] = msgspec.to_builtins(outcome)
            return stored

        workflow.__qualname__ = workflow.__name__ = name
        return workflow

    async def _arrive(self, workflow_id: str) -> None:
        """Be known to run here, and wait for the gate to open."""
        if not self.runs_here(workflow_id):
            self.announce(workflow_id)
        if self._gate is None:
            self._arrived.set()
            return
        turn = self._gate[workflow_id] = asyncio.get_running_loop().create_future()
        self._arrived.set()
        await turn

    async def _adopt(self, ids: list[str]) -> None:
        """Have DBOS hand these workflows to our loop. No virtual time passes until the last has arrived."""
        with _standing_still():
            await DBOS.resume_workflows_async(ids, queue_name=_ADOPTED)
            while not all(self.runs_here(each) for each in ids):
                self._arrived.clear()
                await self._arrived.wait()

    def _open_gate(self) -> None:
        waiting, self._gate = self._gate or {}, None
        for workflow_id in sorted(waiting):
            waiting[workflow_id].set_result(None)

    async def _let_go(self, workflow_id: str) -> None:
        """Wait for the end of a cancelled workflow's step in flight: two at once would not be one after the other."""
        if self.runs_here(workflow_id) and self.stopping(workflow_id):
            await self._outcome(workflow_id)

    async def _start_again(self, workflow_id: str) -> None:
        """A failed workflow is finished for DBOS: forget it and begin anew. The journal knows what is done."""
        (status,) = await DBOS.list_workflows_async(workflow_ids=[workflow_id])
        assert status.input is not None, "asked for with its input"
        name, (_, args, _) = status.name, status.input["args"]
        await self._forget(workflow_id)
        await self._start(name, workflow_id, args)

    async def _forget(self, workflow_id: str) -> None:
        """A workflow, and those of its children that came to no good end and are to begin anew with it."""
        for child in await DBOS.list_workflows_async(parent_workflow_id=workflow_id, load_input=False):
            state = _outcome(child).state
            if state in (WorkflowState.FAILED, WorkflowState.CANCELLED):
                await self._forget(child.workflow_id)
        await DBOS.delete_workflow_async(workflow_id)
        self.retract(workflow_id)

    async def _stored(self, workflow_id: str) -> Outcome | None:
        """What the store says of a workflow; RUNNING for one without an end."""
        with self._our_errors(workflow_id):
            status = await DBOS.get_workflow_status_async(workflow_id)
        return None if status is None else _outcome(status)

    # -- the store

    def _url(self) -> str:
        if not isinstance(self._store, Path):
            return self._store.connection_url
        try:
            with sqlite3.connect(self._store) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.close()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return f"sqlite:///{self._store.as_posix()}"

    def _unusable(self, error: Exception) -> MigrationError:
        """What DBOS, SQLAlchemy or SQLite said, as ours. Of their texts only the first line: the others are SQL."""
        if isinstance(error, MigrationError):
            return error
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(self._store, Path) and isinstance(cause, sqlite3.Error):
            return engine_error(cause, self._store)
        place = self._store
        why = str(error).splitlines()[0] if isinstance(self._store, Path) and str(error) else type(error).__name__
        return StoreLost(f"The engine's store {place} cannot be used.", f"{why}.", ENGINE_MEND)

    @contextmanager
    def _our_errors(self, workflow_id: str = "") -> Iterator[None]:
        """DBOS's own errors, and those of what it keeps its store in, as ours."""
        try:
            yield
        except dbos_errors.DBOSWorkflowCancelledError as error:
            raise WorkflowCancelled(workflow_id) from error
        except dbos_errors.DBOSUnexpectedStepError as error:
            raise JournalMismatch(
                f"The engine's store remembers other steps of {workflow_id} than this version takes.",
                "The program has changed under a running workflow.",
                "Remove engine.db and run `crossfade resume`, which rebuilds it from the journal.",
            ) from error
        except dbos_errors.DBOSException as error:
            mend = "Remove engine.db and run `crossfade resume`, which rebuilds it from the journal."
            raise ExecutionError(f"The engine refused a step of {workflow_id}.", f"{error}", mend) from error
        except SQLAlchemyError as error:
            raise self._unusable(error) from error


_STATES = {
    "PENDING": WorkflowState.RUNNING,
    "ENQUEUED": WorkflowState.RUNNING,
    "DELAYED": WorkflowState.RUNNING,
    "SUCCESS": WorkflowState.DONE,
    "ERROR": WorkflowState.FAILED,
    "CANCELLED": WorkflowState.CANCELLED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": WorkflowState.FAILED,
}


def _outcome(status: WorkflowStatus) -> Outcome:
    """RUNNING for a workflow without an end."""
    if status.output is not None:
        return msgspec.convert(status.output, Outcome)
    error = status.error.as_data() if isinstance(status.error, MigrationError) else None
    return Outcome(_STATES[status.status], "", error=error)


def _poll_s() -> float:
    """Real seconds between two looks at the queue of orphans: under virtual time everything waits for them."""
    return 0.1 if hasattr(asyncio.get_running_loop(), "held") else 1.0


def _standing_still() -> AbstractContextManager[None]:
    """Virtual time, where there is any, stands still inside."""
    held: Callable[[], AbstractContextManager[None]] = getattr(asyncio.get_running_loop(), "held", nullcontext)
    return held()
