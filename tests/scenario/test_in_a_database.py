"""A run whose journal and engine are in PostgreSQL: the same story, the same verbs, and no password anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from back_kit import say
from stage import QUICK, Stage, pooled, spec_of

from crossfade.cli.main import main
from crossfade.commands.apply import keep_in_database
from crossfade.commands.workspace import DATABASE, DATABASE_VARIABLE
from crossfade.errors import JournalMismatch, Refused
from crossfade.execution.transitions import Kind
from postgres_kit import PASSWORD, Server

SMALL = spec_of(pooled(hosts=2, groups=()))


def planned(folder: Path, database: str = "") -> Stage:
    stage = Stage.of(SMALL, folder)
    stage.make_plan(waves=QUICK)
    if database:
        keep_in_database(stage.workspace, database)
    return stage


def history(stage: Stage) -> dict[str, list[Any]]:
    """Subject -> what it went through and where it stands. Which of two that go side by side is first is chance here;
    the engines' contract compares journals event by event."""
    found: dict[str, list[Any]] = {}
    with stage.journal() as reader:
        reader.verify()
        for event in reader.events():
            found.setdefault(f"{event.kind} {event.subject}", []).append((event.from_state, event.to_state))
        for kind in Kind:
            for one in reader.all(kind):
                found[f"{kind} {one.id}"].append((one.state, one.attempt))
    return found


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch, postgres: str) -> str:
    """The database's URL, and the environment that knows its password."""
    monkeypatch.setenv(DATABASE_VARIABLE, postgres)
    return postgres


def test_it_is_the_same_story_as_in_a_file(tmp_path: Path, password: str) -> None:
    here, there = planned(tmp_path / "file"), planned(tmp_path / "database", password)
    assert here.apply("dbos").state == "finished"
    assert there.apply("dbos").state == "finished"
    assert history(there) == history(here)
    assert not (tmp_path / "database" / "journal.db").exists()
    assert not (tmp_path / "database" / "engine.db").exists()


def test_every_verb_finds_it_and_tells_no_password(
    tmp_path: Path, password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = planned(tmp_path, password)
    assert stage.apply().state == "finished"
    folder = str(tmp_path)
    for words in (["journal", "verify"], ["journal", "show"], ["status"], ["status", "--json"], ["notices"]):
        assert main([*words, "--dir", folder]) == 0, words
    told = capsys.readouterr()
    assert "The journal is as it was written" in told.out
    assert PASSWORD not in told.out + told.err
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in kept
    assert json.loads((tmp_path / DATABASE.name).read_text())["schema"].startswith("crossfade_")


def test_it_can_be_interrupted_steered_and_taken_back(tmp_path: Path, password: str) -> None:
    stage = planned(tmp_path, password)
    assert stage.interrupt(lambda point: point.startswith("after host") and point.endswith("moving"), "dbos")
    assert stage.apply("dbos").state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}
    assert say(stage, "skip", "off-0") == 1
    assert stage.apply("inprocess").state == "finished", "another engine finds all of it done"


def test_a_database_that_goes_away_in_the_middle(tmp_path: Path, postgres_server: Server, monkeypatch: Any) -> None:
    """The run ends with a message, the others' records stay, and a resume goes on to the same end."""
    url = postgres_server.new_database()
    monkeypatch.setenv(DATABASE_VARIABLE, url)
    stage = planned(tmp_path / "lost", url)
    gone: list[str] = []

    def hook(point: str) -> None:
        if not gone and point.startswith("after step") and point.endswith("begun") and "#forward/install" in point:
            gone.append(point)
            postgres_server.stop()

    try:
        with pytest.raises(
            JournalMismatch, match=r"does not answer any more.*`crossfade resume`: nothing is lost"
        ) as error:
            stage.apply("inprocess", hook=hook)
    finally:
        if gone:
            postgres_server.start()
    assert gone, "the database was never taken away"
    assert PASSWORD not in f"{error.value} {error.value.as_data()}"
    with stage.journal() as reader:
        reader.verify()
        unknown = [step.id for step in reader.unknown_steps()]
    assert unknown, "what was in flight is known to be unknown"
    assert stage.apply("inprocess").state == "finished"
    undisturbed = planned(tmp_path / "calm")
    assert undisturbed.apply().state == "finished"
    assert stage.hosts() == undisturbed.hosts()
    for host in stage.hosts():
        assert stage.history(host) == undisturbed.history(host), "it went the way once"


def test_a_folder_keeps_one_journal(tmp_path: Path, password: str, postgres_server: Server) -> None:
    in_a_file = planned(tmp_path / "file")
    in_a_file.apply()
    with pytest.raises(Refused, match=r"journal\.db"):
        keep_in_database(in_a_file.workspace, password)
    stage = planned(tmp_path / "database", password)
    keep_in_database(stage.workspace, password)
    with pytest.raises(Refused, match=r"The journal of this folder is in postgresql://crossfade@127\.0\.0\.1"):
        keep_in_database(stage.workspace, postgres_server.new_database())
