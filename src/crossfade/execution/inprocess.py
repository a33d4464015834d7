"""The engine without a store: one asyncio task per workflow. For rehearsals and tests; the journal rebuilds a run."""

import asyncio

from crossfade.clock import Clock
from crossfade.execution.engine import Bodies, Json, LocalEngine, WorkflowCancelled, WorkflowState, state_of


class InProcessEngine(LocalEngine):
    """Runs bodies on the current loop and forgets everything at the end of the process."""

    def __init__(self, bodies: Bodies, clock: Clock) -> None:
        super().__init__(bodies, clock)
        self._asked: dict[str, tuple[str, dict[str, Json]]] = {}
        self._children: dict[str, list[str]] = {}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Drop what still runs."""
        await self.drop_tasks()

    async def recover(self) -> list[str]:
        return []

    async def start(self, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        if workflow_id in self._asked:
            return
        self.body(body)
        self._asked[workflow_id] = (body, args)
        self._run(workflow_id)

    async def start_child(self, parent: str, body: str, workflow_id: str, args: dict[str, Json]) -> None:
        self._children.setdefault(parent, []).append(workflow_id)
        await self.start(body, workflow_id, args)

    async def cancel(self, workflow_id: str) -> None:
        if self.runs_here(workflow_id):
            self.stop(workflow_id)

    async def resume(self, workflow_id: str) -> None:
        ended = self.ended(workflow_id)
        if ended is None or ended.state is WorkflowState.DONE:
            return
        if ended.state is WorkflowState.FAILED:
            self._forget_failed(self._children.pop(workflow_id, []))
        self._run(workflow_id)

    async def status(self, workflow_id: str) -> WorkflowState | None:
        return state_of(self.ended(workflow_id)) if self.runs_here(workflow_id) else None

    def _forget_failed(self, workflow_ids: list[str]) -> None:
        """Their parent begins anew, and is to begin them anew too."""
        for each in workflow_ids:
            ended = self.ended(each)
            if ended is not None and ended.state is not WorkflowState.DONE:
                self._forget_failed(self._children.pop(each, []))
                self._asked.pop(each, None)
                self.retract(each)

    def _run(self, workflow_id: str) -> None:
        self.announce(workflow_id)
        task = asyncio.create_task(self._work(workflow_id), name=workflow_id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, workflow_id: str) -> None:
        body, args = self._asked[workflow_id]
        try:
            await self.run_body(body, workflow_id, args, self.clock.now())
        except WorkflowCancelled:
            return
