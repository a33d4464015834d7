"""Taking a host out of service on classic: when seats allow it, with notice, and by default over nobody's work."""

from datetime import datetime, timedelta

from crossfade.clock import parse_iso
from crossfade.errors import StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.source import LiveSession
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import FINISHED_STEPS, HostState, Kind
from crossfade.execution.workflows.desks import still_theirs
from crossfade.execution.workflows.telling import told_once
from crossfade.plan.plan import HostMove, Wave

SEAT_POLL_S = 600.0
DRAIN_POLL_S = 240.0
REOPENED = "reopened"
REOPENED_AT_MOST = 5
"""So often a host is closed again before it is given up."""
SEAT_WITHIN_S = 14 * 86_400.0
SEAT_PATIENCE_S = 4 * 3_600.0
"""How long a host waits for seats before it looks whether others of its wave wait for it."""


SEATS = "enough other seats for everybody while this host moves"
EMPTY = "nobody to be signed in, since the seats are too few for its people while its pool moves"


class PeopleFirst(StepFailed):
    """A host waits for seats that are free once people of its own wave have been published: it lets them go first."""

    code = "people-first"


async def drain(context: Context, port: Workflow, steps: Steps, move: HostMove, wave: Wave) -> None:
    """Seat gate, drain mode, notice, then waiting for the last session. Leaves the host `drained`.

    Raises PeopleFirst, with the host as it was, when the seats depend on the people of its wave.
    """
    await steps.until(
        "seat",
        lambda: _may_leave(context, steps, move, wave),
        every_s=SEAT_POLL_S,
        within_s=SEAT_WITHIN_S,
        waiting_for=EMPTY if context.pool(move.source_pool).at_one_go else SEATS,
    )
    await steps.perform("drain", lambda: context.source.set_open(move, False))
    await steps.perform("notice", lambda: _tell_all(context, steps, move))
    await steps.until(
        "empty",
        lambda: _empty(context, steps, move),
        every_s=DRAIN_POLL_S,
        within_s=context.settings.drain_timeout_s,
        waiting_for="the last session on the host to end",
        then=lambda _: context.advance(move.source, HostState.DRAINED, "nobody is signed in"),
    )


async def still_empty(context: Context, steps: Steps, move: HostMove) -> None:
    """The last look before the agent goes: whoever has come since is waited for like the others."""
    await steps.until(
        "still-empty",
        lambda: _empty(context, steps, move),
        every_s=DRAIN_POLL_S,
        within_s=context.settings.drain_timeout_s,
        waiting_for="the host to be empty and closed still",
    )


async def _close_again(context: Context, move: HostMove) -> None:
    """Somebody has opened a host that drains: a scaling script, as a rule. Raises StepFailed for one who insists."""
    notes = context.journal.events(kind="note", subject=REOPENED)
    times = sum(1 for note in notes if note.data["host"] == move.source)
    if times >= REOPENED_AT_MOST:
        raise StepFailed(
            f"{move.host_name} does not stay closed.",
            f"Somebody allowed new sessions on it again, {times + 1} times while it was to become empty.",
            "Switch the scaling automation of this pool off (its script, runbook or logic app), then retry the host.",
        )
    told = f"{move.host_name} was opened while it drains, and is closed again. Is a scaling script still at work?"
    context.journal.note(REOPENED, told, run_id=context.run_id, data={"host": move.source})
    await context.source.set_open(move, False)


async def _may_leave(context: Context, steps: Steps, move: HostMove, wave: Wave) -> Facts | None:
    """Decides and takes the seats in one breath: no other host can slip in between."""
    await context.control.checkpoint()
    order = context.orders.leave(move.source)
    if order is not None:
        raise StepFailed(f"{move.host_name} stays on classic.", order.why, f"`crossfade retry {move.host_name}`.")
    await still_theirs(context, move, fresh=False)
    verdict = await context.seats.look(move)
    if not verdict.may_leave or not context.seats.still_free(move):
        patience_s = 0.0 if context.pool(move.source_pool).at_one_go else SEAT_PATIENCE_S
        if context.clock.now() >= steps.deadline("seat", patience_s) and context.seats.people_wait(move, wave):
            raise PeopleFirst(f"{move.host_name} lets people of {wave.id} go first.", verdict.why, "It is tried again.")
        return None
    context.advance(move.source, HostState.DRAINING, verdict.why)
    return {"seats": verdict.why}


async def _tell_all(context: Context, steps: Steps, move: HostMove) -> Facts:
    """Tell everybody who is signed in."""
    sessions = await context.source.sessions(move, fresh=True)
    for session in sessions:
        await told_at(context, steps.subject, move, session)
    return {"sessions": len(sessions)}


def handing_over(move: HostMove) -> str:
    """The subject of what is told to people of a host before its pool is handed over: draining then tells no more."""
    return f"{move.source}#handover"


async def told_at(context: Context, subject: str, move: HostMove, session: LiveSession) -> datetime | None:
    """When somebody was told, now at the latest; once each, at the hand-over or now. None when it failed."""
    before = context.journal.get(Kind.STEP, f"{handing_over(move)}/tell {session.session_id}")
    if before is not None and before.state in FINISHED_STEPS:
        return parse_iso(before.data["facts"]["at"])
    settings = context.settings

    async def send() -> None:
        await context.source.message(move, session, settings.message_title, settings.message_body)

    return await told_once(context, subject, str(session.session_id), send)


async def _empty(context: Context, steps: Steps, move: HostMove) -> Facts | None:
    """No session is left and none can come; those that the policies allow to end are ended once their notice is old
    enough."""
    await still_theirs(context, move, fresh=True)
    if await context.source.is_open(move, fresh=True):
        await _close_again(context, move)
        return None
    settings = context.settings
    sessions = await context.source.sessions(move, fresh=True)
    for session in sessions:
        told = await told_at(context, steps.subject, move, session)
        policy = settings.disconnected if session.disconnected else settings.active
        if told is None or policy != "log-off-after-grace":
            continue
        if context.clock.now() >= told + timedelta(seconds=settings.grace_s):
            await context.source.log_off(move, session)
    return {"sessions": 0} if not sessions else None
