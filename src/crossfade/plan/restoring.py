"""What is otherwise in a plan where classic has gone (design 2): nobody can work until their hosts are back, so nothing
is kept back for anybody, and there is nothing to go back to."""

import msgspec

from crossfade.errors import Problem
from crossfade.model.ids import fold
from crossfade.plan.access import AccessPlan
from crossfade.plan.hosts import HostPlan
from crossfade.plan.plan import Settings
from crossfade.plan.waves import hosts_needed

AT_ONCE = 500
"""Hosts on their way side by side: so many stay inside ARM's read budget (benchmarks/pacing.py)."""
NOTE = (
    "Classic has gone: hosts are registered as they are, without waiting for anybody, the pools with most people "
    "first. Nothing can go back to classic; a host that fails is quarantined and can be tried again."
)


def nobody_leaves(access: AccessPlan) -> AccessPlan:
    """Nobody is taken out of a service that is not there."""
    return msgspec.structs.replace(access, leaving={})


def settings(planned: Settings) -> Settings:
    """As wide as the limits allow, and no canary that goes there and back."""
    at_once = max(planned.parallel_moves, AT_ONCE)
    return msgspec.structs.replace(planned, canary_return=False, parallel_moves=at_once)


def problems(hosts: HostPlan) -> list[Problem]:
    """Pools whose people would find no seat at all."""
    mend = 'set [pools."{}"] open_drained = true: their drain state in classic means nothing any more.'
    return [
        Problem(
            pool.source,
            f"all its {pool.host_count} hosts were drained and would stay closed: its people find no seat.",
            mend.format(pool.source).capitalize(),
        )
        for pool in hosts.pools
        if pool.people and pool.host_count and not pool.personal
        if not any(move.capacity for move in hosts.moves[fold(pool.source)])
    ]


def notes(hosts: HostPlan) -> list[str]:
    """What everybody should know, and the pools that were tight before and still are."""
    tight = [
        f"{pool.source}: its open hosts have fewer seats than its {pool.people} people want at their peak."
        for pool in hosts.pools
        if pool.people and pool.host_count and not pool.personal
        if hosts_needed(pool, 0.0) > sum(1 for move in hosts.moves[fold(pool.source)] if move.capacity)
    ]
    return [NOTE, *tight]
