"""When is the person of a personal desktop off? Judged by what was seen of them, not by an hour that suits everybody.

People of one pool work in many time zones. Somebody whose session we saw end is off until their next day; a quiet hour
of the operator's is right only for who lives by it, so it counts only for hosts whose person was not seen at all.
"""

from datetime import datetime, timedelta

import msgspec

from crossfade.clock import Clock
from crossfade.execution.source import LiveSession
from crossfade.model.ids import fold

GONE = timedelta(hours=4)
"""Nobody seen working for so long, after they were: no pause any more but the end of their day."""
FRESH = timedelta(hours=9)
"""So long after the end of their day the person of a host is surely still off."""
NEVER_SEEN = timedelta(hours=24)
"""Nobody seen for so long: on leave, or seldom there."""


class Person(msgspec.Struct):
    """What was seen of one host. `since` is the first look; `active_at` the last one that found them working."""

    since: datetime
    active_at: datetime | None = None


class Presence:
    """Remembers, host by host, when somebody was last seen working. Kept in memory: after a restart it begins to look
    anew, and hosts wait a little longer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._people: dict[str, Person] = {}

    def note(self, host: str, sessions: list[LiveSession]) -> None:
        """Take in a look at a host's sessions."""
        now = self._clock.now()
        person = self._people.setdefault(fold(host), Person(since=now))
        if any(not session.disconnected for session in sessions):
            person.active_at = now

    def is_off(self, host: str, sessions: list[LiveSession], *, quiet: bool) -> tuple[bool, str]:
        """Whether the person of a host is off now, and why one may say so."""
        self.note(host, sessions)
        now, person = self._clock.now(), self._people[fold(host)]
        if person.active_at == now:
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
