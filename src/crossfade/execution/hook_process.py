"""One executable of the operator's own, run to its end or to its deadline. Its output is kept in part, its environment
is made for it: nothing of ours that could be a secret is handed on.
"""

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
KEPT_BYTES = 4_096
"""The end of what it says; the beginning is dropped."""
HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SystemRoot", "ComSpec", "PATHEXT")
"""All that a hook gets of our own environment."""
_END_S = 2.0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended. `code` is None for one that was not begun or had to be killed; `why` says so in words."""

    code: int | None
    why: str = ""
    output: str = ""


async def run_executable(path: Path, variables: Mapping[str, str], deadline_s: float, folder: Path) -> Ended:
    """Run it in `folder` with `variables` as its environment. Never raises for what the executable does."""
    environment = {name: os.environ[name] for name in HANDED_ON if name in os.environ} | dict(variables)
    child = _Child(path, environment, folder)
    return await _beside(lambda: child.to_the_end(deadline_s), child.drop)


async def _beside(work: Callable[[], T], drop: Callable[[], None]) -> T:
    """Do blocking work beside the loop; `drop` ends it when nobody waits any more. Under virtual time it is done at
    once: time stands still meanwhile. A thread of its own, since the loop's own pool would be waited for at the end.
    """
    loop = asyncio.get_running_loop()
    if hasattr(loop, "held"):
        return work()
    ended: asyncio.Future[T] = loop.create_future()
    dropped = threading.Event()

    def settle(result: T) -> None:
        if not ended.done():
            ended.set_result(result)

    def to_its_end() -> None:
        result = work()
        if not dropped.is_set():  # else the loop may have closed by now
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=to_its_end, daemon=True).start()
    try:
        return await ended
    except asyncio.CancelledError:
        dropped.set()
        drop()
        raise


def _told(code: int) -> tuple[int | None, str]:
    if code < 0:
        return None, f"was killed by {signal.Signals(-code).name}"
    return code, f"ended with {code}" if code else ""


class _Child:
    def __init__(self, path: Path, environment: dict[str, str], folder: Path) -> None:
        self._path = path
        self._environment = environment
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = threading.Event()
        self._dropped = threading.Event()
        self._said = b""

    def to_the_end(self, deadline_s: float) -> Ended:
        try:
            if self._dropped.is_set():
                return Ended(code=None, why="was not begun: nobody waits for it any more")
            process = self._process = self._begin()
        except OSError as error:
            return Ended(code=None, why=f"could not be run: {error.strerror or type(error).__name__}")
        finally:
            self._begun.set()
        if self._dropped.is_set():
            self.kill()
        listener = threading.Thread(target=self._listen, args=(process.stdout,), daemon=True)
        listener.start()
        try:
            code, why = _told(process.wait(deadline_s))
        except subprocess.TimeoutExpired:
            self.kill()
            code, why = None, f"had not ended after {deadline_s:g} s and was killed"
        listener.join(_END_S)  # a process that it left behind may hold the pipe open for ever
        return Ended(code=code, why=why, output=self._said.decode("utf-8", "replace").strip())

    def _begin(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [str(self._path)],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _listen(self, stream: Any) -> None:
        while chunk := stream.read1(65_536):
            self._said = (self._said + chunk)[-KEPT_BYTES:]

    def drop(self) -> None:
        """Nobody waits any more. One that is just being begun runs already before it is known here: it is killed as
        soon as it is."""
        self._dropped.set()
        self._begun.wait(_END_S)
        self.kill()

    def kill(self) -> None:
        """It and what it began: first asked, then told."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            if hasattr(os, "killpg"):
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    break
            else:
                process.terminate()
            until = time.monotonic() + _END_S
            while process.poll() is None and time.monotonic() < until:
                threading.Event().wait(0.05)
