"""The record of a real run: every edit is found, and it can be read."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from back_kit import say
from stage import Stage, pooled, spec_of

from crossfade.cli.journal import story
from crossfade.commands.journal import prove, told
from crossfade.commands.workspace import JOURNAL, Workspace
from crossfade.errors import JournalMismatch

TABLES = ("run", "wave", "host", "step", "event", "command")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage.of(spec_of(pooled(hosts=2)), tmp_path_factory.mktemp("run"))
    stage.make_plan()
    assert stage.interrupt(lambda point: "draining" in point)
    say(stage, "skip", "off-1")
    assert stage.apply().state == "finished"
    return stage


def columns() -> list[tuple[str, str]]:
    """Every column of the tables that the chain vouches for."""
    connection = sqlite3.connect(":memory:")
    schema = Path(__file__).resolve().parents[2] / "src/crossfade/execution/schema.sql"
    connection.executescript(schema.read_text(encoding="utf-8"))
    return [(table, row[1]) for table in TABLES for row in connection.execute(f"PRAGMA table_info({table})")]


def edited(stage: Stage, folder: Path, table: str, column: str) -> Workspace:
    """A copy of the journal with one value of a column changed, by somebody who takes the triggers away first."""
    with sqlite3.connect(stage.workspace.path(JOURNAL)) as source, sqlite3.connect(folder / JOURNAL.name) as copy:
        source.backup(copy)
        copy.execute("PRAGMA foreign_keys = OFF")
        for name in ("event_is_append_only_update", "event_is_append_only_delete"):
            copy.execute(f"DROP TRIGGER {name}")
        (row,) = copy.execute(f"SELECT min({'seq' if table == 'event' else 'id'}) FROM {table}").fetchone()
        key = "seq" if table == "event" else "id"
        kind = {"state": "'refused'" if table == "command" else "'x'"}.get(column)
        whole = column in ("attempt", "seq") or (table, column) == ("command", "id")
        new = kind or (f"{column} + 1000" if whole else f"coalesce({column}, '') || 'x'")
        new = """'{"x":1}'""" if column in ("data", "args") else new
        copy.execute(f"UPDATE {table} SET {column} = {new} WHERE {key} = ?", (row,))
    return Workspace(folder)


@pytest.mark.parametrize(("table", "column"), columns())
def test_an_edit_of_any_column_is_found(stage: Stage, tmp_path: Path, table: str, column: str) -> None:
    with pytest.raises(JournalMismatch):
        prove(edited(stage, tmp_path, table, column))


def test_whole_it_is_proved_and_gives_its_last_hash(stage: Stage, tmp_path: Path) -> None:
    proof = prove(stage.workspace)
    assert proof.events > 100
    assert len(proof.head) == 64
    shutil.copy(stage.workspace.path(JOURNAL), tmp_path / JOURNAL.name)
    assert prove(Workspace(tmp_path)) == proof


def test_it_reads_like_a_story(stage: Stage) -> None:
    text = "\n".join(story(told(stage.workspace)))
    removed = "off-0 (forward): removing the classic agent, done"
    for part in ("host off-0 on_source → staged", removed, "olivia said skip"):
        assert part in text, text[:3000]
    only = story(told(stage.workspace, subject="off-1"))
    assert only
    assert not [line for line in only if "off-0" in line]
