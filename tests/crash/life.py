"""One process's share of a program that may be killed: its points, what outlives it, and how it ended."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

START = datetime(2026, 6, 1, 20, tzinfo=UTC)
TIDYING = "tidy "
"""Names of writes that only clear away what a write before them made. A run command that was in flight is deleted
before it is sent once more, and again at its end; was that last deletion itself in flight, there are two more."""
_WRITING = re.compile(r"^\s*(INSERT|UPDATE|DELETE)\b\s*(?:OR \w+ )?(?:INTO |FROM )?\W?([\w.]+)", re.IGNORECASE)


@dataclass
class End:
    """How a program ended. `same` must equal that of the uninterrupted run. Of `writes` there may be more, those that
    were in flight, and none less."""

    same: dict[str, Any]
    writes: dict[str, int] = field(default_factory=dict)

    def compare(self, clean: End, in_flight: int, place: str) -> None:
        """Fail where this differs from the uninterrupted end by more than the writes in flight at the death."""
        assert self.same == clean.same, place
        surplus = {
            name: self.writes.get(name, 0) - clean.writes.get(name, 0) for name in self.writes.keys() | clean.writes
        }
        surplus = {name: more for name, more in surplus.items() if more}
        assert min(surplus.values(), default=0) >= 0, f"{place}: writes are missing: {surplus}"
        told = f"{place}: {in_flight} writes were in flight, and these came more often: {surplus}"
        tidied = sum(more for name, more in surplus.items() if name.startswith(TIDYING))
        assert sum(surplus.values()) - tidied <= in_flight, told
        assert tidied <= 2 * in_flight, told


class Life:
    """From a program's start, or from what an earlier life left in `folder`, to its end or to point `kill_at`.

    `snapshot` is the twin that the life before left, None in the first.
    """

    def __init__(self, folder: Path, engine: str, kill_at: int = 0, remains: Remains | None = None) -> None:
        from crossfade.clock import SimulatedClock, parse_iso

        self.folder = folder
        self.engine = engine
        self.store = "engine.db"
        """Name of the engine's store in the folder."""
        self.points: list[str] = []
        self._kill_at = kill_at
        self._remains = remains
        self._take: Callable[[], bytes] | None = None
        self._kept = folder / "twin.snapshot"
        kept_at = folder / "twin.time"
        self.snapshot = self._kept.read_bytes() if self._kept.exists() else None
        self.clock = SimulatedClock(parse_iso(kept_at.read_text()) if kept_at.exists() else START)

    def keep(self, take: Callable[[], bytes]) -> None:
        """What to save at the moment of death."""
        self._take = take

    def point(self, name: str) -> None:
        """The journal's hook: `before …` or `after …`. Die here, if this is the point."""
        self._point("journal", name)

    def called(self, name: str) -> None:
        """The same, before and after a call that leaves the process."""
        self._point("call", name)

    def leave(self) -> None:
        """Write down what outlives this process: the services and the time go on without it."""
        if self._take is not None:
            self._kept.write_bytes(self._take())
            (self.folder / "twin.time").write_text(self.clock.now().isoformat())

    def _point(self, what: str, name: str) -> None:
        when, _, words = name.partition(" ")
        number = len(self.points) + 1
        self.points.append(f"{what}:{when}:{number} {words}")
        if number == self._kill_at:
            self.leave()
            os.kill(os.getpid(), signal.SIGKILL)
        if self._remains is not None and number in self._remains.wanted:
            self.leave()
            self._remains.copy(self.folder, number)

    def open_engine(self, bodies: Any) -> Any:
        """The engine of this life; its store, if any, lies in the folder, and its commits are points too."""
        from crossfade.execution.inprocess import InProcessEngine

        if self.engine == "inprocess":
            return InProcessEngine(bodies, self.clock)
        from crossfade.execution.dbos_engine import DbosEngine

        self._point_at_commits()
        return DbosEngine(bodies, self.clock, self.folder / self.store)

    def calls(self, app: Any) -> Any:
        """An ASGI app whose every call is two points: before it arrives, and when its answer is on its way."""

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            name = f"{scope.get('method')} {'/'.join(str(scope.get('path')).split('/')[-2:])}"
            self.called(f"before {name}")
            await app(scope, receive, send)
            self.called(f"after {name}")

        return counted

    def _point_at_commits(self) -> None:
        """Before and after each commit of the engine that writes, named by its last write. Its queue's threads commit
        by the real clock, and nothing before a resumption: they are no points."""
        import sqlalchemy
        from sqlalchemy.engine.default import DefaultDialect

        last: list[str] = []
        commit = DefaultDialect.do_commit

        def on_main() -> bool:
            return threading.current_thread() is threading.main_thread()

        def executed(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            found = _WRITING.search(statement)
            if found is not None and on_main():
                last[:] = [f"{found[1].upper()} {found[2]}"]

        def committed(dialect: Any, connection: Any) -> None:
            name = last.pop() if last and on_main() else ""
            if name:
                self._point("engine", f"before {name}")
            commit(dialect, connection)
            if name:
                self._point("engine", f"after {name}")

        sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", executed)
        DefaultDialect.do_commit = committed  # type: ignore[method-assign]


class Remains:
    """Copies of what is left at the points `wanted`, each in `folder/NUMBER`. Points that leave the same, byte for
    byte, share one copy: `copies` says whose."""

    def __init__(self, folder: Path, wanted: list[int]) -> None:
        self.folder = folder
        self.wanted = frozenset(wanted)
        self.copies: dict[int, int] = {}
        self._last = (b"", 0)

    def copy(self, folder: Path, number: int) -> None:
        digest = hashlib.sha256()
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.name.endswith("-shm"):
                digest.update(file.name.encode() + b"\n" + file.read_bytes())
        if digest.digest() != self._last[0]:
            self._last = (digest.digest(), number)
            shutil.copytree(folder, self.folder / f"{number}", copy_function=shutil.copyfile)
        self.copies[number] = self._last[1]
