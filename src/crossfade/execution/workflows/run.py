"""A run, told in order: the objects, then wave after wave, then what comes after a pool's last host."""

from contextlib import suppress
from typing import Any

from crossfade.errors import CloudError, MigrationError
from crossfade.execution.chains import FRAME, JOINT, chain_of, setup_chains
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Outcome, Workflow, WorkflowState
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import ARRIVED, Kind, RunState, WaveState
from crossfade.execution.workflows.objects import write
from crossfade.execution.workflows.showing import keep_shown
from crossfade.execution.workflows.tries import to_be_tried
from crossfade.execution.workflows.wave import LAST, begin_publishing, pools_of, published, wave_is_confirmed
from crossfade.model.alerts import HOLDS
from crossfade.model.ids import fold

WATCH_EVERY_S = 900.0
OVER = frozenset({RunState.FINISHED, RunState.ROLLED_BACK, RunState.COMPLETED})


def run_body(context: Context) -> Body:
    """`args`: none. Gives a summary by wave."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        steps = context.steps(port, context.run_id)
        try:
            await context.hooks.before(steps, context.named("hook"), "before_run", {})
            await _objects(context, port)
            await port.start("watch", f"{port.id}/watch", {})
            waves = await (_all_at_once if context.orders.without_classic else _one_by_one)(context, port)
            waves += await _again(context, port)
            await _late(context, port, steps)
            await keep_shown(context, port)
        except MigrationError as error:
            why = str(error)
            await port.step("hold", lambda: _settle(context, RunState.HOLDING, why))
            await port.step("alert", lambda: context.alerts.call(HOLDS, "run", why, "crossfade status"))
            await _after(context, port, RunState.HOLDING, why)
            raise
        finally_done = await port.step("finish", lambda: _finish(context))
        await _after(context, port, RunState.FINISHED, "")
        return {"waves": waves, **finally_done}

    return body


async def _objects(context: Context, port: Workflow) -> None:
    chains = setup_chains(context.plan)
    await _chain(context, port, {FRAME: chains.frame})
    await _chain(context, port, {chain_of(pool): names for pool, names in chains.pools.items()})
    await _chain(context, port, {JOINT: chains.joint})


async def _chain(context: Context, port: Workflow, chains: dict[str, list[str]]) -> None:
    """Start chains side by side and wait for all."""
    for subject, operations in chains.items():
        await port.start("chain", f"{port.id}/{subject}", {"subject": subject, "operations": operations})
    ended = await port.wait([f"{port.id}/{subject}" for subject in chains])
    _raise_first(ended)


async def _one_by_one(context: Context, port: Workflow) -> list[dict[str, Any]]:
    return [await _wave(context, port, wave.id, wave.id) for wave in context.plan.waves]


async def _all_at_once(context: Context, port: Workflow) -> list[dict[str, Any]]:
    """Where classic has gone: every wave that is not over, side by side; and whoever had to wait for seats before."""
    children = [f"{port.id}/{wave.id}" for wave in context.plan.waves]
    for child, wave in zip(children, context.plan.waves, strict=True):
        await port.start("wave", child, {"wave": wave.id})
    left = await port.step("left waiting", lambda: _left_waiting(context))
    await keep_shown(context, port)
    people = await begin_publishing(port, "left waiting", left["operations"])
    ended = await port.wait(children)
    await published(port, people)
    _raise_first(ended)
    return [dict(ended[child].result) for child in children]


async def _left_waiting(context: Context) -> Facts:
    """What publishes the people of waves that are over and had no seats for them."""
    over = [wave for wave in context.plan.waves if wave_is_confirmed(context, wave.id)]
    return {"operations": [name for wave in over for name in context.seats.unpublished(wave)]}


async def _again(context: Context, port: Workflow) -> list[dict[str, Any]]:
    """Hosts that somebody asked to be tried again after their waves: those waves once more, as often as asked."""
    waves: list[dict[str, Any]] = []
    while True:
        due = await port.step("tried again", lambda: _asked_for(context))
        if not due["waves"]:
            return waves
        for wave_id, time in due["waves"].items():
            waves.append(await _wave(context, port, wave_id, f"{wave_id} ({time})"))


def begins_again(context: Context) -> bool:
    """Whether a run that had finished goes on, since somebody asked for another try of a host: it runs from now on."""
    known = context.journal.get(Kind.RUN, context.run_id)
    asked = any(to_be_tried(context, move.source) for move in context.plan.hosts)
    if known is None or known.state != RunState.FINISHED or not asked:
        return False
    context.settle(Kind.RUN, context.run_id, RunState.RUNNING, "a host is tried again")
    return True


async def _asked_for(context: Context) -> Facts:
    """The waves that begin once more, and for which time: first those that hand over the people of pools who have
    classic again."""
    hosts = [move for move in context.plan.hosts if to_be_tried(context, move.source)]
    mine = {move.source for move in hosts}
    pools = {fold(move.source_pool) for move in hosts if not context.seats.is_handed_over(move)}
    due = [wave for wave in context.plan.waves if wave.kind == LAST and pools & pools_of(context, wave)]
    found: dict[str, int] = {}
    for wave in [*due, *(wave for wave in context.plan.waves if mine & set(wave.hosts))]:
        known = context.journal.get(Kind.WAVE, wave.id)
        if known is None or wave.id in found:
            continue
        found[wave.id] = int(known.data.get("time", 0)) + 1
        if known.state in (WaveState.CONFIRMED, WaveState.SKIPPED, WaveState.REVERTED):
            data = {"time": found[wave.id]}
            context.journal.move(Kind.WAVE, wave.id, WaveState.WAITING, reason="a host is tried again", data=data)
    return {"waves": found}


async def _wave(context: Context, port: Workflow, wave_id: str, name: str) -> dict[str, Any]:
    child = f"{port.id}/{name}"
    await port.start("wave", child, {"wave": wave_id})
    ended = await port.wait([child])
    _raise_first(ended)
    return dict(ended[child].result)


async def _late(context: Context, port: Workflow, steps: Steps) -> None:
    """What a pool gets after its last host; not while one of its hosts is somewhere else."""
    due = await steps.perform(context.named("late"), lambda: _due_late(context))
    for operation_id in due["operations"]:
        await write(context, port, steps, operation_id)


async def _due_late(context: Context) -> Facts:
    """The late operations of the pools whose hosts have all arrived."""
    operations: list[str] = []
    for pool in context.plan.pools:
        hosts = [move for move in context.plan.hosts if fold(move.source_pool) == fold(pool.source)]
        states = {known.state for move in hosts if (known := context.journal.get(Kind.HOST, move.source))}
        operations += pool.late if states <= ARRIVED else []
    return {"operations": operations}


async def _finish(context: Context) -> Facts:
    """The token is taken back, the run is over."""
    revoked = await context.target.revoke_tokens()
    await _settle(context, RunState.FINISHED, "every wave is confirmed")
    return {"tokens_revoked": revoked}


async def _after(context: Context, port: Workflow, state: RunState, why: str) -> None:
    if context.hooks.has("after_run"):
        await port.step("after", lambda: context.hooks.after("after_run", {"OUTCOME": state, "WHY": why}))


async def _settle(context: Context, state: RunState, why: str) -> Facts:
    context.settle(Kind.RUN, context.run_id, state, why)
    return {}


def _raise_first(ended: dict[str, Outcome]) -> None:
    for outcome in ended.values():
        if outcome.state is not WorkflowState.DONE:
            outcome.raise_if_failed()


def watch_body(context: Context) -> Body:
    """Looks who is on the target, from the first publication to the end of the run: `seen` is what people gates and
    seat counts are made of. Whoever is not there for long is reminded."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        return dict(await port.step("watch", lambda: _watch(context)))

    return body


async def _watch(context: Context) -> Facts:
    """No step of the journal's: what it sees is noted as it sees it, and nobody waits for its end."""
    while not _over(context):
        with suppress(CloudError):  # one look missed: the next one sees them too
            await context.seats.look_who_is_there()
            await context.hooks.noticed(context.notices.remind())
        await context.clock.sleep(WATCH_EVERY_S)
    return {"seen": sum(len(people) for people in context.seats.seen().values())}


def _over(context: Context) -> bool:
    """A run that holds is not over: it is watched again as soon as somebody goes on with it."""
    known = context.journal.get(Kind.RUN, context.run_id)
    return known is None or known.state in OVER
