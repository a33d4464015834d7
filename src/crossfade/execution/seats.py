"""Seats, counted: may this host leave, is there room for these people, who has been seen where.

At every moment a side's open seats must be at least (1 + headroom) times the demand on it (design 9). On classic it is
the sessions that are live there, or what the people not yet seen on the target will want at their peak, whichever is
more. Demand on the target: what the published people will want, or what is live there.
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from crossfade.clock import Clock
from crossfade.errors import StepFailed
from crossfade.execution.journal import Journal
from crossfade.execution.orders import Orders
from crossfade.execution.presence import Presence
from crossfade.execution.source import PoolLook, Source, is_open
from crossfade.execution.steps import Facts
from crossfade.execution.target import Target
from crossfade.execution.transitions import ARRIVED, HostState, Kind
from crossfade.execution.undone import written
from crossfade.model.ids import fold, parent_key
from crossfade.plan.membership import promises
from crossfade.plan.operations import AddMember, GrantRole
from crossfade.plan.plan import HostMove, Plan, PoolPlan, Wave

IN_FLIGHT = frozenset(
    {
        HostState.DRAINING,
        HostState.DRAINED,
        HostState.SAVED,
        HostState.MOVING,
        HostState.REGISTERED,
        HostState.HEALTHY,
        HostState.REVERTING,
    }
)
LAST = "last-wave"
WAIT = "wait"
PEOPLE = "people"
"""The journal's subject of every operation on a single person, whichever wave does it."""
SEEN_NOTE = "seen-on-target"
DESK_NOTE = "somebody-at-a-desk"
"""Notes of when the people of personal desktops come and go: a restart must not make their hosts wait longer."""
LOOK_FRESH_S = 120.0


class Verdict(msgspec.Struct, frozen=True):
    """`why` tells the figures either way."""

    may_leave: bool
    why: str


