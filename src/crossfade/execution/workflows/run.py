"""A run, told in order: the objects, then wave after wave, then what comes after a pool's last host."""

from contextlib import suppress
from typing import Any

from crossfade.errors import CloudError, MigrationError
from crossfade.execution.chains import setup_chains
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Outcome, Workflow, WorkflowState
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import Kind, RunState
from crossfade.execution.workflows.objects import write
from crossfade.execution.workflows.wave import SECURED
from crossfade.model.ids import fold

WATCH_EVERY_S = 900.0
OVER = frozenset({RunState.FINISHED, RunState.ROLLED_BACK, RunState.COMPLETED})


def run_body(context: Context) -> Body:
    """`args`: none. Gives a summary by wave."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        steps = context.steps(port, context.run_id)
        try:
            await _objects(context, port)
            await port.start("watch", f"{port.id}/watch", {})
            waves = [await _wave(context, port, wave.id) for wave in context.plan.waves]
            await _late(context, port, steps)
        except MigrationError as error:
            why = str(error)
            await port.step("hold", lambda: _settle(context, RunState.HOLDING, why))
            raise
        finally_done = await steps.perform("finish", lambda: _finish(context))
        return {"waves": waves, **finally_done}

    return body


async def _objects(context: Context, port: Workflow) -> None:
    chains = setup_chains(context.plan)
    await _chain(context, port, {"frame": chains.frame})
    await _chain(context, port, {f"pool {pool}": names for pool, names in chains.pools.items()})
    await _chain(context, port, {"joint": chains.joint})


async def _chain(context: Context, port: Workflow, chains: dict[str, list[str]]) -> None:
    """Start chains side by side and wait for all."""
    for name, operations in chains.items():
        subject = f"objects {name}"
        await port.start("chain", f"{port.id}/{subject}", {"subject": subject, "operations": operations})
    ended = await port.wait([f"{port.id}/objects {name}" for name in chains])
    _raise_first(ended)


async def _wave(context: Context, port: Workflow, wave_id: str) -> dict[str, Any]:
    child = f"{port.id}/{wave_id}"
    await port.start("wave", child, {"wave": wave_id})
    ended = await port.wait([child])
    _raise_first(ended)
    return dict(ended[child].result)


async def _late(context: Context, port: Workflow, steps: Steps) -> None:
    """What a pool gets after its last host; not while one of its hosts is somewhere else."""
    due = await steps.perform("late", lambda: _due_late(context))
    for operation_id in due["operations"]:
        await write(context, port, steps, operation_id)


async def _due_late(context: Context) -> Facts:
    """The late operations of the pools whose hosts have all arrived."""
    operations: list[str] = []
    for pool in context.plan.pools:
        hosts = [move for move in context.plan.hosts if fold(move.source_pool) == fold(pool.source)]
        states = {known.state for move in hosts if (known := context.journal.get(Kind.HOST, move.source))}
        operations += pool.late if states <= SECURED else []
    return {"operations": operations}


async def _finish(context: Context) -> Facts:
    """The token is taken back, the run is over."""
    revoked = await context.target.revoke_tokens()
    await _settle(context, RunState.FINISHED, "every wave is confirmed")
    return {"tokens_revoked": revoked}


async def _settle(context: Context, state: RunState, why: str) -> Facts:
    context.settle(Kind.RUN, context.run_id, state, why)
    return {}


def _raise_first(ended: dict[str, Outcome]) -> None:
    for outcome in ended.values():
        if outcome.state is not WorkflowState.DONE:
            outcome.raise_if_failed()


def watch_body(context: Context) -> Body:
    """Looks who is on the target, from the first publication to the end of the run: `seen` is what people gates and
    seat counts are made of."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        steps = context.steps(port, f"{context.run_id}#watch")

        async def watch() -> Facts:
            while not _over(context):
                with suppress(CloudError):  # one look missed: the next one sees them too
                    await context.seats.look_who_is_there()
                await context.clock.sleep(WATCH_EVERY_S)
            return {"seen": len(context.seats.seen())}

        return await steps.perform("watch", watch)

    return body


def _over(context: Context) -> bool:
    """A run that holds is not over: it is watched again as soon as somebody goes on with it."""
    known = context.journal.get(Kind.RUN, context.run_id)
    return known is None or known.state in OVER
