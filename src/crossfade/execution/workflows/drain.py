"""Taking a host out of service on classic: when seats allow it, with notice, and by default over nobody's work."""

from datetime import timedelta

from crossfade.clock import iso, parse_iso
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.source import LiveSession
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import HostState
from crossfade.plan.plan import HostMove

SEAT_POLL_S = 600.0
DRAIN_POLL_S = 240.0
SEAT_WITHIN_S = 14 * 86_400.0


async def drain(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Seat gate, drain mode, notice, then waiting for the last session. Leaves the host `drained`."""
    await steps.until(
        "seat",
        lambda: _may_leave(context, move),
        every_s=SEAT_POLL_S,
        within_s=SEAT_WITHIN_S,
        waiting_for="enough other seats for everybody while this host moves",
    )
    await steps.perform("drain", lambda: context.source.set_open(move, False))
    noticed = await steps.perform("notice", lambda: _notice(context, move))
    await steps.until(
        "empty",
        lambda: _empty(context, move, noticed),
        every_s=DRAIN_POLL_S,
        within_s=context.plan.settings.drain_timeout_s,
        waiting_for="the last session on the host to end",
        then=lambda _: context.advance(move.source, HostState.DRAINED, "nobody is signed in"),
    )


async def _may_leave(context: Context, move: HostMove) -> Facts | None:
    """Decides and takes the seats in one breath: no other host can slip in between."""
    await context.control.checkpoint()
    verdict = await context.seats.look(move)
    if not verdict.may_leave or not context.seats.still_free(move):
        return None
    context.advance(move.source, HostState.DRAINING, verdict.why)
    return {"seats": verdict.why}


async def _notice(context: Context, move: HostMove) -> Facts:
    """Tell everybody who is signed in; gives when it was, for the grace period."""
    sessions = await context.source.sessions(move, fresh=True)
    for session in sessions:
        await _tell(context, move, session)
    return {"told": [session.session_id for session in sessions], "at": iso(context.clock.now())}


async def _tell(context: Context, move: HostMove, session: LiveSession) -> None:
    settings = context.plan.settings
    await context.source.message(move, session, settings.message_title, settings.message_body)


async def _empty(context: Context, move: HostMove, noticed: Facts) -> Facts | None:
    """No session is left; those that the policies allow to end are ended once their notice is old enough."""
    settings = context.plan.settings
    sessions = await context.source.sessions(move, fresh=True)
    if not sessions:
        return {"sessions": 0}
    late = [session for session in sessions if session.session_id not in noticed["told"]]
    for session in late:
        noticed["told"].append(session.session_id)
        noticed.setdefault("late", {})[str(session.session_id)] = iso(context.clock.now())
        await _tell(context, move, session)
    for session in sessions:
        policy = settings.disconnected if session.disconnected else settings.active
        told_at = parse_iso(noticed.get("late", {}).get(str(session.session_id), noticed["at"]))
        if policy == "log-off-after-grace" and context.clock.now() >= told_at + timedelta(seconds=settings.grace_s):
            await context.source.log_off(move, session)
    return None
