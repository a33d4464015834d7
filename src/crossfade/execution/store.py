"""The port between the journal and whatever keeps it: the same statements on SQLite and on PostgreSQL.

Statements are written with `?`. What the two say differently is a method here: a guarded change of a row, merging JSON,
and who holds the journal.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from crossfade.execution.lock import FileLock
from crossfade.execution.places import Place
from crossfade.execution.records import our_errors

Row = tuple[Any, ...]


class Done(Protocol):
    """What a statement did."""

    @property
    def rowcount(self) -> int: ...


class Change(msgspec.Struct, frozen=True):
    """A move of one row. `patch` is merged into its data (RFC 7396), `allowed` are the states it may come from."""

    table: str
    id: str
    to: str
    at: str
    reason: str
    patch: str
    again: int
    allowed: Sequence[str]


class Store(Protocol):
    """One open journal."""

    @property
    def place(self) -> Place: ...

    def errors(self) -> AbstractContextManager[None]:
        """Inside, what the library raises arrives as StoreLost."""
        ...

    def query(self, sql: str, *args: Any) -> list[Row]: ...

    def execute(self, sql: str, args: Sequence[Any] = ()) -> Done: ...

    def begin(self, fence: int) -> None:
        """Begin a transaction. Raises LeaseLost when the lease bears another number than `fence`, unless that is 0."""
        ...

    def commit(self) -> None: ...

    def undo(self) -> None:
        """Roll the transaction back, if one is open."""
        ...

    def change(self, change: Change) -> Done:
        """Move a row, if it stands in one of the allowed states: then exactly one row was changed."""
        ...

    def merge(self, into: str, patch: str) -> str:
        """Two JSON texts merged, byte for byte as `change` merges them."""
        ...

    def is_held(self) -> bool:
        """Whether a process holds it for writing, as far as this store can tell."""
        ...

    def release(self) -> None:
        """Close it, and let another process hold it."""
        ...


class SqliteStore:
    """A journal in a file. A lock beside the file is what keeps a second writer away."""

    def __init__(self, connection: sqlite3.Connection, place: Path, lock: FileLock | None = None) -> None:
        self.connection = connection
        self.place: Place = place
        self._path = place
        self._lock = lock

    def errors(self) -> AbstractContextManager[None]:
        return our_errors(self._path)

    def query(self, sql: str, *args: Any) -> list[Row]:
        with self.errors():
            return self.connection.execute(sql, args).fetchall()

    def execute(self, sql: str, args: Sequence[Any] = ()) -> Done:
        return self.connection.execute(sql, args)

    def begin(self, fence: int) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.connection.execute("COMMIT")

    def undo(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def change(self, change: Change) -> Done:
        allowed = msgspec.json.encode(list(change.allowed)).decode()
        row = (change.to, change.at, change.reason, change.patch, change.again, change.id, allowed)
        return self.connection.execute(
            f"UPDATE {change.table} SET state = ?, moved_at = ?, reason = ?, data = json_patch(data, ?), "
            "attempt = attempt + ? WHERE id = ? AND state IN (SELECT value FROM json_each(?))",
            row,
        )

    def merge(self, into: str, patch: str) -> str:
        ((merged,),) = self.query("SELECT json_patch(?, ?)", into, patch)
        return str(merged)

    def is_held(self) -> bool:
        return self._lock is not None

    def release(self) -> None:
        self.connection.close()
        if self._lock is not None:
            self._lock.release()
