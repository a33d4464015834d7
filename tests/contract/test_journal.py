"""The journal: guarded moves, the chain, the lease, and what happens when the file is not what it should be."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossfade.clock import SimulatedClock
from crossfade.errors import Conflict, InputError, JournalMismatch, LeaseLost, Occupied
from crossfade.execution import commands, migrations, postgres_store
from crossfade.execution.journal import Context, Journal, Move
from crossfade.execution.lock import this_process
from crossfade.execution.places import Place, PostgresPlace
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import SCHEMA_VERSION
from crossfade.execution.transitions import ALLOWED, HostState, Kind, RunState, StepState
from postgres_kit import PASSWORD, Server

CLOCK = SimulatedClock(datetime(2026, 6, 1, 20, tzinfo=UTC))


@pytest.fixture(params=["sqlite", "postgres"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return tmp_path / "run" / "journal.db"
    return PostgresPlace(request.getfixturevalue("postgres"), "crossfade_run")


in_a_file = pytest.mark.parametrize("path", ["sqlite"], indirect=True)
in_a_database = pytest.mark.parametrize("path", ["postgres"], indirect=True)


def connected(path: Place) -> Any:
    """Somebody else's connection, who may do everything."""
    if isinstance(path, Path):
        return sqlite3.connect(path, isolation_level=None)
    return postgres_store.connect(path)


def everything(path: Place) -> bytes:
    """All that is kept."""
    if isinstance(path, Path):
        return b"".join(file.read_bytes() for file in path.parent.iterdir())
    with closing(connected(path)) as connection:
        return repr([connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]).encode()


TABLES = ("meta", "run", "wave", "host", "step", "event", "command", "lease")


@pytest.fixture
def journal(path: Place) -> Iterator[Journal]:
    with Journal.open(path, CLOCK, synchronous="NORMAL") as opened:
        opened.add(Kind.RUN, "r", run_id="r", data={"plan": "sha256:1"})
        opened.add(Kind.WAVE, "w1", run_id="r", parent="r")
        opened.add(Kind.HOST, "h1", run_id="r", parent="w1")
        yield opened


def _states(journal: JournalReader) -> list[tuple[str | None, str | None]]:
    return [(each.from_state, each.to_state) for each in journal.events(kind="host", subject="h1")]


# -- moves


def test_a_move_is_a_state_and_an_event(journal: Journal) -> None:
    context = Context(actor="alice", request_id="q1", correlation_id="c1")
    moved = journal.move(Kind.HOST, "h1", HostState.STAGED, reason="both installers present", data={"vm": "/x"})
    assert (moved.state, moved.reason, moved.data) == ("staged", "both installers present", {"vm": "/x"})
    moved = journal.move(Kind.HOST, "h1", HostState.DRAINING, data={"sessions": 3}, context=context)
    assert moved.data == {"vm": "/x", "sessions": 3}
    assert _states(journal) == [(None, "on_source"), ("on_source", "staged"), ("staged", "draining")]
    last = list(journal.events())[-1]
    assert (last.actor, last.request_id, last.correlation_id, last.parent) == ("alice", "q1", "c1", "w1")
    assert journal.verify() == 5


def test_a_move_that_is_not_allowed_writes_nothing(journal: Journal) -> None:
    told = r"may not go from on_source to moving.*Only from: drained, draining, saved, staged"
    with pytest.raises(JournalMismatch, match=told):
        journal.move(Kind.HOST, "h1", HostState.MOVING)
    with pytest.raises(JournalMismatch, match="Only from: nowhere"):
        journal.move(Kind.HOST, "h1", HostState.STAGED, expect=HostState.DRAINED)
    with pytest.raises(JournalMismatch, match="knows no host h2"):
        journal.move(Kind.HOST, "h2", HostState.STAGED)
    assert journal.verify() == 3


