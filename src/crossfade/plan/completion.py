"""The plan of the end: which classic objects go, in their documented order, and which stay and why; with a pool the
snapshots that the run took of its OS disks, and no others. Where classic has gone, only these are left to go. Pure.

Order (facts/classic-service 1.16, arm-service 1.17): registration, assignments, RemoteApps, app groups, session hosts,
pool; a tenant when nothing of it is left. Role assignments go with their object; tenant groups stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.unread import unread
from crossfade.model.classic import ClassicObject, SessionHost
from crossfade.model.ids import fold, parent_key
from crossfade.plan.kept_disks import CONFIRMED, KeptDisk
from crossfade.plan.plan import Plan

Item = TypeVar("Item", bound=ClassicObject)
USABLE = frozenset({"Available", "NeedsAssistance"})


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """One object that goes. `kind`: registration, assignment, remote-app, app-group, session-host, host-pool, tenant or
    os-disk-snapshot; `key`: its own (of an assignment its app group's, of a registration its pool's, of a snapshot its
    ARM id); `upn` of an assignment."""

    kind: str
    key: str
    upn: str = ""

    @property
    def id(self) -> str:
        return f"remove {self.kind} {self.key}" + (f" {fold(self.upn)}" if self.upn else "")


class Stays(msgspec.Struct, frozen=True, kw_only=True):
    """A pool, tenant or snapshot that is not removed, and why."""

    key: str
    why: str


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """`pools`: pool key -> its removals, in order; pools may go side by side. `tenants`: afterwards.
    `without_classic`: classic has gone, and nothing of it is removed."""

    FORMAT: ClassVar[str] = "crossfade/completion@1"

    format: str = "crossfade/completion@1"
    inputs: dict[str, str] = {}
    without_classic: bool = False
    pools: dict[str, list[Removal]] = {}
    tenants: list[Removal] = []
    stays: list[Stays] = []

    def counts(self) -> dict[str, int]:
        """Kind -> how many go."""
        found: dict[str, int] = {}
        for removal in (*(one for removals in self.pools.values() for one in removals), *self.tenants):
            found[removal.kind] = found.get(removal.kind, 0) + 1
        return dict(sorted(found.items()))


def make_completion(
    inventory: Inventory, plan: Plan, states: Mapping[str, str], disks: Iterable[KeptDisk] = ()
) -> Completion:
    """What goes of the estate as it is now. `states`: folded host key -> its state in the run; `disks`: the snapshots
    that are there."""
    snapshots, kept = _snapshots(plan, states, disks)
    planned = {fold(pool.source) for pool in plan.pools}
    going: dict[str, list[Removal]] = {}
    stays: list[Stays] = []
    for pool in inventory.pools:
        why = _why_not(inventory, pool.key, planned, states)
        if why:
            stays.append(Stays(key=pool.key, why=why))
        else:
            going[pool.key] = [*_of_pool(inventory, pool.key), *snapshots.get(fold(pool.key), [])]
    tenants = []
    moved = {fold(parent_key(pool.source)) for pool in plan.pools}
    for tenant in inventory.tenants:
        left = [pool.key for pool in inventory.pools if parent_key(pool.key) == tenant.key and pool.key not in going]
        if left:
            stays.append(Stays(key=tenant.key, why=f"{len(left)} of its pools stay."))
        elif why := _not_read(inventory, tenant.key):
            stays.append(Stays(key=tenant.key, why=why))
        elif fold(tenant.key) not in moved:
            stays.append(Stays(key=tenant.key, why="It is empty, and none of its pools was in the plan."))
        else:
            tenants.append(Removal(kind="tenant", key=tenant.key))
    inputs = {"plan": plan.digest(), "inventory": inventory.design_digest()}
    return Completion(inputs=inputs, pools=going, tenants=tenants, stays=[*stays, *kept])


def make_disk_completion(plan: Plan, states: Mapping[str, str], disks: Iterable[KeptDisk]) -> Completion:
    """What goes where classic has gone: of the snapshots that are there those that the run took of hosts that serve on
    the target."""
    going, stays = _snapshots(plan, states, disks)
    pools = {pool.source: going[fold(pool.source)] for pool in plan.pools if fold(pool.source) in going}
    return Completion(inputs={"plan": plan.digest()}, without_classic=True, pools=pools, stays=stays)


def _snapshots(
    plan: Plan, states: Mapping[str, str], disks: Iterable[KeptDisk]
) -> tuple[dict[str, list[Removal]], list[Stays]]:
    """Folded pool -> the snapshots that go, since there is no way back any more for which they were kept; and those
    that stay."""
    pools = {fold(move.source): fold(move.source_pool) for move in plan.hosts}
    going: dict[str, list[Removal]] = {}
    stays = []
    for disk in disks:
        why = disk.why_kept(states.get(fold(disk.host), ""))
        if why:
            stays.append(Stays(key=disk.key, why=why))
        else:
            removal = Removal(kind="os-disk-snapshot", key=disk.key)
            going.setdefault(pools[fold(disk.host)], []).append(removal)
    return going, stays


def _why_not(inventory: Inventory, pool: str, planned: set[str], states: Mapping[str, str]) -> str:
    """Why a pool stays; empty when it goes. Whoever may still need it on classic is a reason."""
    if fold(pool) not in planned:
        return "It is not in the plan."
    behind = [host.key for host in _below(inventory.hosts, pool) if _still_serves(host, states)]
    if behind:
        return f"Hosts of it are not on the target: {', '.join(behind)}."
    hosts = {fold(host.key) for host in _below(inventory.hosts, pool)}
    people = [session.upn for session in inventory.sessions if fold(parent_key(session.key)) in hosts]
    if people:
        return f"Somebody is signed in there: {', '.join(sorted(set(people)))}."
    return _not_read(inventory, pool)


def _not_read(inventory: Inventory, key: str) -> str:
    """Why nobody knows what is left of a pool or tenant, or of what is below it; empty where all of it was read."""
    gaps = [one.gap for one in unread(inventory) if one.is_of(fold(key))]
    return f"{gaps[0].subject}: {gaps[0].what} {gaps[0].why}" if gaps else ""


def _still_serves(host: SessionHost, states: Mapping[str, str]) -> bool:
    """A host that the run was to move and has not, or another one that is in service."""
    state = states.get(fold(host.key))
    return state != CONFIRMED if state is not None else host.status in USABLE


def _of_pool(inventory: Inventory, pool: str) -> Iterable[Removal]:
    groups = _below(inventory.groups, pool)
    yield Removal(kind="registration", key=pool)
    for group in groups:
        for person in inventory.assignments:
            if fold(person.key) == fold(group.key):
                yield Removal(kind="assignment", key=group.key, upn=person.upn)
    for group in groups:
        yield from (Removal(kind="remote-app", key=app.key) for app in _below(inventory.apps, group.key))
    yield from (Removal(kind="app-group", key=group.key) for group in groups)
    yield from (Removal(kind="session-host", key=host.key) for host in _below(inventory.hosts, pool))
    yield Removal(kind="host-pool", key=pool)


def _below(items: Sequence[Item], key: str) -> list[Item]:
    return [item for item in items if fold(parent_key(item.key)) == fold(key)]
