"""Which hosts move together, in which order, and who is published with them.

A canary host, a canary wave with a host of every other pool, waves of a fixed size, and last waves: the hosts that keep
classic seats for people who have not yet been seen on the target (design 9). Waves partition the hosts; each person of
a pool is published once, as soon as the pool's seats on the target can be there. A pool that may have an outage, and
needs one, has a last wave of its own with all its hosts.
"""

import itertools
import math
import re
from collections.abc import Iterable

import msgspec

from crossfade.model.ids import fold
from crossfade.plan.intent import Waves as WaveIntent
from crossfade.plan.operations import AnyOperation
from crossfade.plan.plan import HostMove, PoolPlan, Wave

LAST = "last-wave"
RESTORE = "restore-wave"
People = dict[str, list[AnyOperation]]
"""Folded UPN -> the operations that publish this person in one pool."""


class PoolHosts(msgspec.Struct, frozen=True, kw_only=True):
    """A pool with its hosts: first the `serving` ones that carry people now, the quiet before the busy, then the
    others. `people` to publish there, `leaving` to retract in classic."""

    pool: PoolPlan
    hosts: list[HostMove]
    serving: int
    people: People
    leaving: People = {}
    together: dict[str, frozenset[str]] = {}
    """Operations that publish several people at once: id -> folded UPNs. Done with the last of them."""


def plan_waves(pools: list[PoolHosts], intent: WaveIntent) -> list[Wave]:
    """Waves in running order; no wave is without hosts."""
    movable = [item for item in pools if item.hosts]
    whole = [item for item in movable if item.pool.outage and len(item.hosts) > 1]
    shared = [item for item in movable if item not in whole]
    tail = [host for item in shared for host in _last(item, intent)]
    late = {host.source for item in whole for host in item.hosts} | {host.source for host in tail}
    early = {item.pool.source: [host for host in item.hosts if host.source not in late] for item in movable}
    batches = _batches(shared, early, intent)
    batches += [(LAST, tail[at : at + intent.size]) for at in range(0, len(tail), intent.size)]
    batches += [(LAST, item.hosts) for item in whole]
    publish = _Publisher(movable, early, intent.headroom)
    return [
        publish.wave(f"wave-{number:02d}", kind, hosts, final=number == len(batches))
        for number, (kind, hosts) in enumerate(batches, 1)
    ]


def restoring_waves(pools: list[PoolHosts]) -> list[Wave]:
    """Where classic has gone nobody can work, so nothing is kept back: a wave for each pool, all of them begun side by
    side, the pool with most people first (design 2). Nobody is taken out of classic."""
    movable = sorted(
        (msgspec.structs.replace(item, leaving={}) for item in pools if item.hosts),
        key=lambda item: (-item.pool.people, natural(item.pool.source)),
    )
    publish = _Publisher(movable, {item.pool.source: [] for item in movable}, headroom=0.0)
    return [
        publish.wave(f"wave-{number:02d}", RESTORE, item.hosts, final=number == len(movable))
        for number, item in enumerate(movable, 1)
    ]


def needs_outage(item: PoolHosts, headroom: float) -> bool:
    """Whether the seats of a pool are too few for everybody to work while its hosts change sides (design 9)."""
    seated = sum(1 for host in item.hosts if host.capacity)
    if item.pool.personal or not item.pool.people or not seated:
        return False
    needed = hosts_needed(item.pool, headroom)
    return seated == 1 or needed > seated - 1 or needed + hosts_at_once(item, headroom) > seated


def hosts_needed(pool: PoolPlan, headroom: float) -> int:
    """How many hosts hold everybody at their peak, with headroom."""
    return math.ceil(round((1 + headroom) * pool.people * pool.expected_share / max(1, pool.capacity), 9))


