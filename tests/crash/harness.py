"""Kill a program at one point, let another process resume it, compare the end: a fork server and its client.

A *program* is one function of a file in `programs/`. It builds its world, engine and journal on a `Life`, runs to the
end and returns an `End`. The file's `PROGRAMS` lists `name -> (function, after)`: it begins with what the program
`after` has left, or with nothing. It calls `life.point(...)` wherever a process may die (the journal's hook is one such
place) and gives `life.keep(...)` a function that takes the twin's snapshot.

    first life  ... point n: snapshot and time to a file, SIGKILL
    second life ... restores both, resumes from journal and engine store, ends

The server plays every program of a file once without an engine's store, to have everything imported and drawn up, then
forks a child per life. Trying every point by a first life of its own would play the beginning again for each:
`Play.remains` plays it once and copies at each point what a SIGKILL there would leave: the files as they are, the twin,
the time.

A point is called `WHAT:WHEN:NUMBER words`, as in `journal:before:12 host h3 drained`, with `journal`, `engine` or
`call`; its number counts from the start of the life. One of them again, with a real SIGKILL:

    python tests/crash/harness.py move:forward dbos journal:before:12
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from life import End, Life, Remains

HERE = Path(__file__).parent
STORES = ("engine.db", "rollback.db", "complete.db")
LIFE_LIMIT_S = 120
Main = Callable[[Life], End]
Programs = dict[str, tuple[Main, str]]


# -- the server: one child per life


def serve(file: str, left: str) -> None:
    """Answer requests, one JSON line each: program, folder, engine, kill_at, and for remains `into` and `wanted`. What
    each program leaves when nothing kills it is in `left/NAME`."""
    programs = _load(Path(file))
    for name, (main, after) in programs.items():
        folder = Path(left, name)
        folder.mkdir() if not after else shutil.copytree(Path(left, after), folder)
        life = Life(folder, "inprocess")
        main(life)
        life.leave()
    assert threading.active_count() == 1, "a fork takes no threads along"
    gc.collect()
    gc.freeze()
    print(json.dumps({"after": {name: after for name, (_, after) in programs.items()}}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        folder = Path(request["folder"])
        child = os.fork()
        if child == 0:
            remains = Remains(Path(request["into"]), request["wanted"]) if "into" in request else None
            life = Life(folder, request["engine"], request["kill_at"], remains)
            _live(programs[request["program"]][0], life, remains)
        _, status = os.waitpid(child, 0)
        print(json.dumps(_answer(folder, status)), flush=True)


def _live(main: Main, life: Life, remains: Remains | None) -> None:
    signal.alarm(LIFE_LIMIT_S + len(remains.wanted if remains else ()))
    told: dict[str, Any]
    try:
        end = main(life)
        told = {"end": {"same": end.same, "writes": end.writes}, "points": life.points}
        if remains is not None:
            told["copies"] = sorted(remains.copies.items())
    except BaseException:
        told = {"broken": traceback.format_exc()}
    (life.folder / "told.json").write_text(json.dumps(told))
    os._exit(0)


def _answer(folder: Path, status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        signalled = os.WTERMSIG(status)
        return {"killed": True} if signalled == signal.SIGKILL else {"broken": f"died of signal {signalled}"}
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return told


def _load(file: Path) -> Programs:
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None, file
    assert spec.loader is not None, file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Programs = module.PROGRAMS
    return found


# -- the client


class Server:
    """A running fork server of the programs of one file, `programs/NAME.py`. `folder` is scratch."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self._count = 0
        self._left = folder / "left"
        self._left.mkdir()
        command = [sys.executable, __file__, "--serve", str(HERE / f"programs/{name}.py"), str(self._left)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(["src", str(HERE)])},
        )
        self._after: dict[str, str] = self._read()["after"]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None, "a pipe"
        self._process.stdin.close()
        self._process.wait(timeout=LIFE_LIMIT_S)

    def play(self, program: str, engine: str) -> Play:
        """One program of the file on one engine."""
        return Play(self, program, engine)

    def fresh(self, program: str = "") -> Path:
        """A new folder, empty or with what the program begins with."""
        self._count += 1
        folder, after = self._folder / f"{self._count}", self._after.get(program, "")
        if after:
            shutil.copytree(self._left / after, folder)
        else:
            folder.mkdir()
        return folder

    def life(self, folder: Path, program: str, engine: str, kill_at: int, **more: Any) -> dict[str, Any]:
        """Have one life lived in a folder; what became of it."""
        assert self._process.stdin is not None, "a pipe"
        request = {"program": program, "folder": str(folder), "engine": engine, "kill_at": kill_at, **more}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "a pipe"
        line = self._process.stdout.readline()
        assert line, "the server has died"
        told: dict[str, Any] = json.loads(line)
        return told