class Seats:
    """Counts for one run. What it remembers (who was seen) is in the journal as notes."""

    def __init__(
        self, plan: Plan, journal: Journal, clock: Clock, source: Source, target: Target, orders: Orders
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._clock = clock
        self._source = source
        self._target = target
        self._orders = orders
        self._pools = {fold(pool.source): pool for pool in plan.pools}
        self._moves = {fold(move.source): move for move in plan.hosts}
        self._seen: dict[str, set[str]] | None = None
        self._people = _people_by_pool(plan)
        self._written_at = -1
        self._written_now: set[str] = set()
        self._turns = [fold(host) for wave in plan.waves for host in wave.hosts]
        self._place = {wave.id: place for place, wave in enumerate(plan.waves)}
        self._publishing = _publishing(plan)
        desks = (note.data for note in journal.events(kind="note", subject=DESK_NOTE) if note.run_id == orders.run_id)
        self._presence = Presence(clock, desks, self._keep_desk)

    # -- may a host leave classic?

    async def look(self, move: HostMove) -> Verdict:
        """Whether the seats allow this host to leave now. Says why not, in figures."""
        busy = self.in_flight()
        if len(busy) >= self._orders.settings.parallel_moves:
            return Verdict(False, f"{len(busy)} hosts are on their way, {self._orders.settings.parallel_moves} may be")
        look = await self._source.look(move.source_pool, fresh_s=LOOK_FRESH_S)
        if move.personal:
            return self._personal(move, look)
        return self._pooled(move, look)

    def still_free(self, move: HostMove) -> bool:
        """Asked without any waiting after `look`: nobody took the last place meanwhile."""
        return len(self.in_flight()) < self._orders.settings.parallel_moves

    def _pooled(self, move: HostMove, look: PoolLook) -> Verdict:
        pool = self._pools[fold(move.source_pool)]
        seats = sum(self._moves[key].capacity for key in self._open_hosts(pool, look) if key != fold(move.source))
        demand = self._source_demand(pool, look)
        needed = math.ceil((1 + self._orders.settings.headroom) * demand)
        figures = f"{seats} classic seats stay for {demand} people at once, {needed} are wanted"
        if seats >= needed:
            return Verdict(True, figures)
        if pool.at_one_go and self._may_have_outage(pool, move, look):
            return Verdict(True, f"{figures}; nobody is signed in, and the pool may have an outage")
        if self.is_handed_over(move):
            return Verdict(True, f"{figures}; nobody can start a new session on classic any more")
        return Verdict(False, figures + ("; it waits for an hour without anybody" if pool.at_one_go else ""))

    def _may_have_outage(self, pool: PoolPlan, move: HostMove, look: PoolLook) -> bool:
        """A pool of one host moves when that is empty; one of several begins in quiet hours when all are, and once it
        has begun each goes when it is empty itself. Disconnected sessions count, unless they are to be ended."""
        hosts = [other.host_name for other in self._moves.values() if fold(other.source_pool) == fold(pool.source)]
        if self._is_used(look, [move.host_name]):
            return False
        return len(hosts) == 1 or self._has_begun(pool) or (self.quiet() and not self._is_used(look, hosts))

    def _is_used(self, look: PoolLook, hosts: list[str]) -> bool:
        ends = self._orders.settings.disconnected != WAIT and self.quiet()
        sessions = [session for host in hosts for session in look.sessions.get(fold(host), [])]
        return any(not (session.disconnected and ends) for session in sessions)

    def _has_begun(self, pool: PoolPlan) -> bool:
        on_the_way = [host for host in self._journal.standing(Kind.HOST) if host.state in IN_FLIGHT | ARRIVED]
        keys = [fold(host.id) for host in on_the_way if host.state != HostState.REVERTING]
        return any(fold(self._moves[key].source_pool) == fold(pool.source) for key in keys if key in self._moves)

    def _open_hosts(self, pool: PoolPlan, look: PoolLook) -> list[str]:
        """Folded classic keys of the hosts of a pool that take people and are not on their way."""
        gone = self.in_flight()
        keys = {fold(f"{pool.source}/{record['sessionHostName']}") for record in look.hosts if is_open(record)}
        return [key for key in keys if key in self._moves and key not in gone]

    def _source_demand(self, pool: PoolPlan, look: PoolLook) -> int:
        live = sum(1 for sessions in look.sessions.values() for session in sessions if not session.disconnected)
        return max(live, math.ceil(pool.expected_share * len(self._unseen_in(fold(pool.source)))))

    def is_handed_over(self, move: HostMove) -> bool:
        """Whether everybody of its pool has been taken out of classic, or classic has gone."""
        if self._orders.without_classic:
            return True
        last = [wave for wave in self._plan.waves if wave.kind == LAST and self._touches_pool(wave, move.source_pool)]
        return bool(last) and {name for wave in last for name in wave.retract} <= self.written()

    def _personal(self, move: HostMove, look: PoolLook) -> Verdict:
        """A personal host moves when its person is off; one without a person whenever nobody works on it."""
        sessions = look.sessions.get(fold(move.host_name), [])
        if move.assigned_user:
            return Verdict(*self._presence.is_off(move.source, sessions, quiet=self.quiet()))
        active = any(not session.disconnected for session in sessions)
        return Verdict(not active, "somebody works on it" if active else "it is nobody's")

    async def _look_at_desks(self) -> None:
        """See who works on their personal desktop, long before its turn comes. Nobody does where classic has gone."""
        if self._orders.without_classic:
            return
        for pool in self._plan.pools:
            if pool.personal:
                look = await self._source.look(pool.source, fresh_s=LOOK_FRESH_S)
                for move in self._moves.values():
                    if fold(move.source_pool) == fold(pool.source):
                        self._presence.note(move.source, look.sessions.get(fold(move.host_name), []))

    def quiet(self) -> bool:
        """Whether it is an hour in which people of personal desktops are off."""
        hours = self._orders.settings.quiet_hours
        if not hours:
            return True
        local = self._clock.now() + timedelta(hours=float(hours["utc_offset_hours"]))
        begin, end = _minutes(hours["from"]), _minutes(hours["to"])
        return within(local, begin, end)

    def in_flight(self) -> set[str]:
        """Folded keys of the hosts that are on their way, there or back."""
        return {fold(host.id) for host in self._journal.standing(Kind.HOST) if host.state in IN_FLIGHT}

    # -- may a host begin, where classic has gone?

    def turn(self, move: HostMove) -> bool:
        """Whether this host is among the first of those that are ready, as many as may be on their way besides the ones
        that are. Without classic there is no seat to wait for."""
        free = self._orders.settings.parallel_moves - len(self.in_flight())
        hosts = {fold(host.id): host.state for host in self._journal.standing(Kind.HOST)}
        ready = [key for key in self._turns if hosts.get(key) == HostState.STAGED]
        return fold(move.source) in ready[: max(0, free)]

    def unpublished(self, wave: Wave) -> list[str]:
        """Operations that publish people of shared pools with this wave and are not done, in order."""
        written = self.written()
        return [name for name in wave.publish if name not in written]

    # -- who may be published now?

    def admit(self, wave: Wave, *, all_of_it: bool = False) -> Facts:
        """Operations that publish people now: those of this wave and what earlier ones had to leave, as far as there
        are target seats for their peak. `all_of_it`: before the last classic hosts of a pool leave, everybody must have
        the target, headroom or not; raises StepFailed where even their bare peak finds no seats.
        """
        arrived = self._arrived_seats()
        operations: list[str] = []
        deferred = 0
        for pool in self._plan.pools:
            people, pending = self._waiting(pool, wave)
            seats = arrived.get(fold(pool.source), 0)
            room = len(pending) if pool.personal else self._room(pool, seats, len(people) - len(pending), all_of_it)
            if all_of_it and self._touches_pool(wave, pool.source) and room < len(pending):
                raise StepFailed(
                    f"{len(pending) - room} people of {pool.source} cannot be given the target.",
                    f"Its {seats} target seats are fewer than their peak wants.",
                    "Mend the hosts that failed, or add hosts to the target pool, then `crossfade resume`.",
                )
            chosen = list(pending)[: max(0, room)]
            deferred += len(pending) - len(chosen)
            operations += [name for person in chosen for name in pending[person]]
        return {"operations": operations, "deferred": deferred}

    def people_wait(self, move: HostMove, wave: Wave) -> bool:
        """Whether people of a pool could be published now, while none of its hosts is on its way: the wave has to come
        to its end for that, so nobody should make it wait."""
        on_their_way = {self._moves[key].source_pool for key in self.in_flight() if key in self._moves}
        if move.source_pool in on_their_way:
            return False
        pool = self._pools[fold(move.source_pool)]
        people, pending = self._waiting(pool, wave)
        if pool.personal or not pending:
            return bool(pending)
        seats = self._arrived_seats().get(fold(pool.source), 0)
        return self._room(pool, seats, len(people) - len(pending), all_of_it=False) > 0

    def _room(self, pool: PoolPlan, seats: int, published: int, all_of_it: bool) -> int:
        """How many more people the arrived seats of a pool can carry at their peak."""
        factor = 1.0 if all_of_it else 1.0 + self._orders.settings.headroom
        return math.floor(seats / (factor * pool.expected_share)) - published

    def _waiting(self, pool: PoolPlan, wave: Wave) -> tuple[set[str], dict[str, list[str]]]:
        """Folded UPNs of the people of a pool whom this wave or an earlier one publishes; and, of those not yet
        published, UPN -> operations, in order."""
        written = self.written()
        due: dict[str, list[str]] = {}
        unwritten: set[str] = set()
        for place, person, name in self._publishing.get(fold(pool.source), ()):
            if place > self._place[wave.id]:
                break
            due.setdefault(person, []).append(name)
            if name not in written:
                unwritten.add(person)
        return set(due), {person: names for person, names in due.items() if person in unwritten}

    def _touches_pool(self, wave: Wave, pool: str) -> bool:
        return any(fold(self._moves[fold(host)].source_pool) == fold(pool) for host in wave.hosts)

    def _arrived_seats(self) -> dict[str, int]:
        """Folded pool key -> seats of its hosts that take people on the target."""
        seats: dict[str, int] = {}
        for host in self._journal.standing(Kind.HOST):
            move = self._moves.get(fold(host.id)) if host.state in ARRIVED else None
            if move is not None:
                seats[fold(move.source_pool)] = seats.get(fold(move.source_pool), 0) + move.capacity
        return seats

    def written(self) -> set[str]:
        """Ids of the operations on people that are done. Looked up anew when somebody has been written since."""
        count = self._journal.finished(PEOPLE)
        if count != self._written_at:
            self._written_at, self._written_now = count, written(self._journal.standing(Kind.STEP, parent=PEOPLE))
        return self._written_now

    # -- who was seen there?

    def seen(self) -> dict[str, set[str]]:
        """Folded pool key -> folded UPNs of everybody who had a session on the target."""
        if self._seen is None:
            self._seen = {}
            notes = self._journal.events(kind="note", subject=SEEN_NOTE, after=self._orders.begun_after)
            _add(self._seen, ((pool, person) for note in notes for pool, person in note.data["pairs"]))
        return self._seen

    async def look_who_is_there(self) -> Facts:
        """Read the sessions of every target pool; note in the journal who is there for the first time."""
        await self._look_at_desks()
        known = self.seen()
        fresh: list[list[str]] = []
        for pool in self._plan.pools:
            key = fold(pool.source)
            there = set(await self._target.people_on(pool.target))
            fresh += [[key, person] for person in there - known.get(key, set())]
        if fresh:
            pairs: dict[str, Any] = {"pairs": sorted(fresh)}
            told = f"{len(fresh)} people for the first time"
            self._journal.note(SEEN_NOTE, told, run_id=self._orders.run_id, data=pairs)
            _add(known, fresh)
        return {"fresh": len(fresh)}

    def _keep_desk(self, data: dict[str, Any]) -> None:
        told = f"somebody works on {data['host']}" if data["working"] else f"nobody works on {data['host']}"
        self._journal.note(DESK_NOTE, told, run_id=self._orders.run_id, data=data)

    def people(self, pool: str) -> set[str]:
        """Folded UPNs of everybody whom the plan publishes in a pool."""
        return self._people.get(fold(pool), set())

    def unseen(self, pools: Iterable[str]) -> set[str]:
        """Folded UPNs of the people of these pools (folded keys) who were not seen on the target."""
        return {person for pool in pools for person in self._unseen_in(fold(pool))}

    def _unseen_in(self, pool: str) -> set[str]:
        return self.people(pool) - self.seen().get(pool, set())


def _add(known: dict[str, set[str]], pairs: Iterable[Iterable[str]]) -> None:
    for pool, person in pairs:
        known.setdefault(pool, set()).add(person)


def within(local: datetime, begin: int, end: int) -> bool:
    """Whether a time of day lies between two minutes of the day; a span may pass midnight."""
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _people_by_pool(plan: Plan) -> dict[str, set[str]]:
    """Folded pool key -> folded UPNs of everybody whom the plan publishes there."""
    found: dict[str, set[str]] = {}
    for group in plan.access:
        pool = fold(group.source.rsplit("/", 1)[0])
        found.setdefault(pool, set()).update(group.people)
    return found


def _publishing(plan: Plan) -> dict[str, list[tuple[int, str, str]]]:
    """Folded pool key -> (place of the wave, folded UPN, operation id) of what publishes its people, in order.

    The grant of an existing group lets all of its people in at once. It is no person more: it counts with the one of
    them who comes last, so that it is done when there are seats for everybody.
    """
    published_by = {
        operation.id: (fold(parent_key(operation.source or "")), fold(_label(operation)))
        for operation in plan.operations
        if isinstance(operation, GrantRole | AddMember)
    }
    groups = _of_groups(plan)
    found: dict[str, list[tuple[int, str, str]]] = {}
    turns: dict[tuple[str, str], int] = {}
    together: list[tuple[int, str, str]] = []
    for place, wave in enumerate(plan.waves):
        for name in wave.publish:
            pool, person = published_by[name]
            if name in groups:
                together.append((place, pool, name))
                continue
            turns.setdefault((pool, person), len(turns))
            found.setdefault(pool, []).append((place, person, name))
    for place, pool, name in together:
        last = max(groups[name], key=lambda person: turns.get((pool, person), -1))
        rows = found.setdefault(pool, [])
        rows.insert(_end_of(rows, place), (place, last, name))
    return found


def _of_groups(plan: Plan) -> dict[str, set[str]]:
    """Id of a grant that publishes an existing group -> folded UPNs of its people."""
    promised = promises(plan)
    grants = [operation for operation in plan.operations if isinstance(operation, GrantRole)]
    keys = {operation.id: (fold(operation.scope), fold(operation.principal)) for operation in grants}
    return {
        name: {fold(upn) for upn in promised[key].counted.values()} for name, key in keys.items() if key in promised
    }


def _end_of(rows: list[tuple[int, str, str]], place: int) -> int:
    """Where the rows of a wave end."""
    return next((at for at, row in enumerate(rows) if row[0] > place), len(rows))


def _label(operation: GrantRole | AddMember) -> str:
    return operation.member_label if isinstance(operation, AddMember) else operation.principal_label
