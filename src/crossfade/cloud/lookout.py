"""How often to look at what takes minutes, by how much is watched: a subscription has one read budget."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOKS_PER_S = 12.5
"""All looks at running operations of a subscription together: half of what ARM refills (facts/arm-service 9.1), so that
the other half is there for deciding, listing and verifying."""


class Lookout:
    """Counts what is watched, by subscription.

    with lookout.watching(subscription) as every_s:
        ...
        await clock.sleep(every_s(15.0))
    """

    def __init__(self) -> None:
        self._watched: Counter[str] = Counter()

    @contextmanager
    def watching(self, subscription: str) -> Iterator[Callable[[float], float]]:
        """One more is watched meanwhile. Gives the seconds until the next look, at least those that are asked for."""
        key = subscription.casefold()
        self._watched[key] += 1
        try:
            yield lambda least_s: max(least_s, self._watched[key] / LOOKS_PER_S)
        finally:
            self._watched[key] -= 1
