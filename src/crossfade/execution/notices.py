"""Who has to be told, decided from the plan and the journal; each notice is a note in the journal, so nobody is told
twice by a resumed run. Whoever delivers them (files, a hook) is given at composition.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

import msgspec

from crossfade.clock import Clock, iso, parse_iso
from crossfade.errors import MigrationError
from crossfade.execution.journal import Journal
from crossfade.execution.orders import Orders
from crossfade.execution.reader import JournalReader
from crossfade.execution.seats import Seats
from crossfade.execution.steps import Facts
from crossfade.model.ids import fold, parent_key, same
from crossfade.model.notices import MOVED, REMINDER, RETURNED, Notice
from crossfade.plan.operations import AddMember, GrantRole
from crossfade.plan.plan import Plan, Wave

NOTICE = "notice"
"""Subject of the notes; `data` is the Notice."""
NOT_DELIVERED = "notice-not-delivered"
ACTS_AFTER_S = 600.0
"""A role assignment may take up to ten minutes to act (facts/arm-service 5.3)."""
REMIND_EVERY_S = 4 * 3_600.0
Deliver = Callable[[Notice], None]
Pair = tuple[str, str]
"""A folded UPN and the id of an application group."""


class Told(NamedTuple):
    """What somebody was told of: application groups; how often they were reminded since, and when last told."""

    groups: list[str]
    times: int
    last: str


_NOBODY = Told([], 0, "")


def nowhere(notice: Notice) -> None:
    """Delivery of a run that nobody is told of: tests, and commands that issue no notices."""


def issued(journal: JournalReader, run_id: str) -> Iterator[tuple[int, Notice]]:
    """The notices of a run in order, each with the number of its event."""
    for note in journal.events(kind="note", subject=NOTICE):
        if note.run_id == run_id:
            yield note.seq, msgspec.convert(note.data, Notice)


class Notices:
    """The notices of one run."""

    def __init__(
        self, plan: Plan, journal: Journal, clock: Clock, orders: Orders, seats: Seats, deliver: Deliver = nowhere
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._clock = clock
        self._orders = orders
        self._seats = seats
        self._deliver = deliver
        self._issued: list[tuple[int, Notice]] | None = None
        self._personal = {fold(pool.source) for pool in plan.pools if pool.personal}
        self._pool = {group.target: parent_key(group.source) for group in plan.access}
        self._grants = _grants(plan)

    def moved(self, wave: Wave) -> Facts:
        """Tell the people of pooled pools what is theirs by now, with this wave or an earlier one, and nobody has told
        them of yet."""
        pairs = [pair for pair in self._grants if not self._is_personal(pair[1])]
        return self._issue_moved(wave.id, pairs)

    def moved_host(self, host: str, wave: Wave) -> Facts:
        """Tell the people of a personal host that has just been given to them."""
        return self._issue_moved(host, self._of_hosts([host], [wave]))

    def remind(self) -> Facts:
        """Tell again those who were told a good while ago and have not been seen on the target since; not one by one,
        but a few times a day."""
        settings, now = self._plan.settings, self._clock.now()
        last = max((n.issued_at for _, n in self._all() if n.kind == REMINDER), default="")
        if last and now - parse_iso(last) < timedelta(seconds=REMIND_EVERY_S):
            return {"people": 0}
        due = now - timedelta(seconds=settings.reminder_s)
        seen = set[str]().union(*self._seats.seen().values())
        people = {
            person: known.groups
            for person, known in self._told().items()
            if person not in seen and known.times < settings.reminders and parse_iso(known.last) <= due
        }
        return self._issue(REMINDER, "run", people)

    def returned(self, of: str, *, pool: str = "", hosts: Iterable[str] = ()) -> Facts:
        """Tell those who were told of the move, of a pooled pool or of these personal hosts, that classic is theirs
        again."""
        pairs = self._of_hosts(hosts, self._plan.waves)
        if pool:
            pairs = [(person, group) for person, group in self._grants if same(self._pool[group], pool)]
        told = self._told()
        return self._issue(RETURNED, of, _by_person(p for p in pairs if p[0] in told and p[1] in told[p[0]].groups))

    def _issue_moved(self, of: str, pairs: Iterable[Pair]) -> Facts:
        told, written = self._told(), self._seats.written()
        new = [
            (person, group)
            for person, group in pairs
            if group not in told.get(person, _NOBODY).groups and written.issuperset(self._grants[person, group])
        ]
        return self._issue(MOVED, of, _by_person(new))

    def _of_hosts(self, hosts: Iterable[str], waves: Iterable[Wave]) -> list[Pair]:
        """What the personal hosts' people get with them."""
        going = set(hosts)
        names = {
            name
            for wave in waves
            for host in going & wave.publish_by_host.keys()
            for name in wave.publish_by_host[host]
        }
        return [pair for pair, grants in self._grants.items() if names & grants and self._is_personal(pair[1])]

    def _is_personal(self, group: str) -> bool:
        return fold(self._pool[group]) in self._personal

    def deliver(self, notice: Notice) -> None:
        """Hand a notice over. One that cannot be is noted and stops nothing: the journal has it, `crossfade notices`
        prints it."""
        try:
            self._deliver(notice)
        except MigrationError as error:
            self._journal.note(NOT_DELIVERED, f"{notice.id}: {error}", run_id=self._orders.run_id)

    def _issue(self, kind: str, of: str, people: dict[str, list[str]]) -> Facts:
        """Into the journal first, then to whoever delivers."""
        if not people:
            return {"people": 0}
        now = self._clock.now()
        wait = timedelta(seconds=ACTS_AFTER_S if kind == MOVED else 0)
        notice = Notice(
            id=f"notice-{len(self._all()) + 1:03d}",
            kind=kind,
            of=of,
            people=people,
            issued_at=iso(now),
            send_from=iso(now + wait),
        )
        told = f"{kind}: {len(people)} people of {of} are to be told"
        self._journal.note(NOTICE, told, run_id=self._orders.run_id, data=msgspec.to_builtins(notice))
        self._all().append((self._journal.last_seq(), notice))
        self.deliver(notice)
        return {"people": len(people), "notice": notice.id}

    def _all(self) -> list[tuple[int, Notice]]:
        if self._issued is None:
            self._issued = list(issued(self._journal, self._orders.run_id))
        return self._issued

    def _told(self) -> dict[str, Told]:
        """Folded UPN -> what they know, since the run was last rolled back as a whole."""
        told: dict[str, Told] = {}
        for seq, notice in self._all():
            for person, groups in notice.people.items() if seq > self._orders.begun_after else ():
                known = told.get(person, _NOBODY)
                if notice.kind == RETURNED:
                    told[person] = Told([group for group in known.groups if group not in groups], 0, known.last)
                else:
                    both = list(dict.fromkeys([*known.groups, *groups]))
                    told[person] = Told(both, known.times + 1 if notice.kind == REMINDER else 0, notice.send_from)
        return {person: known for person, known in told.items() if known.groups}


