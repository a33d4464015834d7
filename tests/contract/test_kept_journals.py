"""Journals of released versions, opened by this one: brought up to date, proved, told, resumed, rolled back."""

from __future__ import annotations

import gzip
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "scenario"))

from back_kit import take_back
from stage import Stage, spec_of

from crossfade import __version__
from crossfade.app import Rehearsal
from crossfade.clock import SystemClock
from crossfade.commands.status import status
from crossfade.commands.workspace import JOURNAL
from crossfade.errors import JournalMismatch
from crossfade.execution import commands, migrations, reader
from crossfade.execution.journal import Journal
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import SCHEMA_VERSION
from crossfade.execution.transitions import Kind

KEPT = Path(__file__).parents[1] / "journals"
VERSIONS = sorted(each.name for each in KEPT.iterdir() if each.is_dir() and (each / "journal.sql").is_file())
DOCUMENTS = ("inventory.json", "target.json", "plan.json")


@pytest.fixture(params=VERSIONS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """The folder and the twin as that version left them."""
    kept = KEPT / request.param
    for name in DOCUMENTS:
        (tmp_path / name).write_bytes((kept / name).read_bytes())
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.executescript((kept / "journal.sql").read_text(encoding="utf-8"))
    connection.close()
    rehearsal = Rehearsal.of_snapshot(gzip.decompress((kept / "twin.json.gz").read_bytes()))
    return Stage.around(rehearsal, tmp_path, spec_of(name="kept"))


def version(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()[0])
    finally:
        connection.close()


def test_this_version_has_its_journal_kept() -> None:
    assert __version__ in VERSIONS, "python tests/journals/make.py"


def test_there_is_a_way_from_every_schema_to_ours() -> None:
    assert sorted(migrations.MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_it_can_be_read_and_told_without_being_changed(stage: Stage) -> None:
    path = stage.workspace.path(JOURNAL)
    before = path.read_bytes()
    with stage.journal() as journal:
        assert journal.verify() > 100
        assert [step.id.rpartition("#")[2] for step in journal.unknown_steps()] == ["forward/restart-clean"]
        assert [command.state for command in journal.commands(state=None)] == ["done", "refused"]
    found = status(stage.workspace)
    assert (found.alive, found.hosts_by_state) == (
        False,
        {"on_source": 1, "confirmed": 1, "quarantined": 1, "unknown, will observe": 1},
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_it_is_brought_up_to_date_proved_and_resumed(stage: Stage, engine: str) -> None:
    with stage.journal() as journal:
        kept = list(journal.events())
    assert stage.apply(engine).state == "finished"
    assert version(stage.workspace.path(JOURNAL)) == str(SCHEMA_VERSION)
    assert stage.hosts() == {"off-0": "confirmed", "off-1": "confirmed", "off-2": "confirmed", "own-0": "quarantined"}
    with stage.journal() as journal:
        assert list(journal.events())[: len(kept)] == kept, "what was told before is told as it was"
        assert journal.verify() > len(kept)


def test_it_can_be_rolled_back(stage: Stage) -> None:
    assert take_back(stage).state == "rolled_back"
    assert set(stage.hosts().values()) == {"on_source"}
    with stage.journal() as journal:
        journal.verify()


# -- the next version, as it will be


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> int:
    """This code as if it were of the next schema, whose steps know who did them."""
    following = SCHEMA_VERSION + 1
    for module in ("reader", "journal", "migrations", "records"):
        monkeypatch.setattr(f"crossfade.execution.{module}.SCHEMA_VERSION", following)
    monkeypatch.setitem(migrations.MIGRATIONS, SCHEMA_VERSION, "ALTER TABLE step ADD COLUMN worker TEXT;")
    return following


def test_an_earlier_schema_is_upgraded_by_whoever_writes(stage: Stage, next_version: int) -> None:
    path = stage.workspace.path(JOURNAL)
    with Journal.open(path, SystemClock()) as journal:
        assert journal.verify() > 100
        assert {row[0] for row in journal._store.query("SELECT worker FROM step")} == {None}
    assert version(path) == str(next_version)
    with JournalReader.look(path) as journal:
        journal.verify()


def test_an_earlier_schema_is_read_as_it_will_be_and_stays_as_it_is(stage: Stage, next_version: int) -> None:
    path = stage.workspace.path(JOURNAL)
    before = path.read_bytes()
    with JournalReader.look(path) as journal:
        assert journal.verify() > 100
        assert journal._store.query("SELECT count(worker) FROM step") == [(0,)]
        assert len(journal.all(Kind.HOST)) == 4
    with pytest.raises(JournalMismatch, match=r"earlier Crossfade.*`crossfade resume` brings it up to date"):
        commands.give(path, SystemClock(), "pause", actor="olivia")
    assert path.read_bytes() == before


def test_an_upgrade_that_breaks_off_leaves_everything_as_it_was(
    stage: Stage, next_version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "ALTER TABLE step ADD COLUMN worker TEXT; UPDATE host SET absent = 1;"
    monkeypatch.setitem(migrations.MIGRATIONS, SCHEMA_VERSION, broken)
    path = stage.workspace.path(JOURNAL)
    with pytest.raises(JournalMismatch, match="no such column"):
        Journal.open(path, SystemClock())
    monkeypatch.undo()
    assert reader.SCHEMA_VERSION == SCHEMA_VERSION
    assert version(path) == str(SCHEMA_VERSION)
    assert stage.apply().state == "finished"


@pytest.mark.parametrize("newer", [str(SCHEMA_VERSION + 1), "999"])
def test_a_journal_of_a_newer_version_is_refused_and_left_untouched(stage: Stage, newer: str) -> None:
    path = stage.workspace.path(JOURNAL)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (newer,))
    connection.close()
    before = {each.name: each.read_bytes() for each in stage.workspace.folder.rglob("*") if each.is_file()}
    tries: tuple[Callable[[], object], ...] = (
        stage.apply,
        lambda: take_back(stage),
        lambda: status(stage.workspace),
        lambda: commands.give(path, SystemClock(), "pause", actor="olivia"),
    )
    whys = f"Its schema is {newer}, ours {SCHEMA_VERSION}"
    for attempt in tries:
        with pytest.raises(JournalMismatch) as refused:
            attempt()
        assert "newer Crossfade" in refused.value.what
        assert whys in refused.value.why
        assert "Use the version" in refused.value.mend
    assert stage.writes() == 0
    after = {each.name: each.read_bytes() for each in stage.workspace.folder.rglob("*") if each.is_file()}
    assert {name: after[name] for name in before} == before
