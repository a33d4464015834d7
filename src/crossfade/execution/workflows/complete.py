"""The end of classic: pools side by side, each in its documented order, then the tenants that are empty."""

from typing import Any

import msgspec

from crossfade.errors import CloudError
from crossfade.execution.context import Context
from crossfade.execution.engine import Bodies, Body, Workflow
from crossfade.execution.handlers.removals import Removals
from crossfade.execution.steps import Facts, insist
from crossfade.execution.transitions import FINISHED_STEPS, Kind, RunState
from crossfade.plan.completion import Removal

COMPLETE = "complete"
"""Subject of the steps that remove classic objects."""
TRIES = 5
PAUSE_S = 30.0


def complete_bodies(context: Context, removals: Removals) -> Bodies:
    return {"complete": complete_body(context), "remove": remove_body(context, removals)}


def complete_body(context: Context) -> Body:
    """`args`: pools (key -> removals as data), tenants (removals as data). Gives how many went and who is stuck."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        children = {f"{port.id}/{pool}": removals for pool, removals in args["pools"].items()}
        for child, removals in children.items():
            await port.start("remove", child, {"removals": removals})
        ended = await port.wait(list(children))
        for outcome in ended.values():
            outcome.raise_if_failed()
        last = f"{port.id} tenants"
        await port.start("remove", last, {"removals": args["tenants"]})
        (await port.wait([last]))[last].raise_if_failed()
        return dict(await port.step("completed", lambda: _completed(context)))

    return body


def remove_body(context: Context, removals: Removals) -> Body:
    """`args`: removals (as data), in their order."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        steps = context.steps(port, COMPLETE)
        for removal in msgspec.convert(args["removals"], list[Removal]):
            await insist(
                port,
                lambda one=removal: steps.perform(one.id, lambda: removals.apply(one)),  # type: ignore[misc]
                tries=TRIES,
                pause_s=PAUSE_S,
                on=(CloudError,),
            )
        return {"removals": len(args["removals"])}

    return body


async def _completed(context: Context) -> Facts:
    context.settle(Kind.RUN, context.run_id, RunState.COMPLETED, "the classic objects are removed")
    steps = context.journal.all(Kind.STEP, parent=COMPLETE)
    return {"removed": len([step for step in steps if step.state in FINISHED_STEPS]), "stuck": stuck(context)}


def stuck(context: Context) -> list[str]:
    """`UPN in app group` of the assignments that could not be removed; most go with their app group."""
    steps = context.journal.all(Kind.STEP, parent=COMPLETE)
    found = [(step, step.data.get("facts", {}).get("stuck")) for step in steps]
    prefix = f"{COMPLETE}/remove assignment "
    return [f"{upn} in {step.id.removeprefix(prefix).rpartition(' ')[0]}" for step, upn in found if upn]
