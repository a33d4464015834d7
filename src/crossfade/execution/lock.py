"""A lock on a file that the system gives back when its holder dies, on POSIX and on Windows."""

import getpass
import os
import platform
import sys
from pathlib import Path
from types import TracebackType

from crossfade.errors import Occupied

if sys.platform == "win32":  # pragma: no cover - the other branch is tested here
    import msvcrt

    def _try_lock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


STEER_IT = "Steer it with `crossfade status`, `pause` or `abort`; if it hangs, end it, then `crossfade resume`."


def this_process() -> str:
    """Who works here and where, for somebody who is kept waiting."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        who = f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"
    return f"{who} on {platform.node() or 'this machine'}, process {os.getpid()}"


class FileLock:
    """Held from `acquire` to `release`, or to the death of the process. The file stays: removing it would race."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> "FileLock":
        """Raises Occupied when another process holds it, OSError when the file cannot be made."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _try_lock(handle)
        except OSError as error:
            os.close(handle)
            raise Occupied(
                f"Another process already works on {self.path.parent}.", f"It holds {self.path.name}.", STEER_IT
            ) from error
        self._handle = handle
        return self

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> "FileLock":
        return self.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()
