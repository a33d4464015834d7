"""Session hosts -> moves: which VM, which pool, how many seats; and the hosts that cannot be moved, with the reason."""

import math
from collections.abc import Iterable

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import HostPool, SessionHost
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import VirtualMachine
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout
from crossfade.plan.machines import Machines
from crossfade.plan.plan import HostMove, PoolPlan
from crossfade.plan.waves import natural

NO_REAL_LIMIT = 1_000
"""No session host serves so many: classic's 999999 and the templates' 99999 mean that nobody set a limit."""
OFF = frozenset({"deallocated", "stopped"})


class HostPlan(msgspec.Struct, kw_only=True):
    """Moves by folded pool key, in order of risk; the folded keys of hosts that carry people now; those of pools whose
    seats are assumed; notes on the hosts left where they are; and what stands against a plan."""

    pools: list[PoolPlan] = []
    moves: dict[str, list[HostMove]] = {}
    serving: set[str] = set()
    assumed: set[str] = set()
    notes: list[str] = []
    problems: list[Problem] = []


def plan_hosts(
    inventory: Inventory, target: TargetSnapshot, layout: Layout, intent: Intent, people: dict[str, int]
) -> HostPlan:
    """Moves of every migrated pool; `people`: folded pool key -> how many may open something in it."""
    plan = HostPlan()
    by_pool: dict[str, list[SessionHost]] = {}
    for host in inventory.hosts:
        by_pool.setdefault(fold(parent_key(host.key)), []).append(host)
    found = _found(plan, Machines(target.machines), inventory.hosts, layout)
    for pool in layout.pools:
        key = fold(pool.key)
        hosts = by_pool.get(key, [])
        share = _share(pool, hosts, people.get(key, 0), intent)
        movable = [host for host in hosts if fold(host.key) in found]
        capacity = _capacity(pool, len(movable), people.get(key, 0) * share, plan)
        plan.serving |= {fold(host.key) for host in movable if serves(host, found[fold(host.key)])}
        ordered = sorted(movable, key=lambda host: (fold(host.key) not in plan.serving, *_risk(host)))
        opened = intent.pool(pool.key).open_drained
        moves = [_move(host, pool, capacity, found[fold(host.key)], layout, opened=opened) for host in ordered]
        plan.moves[key] = moves
        closed = sorted(move.host_name for move in moves if move.stays_closed)
        if closed:
            plan.notes.append(f"{pool.key}: {_closed(closed)}")
        plan.pools.append(
            PoolPlan(
                source=pool.key,
                target=layout.pool_ids[key],
                personal=pool.personal,
                capacity=capacity,
                host_count=len(movable),
                people=people.get(key, 0),
                expected_share=round(share, 4),
                owner=intent.pool(pool.key).owner,
            )
        )
        plan.problems += _several_desktops(pool, moves)
        if hosts and not movable and people.get(key):
            plan.problems.append(_stranded(pool, hosts))
    return plan


def serves(host: SessionHost, machine: VirtualMachine) -> bool:
    """Whether a host carries people now: open, well, and running."""
    return host.allow_new_session and host.status in (None, "Available") and machine.power not in OFF


def _found(
    plan: HostPlan, machines: Machines, hosts: Iterable[SessionHost], layout: Layout
) -> dict[str, VirtualMachine]:
    """Folded host key -> its VM, for the hosts of migrated pools that can be moved; the others become notes. A VM has
    one agent: of several records with one VM the one that was heard last is the host, the others are left behind."""
    found: dict[str, VirtualMachine] = {}
    owner: dict[str, SessionHost] = {}
    for host in hosts:
        if fold(parent_key(host.key)) not in layout.pool_ids:
            continue
        machine, why = machines.find(host)
        if machine is None:
            plan.notes.append(f"{host.key} stays where it is: {why}.")
            continue
        rival = owner.get(fold(machine.id))
        if rival is not None and _heard(rival) >= _heard(host):
            plan.notes.append(f"{host.key} stays where it is: its VM is now {rival.key}.")
            continue
        if rival is not None:
            del found[fold(rival.key)]
            plan.notes.append(f"{rival.key} stays where it is: its VM is now {host.key}.")
        owner[fold(machine.id)] = host
        found[fold(host.key)] = machine
    return found


def _heard(host: SessionHost) -> tuple[bool, str]:
    return (host.status == "Available", host.last_heartbeat or "")


def _stranded(pool: HostPool, hosts: list[SessionHost]) -> Problem:
    what = f"none of its {len(hosts)} hosts can be moved, so its people would get a pool without seats."
    mend = "See the findings host-vm-unmatched, or leave the pool out: skip = true."
    return Problem(pool.key, what, mend)


def _several_desktops(pool: HostPool, moves: list[HostMove]) -> Iterable[Problem]:
    """Two names of one person had a desktop each in classic; a personal pool gives each person one."""
    theirs: dict[str, list[HostMove]] = {}
    for move in moves if pool.personal else ():
        if move.assigned_user:
            theirs.setdefault(fold(move.assigned_user), []).append(move)
    for mine in theirs.values():
        if len(mine) > 1:
            named = " and ".join(sorted(move.host_name for move in mine))
            what = f"{mine[0].assigned_user} would have {named}, and a personal pool gives each person one desktop."
            mend = 'Say "leave out: <reason>" of the name under [people] whose desktop they do not use any more, or '
            yield Problem(pool.key, what, f"{mend}remove that host in classic and discover again.")


def _closed(names: list[str]) -> str:
    named = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    return (
        f"{len(names)} host(s) are drained in classic and stay closed to new sessions when they have moved ({named}). "
        "open_drained = true opens them."
    )


def _move(
    host: SessionHost, pool: HostPool, capacity: int, machine: VirtualMachine, layout: Layout, *, opened: bool
) -> HostMove:
    closed = not host.allow_new_session and not opened
    return HostMove(
        source=host.key,
        host_name=last_name(host.key),
        vm=machine.id,
        source_pool=pool.key,
        target_pool=layout.pool_ids[fold(pool.key)],
        personal=pool.personal,
        capacity=0 if closed and not pool.personal else capacity,
        assigned_user=host.assigned_user,
        prior_allow_new_session=host.allow_new_session,
        stays_closed=closed,
        start=machine.power in OFF,
    )


def _risk(host: SessionHost) -> tuple[object, ...]:
    """Quiet hosts first: the canary disturbs few people, and the last classic seats are where people are."""
    return (host.sessions or 0, natural(host.key))


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
    if pool.max_session_limit is not None and 0 < pool.max_session_limit < NO_REAL_LIMIT:
        return pool.max_session_limit
    plan.assumed.add(fold(pool.key))
    assumed = max(2, math.ceil(1.5 * demand / max(1, hosts)))
    plan.notes.append(f"{pool.key} sets no session limit: {assumed} sessions a host are assumed for its seats.")
    return assumed
