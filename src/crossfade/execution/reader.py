"""Reading the journal, from any process and while another one writes: for `status`, reports and tests.

Imports nothing heavy: `status` must feel instant.
"""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from crossfade.clock import parse_iso
from crossfade.errors import InputError, JournalMismatch, Problem
from crossfade.execution import records
from crossfade.execution.migrations import upgraded_copy
from crossfade.execution.places import Place, PostgresPlace
from crossfade.execution.records import (
    COMMAND_COLUMNS,
    ENTITY_COLUMNS,
    EVENT_COLUMNS,
    GENESIS,
    LEASE_COLUMNS,
    SCHEMA_VERSION,
    Command,
    Entity,
    Event,
    Lease,
    Standing,
    our_errors,
)
from crossfade.execution.store import SqliteStore, Store
from crossfade.execution.transitions import ALLOWED, Kind, StepState


class JournalReader:
    """A journal that one may look at. Close it when done, or use it in a `with`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.path = store.place

    @classmethod
    def look(cls, place: Place) -> "JournalReader":
        """Open an existing journal for reading only.

        A file of an earlier version is read as it would be after its upgrade; it stays as it is.

        Raises InputError when there is none, JournalMismatch when it cannot be read or is from a newer version.
        """
        return JournalReader(reading(place))

    def close(self) -> None:
        self._store.release()

    def __enter__(self) -> "JournalReader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # -- entities

    def get(self, kind: Kind, id: str) -> Entity | None:
        row = self._one(f"SELECT {ENTITY_COLUMNS} FROM {Kind(kind)} WHERE id = ?", id)
        return None if row is None else records.entity(row)

    def all(self, kind: Kind, *, parent: str | None = None, state: str | None = None) -> list[Entity]:
        """Entities of a kind, by id; of one parent, or in one state, when asked."""
        where = "WHERE (? IS NULL OR parent = ?) AND (? IS NULL OR state = ?) ORDER BY id"
        rows = self._all(f"SELECT {ENTITY_COLUMNS} FROM {Kind(kind)} {where}", parent, parent, state, state)
        return [records.entity(row) for row in rows]

    def standing(self, kind: Kind, *, parent: str | None = None) -> list[Standing]:
        """How entities stand, without what they hold: for counting many of them often."""
        rows = self._all(f"SELECT id, parent, state FROM {Kind(kind)} WHERE (? IS NULL OR parent = ?)", parent, parent)
        return [Standing(*row) for row in rows]

    def finished(self, parent: str) -> int:
        """How many steps of a parent are finished; a finished one stays so, hence this only grows."""
        row = self._one("SELECT count(*) FROM step WHERE parent = ? AND state IN ('done', 'noop')", parent)
        assert row is not None, "a count is always one row"
        return int(row[0])

    def unknown_steps(self) -> list[Entity]:
        """Steps with an intent and no outcome: in flight, or cut off by a crash."""
        return self.all(Kind.STEP, state=StepState.BEGUN)

    # -- events, commands, lease

    def events(self, *, kind: str | None = None, subject: str | None = None, after: int = 0) -> Iterator[Event]:
        """Events in order, after a sequence number; of one kind or subject when asked."""
        sql = (
            f"SELECT {EVENT_COLUMNS} FROM event WHERE seq > ? AND (? IS NULL OR kind = ?) "
            "AND (? IS NULL OR subject = ?) ORDER BY seq"
        )
        return (records.event(row) for row in self._all(sql, after, kind, kind, subject, subject))

    def last_at(self) -> str:
        """When the journal was last written to, as ISO time; empty for one without events."""
        row = self._one("SELECT at FROM event ORDER BY seq DESC LIMIT 1")
        return "" if row is None else str(row[0])

    def notes(self, subject: str) -> Iterator[Event]:
        """Notes on a subject in order; quick however long the journal is."""
        sql = f"SELECT {EVENT_COLUMNS} FROM event WHERE kind = ? AND subject = ? ORDER BY seq"
        return (records.event(row) for row in self._all(sql, "note", subject))

    def last_seq(self) -> int:
        """The number of the last event, 0 in a new journal."""
        return self._last_event()[0]

    def commands(self, state: str | None = "new") -> list[Command]:
        """Commands in the order they were given; by default those nobody answered yet."""
        sql = f"SELECT {COMMAND_COLUMNS} FROM command WHERE (? IS NULL OR state = ?) ORDER BY id"
        return [records.command(row) for row in self._all(sql, state, state)]

    def lease(self) -> Lease | None:
        row = self._one(f"SELECT {LEASE_COLUMNS} FROM lease WHERE id = 1")
        return None if row is None else Lease(*row)

    def is_held(self) -> bool:
        """Whether a process holds a journal in a database, as the server knows. Of a file its lock is asked."""
        return self._store.is_held()

    # -- proof

    def verify(self) -> int:
        """Replay the chain and compare everything with it; the number of events.

        Raises JournalMismatch naming the first thing that is not as it was written.
        """
        replayed: dict[tuple[str, str], list[Any]] = {}
        count, head = 0, GENESIS
        for row in self._all(f"SELECT {EVENT_COLUMNS} FROM event ORDER BY seq"):
            count += 1
            _check_link(row, count, head)
            head = row[-1]
            if row[3] in ALLOWED:
                self._replay(replayed, row)
        if self._last_event() != (count, head) or self._meta("head") != f"{count} {head}":
            raise _broken(f"after event {count}", "events are missing at the end")
        self._compare(replayed)
        self._compare_commands()
        return count

    def _replay(self, replayed: dict[tuple[str, str], list[Any]], row: tuple[Any, ...]) -> None:
        seq, at, _, kind, subject, run_id, parent, before, to, reason, _, _, data, *_ = row
        known = replayed.get((kind, subject))
        if before is None:
            if known is not None:
                raise _broken(f"event {seq}", f"{kind} {subject} begins twice")
            replayed[kind, subject] = [subject, run_id, parent, to, 1, at, at, reason, data]
            return
        if known is None or known[3] != before or to not in ALLOWED[Kind(kind)][before]:
            raise _broken(f"event {seq}", f"{kind} {subject} may not go from {before} to {to}")
        again = 1 if kind == Kind.STEP and to == StepState.BEGUN else 0
        merged = self._store.merge(known[8], data)
        replayed[kind, subject] = [*known[:3], to, known[4] + again, known[5], at, reason, merged]

    def _compare(self, replayed: dict[tuple[str, str], list[Any]]) -> None:
        for kind in Kind:
            stored = {row[0]: list(row) for row in self._all(f"SELECT {ENTITY_COLUMNS} FROM {kind}")}
            told = {subject: row for (each, subject), row in replayed.items() if each == kind}
            for id in sorted(stored.keys() | told.keys()):
                if stored.get(id) != told.get(id):
                    raise _broken(f"{kind} {id}", "it is not what its events add up to")

    def _compare_commands(self) -> None:
        """Each answered command is in the chain with its answer, and none that was answered is missing."""
        chain = {int(event.data["id"]): event for event in self.events(kind="command")}
        rows = {each.id: each for each in self.commands(state=None) if each.state != "new"}
        for id in sorted(rows.keys() | chain.keys()):
            row, event = rows.get(id), chain.get(id)
            if row is None or event is None or not _was_answered_so(row, event):
                raise _broken(f"command {id}", "it is not what the run answered")

    # -- plumbing

    def _last_event(self) -> tuple[int, str]:
        row = self._one("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1")
        return (0, GENESIS) if row is None else (row[0], row[1])

    def _meta(self, name: str) -> str | None:
        row = self._one("SELECT value FROM meta WHERE name = ?", name)
        return None if row is None else row[0]

    def _one(self, sql: str, *args: Any) -> tuple[Any, ...] | None:
        return next(iter(self._store.query(sql, *args)), None)

    def _all(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self._store.query(sql, *args)


def reading(place: Place) -> Store:
    """The store of an existing journal, for reading only; see `JournalReader.look`."""
    return _reading_file(place) if isinstance(place, Path) else _reading_database(place)


def _reading_file(path: Path) -> Store:
    if not path.is_file():
        mend = "Name the run's folder with --dir, or start a run with `crossfade apply`."
        raise InputError("There is no run here.", [Problem(str(path), "No journal at this path.", mend)])
    with our_errors(path):
        connection = _read_only(path)
        try:
            found = version_of(connection, path)
        except BaseException:
            connection.close()
            raise
        if found != SCHEMA_VERSION:
            connection = upgraded_copy(connection, found)
        return SqliteStore(connection, path)


def _reading_database(place: PostgresPlace) -> Store:
    from crossfade.execution.postgres_store import PostgresStore

    store = PostgresStore.reading(place)
    try:
        refuse_earlier(version_of_store(store), place)
    except BaseException:
        store.release()
        raise
    return store


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The schema of a journal, ours or an earlier one. Raises JournalMismatch for a newer one, and for no journal."""
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        row = None
    return _known_version(row[0] if row else None, path)


