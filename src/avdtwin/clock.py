"""The twin's time. Everything in the twin reads `now()` of one clock; nothing else may read the real one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970-01-01 UTC, never going back, and a way to let time pass."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScaledClock:
    """The machine's clock, `factor` times as fast, starting at `start` (seconds since 1970, default: now)."""

    def __init__(self, factor: float, start: float | None = None) -> None:
        self.factor = factor
        self._real_start = time.monotonic()
        self._start = time.time() if start is None else start

    def now(self) -> float:
        return self._start + (time.monotonic() - self._real_start) * self.factor

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.factor)


class ManualClock:
    """A clock that moves only when told to; `sleep` moves it."""

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        assert seconds >= 0, "time does not go back"
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)


class BorrowedClock:
    """Somebody else's clock, given as two functions: how a program shares its virtual time with the twin in-process."""

    def __init__(self, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._now = now
        self._sleep = sleep

    def now(self) -> float:
        return self._now()

    async def sleep(self, seconds: float) -> None:
        await self._sleep(seconds)


def to_datetime(at: float) -> datetime:
    """Aware UTC for seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)


def iso(at: float | None, digits: int = 2) -> str | None:
    """`2026-06-26T02:46:39.68Z`: ISO 8601 in UTC with `digits` digits of a second; None stays None."""
    if at is None:
        return None
    moment = to_datetime(at)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if digits == 0:
        return text + "Z"
    fraction = f"{moment.microsecond:06d}".ljust(digits, "0")[:digits]
    return f"{text}.{fraction}Z"


def http_date(at: float) -> str:
    """`Mon, 08 Jun 2026 06:00:00 GMT`, as the Date header has it."""
    return formatdate(at, usegmt=True)


def parse_iso(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 text; without an offset it is UTC. Raises ValueError when it is none."""
    # More than six digits of a second are legal on the wire and not in Python: cut them.
    head, dot, rest = text.strip().partition(".")
    if dot:
        digits = ""
        while rest and rest[0].isdigit():
            digits, rest = digits + rest[0], rest[1:]
        text = f"{head}.{digits[:6].ljust(6, '0')}{rest}"
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
