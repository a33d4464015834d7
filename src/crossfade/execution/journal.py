"""The journal's one writer: guarded transitions and append-only, hash-chained events in a SQLite file or a PostgreSQL.

Each public method that changes something is one transaction, committed before it returns. A state changes only from an
allowed one (`transitions.ALLOWED`): the store itself checks that exactly one row moved. Readers use `reader.py`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from crossfade.clock import Clock, iso
from crossfade.errors import CloudError, JournalMismatch, LeaseLost, MigrationError, Occupied
from crossfade.execution import records
from crossfade.execution.lock import FileLock, this_process
from crossfade.execution.migrations import upgrade
from crossfade.execution.places import Place
from crossfade.execution.reader import JournalReader, reading, version_of, version_of_store
from crossfade.execution.records import SCHEMA_VERSION, Command, Entity, our_errors
from crossfade.execution.store import Change, Done, SqliteStore, Store
from crossfade.execution.transitions import ALLOWED, FINISHED_STEPS, INITIAL, Kind, StepState, sources

Hook = Callable[[str], None]
"""Told `before X` and `after X` for each commit X: where a crash test kills."""


class Context(msgspec.Struct, frozen=True):
    """Who did something, and by which calls."""

    actor: str = "crossfade"
    request_id: str = ""
    correlation_id: str = ""


NOBODY = Context()


class Attempt(msgspec.Struct, frozen=True):
    """One try of a step. `unknown`: an earlier try has no outcome, so observe before acting."""

    step_id: str
    number: int
    unknown: bool


class Move(msgspec.Struct, frozen=True):
    """A move that belongs to the outcome of a step: committed with it, or not at all."""

    kind: Kind
    id: str
    to: str
    reason: str = ""


Execute = Callable[..., Done]


def _nothing(point: str) -> None:
    """The hook outside of tests."""


class Journal(JournalReader):
    """Reads like `JournalReader`, and writes. One per run at a time: it holds `journal.db.lock`, or the database's."""

    def __init__(self, store: Store, clock: Clock, hook: Hook) -> None:
        super().__init__(store)
        self._clock = clock
        self._hook = hook
        self._fence = 0
        self._seq, self._head = self._last_event()

    @classmethod
    def open(
        cls,
        place: Place,
        clock: Clock,
        *,
        holder: str = "",
        hook: Hook = _nothing,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
    ) -> "Journal":
        """Open or create the journal and take its lease.

        `synchronous=NORMAL` may lose the last transitions when the machine (not the process) dies: for rehearsals.
        `holder`: who is told to whoever comes second; by default this process and its user.
        Raises Occupied when another process holds it; JournalMismatch when the file cannot be read or written, is
        damaged, or comes from a newer version.
        """
        holder = holder or this_process()
        try:
            store = _writing(place, synchronous, holder)
        except Occupied as refused:
            raise _by_whom(refused, place) from refused
        try:
            journal = cls(store, clock, hook)
            journal._take_lease(holder)
        except BaseException:
            store.release()
            raise
        return journal

    @classmethod
    def beside(cls, place: Place, clock: Clock) -> "Journal":
        """The journal for whoever only looks, also while another process writes: whatever changes something is refused
        by the store. Raises as `look` does."""
        return cls(reading(place), clock, _nothing)

    def close(self) -> None:
        """Give the lease back, if it is still ours."""
        try:
            if self._fence:
                self._release_lease()
        finally:
            super().close()

    def _release_lease(self) -> None:
        now = iso(self._clock.now())
        with suppress(LeaseLost), self._transaction("lease release") as execute:
            execute("UPDATE lease SET released_at = ? WHERE fence = ?", (now, self._fence))

    def last_seq(self) -> int:
        return self._seq

    # -- entities

    def add(
        self,
        kind: Kind,
        id: str,
        *,
        run_id: str,
        parent: str | None = None,
        data: dict[str, Any] | None = None,
        reason: str = "",
        context: Context = NOBODY,
    ) -> bool:
        """Note a run, wave or host in its first state. False, and nothing written, when it is known already."""
        if self.get(kind, id) is not None:
            return False
        with self._transaction(f"{kind} {id} added") as execute:
            self._insert(execute, kind, id, run_id, parent, data or {}, reason, context)
        return True

    def move(
        self,
        kind: Kind,
        id: str,
        to: str,
        *,
        expect: str | None = None,
        reason: str = "",
        data: dict[str, Any] | None = None,
        context: Context = NOBODY,
    ) -> Entity:
        """Move an entity to a state, from `expect` or any allowed one, merging `data` into its data.

        Raises JournalMismatch when it is unknown or stands elsewhere.
        """
        before = self._known(kind, id)
        allowed = sources(kind, to) if expect is None else sources(kind, to) & {expect}
        with self._transaction(f"{kind} {id} {to}") as execute:
            self._update(execute, kind, before, to, allowed, reason, data or {}, context)
        return self._known(kind, id)

    def note(
        self,
        subject: str,
        reason: str,
        *,
        run_id: str,
        data: dict[str, Any] | None = None,
        context: Context = NOBODY,
    ) -> None:
        """Something worth remembering that moves nothing: a retry, a message to people, a hook's answer."""
        with self._transaction(f"note {subject}") as execute:
            self._event(execute, "note", subject, run_id, None, None, None, reason, data or {}, context)

    # -- steps

    def begin(
        self,
        step_id: str,
        *,
        run_id: str,
        parent: str,
        data: dict[str, Any] | None = None,
        reason: str = "",
        context: Context = NOBODY,
    ) -> Attempt | None:
        """Commit the intent to do a step. None, and nothing written, when it is finished already: skip it."""
        known = self.get(Kind.STEP, step_id)
        if known is None:
            with self._transaction(f"step {step_id} begun") as execute:
                self._insert(execute, Kind.STEP, step_id, run_id, parent, data or {}, reason, context)
            return Attempt(step_id, 1, unknown=False)
        if known.state in FINISHED_STEPS:
            return None
        with self._transaction(f"step {step_id} begun") as execute:
            allowed = sources(Kind.STEP, StepState.BEGUN)
            self._update(execute, Kind.STEP, known, StepState.BEGUN, allowed, reason, data or {}, context)
        return Attempt(step_id, known.attempt + 1, unknown=known.state == StepState.BEGUN)

    def finish(
        self,
        step_id: str,
        *,
        noop: bool = False,
        data: dict[str, Any] | None = None,
        reason: str = "",
        moves: Sequence[Move] = (),
        context: Context = NOBODY,
    ) -> Entity:
        """Commit a step's outcome, and with it the moves it means. `noop`: it was so already. `data` holds ids only."""
        to, before = StepState.NOOP if noop else StepState.DONE, self._known(Kind.STEP, step_id)
        with self._transaction(f"step {step_id} {to}") as execute:
            self._update(execute, Kind.STEP, before, to, sources(Kind.STEP, to), reason, data or {}, context)
            for each in moves:
                standing, allowed = self._known(each.kind, each.id), sources(each.kind, each.to)
                self._update(execute, each.kind, standing, each.to, allowed, each.reason, {}, context)
        return self._known(Kind.STEP, step_id)

    def fail(self, step_id: str, error: MigrationError, *, context: Context = NOBODY) -> Entity:
        """Commit that a try of a step failed, and how, with the ids of the call that said no. It may begin again."""
        data = {"error": error.as_data()}
        if isinstance(error, CloudError) and context is NOBODY:
            context = Context(request_id=error.request_id, correlation_id=error.correlation_id)
        return self.move(Kind.STEP, step_id, StepState.FAILED, reason=str(error), data=data, context=context)

    # -- commands and lease

    def answer(self, command: Command, *, refused: bool = False, text: str = "", run_id: str = "") -> None:
        """Say what became of a command; the command itself goes into the chain of events with it."""
        to, now = "refused" if refused else "done", iso(self._clock.now())
        data = {"id": command.id, "verb": command.verb, "args": command.args, "at": command.at}
        with self._transaction(f"command {command.id} {to}") as execute:
            done = execute(
                "UPDATE command SET state = ?, answer = ?, answered_at = ? WHERE id = ? AND state = 'new'",
                (to, records.without_secrets(text), now, command.id),
            )
            _exactly_one(done, f"Command {command.id} was answered before.")
            who = Context(actor=command.actor)
            subject = command.subject or command.verb
            self._event(execute, "command", subject, run_id, None, "new", to, text, data, who, at=now)

    def heartbeat(self) -> None:
        """Say that we still work on it. Raises LeaseLost when somebody took over."""
        with self._transaction("lease heartbeat") as execute:
            done = execute(
                "UPDATE lease SET heartbeat_at = ? WHERE id = 1 AND fence = ?", (iso(self._clock.now()), self._fence)
            )
            if done.rowcount != 1:
                raise LeaseLost(
                    f"Another process has taken over {self.path}.",
                    "Its lease bears a higher number than ours.",
                    "Nothing is lost: this process stops. See `crossfade status` for the one that works.",
                )

    def _take_lease(self, holder: str) -> None:
        now = iso(self._clock.now())
        with self._transaction("lease taken") as execute:
            execute(
                "INSERT INTO lease (id, fence, holder, acquired_at, heartbeat_at) VALUES (1, 1, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET fence = lease.fence + 1, holder = excluded.holder, "
                "acquired_at = excluded.acquired_at, heartbeat_at = excluded.heartbeat_at, released_at = NULL",
                (holder, now, now),
            )
        lease = self.lease()
        assert lease is not None, "just taken"
        self._fence = lease.fence

    # -- one transaction

    @contextmanager
    def _transaction(self, point: str) -> Iterator[Execute]:
        """Yield `execute`; commit at the end, with the hook told before and after. Undone when anything raises."""
        seq, head = self._seq, self._head
        with self._store.errors():
            try:
                self._store.begin(self._fence)
                yield self._store.execute
                self._hook(f"before {point}")
                self._store.commit()
            except BaseException:
                self._store.undo()
                self._seq, self._head = seq, head
                raise
        self._hook(f"after {point}")

    def _insert(
        self,
        execute: Execute,
        kind: Kind,
        id: str,
        run_id: str,
        parent: str | None,
        data: dict[str, Any],
        reason: str,
        context: Context,
    ) -> None:
        now, state = iso(self._clock.now()), INITIAL[kind]
        row = (id, run_id, parent, state, now, now, records.without_secrets(reason), records.json_text(data))
        execute(_INSERT[kind], row)
        self._event(execute, kind, id, run_id, parent, None, state, reason, data, context, at=now)

    def _update(
        self,
        execute: Execute,
        kind: Kind,
        before: Entity,
        to: str,
        allowed: frozenset[str],
        reason: str,
        data: dict[str, Any],
        context: Context,
    ) -> None:
        now, again = iso(self._clock.now()), 1 if to == StepState.BEGUN and kind is Kind.STEP else 0
        said, patch = records.without_secrets(reason), records.json_text(data)
        done = self._store.change(Change(str(kind), before.id, str(to), now, said, patch, again, sorted(allowed)))
        _exactly_one(done, f"The {kind} {before.id} may not go from {before.state} to {to}.", sorted(allowed))
        path = (before.run_id, before.parent, before.state, to)
        self._event(execute, kind, before.id, *path, reason, data, context, at=now)

    def _event(
        self,
        execute: Execute,
        kind: str,
        subject: str,
        run_id: str,
        parent: str | None,
        from_state: str | None,
        to_state: str | None,
        reason: str,
        data: dict[str, Any],
        context: Context,
        at: str = "",
    ) -> None:
        fields = (
            self._seq + 1,
            at or iso(self._clock.now()),
            context.actor,
            str(kind),
            subject,
            run_id,
            parent,
            None if from_state is None else str(from_state),
            None if to_state is None else str(to_state),
            records.without_secrets(reason),
            context.request_id,
            context.correlation_id,
            records.json_text(data),
        )
        digest = records.event_hash(self._head, fields)
        execute(_INSERT_EVENT, (*fields, self._head, digest))
        execute("UPDATE meta SET value = ? WHERE name = 'head'", (f"{fields[0]} {digest}",))
        self._seq, self._head = fields[0], digest

    def _known(self, kind: Kind, id: str) -> Entity:
        found = self.get(kind, id)
        if found is None:
            raise JournalMismatch(
                f"The journal knows no {kind} {id}.",
                "It belongs to another run, or the run was not set up.",
                "Use the journal of this run, or start the run with `crossfade apply`.",
            )
        return found


