"""Operations taken back: each by its handler's `undo`, in a step named after the one it undoes."""

from collections.abc import Iterable
from typing import Any

import msgspec

from crossfade.errors import CloudError, Conflict
from crossfade.execution.context import Context
from crossfade.execution.disks import on_way
from crossfade.execution.engine import Body, Workflow
from crossfade.execution.seats import PEOPLE
from crossfade.execution.steps import Facts, insist
from crossfade.execution.transitions import Kind
from crossfade.execution.undone import GONE, UNDONE, Effect, effects, operation_of
from crossfade.model.ids import parent_key, same
from crossfade.plan.operations import (
    AddMember,
    CreateDirectoryGroup,
    GrantRole,
    PutResource,
    RetractAssignment,
    SnapshotDisk,
)

TRIES = 5
PAUSE_S = 30.0


def undo_body(context: Context) -> Body:
    """`args`: effects (as data, in the order in which they are taken back), whole (the whole run goes)."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        await undo_each(context, port, args["effects"], whole=args["whole"])
        return {"effects": len(args["effects"])}

    return body


async def undo_each(context: Context, port: Workflow, found: list[Any], *, whole: bool) -> None:
    for effect in msgspec.convert(found, list[Effect]):
        await undo(context, port, effect, whole=whole)


async def undo(context: Context, port: Workflow, effect: Effect, *, whole: bool) -> Facts:
    steps = context.steps(port, effect.subject)
    return await insist(
        port,
        lambda: steps.perform(effect.step + UNDONE, lambda: _take_back(context, effect, whole=whole)),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError,),
    )


async def _take_back(context: Context, effect: Effect, *, whole: bool) -> Facts:
    operation = context.operation(effect.operation)
    if isinstance(operation, SnapshotDisk):
        operation = on_way(context.journal, context.run_id, operation, effect.subject)
    if whole and isinstance(operation, AddMember) and _made_here(context, operation.subject):
        return {"with_its_group": True}
    if not effect.sure and not await _may_be_ours(context, operation):
        return {"absent": True}
    return await context.handlers.of(operation).undo(operation)


async def _may_be_ours(context: Context, operation: Any) -> bool:
    """Of an operation without outcome: whether its effect may be there. What somebody else made is left alone."""
    try:
        found = await context.handlers.of(operation).observe(operation)
    except Conflict:
        return False
    return found is not None or isinstance(operation, PutResource | CreateDirectoryGroup | SnapshotDisk)


def _made_here(context: Context, group: str) -> bool:
    made = (one for one in context.plan.operations if isinstance(one, CreateDirectoryGroup) and one.subject == group)
    return any(operation.prior_id is None for operation in made)


# -- which


def of_hosts(context: Context, host: str) -> list[Effect]:
    """A personal host's person: into classic first, then out of the target."""
    wave = next(wave for wave in context.plan.waves if host in wave.hosts)
    names = wave.retract_by_host.get(host, []) + wave.publish_by_host.get(host, [])
    found = {effect.operation: effect for effect in _all(context)}
    return [found[name] for name in names if name in found]


def of_operation(context: Context, name: str) -> list[Effect]:
    return [effect for effect in _all(context) if effect.operation == name]


def retractions(context: Context, pool: str) -> list[Effect]:
    """People taken out of a classic pool."""
    return [
        effect
        for effect in _all(context)
        if isinstance(operation := context.operation(effect.operation), RetractAssignment)
        and same(parent_key(operation.group), pool)
    ]


def publications(context: Context, pool: str, *, whole: bool) -> list[Effect]:
    """People let into a pool on the target; of a whole run also what its directory groups are granted, and first."""
    found = []
    for effect in _all(context):
        operation = context.operation(effect.operation)
        person = isinstance(operation, AddMember) or (
            isinstance(operation, GrantRole) and (whole or not operation.principal.startswith("group:"))
        )
        if person and same(parent_key(operation.source or ""), pool):
            found.append(effect)
    return sorted(found, key=lambda effect: isinstance(context.operation(effect.operation), AddMember))


def everything(context: Context) -> list[Effect]:
    """All that is left of a run, the last written first."""
    return list(reversed(_all(context)))


def _all(context: Context) -> list[Effect]:
    return effects(context.journal, context.run_id, context.operations)


def left_out(context: Context) -> list[str]:
    """`UPN in app group` of the people whom classic could not list again: the directory has no such person any more."""
    steps = context.journal.all(Kind.STEP, parent=PEOPLE)
    undone = ((step, step.data.get("facts", {}).get(GONE)) for step in steps if step.id.endswith(UNDONE))
    return [
        f"{upn} in {context.operation(operation_of(step.id.removesuffix(UNDONE), PEOPLE)).group}"
        for step, upn in undone
        if upn and step.run_id == context.run_id
    ]


def as_data(found: Iterable[Effect]) -> list[Any]:
    return [msgspec.to_builtins(effect) for effect in found]


__all__ = [
    "as_data",
    "everything",
    "left_out",
    "of_hosts",
    "of_operation",
    "publications",
    "retractions",
    "undo",
    "undo_body",
    "undo_each",
]
