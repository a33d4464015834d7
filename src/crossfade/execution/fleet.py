"""Many runs in one queue, and the workers that carry them out: tables in the PostgreSQL that the journals are in.

    waiting -> working -> finished
                       -> held       a person is needed; queueing the run again makes it wait again
                       -> waiting    its worker was asked to end, or is dead: another one goes on

A run spends a share (percent) of the limits of its subscriptions and its directory. What works at the same time never
has more than 100 of any of them together, whichever workers it is at.

A worker counts its beats. Others watch that count by their own clocks, so that no two clocks are compared: one whose
count has stood still for as long as it promised is dead. Its runs wait again, and its connections to the database are
ended, so that a process that only stood still can write nothing more.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg import sql as names

from crossfade.clock import Clock, iso
from crossfade.errors import InputError, Problem, Refused
from crossfade.execution import postgres_store
from crossfade.execution.places import PostgresPlace
from crossfade.execution.postgres_store import Connection, connect
from crossfade.execution.records import without_secrets

SCHEMA = "crossfade_fleet"
WHOLE = 100
WAITING, WORKING, FINISHED, HELD = "waiting", "working", "finished", "held"
_END_WITHIN_MS = 5000
_TABLES = """
CREATE TABLE IF NOT EXISTS entry (
  run TEXT PRIMARY KEY, name TEXT NOT NULL, folder TEXT NOT NULL, connection TEXT NOT NULL, limits TEXT NOT NULL,
  share BIGINT NOT NULL CHECK (share BETWEEN 1 AND 100),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'working', 'finished', 'held')),
  reason TEXT NOT NULL, worker TEXT NOT NULL, adopted BIGINT NOT NULL, added_at TEXT NOT NULL, moved_at TEXT NOT NULL,
  CHECK ((state = 'working') = (worker <> ''))
);
ALTER TABLE entry ADD COLUMN IF NOT EXISTS wants TEXT NOT NULL DEFAULT '{}';
CREATE TABLE IF NOT EXISTS worker (
  id TEXT PRIMARY KEY, at_once BIGINT NOT NULL, silence_s DOUBLE PRECISION NOT NULL, beats BIGINT NOT NULL,
  began_at TEXT NOT NULL, beat_at TEXT NOT NULL, ended_at TEXT NOT NULL, why TEXT NOT NULL
)
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the queue. `limits`: the subscriptions it works in and `directory <id>`; `share`: its percent of them;
    `connection`: how its services are reached, never a secret; `adopted`: how often from a dead worker;
    `wants`: name of a limit that it shares with other runs -> how much more of it the plan takes."""

    run: str
    name: str
    folder: str
    connection: dict[str, str]
    limits: list[str]
    wants: dict[str, int] = {}
    share: int = WHOLE
    state: str = WAITING
    reason: str = ""
    worker: str = ""
    adopted: int = 0
    added_at: str = ""
    moved_at: str = ""


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A process that carries runs out. Silent for `silence_s` it is dead; `ended_at` is empty while it is there."""

    id: str
    at_once: int
    silence_s: float
    beats: int
    began_at: str
    beat_at: str
    ended_at: str
    why: str


_ENTRY = ", ".join(Entry.__struct_fields__)
_ENTRY_BEFORE = _ENTRY.replace("wants", "'{}'")
_WORKER = ", ".join(Worker.__struct_fields__)
_JSON = ("connection", "limits", "wants")
_INSERT = f"INSERT INTO entry ({_ENTRY}) VALUES ({', '.join(['%s'] * len(Entry.__struct_fields__))})"


