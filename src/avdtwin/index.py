"""Which keys of a dictionary belong to which bucket, so that lists stay quick as an estate grows.

Indices stand beside the state and never in a snapshot. Whoever adds to or takes from the dictionary need not tell: a
look at its length and its last key shows that an index is behind. Telling of removals (`remove`) saves a rebuild.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Generic, TypeVar

from avdtwin.world import World

Item = TypeVar("Item")
_NO_KEYS: list[str] = []


class Index(Generic[Item]):
    """Sorted keys by bucket. An item's buckets must not change while it is in."""

    def __init__(self, items: dict[str, Item], buckets_of: Callable[[str, Item], Iterable[str]]) -> None:
        self._items = items
        self._buckets_of = buckets_of
        self._buckets: dict[str, list[str]] = {}
        self._homes: dict[str, tuple[str, ...]] = {}
        self._versions: dict[str, int] = {}
        self._rebuilds = 0

    def version(self, bucket: str) -> tuple[int, int]:
        """Differs from an earlier one whenever the keys of a bucket may have changed since."""
        self._catch_up()
        return self._rebuilds, self._versions.get(bucket, 0)

    def _touch(self, bucket: str) -> None:
        self._versions[bucket] = self._versions.get(bucket, 0) + 1

    def keys(self, bucket: str) -> list[str]:
        """The keys in a bucket, sorted. The list is the index's own: read it, do not change or keep it."""
        self._catch_up()
        return self._buckets.get(bucket, _NO_KEYS)

    def counter(self) -> Callable[[str], int]:
        """How many keys a bucket holds, for many buckets at one moment."""
        self._catch_up()
        return lambda bucket: len(self._buckets.get(bucket, _NO_KEYS))

    def items(self, bucket: str) -> list[Item]:
        """The items in a bucket, by key."""
        return [self._items[key] for key in self.keys(bucket)]

    def remove(self, key: str) -> None:
        """Say that a key was taken out."""
        for bucket in self._homes.pop(key, ()):
            keys = self._buckets[bucket]
            del keys[bisect_left(keys, key)]
            self._touch(bucket)
            if not keys:
                del self._buckets[bucket]

    def _catch_up(self) -> None:
        grown = len(self._items) - len(self._homes)
        if grown == 0 and (not self._items or next(reversed(self._items)) in self._homes):
            return
        newest = list(islice(reversed(self._items), grown)) if grown > 0 else []
        if 0 < grown < 1000 and not any(key in self._homes for key in newest):
            for key in newest:
                self._add(key)
        else:
            self._rebuild()

    def _add(self, key: str) -> None:
        homes = self._homes[key] = tuple(self._buckets_of(key, self._items[key]))
        for bucket in homes:
            insort(self._buckets.setdefault(bucket, []), key)
            self._touch(bucket)

    def _rebuild(self) -> None:
        self._buckets = {}
        self._homes = {}
        self._rebuilds += 1
        for key, item in self._items.items():
            homes = self._homes[key] = tuple(self._buckets_of(key, item))
            for bucket in homes:
                self._buckets.setdefault(bucket, []).append(key)
        for keys in self._buckets.values():
            keys.sort()


def index_of(
    world: World, name: str, items: dict[str, Item], buckets_of: Callable[[str, Item], Iterable[str]]
) -> Index[Item]:
    """The world's index of this name, made when first asked for."""
    found = world.derived.get(name)
    if not isinstance(found, Index):
        found = world.derived[name] = Index(items, buckets_of)
    return found
