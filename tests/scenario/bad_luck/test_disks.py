"""The disk under the journal or the engine's store is full, read-only or damaged while hosts are on their way."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from back_kit import classic_of, take_back
from sqlalchemy import event
from sqlalchemy.engine import Engine as SqlEngine
from stage import Stage, pooled, short, spec_of

from crossfade.commands.engines import forget_engines
from crossfade.commands.status import status
from crossfade.commands.workspace import ENGINE, JOURNAL, Workspace
from crossfade.errors import StoreLost
from crossfade.execution import journal

ALL_DONE = {f"off-{n}": "confirmed" for n in range(3)}
ON_THE_WAY = {"on_source", "saved", "moving", "registered", "healthy", "accepting", "confirmed"}
UNDER_WAY = "#forward/uninstall begun"
"""A host of the second wave is about to lose its agents."""
FULL = "PRAGMA max_page_count = 1"
"""SQLite takes the pages that there are, and gives no more: its own error, as on a full disk."""
READ_ONLY = "PRAGMA query_only = ON"
IS_FULL = (FULL, "the disk is full", "Make room on the disk, then run `crossfade resume`")
IS_READ_ONLY = (READ_ONLY, "it cannot be written", "Give this user write access to the file")


class Disks:
    """The connections that are open to a run's two files, and what befalls them."""

    def __init__(self) -> None:
        self.journal: list[sqlite3.Connection] = []
        self.engine: list[Any] = []

    def strike(self, which: str, how: str) -> None:
        for connection in self.journal[-1:] if which == "journal" else self.engine:
            connection.execute(how)


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disks]:
    found, connect = Disks(), journal._connect

    def connected(path: Path, synchronous: str) -> sqlite3.Connection:
        found.journal.append(connect(path, synchronous))
        return found.journal[-1]

    def listen(connection: Any, record: Any) -> None:
        found.engine.append(connection)

    monkeypatch.setattr(journal, "_connect", connected)
    event.listen(SqlEngine, "connect", listen)
    yield found
    event.remove(SqlEngine, "connect", listen)


def estate(folder: Path) -> Stage:
    stage = Stage.of(spec_of(pooled(hosts=3)), folder)
    stage.make_plan()
    return stage


def at(part: str, do: Callable[[], None]) -> Callable[[str], None]:
    """A hook of the journal that does something once, after the first point of the second wave that ends so."""
    done: list[str] = []

    def hook(point: str) -> None:
        if not done and point.startswith("after") and "/off-1" in point and point.endswith(part):
            done.append(point)
            do()

    return hook


def lost(stage: Stage, engine: str, hook: Callable[[str], None]) -> StoreLost:
    with pytest.raises(StoreLost) as caught:
        stage.apply(engine, hook=hook)
    assert caught.value.exit_code == 1
    return caught.value


@cache
def writes_in_calm(folder: Path) -> int:
    stage = estate(folder)
    assert stage.apply().state == "finished"
    return stage.writes()


def assert_it_ended_as_if_nothing_had_been(stage: Stage, calm: Path) -> None:
    assert stage.hosts() == ALL_DONE
    assert stage.writes() <= writes_in_calm(calm) + 2, "at most one in flight of each host is done again"
    (pool,) = [hosts for (_, host), hosts in classic_of(stage)["hosts"].items() if short(host) == "off-1"]
    assert not pool, "the classic record stays, drained"
    with stage.journal() as reader:
        reader.verify()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calm")


@pytest.mark.parametrize(
    ("which", "engine", "how", "why", "mend"),
    [
        pytest.param("journal", "dbos", *IS_FULL, id="journal-full"),
        pytest.param("journal", "inprocess", *IS_READ_ONLY, id="journal-read-only"),
        pytest.param("engine", "dbos", *IS_FULL, id="engine-full", marks=pytest.mark.long),
        pytest.param("engine", "dbos", *IS_READ_ONLY, id="engine-read-only", marks=pytest.mark.long),
    ],
)
def test_a_disk_that_takes_no_more_stops_the_run_where_it_is(
    disks: Disks, tmp_path: Path, calm: Path, which: str, engine: str, how: str, why: str, mend: str
) -> None:
    stage = estate(tmp_path)
    error = lost(stage, engine, at(UNDER_WAY, lambda: disks.strike(which, how)))
    file = stage.workspace.path(JOURNAL if which == "journal" else ENGINE)
    assert str(file) in error.what
    assert why in error.what
    assert mend in error.mend
    told = stage.hosts()
    assert told["off-0"] == "confirmed"
    assert set(told.values()) <= ON_THE_WAY, "no host was given up for it"
    assert not status(stage.workspace).alive
    assert stage.apply(engine).state == "finished"
    assert_it_ended_as_if_nothing_had_been(stage, calm)


