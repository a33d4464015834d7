"""Steering a run from another process: append a row to its journal's `command` table, and see what became of it.

Imports nothing heavy. The one process that works on the run reads new commands between steps and answers each.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from crossfade.clock import Clock, iso
from crossfade.errors import InputError, Problem
from crossfade.execution import records
from crossfade.execution.reader import JournalReader, check_version
from crossfade.execution.records import Command, our_errors

VERBS: Final = ("pause", "resume", "approve", "abort", "rollback", "set", "skip", "retry")


def give(
    path: Path, clock: Clock, verb: str, *, actor: str, subject: str = "", args: dict[str, Any] | None = None
) -> int:
    """Append a command to the journal at `path`; its id. Waits at most 5 s for the writer's transaction in flight.

    Raises InputError for a verb that nobody knows or a path without a journal, JournalMismatch for one that cannot be
    used.
    """
    if verb not in VERBS:
        problem = Problem(verb, "No run understands this command.", f"Use one of: {', '.join(VERBS)}.")
        raise InputError("The command cannot be given.", [problem])
    JournalReader.look(path).close()
    row = (iso(clock.now()), actor, verb, subject, records.json_text(args or {}))
    with our_errors(path):
        connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
        try:
            check_version(connection, path)
            done = connection.execute(
                "INSERT INTO command (at, actor, verb, subject, args) VALUES (?, ?, ?, ?, ?)", row
            )
            assert done.lastrowid is not None, "an INSERT has a row id"
            return done.lastrowid
        finally:
            connection.close()


def answer_to(path: Path, command_id: int) -> Command | None:
    """The command as it stands now; its `state` is `new` until the run has answered it."""
    with JournalReader.look(path) as journal:
        return next((each for each in journal.commands(state=None) if each.id == command_id), None)