def version_of_store(store: Store) -> int:
    """The same of a journal in a database, which has the table: it was looked for."""
    rows = store.query("SELECT value FROM meta WHERE name = 'schema_version'")
    return _known_version(rows[0][0] if rows else None, store.place)


def _known_version(found: str | None, place: Place) -> int:
    if found is None or not found.isdigit():
        raise JournalMismatch(f"{place} is no journal.", "It has no schema version.", "Name the run's own folder.")
    if int(found) > SCHEMA_VERSION:
        why = f"Its schema is {found}, ours {SCHEMA_VERSION}."
        mend = "Use the version of Crossfade that wrote it, or a newer one."
        raise JournalMismatch(f"{place} was written by a newer Crossfade.", why, mend)
    if int(found) < 1:
        raise JournalMismatch(f"{place} has schema {found}.", "No Crossfade wrote that.", "Restore it from a copy.")
    return int(found)


def refuse_earlier(found: int, place: Place) -> None:
    """Raises JournalMismatch for a journal of an earlier schema: whoever does not hold it brings it not up to date."""
    if found != SCHEMA_VERSION:
        why = f"Its schema is {found}, ours {SCHEMA_VERSION}."
        mend = "`crossfade resume` brings it up to date; say it again then."
        raise JournalMismatch(f"{place} was written by an earlier Crossfade.", why, mend)