class Play:
    """The lives of one program on one engine."""

    def __init__(self, server: Server, program: str, engine: str) -> None:
        self.program = program
        self.engine = engine
        self._server = server

    def clean(self) -> tuple[End, list[str]]:
        """The end of an uninterrupted run, and the points it passed."""
        folder = self._server.fresh(self.program)
        told = self._life(folder, 0)
        assert "end" in told, told.get("broken")
        shutil.rmtree(folder)
        return End(**told["end"]), told["points"]

    def killed(self, kills: list[int], *, lose_store: bool) -> tuple[End, list[str], int]:
        """The end of a run that died at these points (the second is counted from its resumption), what its last life
        passed, and how many writes were in flight at its deaths: a kill that lies beyond the end does not happen."""
        folder, writes = self._server.fresh(self.program), 0
        for kill_at in [*kills, 0]:
            told = self._life(folder, kill_at)
            assert "broken" not in told, f"killed at {kills}: {told['broken']}"
            if "end" in told:
                break
            writes += in_flight(folder)
            if lose_store:
                _lose_store(folder)
        shutil.rmtree(folder)
        return End(**told["end"]), told["points"], writes

    def remains(self, wanted: list[int]) -> list[tuple[Path, list[int]]]:
        """What a kill at each of these points would leave, each with the points that leave just this."""
        folder, into = self._server.fresh(self.program), self._server.fresh()
        told = self._life(folder, 0, into=str(into), wanted=wanted)
        assert "copies" in told, told.get("broken")
        shutil.rmtree(folder)
        shared: dict[int, list[int]] = {}
        for number, first in told["copies"]:
            shared.setdefault(first, []).append(number)
        return [(into / f"{first}", numbers) for first, numbers in shared.items()]

    def resumed(self, folder: Path, *, lose_store: bool) -> End:
        """The end of a life that begins with what another left in `folder`, which is left as it is."""
        own = self._server.fresh()
        shutil.copytree(folder, own, dirs_exist_ok=True)
        if lose_store:
            _lose_store(own)
        told = self._life(own, 0)
        assert "end" in told, told.get("broken")
        shutil.rmtree(own)
        return End(**told["end"])

    def place(self, point: str, *, lose_store: bool = False) -> str:
        """Where it was killed, for whoever reads a failure, and the command that tries this again."""
        again = f"python tests/crash/harness.py {self._server.name}:{self.program} {self.engine} {point.split(' ')[0]}"
        return f"killed at {point}, store {'lost' if lose_store else 'kept'}; again: {again}"

    def _life(self, folder: Path, kill_at: int, **more: Any) -> dict[str, Any]:
        return self._server.life(folder, self.program, self.engine, kill_at, **more)


def in_flight(folder: Path) -> int:
    """How many writes a death has left unknown: as many as steps were begun, without those that only wait; one at
    least, since not everything is a step."""
    from crossfade.execution.reader import JournalReader
    from crossfade.execution.transitions import Kind, StepState

    journal = folder / "journal.db"
    if not journal.exists():
        return 1
    with JournalReader.look(journal) as reader:
        begun = [step.id for step in reader.all(Kind.STEP) if step.state == StepState.BEGUN]
        waits = {one.subject for one in reader.events(kind="step") if one.reason.startswith("waiting for")}
    return max(1, len([step for step in begun if step not in waits]))


def _lose_store(folder: Path) -> None:
    for name in STORES:
        for file in folder.glob(f"{name}*"):
            file.unlink()


def replay(name: str, engine: str, point: str) -> None:
    """Kill at one point, resume, compare; with the engine's store kept, and with it lost."""
    file, _, program = name.partition(":")
    with tempfile.TemporaryDirectory() as scratch, Server(file, Path(scratch)) as server:
        play = server.play(program, engine)
        clean, points = play.clean()
        number = int(point.rpartition(":")[2])
        found = points[number - 1]
        assert found.startswith(f"{point} "), f"point {number} is now {found}"
        print(f"{len(points)} points; killed at {found}")
        for lose_store in (False, True):
            end, _, writes = play.killed([number], lose_store=lose_store)
            end.compare(clean, writes, play.place(found, lose_store=lose_store))
            print(f"store {'lost' if lose_store else 'kept'}: resumed, and the end is the same")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(*sys.argv[2:])
    else:
        replay(*sys.argv[1:])
