"""An executable of the operator's own, as a real process: it says yes or no, hangs, talks too much, cannot be run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from crossfade.clock import SimulatedClock, parse_iso
from crossfade.execution.hook_process import KEPT_BYTES, Ended, _Child, run_executable

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the hooks of these tests are shell scripts")


def hook(folder: Path, *lines: str, mode: int = 0o755) -> Path:
    path = folder / "hook"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(mode)
    return path


def ended(path: Path, deadline_s: float = 10.0, **variables: str) -> Ended:
    return asyncio.run(run_executable(path, variables, deadline_s, path.parent))


def test_a_yes_with_what_it_said(tmp_path: Path) -> None:
    assert ended(hook(tmp_path, "echo fine", "echo really >&2")) == Ended(code=0, output="fine\nreally")


def test_a_no(tmp_path: Path) -> None:
    assert ended(hook(tmp_path, "echo not tonight", "exit 3")) == Ended(
        code=3, why="ended with 3", output="not tonight"
    )


def test_its_environment_is_made_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSFADE_CLIENT_SECRET", "PLANTED-secret")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "PLANTED-secret")
    said = ended(hook(tmp_path, "env"), CROSSFADE_WAVE="wave-01").output
    assert "CROSSFADE_WAVE=wave-01" in said
    assert "PATH=" in said
    assert "PLANTED" not in said


def test_it_runs_in_the_folder_of_the_migration(tmp_path: Path) -> None:
    assert ended(hook(tmp_path, "pwd")).output == str(tmp_path.resolve())


def test_one_that_hangs_is_killed_with_what_it_began(tmp_path: Path) -> None:
    begun = time.monotonic()
    path = hook(tmp_path, "trap '' TERM", "(sleep 60; touch late) &", "echo $! > child", "echo waiting", "sleep 60")
    found = ended(path, 0.5)
    assert (found.code, found.output) == (None, "waiting")
    assert found.why == "had not ended after 0.5 s and was killed"
    assert time.monotonic() - begun < 20
    with pytest.raises(ProcessLookupError):
        _alive_within(5, int((tmp_path / "child").read_text()))


def _alive(pid: int) -> None:
    """Raises ProcessLookupError for one that has gone, perhaps between two looks, or is only waited for."""
    os.kill(pid, 0)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError as gone:
        raise ProcessLookupError from gone
    if state == "Z":
        raise ProcessLookupError


def _alive_within(seconds: float, pid: int) -> None:
    """The same, for one that the thread beside the loop reaps in its own time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _alive(pid)
        time.sleep(0.02)


def test_one_that_leaves_something_running_behind_it_is_not_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert ended(hook(tmp_path, "sleep 20 &", "echo done")) == Ended(code=0, output="done")
    assert time.monotonic() - begun < 15


def test_only_the_end_of_what_it_says_is_kept(tmp_path: Path) -> None:
    found = ended(hook(tmp_path, "i=0", "while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"))
    assert len(found.output) <= KEPT_BYTES
    assert found.output.endswith("line 19999")


@pytest.mark.parametrize(("mode", "why"), [(0o644, "Permission denied"), (0, "Permission denied")])
def test_one_that_may_not_be_run(tmp_path: Path, mode: int, why: str) -> None:
    assert ended(hook(tmp_path, mode=mode)) == Ended(code=None, why=f"could not be run: {why}")


def test_one_that_is_not_there_or_is_no_program(tmp_path: Path) -> None:
    assert ended(tmp_path / "missing").why == "could not be run: No such file or directory"
    path = tmp_path / "text"
    path.write_text("no program")
    path.chmod(0o755)
    assert ended(path).why == "could not be run: Exec format error"


def test_one_that_dies_by_a_signal(tmp_path: Path) -> None:
    assert ended(hook(tmp_path, "kill -9 $$")).why == "was killed by SIGKILL"


def test_under_virtual_time_no_time_passes(tmp_path: Path) -> None:
    clock = SimulatedClock(parse_iso("2026-06-08T20:00:00Z"))
    before = clock.timestamp()
    found = clock.run(run_executable(hook(tmp_path, "sleep 0.2", "echo done"), {}, 10.0, tmp_path))
    assert found == Ended(code=0, output="done")
    assert clock.timestamp() == before
    clock.close()


def begun_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process runs, and is known only after nobody has waited for it any more."""
    begin, drop, dropped = _Child._begin, _Child.drop, threading.Event()

    def late(child: _Child) -> subprocess.Popen[bytes]:
        process = begin(child)
        assert dropped.wait(60.0)
        return process

    def told(child: _Child) -> None:
        dropped.set()
        drop(child)

    monkeypatch.setattr(_Child, "_begin", late)
    monkeypatch.setattr(_Child, "drop", told)


@pytest.mark.parametrize("known", [True, False], ids=["as it runs", "as it is begun"])
def test_one_that_nobody_waits_for_any_more_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Also where it runs already, and whoever began it has not heard so yet: a busy machine has the two apart."""
    if not known:
        begun_late(monkeypatch)
    path = hook(tmp_path, "echo $$ > pid", "exec sleep 60")

    async def work() -> None:
        task = asyncio.ensure_future(run_executable(path, {}, 60.0, tmp_path))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        _alive_within(10.0, pid)


def test_one_that_nobody_waits_for_before_it_is_begun_is_not_begun(tmp_path: Path) -> None:
    child = _Child(hook(tmp_path, "touch ran"), {}, tmp_path)
    dropping = threading.Thread(target=child.drop)
    dropping.start()
    assert child._dropped.wait(60.0)
    assert child.to_the_end(10.0).why == "was not begun: nobody waits for it any more"
    dropping.join()
    assert not (tmp_path / "ran").exists()