def at_once(together: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """Who comes in at one moment with whom: groups that share somebody cannot come one after the other."""
    chunks: list[frozenset[str]] = []
    for people in together:
        touched = [one for one in chunks if one & people]
        chunks = [one for one in chunks if one not in touched] + [people.union(*touched)]
    return chunks


def hosts_at_once(item: PoolHosts, headroom: float) -> int:
    """How many classic hosts have to stay for the largest number of people who are published at one moment: until they
    have come, their seats are wanted on both sides. One where each comes by themselves."""
    most = max(map(len, at_once(item.together.values())), default=0)
    pool = msgspec.structs.replace(item.pool, people=most)
    return max(1, hosts_needed(pool, headroom))


def _people_per_host(pool: PoolPlan, headroom: float) -> float:
    """How many people may be published for each host that has arrived."""
    wanted = (1 + headroom) * pool.expected_share
    return pool.capacity / wanted + 1e-9 if wanted > 0 else math.inf


def reserved(item: PoolHosts, intent: WaveIntent) -> int:
    """How many hosts of a pool keep classic seats to the end: a share of them, but no more than leaves the target room
    for everybody, and at least one; enough for people who come all at once. Personal pools keep none: a person moves
    with their host."""
    if item.pool.personal:
        return 0
    room = sum(1 for host in item.hosts if host.capacity) - hosts_needed(item.pool, intent.headroom)
    holders = item.serving or len(item.hosts)
    wanted = max(math.ceil(intent.reserve_share * holders), hosts_at_once(item, intent.headroom))
    return max(1, min(wanted, room, holders))


def _last(item: PoolHosts, intent: WaveIntent) -> list[HostMove]:
    """The hosts that go last are serving ones: one that is off or ill holds no seat for anybody."""
    holders = item.hosts[: item.serving] or item.hosts
    return holders[len(holders) - reserved(item, intent) :]


def _batches(
    pools: list[PoolHosts], early: dict[str, list[HostMove]], intent: WaveIntent
) -> list[tuple[str, list[HostMove]]]:
    """Canary host, canary wave, then waves in which the pools advance side by side."""
    queue = _interleaved(pools, early)
    canary = next((host for host in queue if not host.personal), queue[0] if queue else None)
    if canary is None:
        return []
    queue.remove(canary)
    first_of_others = _first_of_each(queue, skip=canary.source_pool)[: intent.canary_wave]
    fill = [host for host in queue if host not in first_of_others][: intent.canary_wave - len(first_of_others)]
    canaries = first_of_others + fill
    rest = [host for host in queue if host not in canaries]
    batches = [("canary-host", [canary])]
    if canaries:
        batches.append(("canary-wave", canaries))
    shared = [host for host in rest if not host.personal]
    own = [host for host in rest if host.personal]
    batches += [("wave", shared[at : at + intent.size]) for at in range(0, len(shared), intent.size)]
    # Personal desktops wait for the end of their person's day: together, or every wave would take one.
    batches += [("wave", own[at : at + intent.size]) for at in range(0, len(own), intent.size)]
    return batches


def _interleaved(pools: list[PoolHosts], early: dict[str, list[HostMove]]) -> list[HostMove]:
    """Hosts of all pools by how far along their pool they are; the largest pool first at equal progress."""
    marked = [
        ((at + 1) / (len(early[item.pool.source]) + 1), -len(item.hosts), natural(item.pool.source), at, host)
        for item in pools
        for at, host in enumerate(early[item.pool.source])
    ]
    return [host for *_, host in sorted(marked, key=lambda row: row[:4])]


def _first_of_each(queue: list[HostMove], *, skip: str) -> list[HostMove]:
    seen = {skip}
    first = []
    for host in queue:
        if host.source_pool not in seen:
            seen.add(host.source_pool)
            first.append(host)
    return first


class _Publisher:
    """Hands out the people of each pool in proportion to the seats that have arrived. A host without seats, since it
    stays closed, counts for nobody."""

    def __init__(self, pools: list[PoolHosts], early: dict[str, list[HostMove]], headroom: float) -> None:
        self._together = {item.pool.source: dict(item.together) for item in pools}
        self._chunks = {item.pool.source: at_once(item.together.values()) for item in pools}
        self._waiting = {item.pool.source: _in_turn(item) for item in pools}
        self._total = {item.pool.source: len(item.people) for item in pools}
        self._early = {source: sum(1 for host in hosts if host.capacity) for source, hosts in early.items()}
        self._moved = dict.fromkeys(early, 0)
        self._each = {item.pool.source: _people_per_host(item.pool, headroom) for item in pools}
        self._left = {item.pool.source: len(item.hosts) for item in pools}
        self._leaving = {item.pool.source: dict(item.leaving) for item in pools}

    def wave(self, wave_id: str, kind: str, hosts: list[HostMove], *, final: bool) -> Wave:
        publish: list[str] = []
        by_host: dict[str, list[str]] = {}
        leave_by_host: dict[str, list[str]] = {}
        retract: list[str] = []
        cohort: set[str] = set()
        for host in hosts:
            self._moved[host.source_pool] += 1 if host.capacity else 0
            self._left[host.source_pool] -= 1
            if host.personal:
                people = self._of_host(host)
                by_host[host.source] = self._take(host.source_pool, people, cohort)
                leave_by_host[host.source] = self._leave(host.source_pool, people)
        for source in dict.fromkeys(host.source_pool for host in hosts if not host.personal):
            publish += self._take(source, self._due(source), cohort)
            if kind == LAST:
                retract += self._leave(source, sorted(self._leaving[source]))
        assert not final or not any(self._waiting.values()), "somebody of a pool with hosts is never published"
        return Wave(
            id=wave_id,
            kind=kind,
            hosts=[host.source for host in hosts],
            publish=list(dict.fromkeys(publish)),
            publish_by_host={key: ids for key, ids in by_host.items() if ids},
            retract=retract,
            retract_by_host={key: ids for key, ids in leave_by_host.items() if ids},
            cohort=sorted(cohort),
        )

    def _of_host(self, host: HostMove) -> list[str]:
        """Who goes with a personal host: its person; with the pool's last host also those who have none yet."""
        own = [fold(host.assigned_user)] if host.assigned_user else []
        rest = [] if self._left[host.source_pool] else sorted(self._waiting[host.source_pool])
        return list(dict.fromkeys(own + rest))

    def _leave(self, source: str, people: list[str]) -> list[str]:
        found = [self._leaving[source].pop(person, []) for person in people]
        return [operation.id for operations in found for operation in operations]

    def _due(self, source: str) -> list[str]:
        """The next people of a pooled pool: no more than the arrived hosts' part of all, nor than they have seats for.
        Everybody is published when the last early host has arrived; where an outage is allowed, with the last."""
        early, moved, total = self._early[source], self._moved[source], self._total[source]
        part = total if moved >= early else math.floor(moved / early * total)
        due = total if not self._left[source] else min(part, math.floor(moved * self._each[source]))
        waiting = self._waiting[source]
        people = list(itertools.islice(waiting, max(0, due - (total - len(waiting)))))
        split = [one for one in self._chunks[source] if not waiting.keys() & one <= set(people)]
        return [person for person in people if not any(person in one for one in split)]

    def _take(self, source: str, people: list[str], cohort: set[str]) -> list[str]:
        operations: list[str] = []
        for person in people:
            found = self._waiting[source].pop(person, None)
            if found is not None:
                cohort.add(person)
                operations += [operation.id for operation in found]
        waiting, together = self._waiting[source], self._together[source]
        whole = [name for name, one in together.items() if not waiting.keys() & one]
        return operations + [name for name in whole if together.pop(name)]


def _in_turn(item: PoolHosts) -> People:
    """By name; those who are published together come last, so that nobody else waits for them."""
    grouped = frozenset[str]().union(*item.together.values())
    return dict(sorted(item.people.items(), key=lambda pair: (pair[0] in grouped, pair[0])))


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key in which host 9 comes before host 10."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((1, int(part)) if part.isdecimal() else (0, part) for part in parts)
