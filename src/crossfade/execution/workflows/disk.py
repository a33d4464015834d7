"""A snapshot of a host's OS disk before its VM is touched, where the plan has one; it goes once the host is back."""

from contextlib import suppress

from crossfade.errors import CloudError, StepFailed
from crossfade.execution.context import Context
from crossfade.execution.disks import on_way
from crossfade.execution.engine import Workflow
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.workflows.objects import carry_out
from crossfade.execution.workflows.undo import as_data, of_operation, undo_each
from crossfade.model.ids import last_name
from crossfade.plan.plan import HostMove


async def keep_disk(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """A copy of this way alone: one that an earlier try or run has left is not from just before. Raises MigrationError
    for a disk that could not be copied: then nothing is done to its VM."""
    if move.snapshot:
        operation = on_way(context.journal, context.run_id, context.operation(move.snapshot), steps.subject)
        await carry_out(context, port, steps, operation, why=f"{last_name(operation.subject)}: {operation.reason}")


async def forget_disk(context: Context, port: Workflow, move: HostMove) -> None:
    """Of a host that classic hears again: its disk works, and its next move takes a snapshot of its own. One that
    cannot be removed holds nobody up: its step tells, and a rollback of the run tries it again."""
    if not move.snapshot:
        return

    async def find() -> Facts:
        return {"effects": as_data(of_operation(context, move.snapshot))}

    found = await port.step(f"snapshot of {move.host_name}", find)
    for effect in found["effects"]:
        with suppress(CloudError, StepFailed):
            await undo_each(context, port, [effect], whole=False)