def test_every_allowed_move_works_and_no_other(path: Place) -> None:
    with Journal.open(path, CLOCK, synchronous="NORMAL") as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        journal.add(Kind.HOST, "h", run_id="r")
        for source in HostState:
            for target in HostState:
                journal._store.execute("UPDATE host SET state = ?", (source,))
                if target in ALLOWED[Kind.HOST][source]:
                    assert journal.move(Kind.HOST, "h", target).state == target
                else:
                    with pytest.raises(JournalMismatch):
                        journal.move(Kind.HOST, "h", target)


def test_adding_again_is_harmless(journal: Journal) -> None:
    assert journal.add(Kind.HOST, "h1", run_id="r") is False
    assert journal.verify() == 3


# -- steps


def test_a_finished_step_is_skipped(journal: Journal) -> None:
    attempt = journal.begin("h1/drain", run_id="r", parent="h1")
    assert attempt is not None
    assert (attempt.number, attempt.unknown) == (1, False)
    assert [each.id for each in journal.unknown_steps()] == ["h1/drain"]
    journal.finish("h1/drain", data={"sessions": 0})
    assert journal.begin("h1/drain", run_id="r", parent="h1") is None
    assert journal.all(Kind.STEP, parent="h1")[0].data == {"sessions": 0}
    with pytest.raises(JournalMismatch):
        journal.finish("h1/drain")


def test_a_step_without_outcome_is_unknown(journal: Journal) -> None:
    journal.begin("h1/drain", run_id="r", parent="h1")
    again = journal.begin("h1/drain", run_id="r", parent="h1")
    assert again is not None
    assert (again.number, again.unknown) == (2, True)


def test_a_failed_step_may_begin_again(journal: Journal) -> None:
    journal.begin("h1/drain", run_id="r", parent="h1")
    failed = journal.fail("h1/drain", Conflict("PATCH h1", "busy", "wait", service="classic", status=409))
    assert failed.data["error"]["service"] == "classic"
    again = journal.begin("h1/drain", run_id="r", parent="h1")
    assert again is not None
    assert (again.number, again.unknown) == (2, False)
    assert journal.finish("h1/drain", noop=True).state == StepState.NOOP
    assert journal.verify() == 7


def test_an_outcome_and_what_it_means_are_one_commit(journal: Journal) -> None:
    journal.begin("h1/stage", run_id="r", parent="h1")
    with pytest.raises(JournalMismatch, match="may not go from on_source to confirmed"):
        journal.finish("h1/stage", moves=[Move(Kind.HOST, "h1", HostState.CONFIRMED)])
    assert [each.id for each in journal.unknown_steps()] == ["h1/stage"]
    journal.finish("h1/stage", moves=[Move(Kind.HOST, "h1", HostState.STAGED, "all is there")])
    assert _states(journal)[-1] == ("on_source", "staged")
    assert journal.verify() == 6


# -- secrets


def test_tokens_never_reach_the_file(journal: Journal, path: Place) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    journal.note("h1", f"Authorization: Bearer {token}", run_id="r", data={"t": token, "deep": [{"u": f"x {token}"}]})
    journal.move(Kind.HOST, "h1", HostState.STAGED, reason=token, data={"t": token})
    held = everything(path)
    assert b"[removed]" in held
    assert token.encode() not in held
    assert b"eyJzdWIi" not in held
    assert journal.verify() == 5


# -- the chain

EDITS = [
    "UPDATE event SET reason = 'nothing' WHERE seq = 3",
    "UPDATE event SET at = '2026-06-01T20:00:00.001Z' WHERE seq = 1",
    'UPDATE event SET data = \'{"vm":"/y"}\' WHERE seq = 4',
    "DELETE FROM event WHERE seq = 2",
    "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
    "UPDATE host SET state = 'confirmed'",
    "UPDATE host SET data = '{}'",
    "DELETE FROM host",
    "UPDATE host SET moved_at = '2026-06-01T20:00:00.001Z'",
    "INSERT INTO host SELECT 'h9', run_id, parent, state, attempt, added_at, moved_at, reason, data FROM host",
    "UPDATE meta SET value = '4 00' WHERE name = 'head'",
]


