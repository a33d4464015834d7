"""A host taken back on a person's word: out of service on the target with the care of the way there, then `revert`.

    confirmed (or wherever it stands) → reverting → on_source | quarantined

A second cutover: seats first, drain mode, notice, waiting for the last session, and only then the VM.
"""

from datetime import datetime, timedelta
from typing import Any

from crossfade.errors import CloudError, MigrationError
from crossfade.execution.back_seats import may_leave_target
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Workflow
from crossfade.execution.hooks import host_variables
from crossfade.execution.orders import TAKEN_BACK
from crossfade.execution.steps import Facts, Steps, insist
from crossfade.execution.target_sessions import TargetSession
from crossfade.execution.transitions import ARRIVED, HostState, Kind
from crossfade.execution.workflows.desks import theirs_on_both_sides
from crossfade.execution.workflows.revert import QUARANTINED, revert
from crossfade.execution.workflows.telling import told_once
from crossfade.execution.workflows.tries import FORWARD, GIVE_UP, named, next_try
from crossfade.execution.workflows.undo import as_data, of_hosts
from crossfade.plan.plan import HostMove

SEAT_POLL_S = 600.0
SEAT_WITHIN_S = 14 * 86_400.0
DRAIN_POLL_S = 120.0
TRIES = 3
PAUSE_S = 60.0
RETURNED = "returned"
GONE = "gone"
"""Its VM does not exist any more: nothing of it is left on the target, and nobody can bring it back."""
WHY = {RETURNED: "", GONE: "its VM does not exist any more", QUARANTINED: "the way back failed"}
HELD = "held"
"""It could not be asked out of service, and stays where it is."""


