"""The command line against a twin over HTTPS, as an operator uses it: every verb, in order, and what goes wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from crossfade.cli.main import main

CROSSFADE = [sys.executable, "-m", "crossfade"]
SECRET = "PLANTED-operator-secret"
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A tiny twin, sixty times as fast as life; the environment that a client needs."""
    folder = tmp_path_factory.mktemp("twin")
    command = [*CROSSFADE, "twin", "--estate", "tiny", "--port", "0", "--time", "x60", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = ""
    while "Stop it" not in said:
        line = process.stdout.readline()
        assert line, f"the twin ended: {said}"
        said += line
    told = dict(re.findall(r"export (\w+)=(\S+)", said))
    yield {
        "CROSSFADE_ENDPOINT": told["AVDTWIN_URL"],
        "CROSSFADE_CA_FILE": str(folder / "twin/ca.pem"),
        "CROSSFADE_SIGN_IN": "service-principal",
        "CROSSFADE_TENANT_ID": told["AZURE_TENANT_ID"],
        "CROSSFADE_CLIENT_ID": told["AZURE_CLIENT_ID"],
        "CROSSFADE_CLIENT_SECRET": told["AZURE_CLIENT_SECRET"],
    }
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("migration")


@pytest.fixture
def run(twin: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A verb in this process, with --json: exit code, what it answered, what it said beside."""
    for name, value in (twin | {"CROSSFADE_DIR": str(folder)}).items():
        monkeypatch.setenv(name, value)

    def go(*arguments: str, **environment: str) -> tuple[int, Any, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main([*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    return go


@pytest.fixture
def planned(run: Run, folder: Path) -> Path:
    """A folder with a plan, made once."""
    if not (folder / "plan.json").exists():
        for verb in (
            ["discover"],
            ["discover", "--target"],
            ["init", "--location", "westeurope"],
            ["assess"],
            ["plan"],
        ):
            code, answer, _ = run(*verb)
            assert code in (0, 2), answer
    return folder


def test_doctor_finds_all_well(run: Run) -> None:
    code, answer, _ = run("doctor")
    assert (code, [check for check in answer["checks"] if check["mend"]]) == (0, [])


def test_the_way_to_a_plan(run: Run, planned: Path) -> None:
    assert {path.name for path in planned.iterdir()} >= {
        "inventory.json",
        "target.json",
        "crossfade.toml",
        "findings.json",
        "plan.json",
    }
    code, answer, _ = run("plan")
    assert code == 2
    assert (answer["hosts"], answer["conflicts"]) == (2, [])
    before = (planned / "plan.json").read_bytes()
    run("plan")
    assert (planned / "plan.json").read_bytes() == before


def test_a_dry_run_writes_nothing(run: Run, planned: Path) -> None:
    code, answer, _ = run("apply", "--dry-run")
    assert (code, answer["state"], answer["summary"]["hosts"]) == (2, "dry-run", 2)
    assert not (planned / "journal.db").exists()


def test_init_never_overwrites(run: Run, planned: Path) -> None:
    code, answer, _ = run("init")
    assert (code, answer["error"]["code"]) == (3, "refused")


def test_report_and_who_of_what_is_there(run: Run, planned: Path) -> None:
    inventory = json.loads((planned / "inventory.json").read_text(encoding="utf-8"))
    person = inventory["assignments"][0]["upn"]
    code, answer, _ = run("who", person)
    assert code == 0
    assert answer["before"]
    code, answer, _ = run("report")
    assert (code, answer["written"]) == (0, str(planned / "report.html"))


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"CROSSFADE_CLIENT_SECRET": "not-" + SECRET}, "unauthorized"),
        ({"CROSSFADE_SIGN_IN": "by-magic"}, "input"),
        ({"CROSSFADE_CA_FILE": "/nowhere/ca.pem"}, "input"),
        ({"CROSSFADE_ENDPOINT": "http://localhost:1"}, "input"),
        ({"CROSSFADE_TENANT_ID": ""}, "input"),
    ],
)
def test_a_connection_that_cannot_work(run: Run, planned: Path, environment: dict[str, str], code: str) -> None:
    before = (planned / "inventory.json").read_bytes()
    exit_code, answer, beside = run("discover", **environment)
    assert (exit_code, answer["error"]["code"]) == (1, code)
    assert SECRET not in json.dumps(answer) + beside
    assert (planned / "inventory.json").read_bytes() == before


def test_a_subscription_that_nobody_may_see(run: Run, planned: Path) -> None:
    code, answer, _ = run("discover", "--target", "--subscription", "11111111-2222-3333-4444-555555555555")
    assert (code, answer["error"]["code"]) == (1, "input")


def test_a_plan_edited_into_nonsense(run: Run, planned: Path) -> None:
    path = planned / "plan.json"
    good = path.read_text(encoding="utf-8")
    try:
        edited = json.loads(good)
        edited["waves"][0]["hosts"] = ["nobody"]
        edited["operations"][0]["subject"] = 7
        path.write_text(json.dumps(edited), encoding="utf-8")
        code, answer, _ = run("apply")
    finally:
        path.write_text(good, encoding="utf-8")
    assert code == 1
    assert answer["error"]["problems"]
    assert not (planned / "journal.db").exists()


# ---------------------------------------------------------------- the run itself: the last test, it changes the twin


@contextmanager
def heard(number: int) -> Iterator[None]:
    """A process begun inside hears this signal: a shell that runs tests in the background has it ignored by all."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def status_when(run: Run, folder: Path, what: Callable[[Any], bool]) -> Any:
    """What `status` says as soon as it says this."""
    for _ in range(240):
        time.sleep(0.25)
        code, answer, _ = run("status") if (folder / "journal.db").exists() else (1, {}, "")
        if code == 0 and what(answer):
            return answer
    raise AssertionError("it never came to that")


def test_killed_told_resumed_and_interrupted(run: Run, planned: Path, twin: dict[str, str]) -> None:
    environment = os.environ | twin | {"CROSSFADE_DIR": str(planned)}

    def begin(verb: str) -> "subprocess.Popen[str]":
        with heard(signal.SIGINT):
            return subprocess.Popen([*CROSSFADE, verb], env=environment, stdout=PIPE, stderr=PIPE, text=True)

    def wait_for(what: Callable[[Any], bool]) -> Any:
        return status_when(run, planned, what)

    process = begin("apply")
    answer = wait_for(lambda told: any(host["doing"] for host in told["hosts"]))
    assert answer["alive"]
    code, second, _ = run("apply")
    assert (code, second["error"]["code"]) == (3, "occupied")
    assert f"process {process.pid}, since " in second["error"]["why"]
    code, told, _ = run("rollback")
    assert (code, told["error"]["code"]) == (3, "occupied"), "it goes forward in the other terminal"
    assert "Nothing was taken back" in told["error"]["what"]
    assert f"process {process.pid}, since " in told["error"]["why"]
    assert "`crossfade abort`" in told["error"]["mend"]
    code, told, _ = run("rollback", "--dry-run")
    assert (code, told["state"]) == (2, "dry-run"), "looking is free"
    assert told["summary"]["operations"] > 0
    assert run("set", "headroom", "-1")[0] == 3
    assert run("pause")[0] == 0
    assert run("status")[1]["state"] == "paused"
    process.kill()
    process.communicate()
    answer = run("status")[1]
    assert not answer["alive"]
    assert {host["state"] for host in answer["hosts"]} <= {"on_source", "staged", "unknown, will observe"}
    assert run("pause")[0] == 3

    process = begin("resume")
    wait_for(lambda told: told["alive"] and told["events"] > answer["events"])
    process.send_signal(signal.SIGINT)
    told, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "SIGINT: nothing new begins" in said
    assert "crossfade resume" in told

    process = begin("resume")
    wait_for(lambda told: told["alive"] and told["events"] > answer["events"])
    process.terminate()
    told, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "SIGTERM: nothing new begins" in said
    assert "crossfade resume" in told
    assert SECRET not in said
    for path in planned.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


@pytest.mark.long
def test_a_run_that_lives_in_another_terminal_is_stopped_and_taken_back(
    run: Run, planned: Path, twin: dict[str, str]
) -> None:
    """Refused with who works on it and how to stop that; done so, it goes back."""
    environment = os.environ | twin | {"CROSSFADE_DIR": str(planned)}
    process = subprocess.Popen([*CROSSFADE, "apply"], env=environment, stdout=PIPE, stderr=PIPE, text=True)
    status_when(run, planned, lambda told: told["alive"] and any(host["doing"] for host in told["hosts"]))
    code, told, _ = run("rollback")
    assert (code, told["error"]["code"]) == (3, "occupied")
    assert f"process {process.pid}, since " in told["error"]["why"]
    assert "`crossfade abort`" in told["error"]["mend"]
    assert run("abort")[0] == 0
    process.communicate(timeout=180)
    assert process.returncode == 1, "it holds"
    code, told, _ = run("rollback")
    assert (code, told["state"], told["error"]) == (0, "rolled_back", None)
    assert run("status")[1]["hosts_by_state"] == {"on_source": 2}
