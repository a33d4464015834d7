"""Time and ids. All waiting and all reading of time in Crossfade goes through a `Clock`, the engine or a transport.

Under virtual time the event loop itself is the clock: when nothing is ready to run it jumps to its next timer, so a
night passes in seconds and foreign code that calls `asyncio.sleep` (the SDKs do) is on the same time.
"""

import asyncio
import selectors
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from crossfade.model.ids import stable_id

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
        selector = selectors.DefaultSelector()
        super().__init__(selector)
        self._virtual_s = start
        self._held = 0
        self._real_select = selector.select
        selector.select = self._select  # type: ignore[method-assign]

    def time(self) -> float:
        return self._virtual_s

    def _select(self, timeout: float | None = None) -> Any:
        ready = self._real_select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self._held:
            # No timer and nothing ready: only another thread or a socket can wake us. Wait for it in real time.
            return self._real_select(None)
        self._virtual_s += timeout
        return ready

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, virtual time stands still: what is awaited comes from another thread and takes real time."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Work], *args: Any
    ) -> "asyncio.Future[Work]":
        future: asyncio.Future[Work] = self.create_future()
        # In a thread there would be no running loop, and some libraries refuse to work where there is one.
        asyncio._set_running_loop(None)
        try:
            future.set_result(func(*args))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            future.set_exception(error)
        finally:
            asyncio._set_running_loop(self)
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
    """Fresh ids. Ids that a rerun must repeat are not fresh: derive those with `model.ids.stable_id`."""

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


def iso(moment: datetime) -> str:
    """`2026-06-26T02:46:39.684Z`: UTC with milliseconds, as all documents hold it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Aware UTC from ISO 8601; a text without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
