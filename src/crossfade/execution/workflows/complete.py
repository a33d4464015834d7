"""The end of classic: pools side by side, each in its documented order, then the tenants that are empty. Where classic
has gone, the snapshots of OS disks, by pool."""

from typing import Any

import msgspec

from crossfade.errors import CloudError, Forbidden, MigrationError, OutcomeUnknown
from crossfade.execution.context import Context
from crossfade.execution.engine import Bodies, Body, Workflow
from crossfade.execution.handlers.removals import Removals
from crossfade.execution.steps import RETRY, Facts, Steps, insist
from crossfade.execution.transitions import FINISHED_STEPS, Kind, RunState, StepState
from crossfade.plan.completion import Removal

COMPLETE = "complete"
"""Subject of the steps that remove something."""
STOPPED = "stopped"
TRIES = 5
PAUSE_S = 30.0


def complete_bodies(context: Context, removals: Removals) -> Bodies:
    return {"complete": complete_body(context), "remove": remove_body(context, removals)}


def complete_body(context: Context) -> Body:
    """`args`: pools (key -> removals as data), tenants (removals as data). Gives how many went and who is stuck."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        steps = context.steps(port, context.run_id)
        try:
            await context.hooks.before(steps, context.named("complete hook"), "before_complete", {})
            await _remove_all(port, args)
        except MigrationError as error:
            await _after(context, port, STOPPED, str(error))
            raise
        await _after(context, port, RunState.COMPLETED, "")
        return dict(await port.step("completed", lambda: _completed(context)))

    return body


async def _remove_all(port: Workflow, args: dict[str, Any]) -> None:
    children = {f"{port.id}/{pool}": removals for pool, removals in args["pools"].items()}
    for child, removals in children.items():
        await port.start("remove", child, {"removals": removals})
    ended = await port.wait(list(children))
    for outcome in ended.values():
        outcome.raise_if_failed()
    last = f"{port.id} tenants"
    await port.start("remove", last, {"removals": args["tenants"]})
    (await port.wait([last]))[last].raise_if_failed()


async def _after(context: Context, port: Workflow, outcome: str, why: str) -> None:
    if context.hooks.has("after_complete"):
        given = {"OUTCOME": outcome, "WHY": why}
        await port.step("after", lambda: context.hooks.after("after_complete", given))


def remove_body(context: Context, removals: Removals) -> Body:
    """`args`: removals (as data), in their order."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        steps = context.steps(port, COMPLETE)
        for removal in msgspec.convert(args["removals"], list[Removal]):
            await insist(
                port,
                lambda one=removal: _remove(context, steps, removals, one),  # type: ignore[misc]
                tries=TRIES,
                pause_s=PAUSE_S,
                on=(CloudError,),
            )
        return {"removals": len(args["removals"])}

    return body


async def _remove(context: Context, steps: Steps, removals: Removals, removal: Removal) -> Facts:
    async def gone() -> Facts | None:
        return await removals.gone(removal) if _is_open(context, f"{COMPLETE}/{removal.id}") else None

    return await steps.perform(removal.id, lambda: removals.apply(removal), observe=gone, only_again=True)


def _is_open(context: Context, step_id: str) -> bool:
    """Whether a try of this step may have had its effect without anybody knowing: it was cut off, sent again, or its
    answer was lost, before the service ever refused one."""
    if any(note.data["step"] == step_id for note in context.journal.events(kind="note", subject=RETRY)):
        return True
    before = ""
    for event in context.journal.events(kind="step", subject=step_id):
        code = event.data["error"]["code"] if event.to_state == StepState.FAILED else ""
        if code == OutcomeUnknown.code or (before, event.to_state) == (StepState.BEGUN, StepState.BEGUN):
            return True
        if code == Forbidden.code:
            return False
        before = str(event.to_state)
    return False


async def _completed(context: Context) -> Facts:
    context.settle(Kind.RUN, context.run_id, RunState.COMPLETED, "all that completion.json lists is removed")
    steps = context.journal.all(Kind.STEP, parent=COMPLETE)
    return {"removed": len([step for step in steps if step.state in FINISHED_STEPS]), "stuck": stuck(context)}


def stuck(context: Context) -> list[str]:
    """`UPN in app group` of the assignments that could not be removed; most go with their app group."""
    steps = context.journal.all(Kind.STEP, parent=COMPLETE)
    found = [(step, step.data.get("facts", {}).get("stuck")) for step in steps]
    prefix = f"{COMPLETE}/remove assignment "
    return [f"{upn} in {step.id.removeprefix(prefix).rpartition(' ')[0]}" for step, upn in found if upn]
