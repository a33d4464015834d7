"""Many reads at a time, but not too many; one that fails is told and does not stop the others."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crossfade.errors import CloudError, Unauthorized
from crossfade.model.provenance import Gap

T = TypeVar("T")

IN_FLIGHT = 8
"""Calls at a time; below what the services allow in bursts (`cloud.pacing`)."""

Progress = Callable[[str, int, int], None]
"""Told the collection, how many of its lists have been read, and how many are known so far."""


def silent(collection: str, done: int, known: int) -> None:
    """Tells nobody."""


class Gatherer:
    """Runs reads under one limit. `gaps` are those of reads that failed."""

    def __init__(self, in_flight: int = IN_FLIGHT, progress: Progress = silent) -> None:
        self._room = asyncio.Semaphore(in_flight)
        self._progress = progress
        self._known: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self.gaps: list[Gap] = []

    async def read(self, collection: str, subject: str, work: Callable[[], Awaitable[T]]) -> T | None:
        """What `work` gives, or None and a gap. Raises Unauthorized: without a sign-in nothing else will work."""
        self._known[collection] += 1
        try:
            async with self._room:
                return await work()
        except Unauthorized:
            raise
        except CloudError as error:
            self.gaps.append(unread(subject, error))
            return None
        finally:
            self._done[collection] += 1
            self._progress(collection, self._done[collection], self._known[collection])


async def together(*work: Awaitable[object]) -> None:
    """All of these at once. The first error ends the others and is raised as itself, not in a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for each in work:
                tasks.create_task(_awaited(each))
    except ExceptionGroup as group:
        error = group.exceptions[0]
    else:
        return
    raise error


async def _awaited(work: Awaitable[object]) -> None:
    await work


def unread(subject: str, error: CloudError) -> Gap:
    """The gap of a read that a service refused or failed."""
    mend = error.mend or "Read again later."
    return Gap(subject=subject, what="It could not be read.", why=str(error.why or error.what), mend=mend)
