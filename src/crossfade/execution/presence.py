"""When is the person of a personal desktop off? Judged by what was seen of them, not by an hour that suits everybody.

People of one pool work in many time zones. Somebody whose session we saw end is off until their next day; a quiet hour
of the operator's is right only for who lives by it, so it counts only for hosts whose person was not seen at all.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from crossfade.clock import Clock, iso, parse_iso
from crossfade.execution.source import LiveSession
from crossfade.model.ids import fold

GONE = timedelta(hours=4)
"""Nobody seen working for so long, after they were: no pause any more but the end of their day."""
FRESH = timedelta(hours=9)
"""So long after the end of their day the person of a host is surely still off."""
NEVER_SEEN = timedelta(hours=24)
"""Nobody seen for so long: on leave, or seldom there."""


class Person(msgspec.Struct):
    """What was seen of one host. `since` is the first look; `active_at` the last one that found them working; `working`
    what the last look found."""

    since: datetime
    active_at: datetime | None = None
    working: bool = False


Keep = Callable[[dict[str, Any]], None]
"""Told as plain data whatever must survive this process."""


class Presence:
    """Remembers, host by host, when somebody was last seen working. What changes goes to `keep`; `kept` is what an
    earlier process told there, in its order.

    Of somebody who was working when that process ended, the end of their day was not seen: it counts from the first
    look that finds them gone, never earlier.
    """

    def __init__(self, clock: Clock, kept: Iterable[dict[str, Any]] = (), keep: Keep = lambda _: None) -> None:
        self._clock = clock
        self._keep = keep
        self._people = {str(data["host"]): _person(data) for data in kept}
        self._cut_off = {host for host, person in self._people.items() if person.working}

    def note(self, host: str, sessions: list[LiveSession]) -> None:
        """Take in a look at a host's sessions."""
        key, now = fold(host), self._clock.now()
        known = self._people.get(key)
        person = self._people.setdefault(key, Person(since=now))
        working = any(not session.disconnected for session in sessions)
        if working or key in self._cut_off:
            person.active_at = now
        self._cut_off.discard(key)
        if known is None or working != person.working:
            person.working = working
            active_at = iso(person.active_at) if person.active_at else ""
            self._keep({"host": key, "since": iso(person.since), "active_at": active_at, "working": working})

    def is_off(self, host: str, sessions: list[LiveSession], *, quiet: bool) -> tuple[bool, str]:
        """Whether the person of a host is off now, and why one may say so."""
        self.note(host, sessions)
        now, person = self._clock.now(), self._people[fold(host)]
        if person.working:
            return False, "its person is working"
        if person.active_at is None:
            waited = now - person.since >= NEVER_SEEN
            return waited and quiet, "its person was not seen for a day" if waited else "its person may come any moment"
        gone = now - person.active_at
        if gone < GONE:
            return False, "its person was there a moment ago"
        if gone > FRESH and not (gone >= NEVER_SEEN and quiet):
            return False, "its person may come back any moment"
        return True, "its person has ended their day"


def _person(data: dict[str, Any]) -> Person:
    active_at = parse_iso(data["active_at"]) if data["active_at"] else None
    return Person(since=parse_iso(data["since"]), active_at=active_at, working=bool(data["working"]))
