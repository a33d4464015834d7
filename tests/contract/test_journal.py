"""The journal: guarded moves, the chain, the lease, and what happens when the file is not what it should be."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crossfade.clock import SimulatedClock
from crossfade.errors import Conflict, InputError, JournalMismatch, LeaseLost
from crossfade.execution import commands
from crossfade.execution.journal import Context, Journal, Move
from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import ALLOWED, HostState, Kind, RunState, StepState

CLOCK = SimulatedClock(datetime(2026, 6, 1, 20, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
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
    with pytest.raises(JournalMismatch, match=r"may not go from on_source to moving.*Only from: saved, staged"):
        journal.move(Kind.HOST, "h1", HostState.MOVING)
    with pytest.raises(JournalMismatch, match="Only from: nowhere"):
        journal.move(Kind.HOST, "h1", HostState.STAGED, expect=HostState.DRAINED)
    with pytest.raises(JournalMismatch, match="knows no host h2"):
        journal.move(Kind.HOST, "h2", HostState.STAGED)
    assert journal.verify() == 3


def test_every_allowed_move_works_and_no_other(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db", CLOCK, synchronous="NORMAL") as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        journal.add(Kind.HOST, "h", run_id="r")
        for source in HostState:
            for target in HostState:
                journal._connection.execute("UPDATE host SET state = ?", (source,))
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


def test_tokens_never_reach_the_file(journal: Journal, path: Path) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    journal.note("h1", f"Authorization: Bearer {token}", run_id="r", data={"t": token, "deep": [{"u": f"x {token}"}]})
    journal.move(Kind.HOST, "h1", HostState.STAGED, reason=token, data={"t": token})
    held = b"".join(file.read_bytes() for file in path.parent.iterdir())
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
def test_verify_finds_any_edit(journal: Journal, path: Path, edit: str) -> None:
    journal.move(Kind.HOST, "h1", HostState.STAGED, data={"vm": "/x"})
    assert journal.verify() == 4
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER event_is_append_only_update")
        connection.execute("DROP TRIGGER event_is_append_only_delete")
        assert connection.execute(edit).rowcount == 1
    with JournalReader.look(path) as reader, pytest.raises(JournalMismatch, match="The journal is broken at"):
        reader.verify()
    journal._connection = sqlite3.connect(path)  # for the fixture's close


def test_events_are_append_only(journal: Journal) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal._connection.execute("UPDATE event SET reason = ''")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal._connection.execute("DELETE FROM event")


# -- the hook


def test_the_hook_is_told_before_and_after_each_commit(tmp_path: Path) -> None:
    points: list[str] = []
    with Journal.open(tmp_path / "j.db", CLOCK, synchronous="NORMAL", hook=points.append) as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        journal.move(Kind.RUN, "r", RunState.RUNNING)
    assert points[2:6] == ["before run r added", "after run r added", "before run r running", "after run r running"]


def test_a_death_before_the_commit_leaves_nothing(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def hook(point: str) -> None:
        if point == "before run r running":
            raise Killed

    with Journal.open(tmp_path / "j.db", CLOCK, synchronous="NORMAL", hook=hook) as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        with pytest.raises(Killed):
            journal.move(Kind.RUN, "r", RunState.RUNNING)
        assert journal.all(Kind.RUN)[0].state == RunState.PLANNED
        assert journal.verify() == 1


# -- readers, commands and the lease


def test_another_process_reads_and_steers(journal: Journal, path: Path) -> None:
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


def test_an_unknown_verb_is_refused(journal: Journal, path: Path) -> None:
    with pytest.raises(InputError, match="Use one of: pause, resume"):
        commands.give(path, CLOCK, "destroy", actor="bob")


def test_a_second_writer_is_refused_and_readers_are_not(journal: Journal, path: Path) -> None:
    with pytest.raises(LeaseLost, match="Another process already works on"):
        Journal.open(path, CLOCK)
    with JournalReader.look(path) as reader:
        lease = reader.lease()
        assert lease is not None
        assert (lease.holder, lease.fence, lease.released_at) == ("crossfade", 1, None)


def test_the_next_holder_has_a_higher_fence(journal: Journal, path: Path) -> None:
    journal.heartbeat()
    journal._connection.execute("UPDATE lease SET fence = fence + 1")
    with pytest.raises(LeaseLost, match="taken over"):
        journal.heartbeat()


def test_a_dead_process_holds_no_lock(path: Path) -> None:
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


def test_reading_imports_nothing_heavy(journal: Journal, path: Path) -> None:
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
def test_a_newer_version_is_left_alone(journal: Journal, path: Path, opening: Any) -> None:
    journal._connection.execute("UPDATE meta SET value = '2' WHERE name = 'schema_version'")
    journal._lock.release()
    with pytest.raises(JournalMismatch, match=r"newer Crossfade.*Use the version"):
        opening(path)


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


def test_a_damaged_file_is_named(journal: Journal, path: Path) -> None:
    for number in range(300):
        journal.note("h1", f"event {number} " + "x" * 100, run_id="r")
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.close()
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 4096 // 2 * 4096
    whole[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(whole)
    with JournalReader.look(path) as reader, pytest.raises(JournalMismatch, match=r"damaged|broken|cannot be used"):
        reader.verify()
    journal._connection = sqlite3.connect(path)


def test_a_full_disk_loses_nothing(journal: Journal) -> None:
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for _ in range(50):
            journal.note("h1", "x" * 3000, run_id="r")

    with pytest.raises(JournalMismatch, match=r"the disk is full.*Make room on the disk"):
        fill()
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    journal.note("h1", "room again", run_id="r")
    journal.verify()


def test_a_file_that_cannot_be_written_is_named(journal: Journal) -> None:
    journal._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalMismatch, match=r"cannot be written.*Give this user write access"):
        journal.note("h1", "x", run_id="r")
    journal._connection.execute("PRAGMA query_only = OFF")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalMismatch, match="--dir"):
        Journal.open(tmp_path / "file" / "journal.db", CLOCK)


def test_a_copy_on_read_only_media_can_be_read(journal: Journal, path: Path, tmp_path: Path) -> None:
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
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