_INSERT = {
    kind: f"INSERT INTO {kind} (id, run_id, parent, state, added_at, moved_at, reason, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    for kind in Kind
}
_INSERT_EVENT = f"INSERT INTO event ({records.EVENT_COLUMNS}) VALUES ({', '.join('?' * 15)})"


def _exactly_one(done: Done, what: str, allowed: list[str] | None = None) -> None:
    if done.rowcount != 1:
        why = f"Only from: {', '.join(allowed) or 'nowhere'}." if allowed is not None else ""
        raise JournalMismatch(what, why, "See `crossfade status`; if the run is another one's, use its own folder.")


def _writing(place: Place, synchronous: Literal["FULL", "NORMAL"], holder: str) -> Store:
    """The store of a journal, held and of our version; made where there is none."""
    if not isinstance(place, Path):
        from crossfade.execution.postgres_store import PostgresStore

        store = PostgresStore.writing(place, synchronous, holder)
        try:
            found = version_of_store(store)
            if found != SCHEMA_VERSION:
                store.upgrade(found)
        except BaseException:
            store.release()
            raise
        return store
    lock = _locked(place)
    try:
        with our_errors(place):
            return SqliteStore(_connect(place, synchronous), place, lock)
    except BaseException:
        lock.release()
        raise


def _by_whom(refused: Occupied, place: Place) -> Occupied:
    """The same, with who holds it and since when, where the journal says so by now."""
    with suppress(MigrationError), JournalReader.look(place) as reader:
        lease = reader.lease()
        if lease is not None and lease.released_at is None:
            why = f"{lease.holder}, since {_moment(lease.acquired_at)}, last there at {_moment(lease.heartbeat_at)}."
            return Occupied(refused.what, why, refused.mend)
    return refused


def _moment(at: str) -> str:
    return f"{at[:19].replace('T', ' ')} UTC"


def _locked(path: Path) -> FileLock:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path.with_name(path.name + ".lock")).acquire()
    except OSError as error:
        raise JournalMismatch(
            f"The folder {path.parent} cannot be used for a journal.",
            f"{error.strerror or type(error).__name__}.",
            "Give this user write access to it, or choose another with --dir.",
        ) from error


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """A connection that makes the schema where there is none, and brings an earlier one up to date. Transactions are
    begun by hand."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=64)
    try:
        connection.execute("PRAGMA busy_timeout = 10000")
        if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            _create(connection)
        found = version_of(connection, path)
        if found != SCHEMA_VERSION:
            upgrade(connection, found)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
    connection.executescript(f"BEGIN IMMEDIATE;\n{schema}")
    connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))
    connection.execute("INSERT INTO meta VALUES ('head', ?)", (f"0 {records.GENESIS}",))
    connection.execute("COMMIT")


assert set(ALLOWED) == set(Kind) == set(INITIAL), "a kind without transitions"
