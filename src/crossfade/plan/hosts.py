"""Session hosts -> moves: which VM, which pool, how many seats; and the hosts that cannot be moved, with the reason."""

import math

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import HostPool, SessionHost
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout
from crossfade.plan.machines import Machines
from crossfade.plan.plan import HostMove, PoolPlan
from crossfade.plan.waves import natural

UNLIMITED = 999_999
OFF = frozenset({"deallocated", "stopped"})


class HostPlan(msgspec.Struct, kw_only=True):
    """Moves by folded pool key, in order of risk, and notes on the hosts left where they are."""

    pools: list[PoolPlan] = []
    moves: dict[str, list[HostMove]] = {}
    notes: list[str] = []


def plan_hosts(
    inventory: Inventory, target: TargetSnapshot, layout: Layout, intent: Intent, people: dict[str, int]
) -> HostPlan:
    """Moves of every migrated pool; `people`: folded pool key -> how many may open something in it."""
    machines = Machines(target.machines)
    plan = HostPlan()
    for pool in layout.pools:
        key = fold(pool.key)
        hosts = [host for host in inventory.hosts if fold(parent_key(host.key)) == key]
        share = _share(pool, hosts, people.get(key, 0), intent)
        capacity = _capacity(pool, len(hosts), people.get(key, 0) * share, plan)
        moves = [_move(host, pool, capacity, machines, layout, plan) for host in sorted(hosts, key=_risk)]
        plan.moves[key] = [move for move in moves if move is not None]
        plan.pools.append(
            PoolPlan(
                source=pool.key,
                target=layout.pool_ids[key],
                personal=pool.personal,
                capacity=capacity,
                host_count=len(plan.moves[key]),
                people=people.get(key, 0),
                expected_share=round(share, 4),
            )
        )
    return plan


def _move(
    host: SessionHost, pool: HostPool, capacity: int, machines: Machines, layout: Layout, plan: HostPlan
) -> HostMove | None:
    machine, why = machines.find(host)
    if machine is None:
        plan.notes.append(f"{host.key} stays where it is: {why}.")
        return None
    return HostMove(
        source=host.key,
        host_name=last_name(host.key),
        vm=machine.id,
        source_pool=pool.key,
        target_pool=layout.pool_ids[fold(pool.key)],
        personal=pool.personal,
        capacity=capacity,
        assigned_user=host.assigned_user,
        prior_allow_new_session=host.allow_new_session,
        start=machine.power in OFF,
    )


def _risk(host: SessionHost) -> tuple[object, ...]:
    """Healthy and quiet hosts first: a canary should tell about the move, not about a host that was sick before."""
    return (host.status not in (None, "Available"), host.sessions or 0, natural(host.key))


def _share(pool: HostPool, hosts: list[SessionHost], people: int, intent: Intent) -> float:
    """Peak sessions per person: what the operator said, else the greater of the usual share and what was seen."""
    own = intent.pool(pool.key).expected_share
    if own is not None:
        return own
    seen = sum(host.sessions or 0 for host in hosts)
    return min(1.0, max(intent.waves.expected_share, seen / people if people else 0.0))


def _capacity(pool: HostPool, hosts: int, demand: float, plan: HostPlan) -> int:
    if pool.personal:
        return 1
    if pool.max_session_limit is not None and pool.max_session_limit < UNLIMITED:
        return pool.max_session_limit
    assumed = max(2, math.ceil(1.5 * demand / max(1, hosts)))
    plan.notes.append(f"{pool.key} sets no session limit: {assumed} sessions a host are assumed for its seats.")
    return assumed