@pytest.mark.parametrize("edit", EDITS)
def test_verify_finds_any_edit(journal: Journal, path: Place, edit: str) -> None:
    journal.move(Kind.HOST, "h1", HostState.STAGED, data={"vm": "/x"})
    assert journal.verify() == 4
    journal.close()
    on = "" if isinstance(path, Path) else " ON event"
    with closing(connected(path)) as connection:
        connection.execute(f"DROP TRIGGER event_is_append_only_update{on}")
        connection.execute(f"DROP TRIGGER event_is_append_only_delete{on}")
        assert connection.execute(edit).rowcount == 1
    with JournalReader.look(path) as reader, pytest.raises(JournalMismatch, match="The journal is broken at"):
        reader.verify()
    journal._store.connection = connected(path)  # type: ignore[attr-defined]  # for the fixture's close


def test_events_are_append_only(journal: Journal) -> None:
    with pytest.raises((sqlite3.IntegrityError, psycopg.Error), match="append-only"):
        journal._store.connection.execute("UPDATE event SET reason = ''")
    with pytest.raises((sqlite3.IntegrityError, psycopg.Error), match="append-only"):
        journal._store.connection.execute("DELETE FROM event")


# -- the hook


def test_the_hook_is_told_before_and_after_each_commit(path: Place) -> None:
    points: list[str] = []
    with Journal.open(path, CLOCK, synchronous="NORMAL", hook=points.append) as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        journal.move(Kind.RUN, "r", RunState.RUNNING)
    assert points[2:6] == ["before run r added", "after run r added", "before run r running", "after run r running"]


def test_a_death_before_the_commit_leaves_nothing(path: Place) -> None:
    class Killed(BaseException):
        pass

    def hook(point: str) -> None:
        if point == "before run r running":
            raise Killed

    with Journal.open(path, CLOCK, synchronous="NORMAL", hook=hook) as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        with pytest.raises(Killed):
            journal.move(Kind.RUN, "r", RunState.RUNNING)
        assert journal.all(Kind.RUN)[0].state == RunState.PLANNED
        assert journal.verify() == 1


# -- readers, commands and the lease


def test_another_process_reads_and_steers(journal: Journal, path: Place) -> None:
    with JournalReader.look(path) as reader:
        number = commands.give(path, CLOCK, "skip", actor="bob", subject="h1", args={"why": "ill"})
        (command,) = journal.commands()
        assert (command.verb, command.subject, command.args) == ("skip", "h1", {"why": "ill"})
        journal.answer(command, text="h1 is skipped", run_id="r")
        assert journal.commands() == []
        answered = commands.answer_to(path, number)
        assert answered is not None
        assert (answered.state, answered.answer) == ("done", "h1 is skipped")
        journal.move(Kind.HOST, "h1", HostState.STAGED)
        seen = reader.get(Kind.HOST, "h1")
        assert seen is not None
        assert seen.state == "staged"
        with pytest.raises(JournalMismatch):
            journal.answer(command)
        assert reader.verify() == 5


class Running(SimulatedClock):
    """Time goes on with every look, as it does in a real run."""

    looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return super().now() + timedelta(milliseconds=self.looks)


def test_a_command_has_one_time_in_the_table_and_in_the_chain(path: Place) -> None:
    with Journal.open(path, Running(CLOCK.now()), synchronous="NORMAL") as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        number = commands.give(path, CLOCK, "abort", actor="bob")
        journal.answer(journal.commands()[0], text="it holds", run_id="r")
        answered = commands.answer_to(path, number)
        (event,) = journal.events(kind="command")
        assert answered is not None
        assert answered.answered_at == event.at
        assert journal.verify() == 2


