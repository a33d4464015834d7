"""Icons of apps, set again once a host of their pool is there to show them. They hold nobody up."""

from contextlib import suppress

from crossfade.errors import CloudError, NotReady
from crossfade.execution.chains import made_in
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import ARRIVED, Kind
from crossfade.execution.undone import standing, written
from crossfade.execution.workflows.tries import named, step_facts
from crossfade.model.ids import fold
from crossfade.plan.operations import SetIcon
from crossfade.plan.plan import Wave

ICONS = "icons"


async def set_icons(context: Context, port: Workflow, steps: Steps, wave: Wave, time: int) -> None:
    """Those of the wave's pools that have a host by now. One that fails is tried again with the next wave; the proof
    names what has none of its own in the end."""
    pools = dict.fromkeys(fold(context.move(host).target_pool) for host in wave.hosts)
    mine = [one for pool in pools for one in context.icons_of(pool)]
    if not mine:
        return
    due = await steps.perform(named("icons due", time), lambda: _due(context, wave, mine))
    for name in due["operations"]:
        with suppress(CloudError, NotReady):  # told by its step in the journal
            await _set(context, context.steps(port, ICONS), context.operation(name))


async def _due(context: Context, wave: Wave, icons: list[SetIcon]) -> Facts:
    """What is not set yet, of the pools of which a host of this wave has arrived."""
    done = written(context.journal.standing(Kind.STEP, parent=ICONS))
    there = {
        fold(context.move(host).target_pool)
        for host in wave.hosts
        if (known := context.journal.get(Kind.HOST, host)) and known.state in ARRIVED
    }
    return {"operations": [one.id for one in icons if fold(one.pool) in there and one.id not in done]}


async def _set(context: Context, steps: Steps, operation: SetIcon) -> None:
    async def again() -> Facts:
        context.handlers.preconditions.check(operation, context.progress)
        made = step_facts(context, standing(context.journal, made_in(operation))) or {}
        facts: Facts = await context.handlers.icons.again(operation, made.get("icon"))
        return facts

    await steps.perform(operation.id, again, undoable=True, reason=operation.reason)