def _grants(plan: Plan) -> dict[Pair, frozenset[str]]:
    """(folded UPN, id of an application group) -> the operations that give it to them: their own, or where there is
    none those that give it to a group that they are in."""
    own: dict[Pair, set[str]] = {}
    shared: dict[str, set[str]] = {}
    nicknames: dict[str, list[str]] = {}
    for group in plan.access:
        if group.directory_group:
            nicknames.setdefault(fold(f"group:{group.directory_group}"), []).append(group.target)
    people = {group.target: group.people.keys() for group in plan.access}
    targets = {fold(group.target): group.target for group in plan.access}
    for operation in plan.operations:
        if isinstance(operation, AddMember):
            for target in nicknames.get(fold(operation.subject), []):
                own.setdefault((fold(operation.member_label), target), set()).add(operation.id)
        elif isinstance(operation, GrantRole) and fold(operation.scope) in targets:
            target = targets[fold(operation.scope)]
            person = fold(operation.principal_label)
            if operation.principal_type == "User" and person in people[target]:
                own.setdefault((person, target), set()).add(operation.id)
            else:
                shared.setdefault(target, set()).add(operation.id)
    pairs = [(person, group.target) for group in plan.access for person in sorted(group.people)]
    found = {pair: frozenset(own.get(pair) or shared.get(pair[1]) or set()) for pair in pairs}
    return {pair: grants for pair, grants in found.items() if grants}


def _by_person(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for person, group in sorted(pairs):
        found.setdefault(person, []).append(group)
    return found