@pytest.mark.parametrize(
    ("edit", "whole"), [("19:00:00Z", False), ("19:59:59Z", True), ("20:00:01Z", False), ("?", False)]
)
def test_the_time_of_an_answer_may_not_be_edited(journal: Journal, path: Place, edit: str, whole: bool) -> None:
    """A second earlier is what an earlier version wrote."""
    commands.give(path, CLOCK, "abort", actor="bob")
    journal.answer(journal.commands()[0], text="it holds", run_id="r")
    with closing(connected(path)) as connection:
        connection.execute(f"UPDATE command SET answered_at = '2026-06-01T{edit}'")
    if whole:
        assert journal.verify() == 4
    else:
        with pytest.raises(JournalMismatch, match="not what the run answered"):
            journal.verify()


def test_an_unknown_verb_is_refused(journal: Journal, path: Place) -> None:
    with pytest.raises(InputError, match="Use one of: pause, resume"):
        commands.give(path, CLOCK, "destroy", actor="bob")


def test_a_second_writer_is_refused_and_readers_are_not(journal: Journal, path: Place) -> None:
    with pytest.raises(Occupied, match=f"Another process already works on .*{re.escape(this_process())}, since 2026-"):
        Journal.open(path, CLOCK)
    with JournalReader.look(path) as reader:
        lease = reader.lease()
        assert lease is not None
        assert (lease.holder, lease.fence, lease.released_at) == (this_process(), 1, None)


def test_the_next_holder_has_a_higher_fence(journal: Journal, path: Place) -> None:
    journal.heartbeat()
    journal._store.connection.execute("UPDATE lease SET fence = fence + 1")
    with pytest.raises(LeaseLost, match="taken over"):
        journal.heartbeat()


@in_a_file
def test_a_dead_process_holds_no_lock(path: Place) -> None:
    program = (
        "import os, sys; from pathlib import Path; from crossfade.clock import SystemClock\n"
        "from crossfade.execution.journal import Journal\n"
        "Journal.open(Path(sys.argv[1]), SystemClock()); os.kill(os.getpid(), 9)"
    )
    environment = os.environ | {"PYTHONPATH": "src"}
    died = subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=False)
    assert died.returncode == -9
    with Journal.open(path, CLOCK) as journal:
        lease = journal.lease()
        assert lease is not None
        assert lease.fence == 2


@in_a_file
def test_reading_imports_nothing_heavy(journal: Journal, path: Place) -> None:
    program = (
        "import sys; from pathlib import Path; from crossfade.execution.reader import JournalReader\n"
        "from crossfade.execution import commands\n"
        "print(len(JournalReader.look(Path(sys.argv[1])).all('host')))\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('dbos', 'sqlalchemy', 'azure', 'rich', 'aiohttp')])"
    )
    environment = os.environ | {"PYTHONPATH": "src"}
    done = subprocess.run([sys.executable, "-c", program, str(path)], env=environment, capture_output=True, check=True)
    assert done.stdout.split(b"\n")[:2] == [b"1", b"[]"]


# -- bad luck


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Name the run's folder with --dir"):
        JournalReader.look(tmp_path / "journal.db")


@pytest.mark.parametrize("opening", [JournalReader.look, lambda path: Journal.open(path, CLOCK)])
def test_a_newer_version_is_left_alone(journal: Journal, path: Place, opening: Any) -> None:
    journal._store.connection.execute("UPDATE meta SET value = '2' WHERE name = 'schema_version'")
    journal._store.release()
    with pytest.raises(JournalMismatch, match=r"newer Crossfade.*Use the version"):
        opening(path)
    journal._store.connection = connected(path)  # type: ignore[attr-defined]


