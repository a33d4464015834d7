"""The store of the durable engine: by which bodies it was written, and its removal.

It remembers steps by their number. Bodies that have changed since take other steps, so a store that others wrote is not
gone on with: it is removed, and the journal rebuilds it. That may always be done; nothing is in it that the journal has
not.
"""

import contextlib
import hashlib
import sqlite3
from functools import cache
from pathlib import Path

from crossfade import __version__
from crossfade.execution.places import Place, PostgresPlace

_VERSIONS = "SELECT DISTINCT application_version FROM workflow_status"


@cache
def bodies_version() -> str:
    """Of the bodies of this program, and of all they run by: the release, and a digest of the sources."""
    digest = hashlib.sha256(__version__.encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def is_of_others(store: Place) -> bool:
    """Whether other bodies than this program's have written there. False for a store that is none, or cannot be read:
    whoever opens it says so. Raises DatabaseLost when the database does not answer."""
    found = _of_file(store) if isinstance(store, Path) else _of_schema(store)
    return bool(found - {bodies_version()})


def forget(store: Place) -> None:
    """Remove it. Raises JournalMismatch when the database refuses, DatabaseLost when it does not answer."""
    if isinstance(store, PostgresPlace):
        from crossfade.execution.postgres_store import forget as forget_schema

        forget_schema(store)
        return
    for suffix in ("", "-wal", "-shm"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)


def _of_file(store: Path) -> set[str]:
    if not store.exists():
        return set()
    try:
        with contextlib.closing(sqlite3.connect(store)) as connection:
            return {str(version) for (version,) in connection.execute(_VERSIONS)}
    except sqlite3.Error:
        return set()


def _of_schema(store: PostgresPlace) -> set[str]:
    import psycopg

    from crossfade.execution.postgres_store import connect, our_errors

    with our_errors(store), contextlib.closing(connect(store)) as connection:
        try:
            rows = connection.execute(_VERSIONS).fetchall()
        except psycopg.errors.UndefinedTable:
            return set()
    return {str(version) for (version,) in rows}
