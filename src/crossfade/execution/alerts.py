"""Somebody is needed: a gate waits for a yes, or the run holds. Each alert is a note in the journal, raised once."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from crossfade.clock import Clock, iso
from crossfade.errors import MigrationError
from crossfade.execution.hooks import Hooks
from crossfade.execution.journal import Journal
from crossfade.execution.steps import Facts
from crossfade.model.alerts import Alert

ALERT = "alert"
"""Subject of the notes; `data` is the Alert."""


class Alerts:
    """The alerts of one run. `tell` takes one to people."""

    def __init__(
        self, journal: Journal, clock: Clock, run_id: str, hooks: Hooks, tell: Callable[[Alert], None]
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._hooks = hooks
        self._tell = tell

    async def call(self, kind: str, of: str, why: str, command: str, until: datetime | None = None) -> Facts:
        """Raise one. A delivery that fails is noted and stops nothing."""
        known = sum(1 for note in self._journal.events(kind="note", subject=ALERT) if note.run_id == self._run_id)
        alert = Alert(
            id=f"alert-{known + 1:03d}",
            kind=kind,
            of=of,
            run_id=self._run_id,
            why=why,
            command=command,
            raised_at=iso(self._clock.now()),
            until=iso(until) if until is not None else "",
        )
        data = msgspec.to_builtins(alert)
        self._journal.note(ALERT, f"{kind}: {of}: {why}", run_id=self._run_id, data=data)
        try:
            self._tell(alert)
        except MigrationError as error:
            self._journal.note("alert-not-delivered", f"{alert.id}: {error}", run_id=self._run_id)
        variables = {"WHAT": kind, "OF": of, "WHY": why, "COMMAND": command, "UNTIL": alert.until, "ALERT": alert.id}
        await self._hooks.after("at_gate", variables)
        return {"alert": alert.id}