@pytest.mark.long
def test_a_way_back_on_a_full_disk_goes_on_too(disks: Disks, tmp_path: Path) -> None:
    stage = estate(tmp_path)
    assert stage.apply().state == "finished"
    with pytest.raises(StoreLost, match="the disk is full"):
        take_back(stage, hook=at("/restore begun", lambda: disks.strike("journal", FULL)))
    assert take_back(stage).state == "rolled_back"
    assert set(stage.hosts().values()) == {"on_source"}


def spoil(path: Path) -> None:
    """Every page but the first is overwritten, in the file and in what was not yet written into it."""
    for file in (path, path.with_name(path.name + "-wal")):
        if file.exists():
            whole = file.read_bytes()
            file.write_bytes(whole[:4096] + b"\xff" * max(0, len(whole) - 4096))


def killed(stage: Stage, engine: str) -> None:
    assert stage.interrupt(lambda point: "/off-1" in point and point.endswith(UNDER_WAY), engine)


def copy_of(stage: Stage, name: str) -> Path:
    """A copy of the journal as a backup program makes it."""
    with (
        sqlite3.connect(stage.workspace.path(JOURNAL)) as source,
        sqlite3.connect(stage.workspace.folder / name) as copy,
    ):
        source.backup(copy)
    source.close()
    copy.close()
    return stage.workspace.folder / name


def put_back(workspace: Workspace, copy: Path) -> None:
    path = workspace.path(JOURNAL)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(copy, path)


def test_a_damaged_engine_store_is_removed_and_rebuilt(tmp_path: Path, calm: Path) -> None:
    stage = estate(tmp_path)
    killed(stage, "dbos")
    spoil(stage.workspace.path(ENGINE))
    with pytest.raises(StoreLost, match=r"engine\.db cannot be used: .*remove it and run `crossfade resume`") as caught:
        stage.apply("dbos")
    assert caught.value.exit_code == 1
    forget_engines(stage.workspace)
    assert stage.apply("dbos").state == "finished"
    assert_it_ended_as_if_nothing_had_been(stage, calm)


@pytest.mark.parametrize("moved_on_to", ["/install done", " confirmed"])
def test_a_damaged_journal_is_named_and_an_older_copy_of_it_will_do(tmp_path: Path, moved_on_to: str) -> None:
    stage = estate(tmp_path)
    assert stage.interrupt(lambda point: "/off-1" in point and point.endswith("/save done"))
    copy = copy_of(stage, "journal.copy")
    assert stage.interrupt(lambda point: "/off-1" in point and point.endswith(moved_on_to))
    used = stage.sign_in("off-1") if moved_on_to == " confirmed" else None
    spoil(stage.workspace.path(JOURNAL))
    before = stage.writes()
    with pytest.raises(StoreLost, match=r"the file is damaged.*put back the latest good copy.*remove engine\.db"):
        stage.apply()
    assert stage.writes() == before
    put_back(stage.workspace, copy)
    assert stage.apply().state == "finished"
    assert stage.hosts() == ALL_DONE
    assert len(stage.of_type("hostPools/sessionHosts")) == 3
    assert used is None or used.key in stage.world.state.sessions, "somebody at work there is not disturbed"


def test_an_engine_store_that_knows_more_than_the_journal_is_not_gone_on_with(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    assert stage.interrupt(lambda point: "/off-1" in point and point.endswith("/save done"), "dbos")
    copy = copy_of(stage, "journal.copy")
    assert stage.interrupt(lambda point: "/off-1" in point and point.endswith("/close done"), "dbos")
    put_back(stage.workspace, copy)
    with pytest.raises(StoreLost, match=r"an older copy of the journal was put back. Remove engine\.db"):
        stage.apply("dbos")
    forget_engines(stage.workspace)
    assert stage.apply("dbos").state == "finished"
    assert stage.hosts() == ALL_DONE