def take_back_body(context: Context) -> Body:
    """`args`: host (classic key), way (what its steps are called), closed (nobody can start anything in its pool on the
    target any more), reason. Gives host and outcome: returned, gone, held, or quarantined."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        ended = await carry_out(port, args)
        if context.hooks.has("after_host_back"):
            await port.step("after", lambda: _after(context, ended))
        return ended

    async def carry_out(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        move = context.move(args["host"])
        steps = context.steps(port, f"{move.source}#{args['way']}")
        try:
            await context.hooks.before(steps, "hook", "before_host_back", _variables(context, move))
            await _leave_target(context, steps, move, args)
            await _power(context, port, steps, move)
        except MigrationError as error:
            return {"host": move.source, "outcome": HELD, "why": str(error)}
        await _end_try(context, port, steps, move, args["reason"])
        outcome = await revert(context, port, move, args["way"], reason=args["reason"])
        if outcome != RETURNED and (await steps.perform("vm", lambda: _look_for_vm(context, move)))["gone"]:
            outcome = GONE
            await _people(context, port, move)
        if outcome == RETURNED:
            await _people(context, port, move)
            await _power_back(context, steps, move)
        await steps.perform("left", lambda: _left(context, move, outcome, args["reason"]))
        return {"host": move.source, "outcome": outcome, "why": WHY[outcome]}

    return body


def _variables(context: Context, move: HostMove) -> dict[str, str]:
    return host_variables(move, _wave_of(context, move))


async def _after(context: Context, ended: dict[str, Any]) -> Facts:
    given = _variables(context, context.move(ended["host"]))
    return await context.hooks.after("after_host_back", {**given, "OUTCOME": ended["outcome"], "WHY": ended["why"]})


# -- out of service on the target


async def _leave_target(context: Context, steps: Steps, move: HostMove, args: dict[str, Any]) -> None:
    """A host that serves nobody on the target goes back at once."""
    before = await steps.perform("stands", lambda: _stands(context, move))
    if before["state"] not in ARRIVED:
        await steps.perform("turn", lambda: _turn(context, move, args["reason"]))
        return
    await steps.until(
        "seat",
        lambda: _may_leave(context, move, args),
        every_s=SEAT_POLL_S,
        within_s=SEAT_WITHIN_S,
        waiting_for="enough other seats on the target while this host goes back",
    )
    await steps.perform("close", lambda: context.target.set_open(move, False))
    await steps.perform("notice", lambda: _notice(context, steps, move))
    await steps.until(
        "empty",
        lambda: _empty(context, steps, move),
        every_s=DRAIN_POLL_S,
        within_s=context.settings.drain_timeout_s,
        waiting_for="the last session on the host to end",
    )


async def _stands(context: Context, move: HostMove) -> Facts:
    """Its state; of a host that an earlier rollback left between, with people on it perhaps, the one before."""
    known = context.journal.get(Kind.HOST, move.source)
    assert known is not None, f"{move.source} is not in the journal"
    before = str(known.data.get("reverting_from", known.state))
    between = known.state in (HostState.REVERTING, HostState.QUARANTINED) and before in ARRIVED
    return {"state": before if between and await context.target.registered(move) is not None else known.state}


async def _turn(context: Context, move: HostMove, reason: str) -> Facts:
    """From now on it is on its way back, and what was done to its VM is remembered."""
    known = context.journal.get(Kind.HOST, move.source)
    assert known is not None, f"{move.source} is not in the journal"
    if known.state not in (HostState.REVERTING, HostState.ON_SOURCE, HostState.STAGED):
        before = known.data.get("reverting_from", known.state) if known.state == HostState.QUARANTINED else known.state
        data = {"reverting_from": before}
        context.journal.move(Kind.HOST, move.source, HostState.REVERTING, reason=reason, data=data)
    return {}


async def _may_leave(context: Context, move: HostMove, args: dict[str, Any]) -> Facts | None:
    """Decides and takes the seats in one breath."""
    if move.personal:
        await theirs_on_both_sides(context, move)
    verdict = await may_leave_target(context, move, closed=args["closed"])
    if not verdict.may_leave or len(context.seats.in_flight()) >= context.settings.parallel_moves:
        return None
    await _turn(context, move, args["reason"])
    return {"seats": verdict.why}


async def _sessions(context: Context, move: HostMove) -> list[TargetSession]:
    found = await context.target.registered(move)
    return await context.sessions.on(move.target_pool, found["session_host"]) if found is not None else []


async def _notice(context: Context, steps: Steps, move: HostMove) -> Facts:
    """Tell everybody who is signed in."""
    sessions = await _sessions(context, move)
    for session in sessions:
        await _told_at(context, steps, session)
    return {"sessions": len(sessions)}


async def _told_at(context: Context, steps: Steps, session: TargetSession) -> datetime | None:
    settings, name = context.settings, "/".join(session.id.split("/")[-3::2])

    async def send() -> None:
        await context.sessions.message(session, settings.message_title, settings.message_body)

    return await told_once(context, steps.subject, name, send)


async def _empty(context: Context, steps: Steps, move: HostMove) -> Facts | None:
    """No session is left; those that the policies allow to end are ended once their notice is old enough."""
    sessions = await _sessions(context, move)
    for session in sessions:
        told = await _told_at(context, steps, session)
        if told is not None:
            await _end_by_policy(context, move, session, told)
    return None if sessions else {"sessions": 0}


async def _end_by_policy(context: Context, move: HostMove, session: TargetSession, told: datetime) -> None:
    settings = context.settings
    policy = settings.disconnected if session.disconnected else settings.active
    if policy == "log-off-after-grace" and context.clock.now() >= told + timedelta(seconds=settings.grace_s):
        await context.sessions.log_off(move.target_pool, session)


# -- around the way back


async def _power(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """A VM that is off has nobody who could run the script."""
    if move.start:
        await insist(
            port,
            lambda: steps.perform(
                "start-vm",
                lambda: context.machine.start(move.vm),
                observe=lambda: context.machine.is_running(move.vm),
                reason="the VM was off before the run; it is deallocated again",
            ),
            tries=TRIES,
            pause_s=PAUSE_S,
            on=(CloudError,),
        )


async def _look_for_vm(context: Context, move: HostMove) -> Facts:
    """A host that could not go back: whether somebody deleted its VM. Then its record on the target goes too."""
    if await context.machine.exists(move.vm):
        return {"gone": False}
    return {"gone": True, **await context.target.remove(move)}


async def _power_back(context: Context, steps: Steps, move: HostMove) -> None:
    if move.start:
        await steps.perform("deallocate", lambda: context.machine.deallocate(move.vm))


async def _people(context: Context, port: Workflow, move: HostMove) -> None:
    """A personal host's person gets classic again, then loses the target."""
    if move.personal:
        found = await port.step("whose", lambda: _whose(context, move))
        child = f"{port.id}/people"
        await port.start("undo", child, {"effects": found["effects"], "whole": False})
        ended = await port.wait([child])
        ended[child].raise_if_failed()


async def _whose(context: Context, move: HostMove) -> Facts:
    return {"effects": as_data(of_hosts(context, move.source))}


async def _left(context: Context, move: HostMove, outcome: str, reason: str) -> Facts:
    """Whoever goes on with the run leaves it alone, until somebody says `retry`."""
    order = context.orders.leave(move.source)
    if outcome in (RETURNED, GONE) and (order is None or order.word != TAKEN_BACK):
        context.orders.give(TAKEN_BACK, move.source, why=reason)
    return {"outcome": outcome}


async def _end_try(context: Context, port: Workflow, steps: Steps, move: HostMove, reason: str) -> None:
    """The try that brought it there is over: another one has steps of its own."""
    found = await steps.perform("which try", lambda: _try(context, move))
    ended = context.steps(port, f"{move.source}#{named(FORWARD, found['number'])}")

    async def decide() -> Facts:
        return {"way": named(FORWARD, found["number"]), "at": TAKEN_BACK, "why": reason, "time": found["time"]}

    await ended.perform(GIVE_UP, decide, reason=reason)


async def _try(context: Context, move: HostMove) -> Facts:
    wave = _wave_of(context, move)
    known = context.journal.get(Kind.WAVE, wave)
    assert known is not None, f"{wave} is not in the journal"
    return {"number": next_try(context, move.source), "time": int(known.data.get("time", 0))}


def _wave_of(context: Context, move: HostMove) -> str:
    return next(wave.id for wave in context.plan.waves if move.source in wave.hosts)