class Fleet:
    """The queue of one database, open. All its methods raise JournalMismatch when the database refuses, DatabaseLost
    when it does not answer."""

    def __init__(
        self, connection: Connection, place: PostgresPlace, clock: Clock, columns: set[str] | None = None
    ) -> None:
        """`columns`: what an entry has, where the queue is looked at as an earlier version made it."""
        self._connection = connection
        self._place = place
        self._clock = clock
        self._entry = _ENTRY if columns is None or "wants" in columns else _ENTRY_BEFORE

    @classmethod
    def open(cls, database: PostgresPlace, clock: Clock, *, application: str = "crossfade") -> "Fleet":
        """The queue, made where there is none."""
        place = database.in_schema(SCHEMA)
        with _errors(place):
            connection = connect(place, application)
            try:
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (SCHEMA,))
                    made = names.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(names.Identifier(SCHEMA))
                    connection.execute("SET LOCAL client_min_messages = warning")
                    connection.execute(made)
                    for statement in _TABLES.split(";"):
                        connection.execute(statement)
            except BaseException:
                connection.close()
                raise
        return cls(connection, place, clock)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # -- looking

    def entries(self) -> list[Entry]:
        """In the order in which they were queued."""
        with _errors(self._place):
            rows = self._connection.execute(f"SELECT {self._entry} FROM entry ORDER BY added_at, run").fetchall()
        return [_entry(row) for row in rows]

    def workers(self) -> list[Worker]:
        """Every worker that ever was, in the order of their beginning."""
        with _errors(self._place):
            rows = self._connection.execute(f"SELECT {_WORKER} FROM worker ORDER BY began_at, id").fetchall()
        return [msgspec.convert(dict(zip(Worker.__struct_fields__, row, strict=True)), Worker) for row in rows]

    # -- queueing

    def add(self, entry: Entry) -> None:
        """Queue a run, or one that is held or finished once more. A folder holds one plan: what else waits or is held
        there was planned over, and goes. Raises Refused where a worker has the run, or another one of its folder,
        InputError for a share that is none."""
        if not 1 <= entry.share <= WHOLE:
            raise InputError("The run was not queued.", [Problem("--share", "It must be from 1 to 100 percent.", "")])
        with self._change() as execute:
            here = (entry.run, entry.folder)
            row = execute(
                "SELECT run, worker FROM entry WHERE (run = %s OR folder = %s) AND state = 'working'", here
            ).fetchone()
            if row is not None:
                mend = "Steer it with `crossfade status`, `pause` or `abort`."
                which = "it" if row[0] == entry.run else f"run {row[0]} of the same folder"
                raise Refused(f"Run {entry.run} was not queued.", f"Worker {row[1]} carries {which} out.", mend)
            now = iso(self._clock.now())
            execute("DELETE FROM entry WHERE run = %s OR (folder = %s AND state <> 'finished')", here)
            fresh = msgspec.structs.replace(entry, state=WAITING, worker="", added_at=now, moved_at=now)
            execute(_INSERT, _row(fresh))

    # -- working

    def enter(self, worker: str, *, at_once: int, silence_s: float) -> None:
        """A worker begins. It promises never to be silent for `silence_s` seconds while it lives."""
        now = iso(self._clock.now())
        with self._change() as execute:
            execute(
                "INSERT INTO worker (id, at_once, silence_s, beats, began_at, beat_at, ended_at, why) "
                "VALUES (%s, %s, %s, 0, %s, %s, '', '')",
                (worker, at_once, silence_s, now, now),
            )

    def beat(self, worker: str) -> bool:
        """A sign of life. False for a worker that was declared dead: what it had is another one's."""
        with self._change() as execute:
            done = execute(
                "UPDATE worker SET beats = beats + 1, beat_at = %s WHERE id = %s AND ended_at = ''",
                (iso(self._clock.now()), worker),
            )
            return bool(done.rowcount)

    def claim(self, worker: str) -> Entry | None:
        """The next run that may work now, given to this worker; None when there is none. Adopted runs come first."""
        with self._change() as execute:
            alive = execute("SELECT 1 FROM worker WHERE id = %s AND ended_at = ''", (worker,)).fetchone()
            if alive is None:
                return None
            entries = [_entry(row) for row in execute(f"SELECT {_ENTRY} FROM entry").fetchall()]
            found = next_of(entries)
            if found is None:
                return None
            self._move(execute, found.run, WORKING, found.reason, worker)
            return msgspec.structs.replace(found, state=WORKING, worker=worker)

    def end(self, worker: str, run: str, state: str, reason: str = "") -> bool:
        """What became of a run that this worker had. False when it has it no more. Said again it is no news: whoever
        lost the database in the middle of saying it says it again."""
        with self._change() as execute:
            row = execute("SELECT state, reason, worker FROM entry WHERE run = %s", (run,)).fetchone()
            if row is None or row[2] != worker:
                return bool(row == (state, without_secrets(reason), ""))
            self._move(execute, run, state, reason, "")
            return True

    def leave(self, worker: str, why: str) -> None:
        """A worker ends as it was asked to. What it still had waits for another one."""
        with self._change() as execute:
            self._part(execute, worker, why, adopted=0)

    def adopt(self, dead: Worker) -> list[str]:
        """The runs of a worker that gave no sign of life wait again; none when it has given one meanwhile, or another
        one adopted them. Raises JournalMismatch when its connections may not be ended: both need the same user."""
        why = f"no sign of life for {dead.silence_s:g} s, the last one at {dead.beat_at[:19].replace('T', ' ')} UTC"
        with self._change() as execute:
            still = execute(
                "SELECT 1 FROM worker WHERE id = %s AND beats = %s AND ended_at = ''", (dead.id, dead.beats)
            ).fetchone()
            if still is None:
                return []
            execute(
                "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE application_name = ANY(%s) "
                "AND datname = current_database() AND pid <> pg_backend_pid()",
                (_END_WITHIN_MS, [dead.id, holder_of(dead.id)]),
            )
            return self._part(execute, dead.id, why, adopted=1)

    # -- one change at a time

    def _part(self, execute: Any, worker: str, why: str, *, adopted: int) -> list[str]:
        now = iso(self._clock.now())
        execute("UPDATE worker SET ended_at = %s, why = %s WHERE id = %s AND ended_at = ''", (now, why, worker))
        reason = f"was with {worker}: {why}"
        rows = execute(
            "UPDATE entry SET state = 'waiting', worker = '', reason = %s, adopted = adopted + %s, moved_at = %s "
            "WHERE worker = %s RETURNING run",
            (reason, adopted, now, worker),
        ).fetchall()
        return sorted(str(row[0]) for row in rows)

    def _move(self, execute: Any, run: str, state: str, reason: str, worker: str) -> None:
        row = (state, without_secrets(reason), worker, iso(self._clock.now()), run)
        execute("UPDATE entry SET state = %s, reason = %s, worker = %s, moved_at = %s WHERE run = %s", row)

    @contextmanager
    def _change(self) -> Iterator[Any]:
        """One at a time in the whole fleet: who may work depends on all who do."""
        with _errors(self._place), self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (SCHEMA,))
            yield self._connection.execute