def _read_only(path: Path) -> sqlite3.Connection:
    """Through the WAL where the folder lets us, else (a copy on read-only media) as a file that nobody changes."""
    where = path.resolve().as_uri()
    connection = sqlite3.connect(f"{where}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        if path.with_name(path.name + "-wal").exists():
            raise
    return sqlite3.connect(f"{where}?immutable=1", uri=True, isolation_level=None)


def _check_link(row: tuple[Any, ...], count: int, head: str) -> None:
    if row[0] != count:
        raise _broken(f"event {count}", "it is missing")
    if row[-2] != head or records.event_hash(head, row[:-2]) != row[-1]:
        raise _broken(f"event {count}", "it is not what was written")


ANSWERED_WITHIN = timedelta(minutes=1)
"""Earlier versions read the clock for the command first, then for its event."""


def _was_answered_so(row: Command, event: Event) -> bool:
    said = event.data
    told = (said["at"], event.actor, said["verb"], said["args"], event.to_state, event.reason, event.subject)
    if (row.at, row.actor, row.verb, row.args, row.state, row.answer, row.subject or row.verb) != told:
        return False
    try:
        return timedelta(0) <= parse_iso(event.at) - parse_iso(row.answered_at or "") <= ANSWERED_WITHIN
    except ValueError:
        return False


def _broken(where: str, why: str) -> JournalMismatch:
    return JournalMismatch(
        f"The journal is broken at {where}: {why}.",
        "Its events are chained by hash, so somebody or something changed it.",
        "Keep this file as evidence, restore a copy, and let `crossfade resume` observe every host.",
    )
