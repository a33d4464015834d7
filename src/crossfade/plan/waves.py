"""Which hosts move together, in which order, and who is published with them.

A canary host, a canary wave with a host of every other pool, waves of a fixed size, and last waves: the hosts that keep
classic seats for people who have not yet been seen on the target (design 9). Waves partition the hosts; each person of
a pool is published once, as soon as the pool's seats on the target can be there.
"""

import math
import re

import msgspec

from crossfade.plan.intent import Waves as WaveIntent
from crossfade.plan.operations import AnyOperation
from crossfade.plan.plan import HostMove, PoolPlan, Wave

LAST = "last-wave"
People = dict[str, list[AnyOperation]]
"""Folded UPN -> the operations that publish this person in one pool."""


class PoolHosts(msgspec.Struct, frozen=True, kw_only=True):
    """A pool with its hosts in order of risk, least first; its people to publish there and to retract in classic."""

    pool: PoolPlan
    hosts: list[HostMove]
    people: People
    leaving: People = {}


def plan_waves(pools: list[PoolHosts], intent: WaveIntent) -> list[Wave]:
    """Waves in running order; no wave is without hosts."""
    movable = [item for item in pools if item.hosts]
    reserve = {item.pool.source: reserved(item, intent) for item in movable}
    early = {item.pool.source: _early(item, reserve[item.pool.source]) for item in movable}
    last = [host for item in movable for host in item.hosts[len(early[item.pool.source]) :]]
    batches = _batches(movable, early, intent)
    batches += [(LAST, last[at : at + intent.size]) for at in range(0, len(last), intent.size)]
    publish = _Publisher(movable, early)
    return [
        publish.wave(f"wave-{number:02d}", kind, hosts, final=number == len(batches))
        for number, (kind, hosts) in enumerate(batches, 1)
    ]


def reserved(item: PoolHosts, intent: WaveIntent) -> int:
    """How many hosts of a pool keep classic seats to the end: a share of them, but no more than leaves the target room
    for everybody, and at least one. Personal pools keep none: a person moves with their host."""
    if item.pool.personal:
        return 0
    demand = (1 + intent.headroom) * item.pool.people * item.pool.expected_share
    room = len(item.hosts) - math.ceil(demand / max(1, item.pool.capacity))
    return max(1, min(math.ceil(intent.reserve_share * len(item.hosts)), room))


def _early(item: PoolHosts, reserve: int) -> list[HostMove]:
    return item.hosts[: len(item.hosts) - reserve]


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
    batches += [("wave", rest[at : at + intent.size]) for at in range(0, len(rest), intent.size)]
    return batches


def _interleaved(pools: list[PoolHosts], early: dict[str, list[HostMove]]) -> list[HostMove]:
    """Hosts of all pools by how far along their pool they are; the largest pool first at equal progress."""
    marked = [
        ((at + 1) / (len(early[item.pool.source]) + 1), -len(item.hosts), natural(host.source), host)
        for item in pools
        for at, host in enumerate(early[item.pool.source])
    ]
    return [host for *_, host in sorted(marked, key=lambda row: row[:3])]


def _first_of_each(queue: list[HostMove], *, skip: str) -> list[HostMove]:
    seen = {skip}
    first = []
    for host in queue:
        if host.source_pool not in seen:
            seen.add(host.source_pool)
            first.append(host)
    return first


class _Publisher:
    """Hands out the people of each pool in proportion to the seats that have arrived."""

    def __init__(self, pools: list[PoolHosts], early: dict[str, list[HostMove]]) -> None:
        self._waiting = {item.pool.source: _order(item.people) for item in pools}
        self._people = {item.pool.source: item.people for item in pools}
        self._total = {source: len(waiting) for source, waiting in self._waiting.items()}
        self._early = {source: len(hosts) for source, hosts in early.items()}
        self._moved = dict.fromkeys(early, 0)
        self._leaving = {item.pool.source: dict(item.leaving) for item in pools}

    def wave(self, wave_id: str, kind: str, hosts: list[HostMove], *, final: bool) -> Wave:
        publish: list[str] = []
        by_host: dict[str, list[str]] = {}
        leave_by_host: dict[str, list[str]] = {}
        retract: list[str] = []
        cohort: set[str] = set()
        for host in hosts:
            self._moved[host.source_pool] += 1
            if host.personal and host.assigned_user:
                person = host.assigned_user.casefold()
                by_host[host.source] = self._take(host.source_pool, [person], cohort)
                leave_by_host[host.source] = self._leave(host.source_pool, [person])
        for source in dict.fromkeys(host.source_pool for host in hosts):
            personal = any(host.personal for host in hosts if host.source_pool == source)
            publish += self._take(source, self._due(source, personal), cohort)
            if kind == LAST and not personal:
                retract += self._leave(source, sorted(self._leaving[source]))
        if final:
            for source in self._waiting:
                publish += self._take(source, list(self._waiting[source]), cohort)
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

    def _leave(self, source: str, people: list[str]) -> list[str]:
        found = [self._leaving[source].pop(person, []) for person in people]
        return [operation.id for operations in found for operation in operations]

    def _due(self, source: str, personal: bool) -> list[str]:
        """The next people of a pooled pool: all are published when the last early host has arrived."""
        waiting = self._waiting[source]
        early = self._early[source]
        if personal:
            return []
        share = 1.0 if self._moved[source] >= early else self._moved[source] / early
        published = self._total[source] - len(waiting)
        return waiting[: max(0, math.ceil(share * self._total[source]) - published)]

    def _take(self, source: str, people: list[str], cohort: set[str]) -> list[str]:
        waiting = self._waiting[source]
        operations: list[str] = []
        for person in people:
            if person in self._people[source] and person in waiting:
                waiting.remove(person)
                cohort.add(person)
                operations += [operation.id for operation in self._people[source][person]]
        return operations


def _order(people: People) -> list[str]:
    return sorted(people)


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key in which host 9 comes before host 10."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((1, int(part)) if part.isdigit() else (0, part) for part in parts)
