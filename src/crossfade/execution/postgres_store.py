"""A journal in a schema of a PostgreSQL database: the same tables, guards and chain as in a file.

One process writes at a time. It holds an advisory lock, which the server gives back when the process or its connection
dies, and it bears the number of the lease: whoever takes a run over raises that number, and from then on every
transaction of the one before is refused inside the database. A transaction left open by a process that stands still is
ended by the server (`idle_in_transaction_session_timeout`).
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import psycopg
from psycopg import sql as names

from crossfade.errors import DatabaseLost, InputError, LeaseLost, MigrationError, Occupied, Problem, StoreLost
from crossfade.execution import records
from crossfade.execution.lock import STEER_IT
from crossfade.execution.migrations import MIGRATIONS
from crossfade.execution.places import Place, PostgresPlace
from crossfade.execution.records import SCHEMA_VERSION
from crossfade.execution.store import Change, Done, Row

Connection = psycopg.Connection[Row]
OPEN_TRANSACTION_S = 10
STATEMENT_S = 30
KEPT_ALIVE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A connection that was cut without a word is noticed within half a minute, on either side."""
_LOCK = 1_129_665_107
"""The first half of our advisory locks' keys; the second is made of the schema's name."""


class PostgresStore:
    """A journal in a schema. Open it with `reading` or `writing`."""

    def __init__(self, connection: Connection, place: PostgresPlace) -> None:
        self.connection = connection
        self.place: Place = place
        self._where = place

    @classmethod
    def reading(cls, place: PostgresPlace) -> "PostgresStore":
        """Raises InputError when there is no such journal, JournalMismatch when it cannot be read."""
        with our_errors(place):
            store = cls(connect(place), place)
            if not store._exists():
                store.release()
                raise nothing_there(place)
            store.connection.execute("SET default_transaction_read_only = on")
            return store

    @classmethod
    def steering(cls, place: PostgresPlace) -> "PostgresStore":
        """For giving a command: no lock, no lease."""
        with our_errors(place):
            return cls(connect(place), place)

    @classmethod
    def writing(cls, place: PostgresPlace, synchronous: Literal["FULL", "NORMAL"], application: str) -> "PostgresStore":
        """Take the lock, and make the schema where it is not there. Raises Occupied while another process holds it."""
        with our_errors(place):
            store = cls(connect(place, application), place)
            try:
                # Whatever the server's own setting: a commit that was told is on its disk.
                flushed = "on" if synchronous == "FULL" else "off"
                store.connection.execute(f"SET synchronous_commit = {flushed}")
                store._lock()
                if not store._exists():
                    store._create()
            except BaseException:
                store.release()
                raise
            return store

    # -- the port

    def errors(self) -> contextlib.AbstractContextManager[None]:
        return our_errors(self._where)

    def query(self, sql: str, *args: Any) -> list[Row]:
        with self.errors():
            return self.connection.execute(_said(sql), args).fetchall()

    def execute(self, sql: str, args: Sequence[Any] = ()) -> Done:
        return self.connection.execute(_said(sql), args)

    def begin(self, fence: int) -> None:
        self.connection.execute("BEGIN")
        if fence:
            # The row is kept until the end of the transaction: nobody takes the lease over in the middle of it.
            row = self.connection.execute("SELECT fence FROM lease WHERE id = 1 FOR UPDATE").fetchone()
            if row is None or row[0] != fence:
                raise LeaseLost(
                    f"Another process has taken over {self._where}.",
                    "Its lease bears a higher number than ours: nothing of ours is written any more.",
                    "Nothing is lost: this process stops. See `crossfade status` for the one that works.",
                )

    def commit(self) -> None:
        self.connection.execute("COMMIT")

    def undo(self) -> None:
        if not self.connection.closed:
            with contextlib.suppress(psycopg.Error):  # a connection that is lost has undone it already
                self.connection.execute("ROLLBACK")

    def change(self, change: Change) -> Done:
        row = self.connection.execute(f"SELECT data FROM {change.table} WHERE id = %s", (change.id,)).fetchone()
        merged = change.patch if row is None else self.merge(row[0], change.patch)
        done = (change.to, change.at, change.reason, merged, change.again, change.id, list(change.allowed))
        return self.connection.execute(
            f"UPDATE {change.table} SET state = %s, moved_at = %s, reason = %s, data = %s, attempt = attempt + %s "
            "WHERE id = %s AND state = ANY(%s)",
            done,
        )

    def merge(self, into: str, patch: str) -> str:
        return records.json_text(merged(msgspec.json.decode(into), msgspec.json.decode(patch)))

    def release(self) -> None:
        self.connection.close()

    def is_held(self) -> bool:
        ((held,),) = self.query(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
            "AND classid = ?::oid AND objid = (hashtext(?)::bigint & 4294967295)::oid "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            _LOCK,
            self._where.schema,
        )
        return bool(held)

    # -- making it

    def _exists(self) -> bool:
        ((found,),) = self.query(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = 'meta'",
            self._where.schema,
        )
        return bool(found)

    def _lock(self) -> None:
        ((locked,),) = self.query("SELECT pg_try_advisory_lock(?, hashtext(?))", _LOCK, self._where.schema)
        if not locked:
            what = f"Another process already works on {self._where}."
            raise Occupied(what, "It holds the journal's lock in the database.", STEER_IT)

    def _create(self) -> None:
        schema = names.Identifier(self._where.schema)
        with self.connection.transaction():
            self.connection.execute(names.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            for statement in statements():
                self.connection.execute(statement)
            self.connection.execute("INSERT INTO meta VALUES ('schema_version', %s)", (str(SCHEMA_VERSION),))
            self.connection.execute("INSERT INTO meta VALUES ('head', %s)", (f"0 {records.GENESIS}",))

    def upgrade(self, found: int) -> None:
        """From schema `found` to ours, or not at all; see `migrations`. Raises JournalMismatch."""
        with self.errors(), self.connection.transaction():
            for version in range(found, SCHEMA_VERSION):
                for statement in _translated(MIGRATIONS[version]):
                    self.connection.execute(statement)
            self.connection.execute("UPDATE meta SET value = %s WHERE name = 'schema_version'", (str(SCHEMA_VERSION),))


def connect(place: PostgresPlace, application: str = "crossfade") -> Connection:
    """A connection in whose sight the schema is, alone. Parameters are put in by the client: one trip a statement."""
    options = {
        "search_path": place.schema,
        "idle_in_transaction_session_timeout": f"{OPEN_TRANSACTION_S}s",
        "statement_timeout": f"{STATEMENT_S}s",
        "lock_timeout": f"{OPEN_TRANSACTION_S + 5}s",
        "client_encoding": "UTF8",
    }
    connection: Connection = psycopg.connect(
        place.connection_url,
        autocommit=True,
        cursor_factory=psycopg.ClientCursor,
        application_name=application[:63],
        **KEPT_ALIVE,  # type: ignore[arg-type]
    )
    for name, value in options.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    return connection


def forget(place: PostgresPlace) -> None:
    """Remove a schema with all that is in it: an engine's store, never a journal. Raises JournalMismatch."""
    with our_errors(place), contextlib.closing(connect(place)) as connection:
        connection.execute(names.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(names.Identifier(place.schema)))


def _said(sql: str) -> Any:
    return sql.replace("?", "%s")


# -- the schema

_APPEND_ONLY = (
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$"
)
_WORDS = (
    (r"\) STRICT(, WITHOUT ROWID)?", ")"),
    (r"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
    (r"\bINTEGER\b", "BIGINT"),
    (r"\bTEXT\b", 'TEXT COLLATE "C"'),
    (
        r"BEFORE (UPDATE|DELETE) ON (\w+)\s+BEGIN SELECT RAISE\(ABORT, '([^']*)'\); END",
        r"BEFORE \1 ON \2 FOR EACH ROW EXECUTE FUNCTION refuse_change('\3')",
    ),
)
"""What SQLite says otherwise. Ids are compared by their bytes, whatever the database's language."""


def statements() -> list[str]:
    """The journal's schema as PostgreSQL understands it, made of the one that SQLite is given."""
    return [_APPEND_ONLY, *_translated(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))]


def _translated(text: str) -> list[str]:
    """Statements of `schema.sql`, or of a migration, one by one."""
    text = re.sub(r"--[^\n]*", "", text)
    for pattern, said in _WORDS:
        text = re.sub(pattern, said, text)
    return [one.strip() for one in text.split(";") if one.strip()]


def merged(into: Any, patch: Any) -> Any:
    """RFC 7396: members of the patch win, null removes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(into) if isinstance(into, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


# -- errors

_LOST = "the database does not answer any more"
_REFUSED = {
    re.compile("password authentication failed|no password supplied"): psycopg.errors.InvalidPassword,
    re.compile('database "[^"]*" does not exist'): psycopg.errors.InvalidCatalogName,
    re.compile('role "[^"]*" does not exist|no pg_hba.conf entry'): psycopg.errors.InvalidAuthorizationSpecification,
}
"""A connection that was not made has no code, only words."""
_MENDS: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (
        psycopg.errors.InvalidPassword,
        "the database refuses the password",
        "Set PGPASSWORD, or a line in ~/.pgpass, or CROSSFADE_DATABASE with the whole URL.",
    ),
    (
        psycopg.errors.InvalidAuthorizationSpecification,
        "the database does not let this user in",
        "Name a user that it knows in the URL, and have the server let it in from this machine.",
    ),
    (
        psycopg.errors.InvalidCatalogName,
        "there is no such database",
        "Name another one with --database, or have it made: `createdb`.",
    ),
    (
        psycopg.errors.InsufficientPrivilege,
        "the database denies access",
        "The user needs to create schemas in this database, and to use them.",
    ),
    (psycopg.errors.DiskFull, "the database's disk is full", "Make room there, then run `crossfade resume`."),
    (
        psycopg.errors.ReadOnlySqlTransaction,
        "it cannot be written",
        "Connect to the server that is written to, not to its copy.",
    ),
    (psycopg.errors.LockNotAvailable, "another process keeps it locked", "End the program that holds it; try again."),
    (
        psycopg.errors.IntegrityError,
        "the database refuses what is written",
        "Prove it with `crossfade journal verify`.",
    ),
    (
        psycopg.OperationalError,
        _LOST,
        "See that the database answers, then run `crossfade resume`: nothing is lost.",
    ),
    (
        psycopg.InterfaceError,
        _LOST,
        "See that the database answers, then run `crossfade resume`: nothing is lost.",
    ),
)


_OTHERWISE = ("the database refuses it", "Prove it with `crossfade journal verify`, then resume.")


@contextlib.contextmanager
def our_errors(place: PostgresPlace, what: str = "The journal") -> Iterator[None]:
    """Raise StoreLost for whatever psycopg raises inside, DatabaseLost where nobody answers any more. The password is
    in no text of it."""
    try:
        yield
    except MigrationError:
        raise
    except psycopg.Error as error:
        said = place.without_secrets(" ".join(str(error).split()))
        unmade = error.sqlstate is None
        meant = next((kind for words, kind in _REFUSED.items() if unmade and words.search(said)), type(error))
        why, mend = next((told for kind, *told in _MENDS if issubclass(meant, kind)), _OTHERWISE)
        kind = DatabaseLost if why == _LOST else StoreLost
        told = f"{what} {place} cannot be used: {why}."
        raise kind(told, f"({type(error).__name__}: {said})", mend) from None


def nothing_there(place: PostgresPlace) -> InputError:
    mend = "Name the run's folder with --dir, or start a run with `crossfade apply`."
    return InputError("There is no run here.", [Problem(str(place), "No journal in this schema.", mend)])
