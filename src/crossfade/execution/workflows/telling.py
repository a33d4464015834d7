"""Messages to people at their desks: told once each, and never nobody, whatever happens to this process."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from crossfade.clock import iso, parse_iso
from crossfade.errors import CloudError
from crossfade.execution.context import Context
from crossfade.execution.transitions import Kind


async def told_once(
    context: Context, subject: str, session: str, send: Callable[[], Awaitable[None]]
) -> datetime | None:
    """When the person of a session was told, now at the latest. None when it failed: it is tried at the next look.

    A message cannot be looked up. So one that was in flight when a process died is sent again: told twice is better
    than never.
    """
    step_id, journal = f"{subject}/tell {session}", context.journal
    if journal.begin(step_id, run_id=context.run_id, parent=subject) is not None:
        try:
            await send()
        except CloudError as error:
            journal.fail(step_id, error)
            return None
        journal.finish(step_id, data={"facts": {"at": iso(context.clock.now())}})
    known = journal.get(Kind.STEP, step_id)
    assert known is not None, "just finished"
    return parse_iso(known.data["facts"]["at"])