@pytest.mark.parametrize("opening", [JournalReader.look, lambda path: Journal.open(path, CLOCK)])
@pytest.mark.parametrize("content", [b"not a database, surely" * 200, None])
def test_what_is_no_journal_is_named(tmp_path: Path, opening: Any, content: bytes | None) -> None:
    path = tmp_path / "journal.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE meta (name TEXT, value TEXT)")
    else:
        path.write_bytes(content)
    with pytest.raises(JournalMismatch, match=r"no SQLite file|is no journal"):
        opening(path)
    assert content is None or path.read_bytes() == content


@in_a_file
def test_a_damaged_file_is_named(journal: Journal, path: Place) -> None:
    for number in range(300):
        journal.note("h1", f"event {number} " + "x" * 100, run_id="r")
    journal._store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.close()
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 4096 // 2 * 4096
    whole[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(whole)
    with JournalReader.look(path) as reader, pytest.raises(JournalMismatch, match=r"damaged|broken|cannot be used"):
        reader.verify()
    journal._store.connection = connected(path)  # type: ignore[attr-defined]


@in_a_file
def test_a_full_disk_loses_nothing(journal: Journal) -> None:
    pages = journal._store.connection.execute("PRAGMA page_count").fetchone()[0]
    journal._store.connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for _ in range(50):
            journal.note("h1", "x" * 3000, run_id="r")

    with pytest.raises(JournalMismatch, match=r"the disk is full.*Make room on the disk"):
        fill()
    journal._store.connection.execute("PRAGMA max_page_count = 1000000")
    journal.note("h1", "room again", run_id="r")
    journal.verify()


@in_a_file
def test_a_file_that_cannot_be_written_is_named(journal: Journal) -> None:
    journal._store.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalMismatch, match=r"cannot be written.*Give this user write access"):
        journal.note("h1", "x", run_id="r")
    journal._store.connection.execute("PRAGMA query_only = OFF")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalMismatch, match="--dir"):
        Journal.open(tmp_path / "file" / "journal.db", CLOCK)


@in_a_file
def test_a_copy_on_read_only_media_can_be_read(journal: Journal, path: Place, tmp_path: Path) -> None:
    journal._store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "journal.db").write_bytes(path.read_bytes())
    (shelf / "journal.db").chmod(0o444)
    shelf.chmod(0o555)
    try:
        with JournalReader.look(shelf / "journal.db") as reader:
            assert len(reader.all(Kind.HOST)) == 1
    finally:
        shelf.chmod(0o755)


# -- in a database


@in_a_database
def test_the_password_is_in_no_text(journal: Journal, path: Place) -> None:
    assert PASSWORD not in f"{path} {path!r} {journal.path}"
    assert PASSWORD.encode() not in everything(path)
    assert isinstance(path, PostgresPlace)
    nowhere = PostgresPlace(path.connection_url.replace("/test_", "/nothing_"), "s")
    wrong = PostgresPlace(path.connection_url.replace(PASSWORD, "wrong-word-1618"), "s")
    with pytest.raises(JournalMismatch, match="there is no such database") as error:
        JournalReader.look(nowhere)
    assert PASSWORD not in str(error.value)
    with pytest.raises(JournalMismatch, match=r"refuses the password.*PGPASSWORD") as error:
        Journal.open(wrong, CLOCK)
    assert "1618" not in str(error.value)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (psycopg.OperationalError('FATAL:  role "ann" does not exist'), "does not let this user in"),
        (psycopg.OperationalError('FATAL:  database "fleet" does not exist'), "there is no such database"),
        (psycopg.errors.UndefinedTable('relation "event" does not exist'), "the database refuses it"),
    ],
)
def test_what_does_not_exist_is_called_by_its_kind(raised: psycopg.Error, told: str) -> None:
    place = PostgresPlace("postgresql://ann@db.example/fleet", "s")
    with pytest.raises(JournalMismatch, match=told), postgres_store.our_errors(place):
        raise raised


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:planted-2718@h:port/d", "mysql://u:planted-2718@h/d", "postgresql://u:planted-2718@h"],
)
def test_a_url_that_is_none_is_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match="--database") as error:
        PostgresPlace(url, "s")
    assert "planted" not in f"{error.value} {error.value.__cause__}"