def holder_of(worker: str) -> str:
    """Who holds a journal, as people read it; its connection bears that name in the database."""
    return f"Worker {worker}"


def next_of(entries: list[Entry]) -> Entry | None:
    """The waiting run that comes first and whose limits have its share left."""
    spent: dict[str, int] = {}
    for entry in entries:
        if entry.state == WORKING:
            for limit in entry.limits:
                spent[limit] = spent.get(limit, 0) + entry.share
    waiting = [entry for entry in entries if entry.state == WAITING]
    for entry in sorted(waiting, key=lambda each: (-each.adopted, each.added_at, each.run)):
        if all(spent.get(limit, 0) + entry.share <= WHOLE for limit in entry.limits):
            return entry
    return None


def waits_for(entry: Entry, entries: list[Entry]) -> str:
    """What keeps a waiting run from working, whichever worker has room: a limit that others have. Empty for nothing."""
    for limit in entry.limits:
        others = [each for each in entries if each.state == WORKING and limit in each.limits]
        spent = sum(each.share for each in others)
        if spent + entry.share > WHOLE:
            holders = ", ".join(f"{each.name} has {each.share}%" for each in others)
            return f"its {entry.share}% of {limit}: {holders}"
    return ""


class Watch:
    """Who of the workers is dead, as one of them sees it by its own clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[int, datetime]] = {}

    def dead(self, workers: list[Worker]) -> list[Worker]:
        """Those that have not beaten since we saw them beat, for as long as they promised."""
        now, found = self._clock.now(), []
        for worker in workers:
            if worker.ended_at:
                self._seen.pop(worker.id, None)
                continue
            beats, since = self._seen.get(worker.id, (-1, now))
            if beats != worker.beats:
                self._seen[worker.id] = (worker.beats, now)
            elif now - since >= timedelta(seconds=worker.silence_s):
                found.append(worker)
        return found


def look(database: PostgresPlace, clock: Clock) -> tuple[list[Entry], list[Worker]]:
    """The queue and the workers. Raises InputError where there is no fleet."""
    place = database.in_schema(SCHEMA)
    with _errors(place), closing(connect(place)) as connection:
        rows = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = 'entry'",
            (SCHEMA,),
        ).fetchall()
        if not rows:
            mend = "Queue a run with `crossfade queue`."
            raise InputError("There is no fleet here.", [Problem(str(place), "No queue in this database.", mend)])
        fleet = Fleet(connection, place, clock, {str(name) for (name,) in rows})
        return fleet.entries(), fleet.workers()


def _errors(place: PostgresPlace) -> Any:
    return postgres_store.our_errors(place, "The queue")


def _row(entry: Entry) -> tuple[Any, ...]:
    plain = msgspec.to_builtins(entry)
    return tuple(
        msgspec.json.encode(plain[name]).decode() if name in _JSON else plain[name] for name in Entry.__struct_fields__
    )


def _entry(row: tuple[Any, ...]) -> Entry:
    plain = dict(zip(Entry.__struct_fields__, row, strict=True))
    return msgspec.convert({**plain, **{name: msgspec.json.decode(plain[name]) for name in _JSON}}, Entry)
