"""People out of classic, each when they have no session there any more.

One profile container, one session (design 9): somebody who cannot get back into the classic session that still holds
their profile could not open the target either. So a person with a session stays assigned until it has ended: by
themselves, or, where the policy says so, with notice and after the grace.
"""

import math
from datetime import timedelta

from crossfade.errors import StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.source import LiveSession
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.workflows.drain import told_at
from crossfade.execution.workflows.objects import write
from crossfade.model.ids import fold, parent_key
from crossfade.plan.plan import HostMove

LOOK_S = 300.0


async def retract(context: Context, port: Workflow, steps: Steps, name: str, operations: list[str]) -> None:
    """Carry out these retractions. Raises StepFailed when sessions outlast the plan's drain time."""
    waiting = list(operations)
    rounds = max(1, math.ceil(context.settings.drain_timeout_s / LOOK_S))
    for number in range(1, rounds + 1):
        look = await steps.perform(f"{name} (look {number})", lambda left=waiting: _ready(context, steps, left))  # type: ignore[misc]
        for operation_id in look["ready"]:
            await write(context, port, context.people(port), operation_id)
        waiting = [operation_id for operation_id in waiting if operation_id not in set(look["ready"])]
        if not waiting:
            return
        await port.sleep(LOOK_S)
    raise StepFailed(
        f"{len(waiting)} people cannot be taken out of classic.",
        f"They have had sessions there for {context.settings.drain_timeout_s:.0f} s.",
        "Ask them to sign out, or let disconnected sessions be logged off after the grace; then `crossfade resume`.",
    )


async def _ready(context: Context, steps: Steps, operations: list[str]) -> Facts:
    """Which of these people have no session in their pool. Those who have one are told, once."""
    pools = {
        fold(parent_key(context.operation(name).group)): parent_key(context.operation(name).group)
        for name in operations
    }
    busy: set[tuple[str, str]] = set()
    for key, pool in pools.items():
        look = await context.source.look(pool, fresh_s=5.0)
        for host, sessions in look.sessions.items():
            busy |= {(key, fold(session.upn)) for session in sessions}
            await _tell(context, steps, f"{pool}/{host}", sessions)
    ready = [name for name in operations if _whose(context, name) not in busy]
    return {"ready": ready}


def _whose(context: Context, operation_id: str) -> tuple[str, str]:
    operation = context.operation(operation_id)
    return fold(parent_key(operation.group)), fold(operation.upn)


async def _tell(context: Context, steps: Steps, host: str, sessions: list[LiveSession]) -> None:
    move = context.find_move(host)
    for session in sessions if move is not None else ():
        assert move is not None, "just looked"
        await _tell_one(context, steps, move, session)


async def _tell_one(context: Context, steps: Steps, move: HostMove, session: LiveSession) -> None:
    settings = context.settings
    told = await told_at(context, f"{steps.subject}#{move.host_name}", move, session)
    policy = settings.disconnected if session.disconnected else settings.active
    if told is None or policy != "log-off-after-grace":
        return
    if context.clock.now() >= told + timedelta(seconds=settings.grace_s):
        await context.source.log_off(move, session)
