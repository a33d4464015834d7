"""Rows of the journal as frozen structs, the text forms they are stored and hashed in, and SQLite's errors as ours."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from crossfade.errors import MigrationError, StoreLost

SCHEMA_VERSION = 1
GENESIS = "0" * 64
"""The hash before the first event."""


class Entity(msgspec.Struct, frozen=True):
    """A run, wave, host or step as it stands. Times are ISO 8601 UTC; `parent` is the id one level up."""

    id: str
    run_id: str
    parent: str | None
    state: str
    attempt: int
    added_at: str
    moved_at: str
    reason: str
    data: dict[str, Any]


class Standing(msgspec.Struct, frozen=True):
    """An entity without what it holds."""

    id: str
    parent: str | None
    state: str


class Event(msgspec.Struct, frozen=True):
    """One thing that happened, for ever. A note has no states; a first state has no `from_state`."""

    seq: int
    at: str
    actor: str
    kind: str
    subject: str
    run_id: str
    parent: str | None
    from_state: str | None
    to_state: str | None
    reason: str
    request_id: str
    correlation_id: str
    data: dict[str, Any]
    prev_hash: str
    hash: str


class Command(msgspec.Struct, frozen=True):
    """What somebody asked of the run from another process. `state` is new, done or refused."""

    id: int
    at: str
    actor: str
    verb: str
    subject: str
    args: dict[str, Any]
    state: str
    answer: str
    answered_at: str | None


class Lease(msgspec.Struct, frozen=True):
    """Who works on the run, and when they last said so."""

    fence: int
    holder: str
    acquired_at: str
    heartbeat_at: str
    released_at: str | None


ENTITY_COLUMNS = ", ".join(Entity.__struct_fields__)
EVENT_COLUMNS = ", ".join(Event.__struct_fields__)
COMMAND_COLUMNS = ", ".join(Command.__struct_fields__)
LEASE_COLUMNS = ", ".join(Lease.__struct_fields__)

_entity_data = Entity.__struct_fields__.index("data")
_event_data = Event.__struct_fields__.index("data")
_command_args = Command.__struct_fields__.index("args")


def entity(row: tuple[Any, ...]) -> Entity:
    return Entity(*(*row[:_entity_data], msgspec.json.decode(row[_entity_data])))


def event(row: tuple[Any, ...]) -> Event:
    return Event(*(*row[:_event_data], msgspec.json.decode(row[_event_data]), *row[_event_data + 1 :]))


def command(row: tuple[Any, ...]) -> Command:
    return Command(*(*row[:_command_args], msgspec.json.decode(row[_command_args]), *row[_command_args + 1 :]))


# -- text forms

_SECRET = re.compile(r"(?i:bearer\s+)[\w.~+/=-]{8,}|\beyJ[\w-]{8,}\.[\w-]{4,}(\.[\w-]*)?")


def json_text(data: dict[str, Any]) -> str:
    """Sorted JSON. A bearer header or JWT that got this far is removed: the last line of defence, not the first."""
    return without_secrets(msgspec.json.encode(data, order="sorted").decode())


def without_secrets(text: str) -> str:
    return _SECRET.sub("[removed]", text)


def event_hash(prev_hash: str, fields: tuple[Any, ...]) -> str:
    """sha256 over the previous hash and the event's fields from `seq` to `data` as they are stored."""
    return hashlib.sha256(prev_hash.encode() + b"\n" + msgspec.json.encode(fields)).hexdigest()


# -- SQLite's errors

_MEND_BY_CODE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_READONLY: ("it cannot be written", "Give this user write access to the file and its folder."),
    sqlite3.SQLITE_PERM: ("access was denied", "Give this user access to the file and its folder."),
    sqlite3.SQLITE_FULL: ("the disk is full", "Make room on the disk, then run `crossfade resume`: nothing is lost."),
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged",
        "Keep it, put back the latest good copy, remove engine.db and rollback.db, then run `crossfade resume`: steps "
        "that the copy does not know are looked at before they are done.",
    ),
    sqlite3.SQLITE_NOTADB: ("it is no SQLite file", "Point to the run's own folder, or restore its journal.db."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Check the path, and that the folder exists and can be written."),
    sqlite3.SQLITE_BUSY: ("another process keeps it locked", "Close the program that holds it, then try again."),
    sqlite3.SQLITE_LOCKED: ("another process keeps it locked", "Close the program that holds it, then try again."),
    sqlite3.SQLITE_IOERR: ("the disk failed", "Check the disk, then run `crossfade resume`: nothing is lost."),
}


ENGINE_MEND = "It holds no truth: remove it and run `crossfade resume`, which rebuilds it from the journal."
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def journal_error(error: sqlite3.Error, path: Path) -> StoreLost:
    """What SQLite said, as our error with its mend. Extended codes fall back to their primary one."""
    unknown = (f"SQLite says: {error}", "Restore the journal from a copy, then resume.")
    why, mend = _MEND_BY_CODE.get(_code(error), unknown)
    return StoreLost(f"The journal {path} cannot be used: {why}.", f"({type(error).__name__}: {error})", mend)


def engine_error(error: sqlite3.Error, path: Path) -> StoreLost:
    """The same of the engine's store, which can be rebuilt where it cannot be mended."""
    why, mend = _MEND_BY_CODE.get(_code(error), (f"SQLite says: {error}", ENGINE_MEND))
    mend = ENGINE_MEND if _code(error) in _BROKEN else mend
    return StoreLost(f"The engine's store {path} cannot be used: {why}.", f"({type(error).__name__}: {error})", mend)


def _code(error: sqlite3.Error) -> int:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else -1


@contextmanager
def our_errors(path: Path) -> Iterator[None]:
    """Raise StoreLost for whatever SQLite raises inside."""
    try:
        yield
    except MigrationError:
        raise
    except sqlite3.Error as error:
        raise journal_error(error, path) from error
