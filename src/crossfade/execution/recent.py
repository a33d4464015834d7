"""Lists read in bulk and shared: many hosts that look at the same pool within a moment cause one call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from crossfade.clock import Clock

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The last answer per key, used again while it is younger than `fresh_s`."""

    def __init__(self, clock: Clock, fresh_s: float) -> None:
        self._clock = clock
        self._fresh_s = fresh_s
        self._known: dict[str, tuple[float, Value]] = {}
        self._forgotten: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, key: str, read: Callable[[], Awaitable[Value]], *, fresh_s: float | None = None) -> Value:
        """The value of a key, read when the known one is too old. `fresh_s` overrides the age for this look."""
        limit = self._fresh_s if fresh_s is None else fresh_s
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is not None and 0 <= self._now() - known[0] <= limit:  # a clock set back makes nothing young
                return known[1]
            before = self._forgotten.get(key, 0)
            value = await read()
            if self._forgotten.get(key, 0) == before:
                self._known[key] = (self._now(), value)
            return value

    def forget(self, key: str) -> None:
        """Somebody has just changed it: neither what is known nor a read under way is good for the next look."""
        self._known.pop(key, None)
        self._forgotten[key] = self._forgotten.get(key, 0) + 1

    def _now(self) -> float:
        return self._clock.now().timestamp()
