"""Whether workspaces list what they should, looked at again: a list has several writers and nothing guards it.

A workspace's list is written as a whole, and ARM knows no condition. A second writer (another part of the estate,
another tool) that has read it before we wrote overwrites our entry with what it has read, and learns nothing of it. So
what was written once counts only when it is seen after such a writer must have written too; else it is written again.
"""

from collections.abc import Awaitable, Callable, Iterable

import msgspec

from crossfade.clock import parse_iso
from crossfade.errors import StepFailed
from crossfade.execution.chains import JOINT
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.records import Entity
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import FINISHED_STEPS, Kind
from crossfade.execution.undone import UNDONE, standing, taken_back
from crossfade.execution.workflows.objects import write
from crossfade.model.ids import fold
from crossfade.plan.operations import ReferenceGroup

SETTLE_S = 60.0
"""No writer takes so long from its read to the end of its write: what was written before that, all of them know."""
TRIES = 5
LOST = "The workspace lists it no more: somebody else has written its list."
GONE = "Somebody else has removed the workspace."
BACK = "The workspace lists it again: somebody else has written its list."


class Wrong(msgspec.Struct, frozen=True):
    """An operation that does not hold. `step`: what does it again; `mark`: the step that says that it was undone by
    somebody else, empty when it is not known to have held."""

    operation: str
    step: str
    mark: str
    why: str


Again = Callable[[Steps, Wrong], Awaitable[Facts]]


async def keep_shown(context: Context, port: Workflow, pools: set[str] | None = None) -> None:
    """Returns when the groups of these classic pools (folded keys; None: of all) are listed where they should be, and
    have been for a while. Raises StepFailed when somebody takes them out again and again."""
    references = context.shown.references(pools)

    async def again(steps: Steps, wrong: Wrong) -> Facts:
        return await write(context, port, steps, wrong.operation, why=wrong.why)

    await _kept(context, port, references, lambda: _lost(context, references), again)


async def keep_withdrawn(context: Context, port: Workflow) -> None:
    """The other way round, after a rollback: what it took out is out, and has been for a while. Only of groups that
    were there before: those that the run made have left every list when they were deleted."""
    references = context.shown.of_others()

    async def again(steps: Steps, wrong: Wrong) -> Facts:
        operation = context.operation(wrong.operation)
        undo = context.handlers.of(operation).undo
        return await steps.perform(wrong.step, lambda: undo(operation), undoable=True, reason=wrong.why)

    await _kept(context, port, references, lambda: _back(context, references), again)


async def _kept(
    context: Context,
    port: Workflow,
    references: list[ReferenceGroup],
    look: Callable[[], Awaitable[Facts]],
    again: Again,
) -> None:
    """One at a time: two that look side by side would both do again what does not hold."""
    if not references:
        return
    async with context.shown.lock:
        steps, left = context.steps(port, JOINT), TRIES
        while True:
            seen = await steps.look("shown", look)
            found = msgspec.convert(seen["wrong"], list[Wrong])
            if seen["wait_s"]:
                await port.sleep(seen["wait_s"])
            elif not found:
                return
            elif not left:
                raise _fought_over(context, found)
            else:
                left -= 1
                await _done_again(steps, found, again)


async def _done_again(steps: Steps, found: list[Wrong], again: Again) -> None:
    for wrong in found:
        if wrong.mark:
            await steps.perform(wrong.mark, _nothing, reason=wrong.why)
        await again(steps, wrong)


async def _nothing() -> Facts:
    return {}


# -- looking


async def _lost(context: Context, references: list[ReferenceGroup]) -> Facts:
    """What should be listed and is not; nothing while one of it was written only just now."""
    wait_s = _young_s(context, (one.id for one in references))
    found = (
        [] if wait_s else [wrong for place in _workspaces(references) for wrong in await _lost_from(context, *place)]
    )
    return _seen(wait_s, found)


async def _lost_from(context: Context, workspace: str, references: list[ReferenceGroup]) -> list[Wrong]:
    listed, maker = await context.handlers.references.listed(workspace), context.shown.maker(workspace)
    gone = [_wrong(context, maker.id, maker.id, GONE)] if listed is None and maker is not None else []
    return gone + [_wrong(context, one.id, one.id, LOST) for one in references if fold(one.group) not in (listed or ())]


async def _back(context: Context, references: list[ReferenceGroup]) -> Facts:
    """What this run took out and is listed again."""
    taken = {one.id: taken_back(context.journal, f"{JOINT}/{one.id}").removeprefix(f"{JOINT}/") for one in references}
    mine = [one for one in references if taken[one.id]]
    wait_s = _young_s(context, (taken[one.id] for one in mine))
    found = [] if wait_s else [one for one in mine if await context.handlers.references.observe(one) is not None]
    return _seen(wait_s, [_wrong(context, one.id, taken[one.id], BACK) for one in found])


def _seen(wait_s: float, wrong: list[Wrong]) -> Facts:
    return {"wait_s": wait_s, "wrong": msgspec.to_builtins(wrong)}


def _workspaces(references: list[ReferenceGroup]) -> Iterable[tuple[str, list[ReferenceGroup]]]:
    found: dict[str, tuple[str, list[ReferenceGroup]]] = {}
    for one in references:
        found.setdefault(fold(one.subject), (one.subject, []))[1].append(one)
    return found.values()


def _wrong(context: Context, operation: str, step: str, why: str) -> Wrong:
    known = _standing(context, step)
    held = known is not None and known.state in FINISHED_STEPS
    mark = known.id.removeprefix(f"{JOINT}/") + UNDONE if known is not None and held else ""
    return Wrong(operation, step, mark, why)


def _young_s(context: Context, steps: Iterable[str]) -> float:
    """Seconds until the last of these steps is so long ago that what is seen then stays so."""
    known = [found for step in steps if (found := _standing(context, step)) is not None]
    done = [parse_iso(found.moved_at) for found in known if found.state in FINISHED_STEPS]
    return max(0.0, SETTLE_S - (context.clock.now() - max(done)).total_seconds()) if done else 0.0


def _standing(context: Context, step: str) -> Entity | None:
    return context.journal.get(Kind.STEP, standing(context.journal, f"{JOINT}/{step}"))


def _fought_over(context: Context, found: list[Wrong]) -> StepFailed:
    names = ", ".join(sorted({context.operation(wrong.operation).subject for wrong in found}))
    return StepFailed(
        f"The list of application groups of {names} does not stay as it was written.",
        f"It was written {TRIES} times, and each time it was another one a while later.",
        "Find out who else changes it (the activity log of the workspace), stop that, then go on.",
    )
