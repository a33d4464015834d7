"""Steering a run from another process: append a row to its journal's `command` table, and see what became of it.

Imports nothing heavy. The one process that works on the run reads new commands between steps and answers each.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from crossfade.clock import Clock, iso
from crossfade.errors import InputError, Problem
from crossfade.execution import records
from crossfade.execution.places import Place, PostgresPlace
from crossfade.execution.reader import JournalReader, refuse_earlier, version_of
from crossfade.execution.records import Command, our_errors

VERBS: Final = ("pause", "resume", "approve", "abort", "rollback", "set", "skip", "retry")


def give(
    place: Place, clock: Clock, verb: str, *, actor: str, subject: str = "", args: dict[str, Any] | None = None
) -> int:
    """Append a command to the journal at `place`; its id. Waits at most 5 s for the writer's transaction in flight.

    Raises InputError for a verb that nobody knows or a path without a journal, JournalMismatch for one that cannot be
    used.
    """
    if verb not in VERBS:
        problem = Problem(verb, "No run understands this command.", f"Use one of: {', '.join(VERBS)}.")
        raise InputError("The command cannot be given.", [problem])
    JournalReader.look(place).close()
    row = (iso(clock.now()), actor, verb, subject, records.json_text(args or {}))
    return _into_file(place, row) if isinstance(place, Path) else _into_database(place, row)


_INSERT = "INSERT INTO command (at, actor, verb, subject, args) VALUES (?, ?, ?, ?, ?) RETURNING id"


def _into_file(path: Path, row: tuple[str, ...]) -> int:
    with our_errors(path):
        connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
        try:
            refuse_earlier(version_of(connection, path), path)
            return int(connection.execute(_INSERT, row).fetchone()[0])
        finally:
            connection.close()


def _into_database(place: PostgresPlace, row: tuple[str, ...]) -> int:
    from crossfade.execution.postgres_store import PostgresStore

    store = PostgresStore.steering(place)
    try:
        return int(store.query(_INSERT, *row)[0][0])
    finally:
        store.release()


def answer_to(place: Place, command_id: int) -> Command | None:
    """The command as it stands now; its `state` is `new` until the run has answered it."""
    with JournalReader.look(place) as journal:
        return next((each for each in journal.commands(state=None) if each.id == command_id), None)
