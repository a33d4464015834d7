"""The floor of seats: which pools cannot keep everybody working while hosts move, and what would help (design 9)."""

import math
from collections.abc import Collection, Iterable

import msgspec

from crossfade.errors import Problem
from crossfade.model.ids import fold
from crossfade.plan.intent import Intent
from crossfade.plan.plan import PoolPlan
from crossfade.plan.waves import PoolHosts, at_once, hosts_at_once, hosts_needed, needs_outage

OUTAGE = "when-empty"


def problems(pools: list[PoolHosts], intent: Intent, assumed: Collection[str] = ()) -> list[Problem]:
    """Pools that cannot keep everybody working while their last host moves (design 9). `assumed`: folded keys of those
    without a session limit, whose seats follow from what their people want."""
    problems = []
    headroom = intent.waves.headroom
    for item in pools:
        pool = item.pool
        alone = pool.host_count == 1
        outage = intent.pool(pool.source).outage == OUTAGE
        if pool.personal or not pool.people or not pool.host_count:
            continue
        seated = sum(1 for move in item.hosts if move.capacity)
        left = seated - (0 if outage else 1)
        needed, guessed = hosts_needed(pool, headroom), fold(pool.source) in assumed
        if not seated:
            what = f"all its {pool.host_count} hosts are drained and would stay closed: its people find no seat."
            mend = f'Open them in classic and discover again, or set [pools."{pool.source}"] open_drained = true.'
            problems.append(Problem(pool.source, what, mend))
        elif needed > left > 0 or (needed > 1 > left and not guessed):
            problems.append(_too_tight(pool, headroom, left, seated, assumed=guessed))
        elif seated == 1 and not outage:
            place = "to move" if alone else "with seats"
            what = f"has 1 host {place} and {pool.people} people: while it moves there is no seat for them."
            allow = f', or allow it: [pools."{pool.source}"] outage = "{OUTAGE}".'
            mend = f"Add a second host{allow if alone else ', or open one that is drained.'}"
            problems.append(Problem(pool.source, what, mend))
        elif not outage and needed + hosts_at_once(item, headroom) > seated:
            problems.append(_too_many_at_once(item, headroom, seated))
    return problems


def at_one_go(pools: list[PoolHosts], intent: Intent) -> Iterable[str]:
    """Pools of several hosts that have an outage: what that means for the people in them."""
    for item in pools:
        pool, seated = item.pool, sum(1 for move in item.hosts if move.capacity)
        if pool.outage and pool.host_count > 1:
            wanted = _peak(pool, intent.waves.headroom)
            yield (
                f'{pool.source}: outage = "{OUTAGE}" is made use of. {(seated - 1) * pool.capacity} seats stay while '
                f"one of its {pool.host_count} hosts moves, and {pool.people} people want {wanted} at their peak, with "
                "headroom. So all its hosts move in one wave, begun in quiet hours when nobody is signed in on any of "
                "them; until they have arrived nobody of the pool can work, and then everybody has the target at once "
                "and no longer classic: tell them beforehand."
            )


def with_outage(item: PoolHosts, intent: Intent) -> PoolHosts:
    """An outage is allowed, not ordered: a pool that can keep everybody working does so."""
    allowed = intent.pool(item.pool.source).outage == OUTAGE
    outage = allowed and needs_outage(item, intent.waves.headroom)
    return msgspec.structs.replace(item, pool=msgspec.structs.replace(item.pool, outage=outage))


def _too_many_at_once(item: PoolHosts, headroom: float, seated: int) -> Problem:
    """People of an existing group get the target at one moment, and keep their classic seats until they have come."""
    pool = item.pool
    most = max(map(len, at_once(item.together.values())))
    more = hosts_needed(pool, headroom) + hosts_at_once(item, headroom) - seated
    what = (
        f"has {seated * pool.capacity} seats on {seated} hosts; {most} people get the target at one moment, through "
        f"existing groups, and until they have come they want {hosts_at_once(item, headroom)} hosts on classic beside "
        f"the {hosts_needed(pool, headroom)} on the target that carry all {pool.people}."
    )
    mend = (
        f"Add {more} host(s), take the group out of [groups] so that people come one by one, or lower waves.headroom."
    )
    return Problem(pool.source, what, mend)


def _limit(pool: PoolPlan, headroom: float, open_hosts: int) -> str:
    """More hosts, or fewer people, would only make the assumption another one."""
    wanted = math.ceil(_peak(pool, headroom) / max(1, open_hosts))
    return (
        f"It sets no session limit, so {pool.capacity} sessions a host are assumed. Set what a host really serves, "
        f"{wanted} or more, with Set-RdsHostPool -MaxSessionLimit, and discover again"
    )


def _peak(pool: PoolPlan, headroom: float = 0.0) -> int:
    """Seats that its people want when most of them are there."""
    return math.ceil(round((1 + headroom) * pool.people * pool.expected_share, 9))


def _floored(share: float) -> float:
    """In hundredths; what is less than one, in ten thousandths."""
    parts = 100 if share >= 0.01 else 10_000
    return math.floor(share * parts) / parts


def _too_tight(pool: PoolPlan, headroom: float, open_hosts: int, seated: int, *, assumed: bool) -> Problem:
    """What would make a plan possible, in figures. `open_hosts`: how many are open at the tightest moment; `seated`:
    how many have seats at all; `assumed`: the seats of a host are, so that only a limit would change them."""
    demand = pool.people * pool.expected_share
    seats = open_hosts * pool.capacity
    more = hosts_needed(pool, headroom) - open_hosts
    what = (
        f"has {seats} seats on the {open_hosts} of its {pool.host_count} hosts that are open at the tightest moment; "
        f"{pool.people} people want {_peak(pool)} at their peak, with headroom {_peak(pool, headroom)}."
    )
    least = math.floor((seats / demand - 1) * 100) / 100
    share = _floored(seats / ((1 + headroom) * pool.people))
    lower = f"lower waves.headroom to {least}" if least >= 0 else ""
    fewer = f'or, if fewer come at once, set [pools."{pool.source}"] expected_share to {share} or less' if share else ""
    ways = [f"Add {more} host(s)", lower, fewer]
    if assumed:
        ways = [_limit(pool, headroom, open_hosts), f"or {lower}" if lower else ""]
    mend = f"{', '.join(filter(None, ways))}."
    if hosts_needed(pool, headroom) <= seated and open_hosts < seated:
        mend += f' Or allow it to move as a whole while nobody is signed in: outage = "{OUTAGE}" there.'
    return Problem(pool.source, what, mend)
