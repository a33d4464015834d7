"""Kill a program at one point, let another process resume it, compare the end: a fork server and its client.

A *program* is one function, named `path/to/file.py:function`, that builds its world, engine and journal on a `Life`,
runs to the end and returns an `End`. It calls `life.point(...)` wherever a process may die (the journal's hook is one
such place) and gives `life.keep(...)` a function that takes the twin's snapshot.

    first life  ... point n: snapshot and time to a file, SIGKILL
    second life ... restores both, resumes from journal and engine store, ends

The server imports the program once and forks a child per life, so a life costs no imports. Start it with `Server`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

START = datetime(2026, 6, 1, 20, tzinfo=UTC)
LIFE_LIMIT_S = 120


@dataclass
class End:
    """How a program ended. `same` must equal that of the uninterrupted run; each count of `at_most` may be one more
    per kill: the call in flight."""

    same: dict[str, Any]
    at_most: dict[str, int] = field(default_factory=dict)


class Life:
    """One process's share of a program. `snapshot` is what the life before left, None in the first."""

    def __init__(self, folder: Path, engine: str, kill_at: int) -> None:
        from crossfade.clock import SimulatedClock, parse_iso

        self.folder = folder
        self.engine = engine
        self.points: list[str] = []
        self._kill_at = kill_at
        self._take: Callable[[], bytes] | None = None
        self._kept = folder / "twin.snapshot"
        kept_at = folder / "twin.time"
        self.snapshot = self._kept.read_bytes() if self._kept.exists() else None
        self.clock = SimulatedClock(parse_iso(kept_at.read_text()) if kept_at.exists() else START)

    def keep(self, take: Callable[[], bytes]) -> None:
        """What to save at the moment of death."""
        self._take = take

    def point(self, name: str) -> None:
        """Die here, if this is the point."""
        self.points.append(name)
        if len(self.points) == self._kill_at:
            if self._take is not None:
                self._kept.write_bytes(self._take())
                (self.folder / "twin.time").write_text(self.clock.now().isoformat())
            os.kill(os.getpid(), signal.SIGKILL)

    def open_engine(self, bodies: Any) -> Any:
        """The engine of this life; its store, if any, lies in the folder, and its commits are points too."""
        from crossfade.execution.inprocess import InProcessEngine

        if self.engine == "inprocess":
            return InProcessEngine(bodies, self.clock)
        from crossfade.execution.dbos_engine import DbosEngine

        self._point_at_commits()
        return DbosEngine(bodies, self.clock, self.folder / "engine.db")

    def calls(self, app: Any) -> Any:
        """An ASGI app whose every call is two points: before it arrives, and when its answer is on its way."""

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.point(f"before {scope.get('method')} {scope.get('path')}")
            await app(scope, receive, send)
            self.point(f"after {scope.get('method')} {scope.get('path')}")

        return counted

    def _point_at_commits(self) -> None:
        import sqlalchemy

        def before(connection: Any) -> None:
            if threading.current_thread() is threading.main_thread():
                self.point("before engine commit")

        sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", before)


# -- the server: one child per life


def serve(program: str) -> None:
    """Answer requests, one JSON line each: folder, engine, kill_at."""
    main = _load(program)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        folder = Path(request["folder"])
        child = os.fork()
        if child == 0:
            _live(main, folder, request["engine"], request["kill_at"])
        _, status = os.waitpid(child, 0)
        print(json.dumps(_answer(folder, status)), flush=True)


def _live(main: Callable[[Life], End], folder: Path, engine: str, kill_at: int) -> None:
    signal.alarm(LIFE_LIMIT_S)
    try:
        life = Life(folder, engine, kill_at)
        end = main(life)
        told = {"end": {"same": end.same, "at_most": end.at_most}, "points": life.points}
    except BaseException:
        told = {"broken": traceback.format_exc()}
    (folder / "told.json").write_text(json.dumps(told))
    os._exit(0)


def _answer(folder: Path, status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        signalled = os.WTERMSIG(status)
        return {"killed": True} if signalled == signal.SIGKILL else {"broken": f"died of signal {signalled}"}
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return told


def _load(program: str) -> Callable[[Life], End]:
    file, _, name = program.partition(":")
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    assert spec is not None, program
    assert spec.loader is not None, program
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[Life], End] = getattr(module, name)
    return found


# -- the client


class Server:
    """A running fork server of one program. `folder` is scratch."""

    def __init__(self, program: str, engine: str, folder: Path) -> None:
        self.engine = engine
        self._folder = folder
        self._count = 0
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(["src", str(Path(__file__).parent)])}
        command = [sys.executable, __file__, program]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._read() == {"ready": True}, "the server did not start"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None, "a pipe"
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def clean(self) -> tuple[End, list[str]]:
        """The end of an uninterrupted run, and the points it passed."""
        folder = self._fresh()
        told = self._life(folder, 0)
        assert "end" in told, told.get("broken")
        shutil.rmtree(folder)
        return End(**told["end"]), told["points"]

    def killed(self, kills: list[int], *, lose_store: bool) -> tuple[End, list[str], int]:
        """The end of a run that died at these points (the second is counted from its resumption), what its last life
        passed, and how many deaths there were: a kill that lies beyond the end does not happen."""
        folder, deaths = self._fresh(), 0
        for kill_at in [*kills, 0]:
            told = self._life(folder, kill_at)
            assert "broken" not in told, (
                f"killed at {kills}, store {'lost' if lose_store else 'kept'}: {told['broken']}"
            )
            if "end" in told:
                break
            deaths += 1
            if lose_store:
                for file in folder.glob("engine.db*"):
                    file.unlink()
        shutil.rmtree(folder)
        return End(**told["end"]), told["points"], deaths

    def _fresh(self) -> Path:
        self._count += 1
        folder = self._folder / f"{self._count}"
        folder.mkdir()
        return folder

    def _life(self, folder: Path, kill_at: int) -> dict[str, Any]:
        assert self._process.stdin is not None, "a pipe"
        self._process.stdin.write(json.dumps({"folder": str(folder), "engine": self.engine, "kill_at": kill_at}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "a pipe"
        line = self._process.stdout.readline()
        assert line, "the server has died"
        told: dict[str, Any] = json.loads(line)
        return told


if __name__ == "__main__":
    serve(sys.argv[1])
