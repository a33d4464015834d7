"""May this host leave the target again? The way back keeps the floor as the way there does (design 9): the hosts that
stay must carry the people who can open the target, or by night those who are there."""

import math

from crossfade.execution.context import Context
from crossfade.execution.seats import Verdict
from crossfade.execution.target_sessions import TargetSession
from crossfade.execution.transitions import ARRIVED, Kind
from crossfade.model.ids import fold, same
from crossfade.plan.plan import HostMove, PoolPlan


async def may_leave_target(context: Context, move: HostMove, *, closed: bool) -> Verdict:
    """`closed`: nobody can start anything in this pool on the target any more. Says why not, in figures."""
    busy, most = len(context.seats.in_flight()), context.settings.parallel_moves
    if busy >= most:
        return Verdict(False, f"{busy} hosts are on their way, {most} may be")
    sessions = await context.sessions.of_pool(move.target_pool)
    if move.personal:
        return await _personal(context, move)
    if closed:
        return Verdict(True, "nobody can start a new session of this pool on the target any more")
    return await _pooled(context, move, [session for session in sessions if not session.disconnected])


async def _personal(context: Context, move: HostMove) -> Verdict:
    if await _active_on(context, move):
        return Verdict(False, "its person is working")
    if move.assigned_user and not context.seats.quiet():
        return Verdict(False, "its person may come any moment")
    return Verdict(True, "its person is off")


async def _pooled(context: Context, move: HostMove, live: list[TargetSession]) -> Verdict:
    others = [host for host in arrived_in(context, move.source_pool) if not same(host, move.source)]
    if not others:
        calm = context.seats.quiet() and not await _active_on(context, move)
        return Verdict(calm, "the pool's only host is empty" if calm else "the pool's only host is or may be in use")
    seats = sum(context.move(host).capacity for host in others)
    peak = needed_for(context, context.pool(move.source_pool), len(live))
    figures = f"{seats} target seats stay for {len(live)} people at once, {peak} are wanted at their peak"
    if seats >= peak:
        return Verdict(True, figures)
    calm = context.seats.quiet() and seats >= math.ceil((1 + context.settings.headroom) * len(live))
    return Verdict(calm, figures + ("; it is quiet" if calm else ""))


def needed_for(context: Context, pool: PoolPlan, live: int = 0) -> int:
    """Seats that the people of a pool want at their peak, with headroom."""
    demand = max(live, math.ceil(pool.expected_share * pool.people))
    return math.ceil((1 + context.settings.headroom) * demand)


def arrived_in(context: Context, pool: str) -> list[str]:
    """Classic keys of the hosts of a pool (its classic key) that serve on the target."""
    states = {fold(host.id): host.state for host in context.journal.all(Kind.HOST)}
    return [
        move.source
        for move in context.plan.hosts
        if same(move.source_pool, pool) and states.get(fold(move.source)) in ARRIVED
    ]


async def _active_on(context: Context, move: HostMove) -> bool:
    found = await context.target.registered(move)
    if found is None:
        return False
    sessions = await context.sessions.on(move.target_pool, found["session_host"])
    return any(not session.disconnected for session in sessions)
