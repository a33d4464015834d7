"""Two worker processes on one PostgreSQL: one is killed in the middle of a host's move, the other one goes on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from stage import QUICK, Stage
from workers_kit import Yard, writes_of

from crossfade.cli.main import main
from crossfade.commands.status import status
from crossfade.commands.workspace import Workspace
from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import Kind
from postgres_kit import PASSWORD, Server

CROSSFADE = [sys.executable, "-m", "crossfade"]


def histories(reader: JournalReader) -> dict[str, list[str]]:
    """Host -> the states that it went through."""
    reader.verify()
    found: dict[str, list[str]] = {}
    for event in reader.events(kind="host"):
        found.setdefault(event.subject, []).append(str(event.to_state))
    return found


@pytest.mark.long
def test_a_killed_worker_is_adopted_and_nothing_is_done_twice(tmp_path: Path, postgres_server: Server) -> None:
    calm = Stage.of("tiny", tmp_path / "calm")
    calm.make_plan(waves=QUICK)
    assert calm.apply().state == "finished"
    with calm.journal() as reader:
        undisturbed, writes = histories(reader), writes_of(calm.world.state.calls)

    assert writes["arm PUT"] > 10
    with Yard("tiny", tmp_path / "killed", postgres_server.new_database()) as yard:
        yard.discover()
        run = yard.queue("all") and yard.runs()["all"].run
        first, second = yard.worker(name="first"), yard.worker(name="second")

        victim = yard.until(lambda: yard.mover("all"))
        assert status(Workspace(yard.folder / "all", yard.database)).holder == f"Worker {victim}", (
            "status names who works"
        )
        dead, alive = (first, second) if victim == "first" else (second, first)
        dead.kill()
        worked = alive.ended(180)
        assert (worked["finished"], worked["adopted"]) == ([run], [run])
        assert f"Worker {victim} is dead. It had {run}" in alive.said
        entry = yard.runs()["all"]
        assert (entry.state, entry.adopted) == ("finished", 1)
        with yard.journal("all") as reader:
            assert histories(reader) == undisturbed
        more = {call: count - writes.get(call, 0) for call, count in writes_of(yard.ask("calls")).items()}
        assert all(0 <= count <= 1 for count in more.values()), f"at most the call in flight was said again: {more}"
        assert PASSWORD not in alive.said + dead.said


@pytest.mark.long
def test_a_worker_that_slept_past_its_time_wakes_and_writes_nothing_more(
    tmp_path: Path, postgres_server: Server
) -> None:
    """Stopped in mid-move, adopted, woken when the other one has done everything: whatever is written then is its."""
    with Yard("tiny", tmp_path, postgres_server.new_database()) as yard:
        yard.discover()
        run = yard.queue("all") and yard.runs()["all"].run
        workers = {name: yard.worker(name=name) for name in ("first", "second")}
        victim = yard.until(lambda: yard.mover("all"))
        asleep = workers.pop(victim)
        asleep.stand_still()
        (awake,) = workers.values()
        worked = awake.ended(180)
        assert (worked["finished"], worked["adopted"]) == ([run], [run])
        told = writes_of(yard.ask("calls"))
        with yard.journal("all") as reader:
            events = reader.verify()
        asleep.wake()
        ended = asleep.ended(60)
        assert (ended["finished"], ended["held"], ended["left"]) == ([], [], [])
        assert "asking again in 5 s" in asleep.said.lower() or "silent for too long" in asleep.said
        assert writes_of(yard.ask("calls")) == told, "not one write more"
        with yard.journal("all") as reader:
            assert reader.verify() == events
            assert {host.state for host in reader.all(Kind.HOST)} == {"confirmed"}


def test_the_verbs_queue_work_and_tell(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crossfade(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    with Yard("tiny", tmp_path, postgres) as yard:
        yard.discover()
        yard.queue("adatum")
        for name, value in yard.environ("CROSSFADE_CLIENT_SECRET__ADATUM").items():
            monkeypatch.setenv(name, value)
        folder = str(tmp_path / "adatum")
        hidden = tmp_path / "tailspin" / ".crossfade"
        shutil.copytree(folder, hidden, ignore=shutil.ignore_patterns("database.json"))
        assert crossfade("queue", "--dir", str(hidden))[1]["name"] == "tailspin"
        code, queued = crossfade("queue", "--dir", folder, "--name", "Adatum", "--share", "50")
        assert (code, queued["name"], queued["share"]) == (0, "Adatum", 50)
        assert any(limit.startswith("directory ") for limit in queued["limits"])

        working = subprocess.Popen([*CROSSFADE, "worker"], stderr=subprocess.PIPE, text=True)
        yard.until(lambda: yard.runs()["Adatum"].state == "working")
        yard.until(lambda: crossfade("status", "--dir", folder)[0] == 0)
        worker_id = yard.runs()["Adatum"].worker
        assert main(["status", "--dir", folder]) == 0
        assert f"Worker {worker_id} works on it." in capsys.readouterr().out
        assert main(["fleet"]) == 0
        assert f"working at {worker_id}" in capsys.readouterr().out
        assert main(["queue", "--dir", folder]) == 3, "a worker has it"
        working.send_signal(signal.SIGTERM)
        _, said = working.communicate(timeout=60)
        assert working.returncode == 0, said
        assert PASSWORD not in said

        code, told = crossfade("fleet")
        assert (code, told["runs"][0]["state"], told["workers"][0]["why"]) == (0, "waiting", "SIGTERM asked for it")
        (tmp_path / "adatum" / "plan.json").write_text("{}")
        code, worked = crossfade("worker", "--until-done")
        assert (code, worked["held"]) == (1, [queued["run"]])
        assert crossfade("fleet")[0] == 2, "a person is needed"
        assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_without_a_database_there_is_no_fleet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CROSSFADE_DATABASE", raising=False)
    for verb in ("queue", "worker", "fleet"):
        assert main([verb]) == 1
        assert "CROSSFADE_DATABASE" in capsys.readouterr().err
