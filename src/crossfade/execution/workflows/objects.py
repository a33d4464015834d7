"""Chains of operations: what must be written one after another, each observed first, each journalled."""

from typing import Any

from crossfade.errors import CloudError
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Workflow
from crossfade.execution.steps import Facts, Steps, insist
from crossfade.plan.operations import Action

TRIES = 5
PAUSE_S = 30.0
DONE_ALREADY = frozenset({Action.ADOPT, Action.NO_OP})


def chain_body(context: Context) -> Body:
    """`args`: operations (ids, in order), subject (what the chain is called in the journal)."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        steps = context.steps(port, args["subject"])
        for operation_id in args["operations"]:
            await context.control.checkpoint()
            await write(context, port, steps, operation_id)
        return {"operations": len(args["operations"])}

    return body


async def write(context: Context, port: Workflow, steps: Steps, operation_id: str, *, why: str = "") -> Facts:
    """One operation through its handler, once what must hold before it does; raises NotReady, in its step, where it
    does not. What was planned as adopted is looked at and noted, never written. `why`: if for another reason than the
    plan's."""
    return await carry_out(context, port, steps, context.operation(operation_id), why=why)


async def carry_out(context: Context, port: Workflow, steps: Steps, operation: Any, *, why: str = "") -> Facts:
    """As above, of an operation of the plan, or of one that was made from it."""
    handler = context.handlers.of(operation)

    async def adopt() -> Facts:
        return {"subject": operation.subject, "adopted": True}

    async def look() -> Facts | None:
        context.handlers.preconditions.check(operation, context.progress)
        return await handler.observe(operation)

    if operation.action in DONE_ALREADY:
        return await steps.perform(operation.id, adopt, undoable=True, reason=operation.reason)
    return await insist(
        port,
        lambda: steps.perform(
            operation.id,
            lambda: handler.apply(operation),
            observe=look,
            undoable=True,
            reason=why or operation.reason,
        ),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError,),
    )
