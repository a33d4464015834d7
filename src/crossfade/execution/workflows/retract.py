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
from crossfade.execution.workflows.drain import handing_over, told_at
from crossfade.execution.workflows.objects import write
from crossfade.model.ids import fold, parent_key
from crossfade.plan.plan import HostMove

LOOK_S = 300.0
LOOKS = 3
"""At this look, what people were given on the target has to be there."""
TOLD = 3
"""So many things that are missing are named."""


async def retract(context: Context, port: Workflow, steps: Steps, name: str, operations: list[str]) -> None:
    """Carry out these retractions, each when its person has no session; those whose session outlasts the plan's drain
    time at the end of it."""
    waiting = list(operations)
    rounds = max(1, math.ceil(context.settings.drain_timeout_s / LOOK_S))
    for number in range(1, rounds + 1):
        look = await steps.perform(
            f"{name} (look {number})",
            lambda left=waiting, patient=number < LOOKS: _ready(context, left, patient=patient),  # type: ignore[misc]
        )
        for operation_id in look["ready"]:
            await write(context, port, context.people(port), operation_id)
        waiting = [operation_id for operation_id in waiting if operation_id not in set(look["ready"])]
        if not waiting:
            return
        await port.sleep(LOOK_S)
    # The due date of the plan has passed: they are listed by name, and can sign in on the target.
    await steps.perform(f"{name} (overdue)", lambda: _named(context, waiting))
    for operation_id in waiting:
        await write(context, port, context.people(port), operation_id)


async def _named(context: Context, operations: list[str]) -> Facts:
    await _still_given(context, operations, patient=False)
    return {"still_there": sorted({context.operation(name).upn for name in operations})}


async def _still_given(context: Context, operations: list[str], *, patient: bool) -> list[str]:
    """Those of these operations whose people have on the target what they were given. Raises StepFailed for others, but
    not while it is `patient`: a directory may take minutes to show what was just written."""
    missing = await context.handlers.given.missing([context.operation(name) for name in operations])
    if missing and not patient:
        people = sorted({context.operation(name).upn for name in missing})
        raise StepFailed(
            f"{len(people)} people are not taken out of classic: they would be left with nothing.",
            f"{'; '.join(sorted(set(missing.values()))[:TOLD])}. Somebody removed it since this run made it.",
            "Put it back (`crossfade verify` names everybody), then `crossfade resume`; or `crossfade rollback`.",
        )
    return [name for name in operations if name not in missing]


async def _ready(context: Context, operations: list[str], *, patient: bool) -> Facts:
    """Which of these people have no session in their pool, and have the target still. Those who have a session are
    told, once."""
    pools = {
        fold(parent_key(context.operation(name).group)): parent_key(context.operation(name).group)
        for name in operations
    }
    busy: set[tuple[str, str]] = set()
    for key, pool in pools.items():
        look = await context.source.look(pool, fresh_s=5.0)
        for host, sessions in look.sessions.items():
            busy |= {(key, fold(session.upn)) for session in sessions}
            await _tell(context, f"{pool}/{host}", sessions)
    ready = [name for name in operations if _whose(context, name) not in busy]
    return {"ready": await _still_given(context, ready, patient=patient)}


def _whose(context: Context, operation_id: str) -> tuple[str, str]:
    operation = context.operation(operation_id)
    return fold(parent_key(operation.group)), fold(operation.upn)


async def _tell(context: Context, host: str, sessions: list[LiveSession]) -> None:
    move = context.find_move(host)
    for session in sessions if move is not None else ():
        assert move is not None, "just looked"
        await _tell_one(context, move, session)


async def _tell_one(context: Context, move: HostMove, session: LiveSession) -> None:
    settings = context.settings
    told = await told_at(context, handing_over(move), move, session)
    policy = settings.disconnected if session.disconnected else settings.active
    if told is None or policy != "log-off-after-grace":
        return
    if context.clock.now() >= told + timedelta(seconds=settings.grace_s):
        await context.source.log_off(move, session)