def test_a_password_is_taken_out_of_a_url() -> None:
    place = PostgresPlace("postgres://ann:p%40ss@db.example:5433/fleet?sslmode=require&password=other", "s")
    assert str(place) == "postgresql://ann@db.example:5433/fleet?sslmode=require (schema s)"
    assert place.in_schema("t").connection_url == "postgresql://ann:p%40ss@db.example:5433/fleet?sslmode=require"
    assert PostgresPlace("postgresql://db.example/fleet", "s").connection_url == "postgresql://db.example/fleet"
    socket = PostgresPlace("postgresql:///fleet?host=/run/pg&user=ann&password=p+s%26&options=-c%20a%3Db", "s")
    assert str(socket) == "postgresql:///fleet?host=%2Frun%2Fpg&user=ann&options=-c%20a%3Db (schema s)"
    assert psycopg.conninfo.conninfo_to_dict(socket.connection_url) == {
        "host": "/run/pg", "user": "ann", "password": "p+s&", "options": "-c a=b", "dbname": "fleet"
    }  # fmt: skip


@in_a_database
def test_whoever_was_taken_over_writes_nothing(journal: Journal, path: Place) -> None:
    with closing(connected(path)) as other:
        other.execute("UPDATE lease SET fence = fence + 1")
    with pytest.raises(LeaseLost, match="nothing of ours is written"):
        journal.move(Kind.HOST, "h1", HostState.STAGED)
    with JournalReader.look(path) as reader:
        assert reader.verify() == 3
    with closing(connected(path)) as other:
        other.execute("UPDATE lease SET fence = fence - 1")


def test_a_database_that_goes_away_loses_nothing(postgres_server: Server) -> None:
    place = PostgresPlace(postgres_server.new_database(), "crossfade_run")
    journal = Journal.open(place, CLOCK)
    journal.add(Kind.RUN, "r", run_id="r")
    postgres_server.stop(crash=True)
    try:
        with pytest.raises(JournalMismatch, match=r"does not answer any more.*crossfade resume.*nothing is lost"):
            journal.move(Kind.RUN, "r", RunState.RUNNING)
        with pytest.raises(JournalMismatch, match="does not answer"):
            JournalReader.look(place)
        with pytest.raises(JournalMismatch):
            journal.close()
    finally:
        postgres_server.start()
    with Journal.open(place, CLOCK) as again:
        assert again.move(Kind.RUN, "r", RunState.RUNNING).state == "running"
        assert again.verify() == 2


@in_a_database
def test_an_earlier_schema_is_upgraded_by_whoever_writes_or_left_alone(
    journal: Journal, path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.close()
    for module in ("reader", "journal", "migrations", "records", "postgres_store"):
        monkeypatch.setattr(f"crossfade.execution.{module}.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    added = "ALTER TABLE step ADD COLUMN worker TEXT; "
    monkeypatch.setitem(migrations.MIGRATIONS, SCHEMA_VERSION, added + "UPDATE host SET absent = 1;")
    with pytest.raises(JournalMismatch, match="absent"):
        Journal.open(path, CLOCK)
    with pytest.raises(JournalMismatch, match=r"earlier Crossfade.*`crossfade resume` brings it up to date"):
        JournalReader.look(path)
    monkeypatch.setitem(migrations.MIGRATIONS, SCHEMA_VERSION, added)
    with Journal.open(path, CLOCK) as upgraded:
        assert upgraded._store.query("SELECT count(worker) FROM step") == [(0,)]
        assert upgraded.verify() == 3
    with JournalReader.look(path) as reader:
        assert len(reader.all(Kind.HOST)) == 1
    journal._store.connection = connected(path)  # type: ignore[attr-defined]
