"""Time and ids. All waiting and all reading of time in Crossfade goes through a `Clock`, the engine or a transport.

Under virtual time the event loop itself is the clock: when nothing is ready to run it jumps to its next timer, so a
night passes in seconds and foreign code that calls `asyncio.sleep` (the SDKs do) is on the same time.
"""

import asyncio
import selectors
import time
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Work = TypeVar("Work")


class Clock(Protocol):
    """Aware UTC now, and letting time pass without blocking the loop."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock and the ordinary event loop."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while it waits, and then at once.

    Work given to an executor runs inline: no thread may take real time behind the back of virtual time, and the order
    of things is the same in every run.
    """

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(selectors.DefaultSelector())
        self._virtual_s = start
        self._real_select = self._selector.select
        self._selector.select = self._select  # type: ignore[method-assign]

    def time(self) -> float:
        return self._virtual_s

    def _select(self, timeout: float | None = None) -> Any:
        ready = self._real_select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            # No timer and nothing ready: only another thread or a socket can wake us. Wait for it in real time.
            return self._real_select(None)
        self._virtual_s += timeout
        return ready

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Work], *args: Any
    ) -> "asyncio.Future[Work]":
        future: asyncio.Future[Work] = self.create_future()
        try:
            future.set_result(func(*args))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            future.set_exception(error)
        return future


class SimulatedClock:
    """Virtual time: `start` plus what the running `VirtualLoop` has let pass. Use it with `run_virtual`."""

    def __init__(self, start: datetime) -> None:
        assert start.tzinfo is not None, "times are aware"
        self.start = start
        self.loop = VirtualLoop()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        """Seconds since 1970 UTC."""
        return self.start.timestamp() + self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on this clock's loop. May be called several times; `close` when done."""
        asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(main)

    def close(self) -> None:
        self.loop.close()


class Stopwatch:
    """Real seconds since it was made: for reports on how long a command took, never for deciding anything."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._start


class Ids(Protocol):
    """Fresh ids. Ids that a rerun must repeat are not fresh: derive those with `stable_id`."""

    def fresh(self) -> str: ...


class RandomIds:
    def fresh(self) -> str:
        return str(uuid.uuid4())


class SeededIds:
    """The same ids in the same order for the same seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def fresh(self) -> str:
        self._count += 1
        return stable_id("seeded", self._seed, str(self._count))


_NAMESPACE = uuid.UUID("6f0c3b0a-3a55-5d58-9c1e-2b7f6f1d7c11")


def stable_id(*parts: str) -> str:
    """The GUID that these parts always give: names of role assignments, ids of operations. Parts are compared as given."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def iso(moment: datetime) -> str:
    """`2026-06-26T02:46:39.684Z`: UTC with milliseconds, as all documents hold it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Aware UTC from ISO 8601; a text without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
