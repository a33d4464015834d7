"""Lists of the classic service: sorted by key, in pages, with a link to the next one (facts/classic-service 2.5, 2.14).

A page costs the same however long the collection is: the sorted keys of a collection are kept until it changes. The
routes tell changes by `put` and `drop`; a change made elsewhere is noticed by the number of entries or a missing one,
and whoever swaps entries behind the service's back calls `forget`.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from avdtwin.classic.errors import refusal
from avdtwin.wire import Request, Response, truthy
from avdtwin.world import World

_KEPT_COLLECTIONS = 4096


class _Kept(msgspec.Struct):
    collection: dict[str, Any]
    keys: list[str]


class _Shelf(msgspec.Struct):
    """Id of a collection -> its sorted keys."""

    kept: dict[int, _Kept] = {}


def _shelf(world: World) -> dict[int, _Kept]:
    found = world.derived.setdefault("classic-keys", _Shelf())
    assert isinstance(found, _Shelf)
    return found.kept


class Order(msgspec.Struct, frozen=True):
    """How a collection may be sorted: by its one key, else a code."""

    field: str
    wrong: str


# ---------------------------------------------------------------- sorted keys


def sorted_keys(world: World, collection: dict[str, Any]) -> list[str]:
    """Keys of a collection in order. Not to be changed by the caller."""
    kept = _shelf(world)
    entry = kept.get(id(collection))
    if entry is None or entry.collection is not collection or len(entry.keys) != len(collection):
        if len(kept) >= _KEPT_COLLECTIONS:
            kept.pop(next(iter(kept)))
        entry = kept[id(collection)] = _Kept(collection, sorted(collection))
    return entry.keys


def put(world: World, collection: dict[str, Any], key: str, value: Any) -> None:
    """Set an entry, keeping the order known."""
    entry = _shelf(world).get(id(collection))
    if key not in collection and entry is not None and len(entry.keys) == len(collection):
        insort(entry.keys, key)
    collection[key] = value


def drop(world: World, collection: dict[str, Any], key: str) -> None:
    """Remove an entry, keeping the order known."""
    entry = _shelf(world).get(id(collection))
    if entry is not None and len(entry.keys) == len(collection):
        at = bisect_left(entry.keys, key)
        if at < len(entry.keys) and entry.keys[at] == key:
            del entry.keys[at]
    del collection[key]


def forget(world: World, collection: dict[str, Any]) -> None:
    """The collection was changed by somebody else."""
    _shelf(world).pop(id(collection), None)


# ---------------------------------------------------------------- pages


def page_of(
    world: World,
    request: Request,
    collection: dict[str, Any],
    order: Order,
    row: Callable[[Any], dict[str, Any]],
    visible: Callable[[str], bool] | None = None,
) -> Response:
    """One page of a collection kept by its lower-cased key; `visible` leaves out keys that the caller may not see."""
    for _ in range(2):
        keys = sorted_keys(world, collection)
        shown = keys if visible is None else [key for key in keys if visible(key)]
        try:
            return page(world, request, shown, order, lambda at, shown=shown: row(collection[shown[at]]))  # type: ignore[misc]
        except KeyError:
            forget(world, collection)
    raise AssertionError("sorted keys of a collection that has others")


def page(
    world: World, request: Request, keys: Sequence[str], order: Order, row: Callable[[int], dict[str, Any]]
) -> Response:
    """One page of rows whose sort keys (ascending, lower-cased, perhaps repeated) are given. `row` takes a position."""
    query = request.query
    asked = query.get("sortfield") or order.field
    if asked.lower() != order.field.lower():
        raise refusal(world, order.wrong, f"'{asked}' is not a field to sort by; '{order.field}' is.")
    descending = truthy(query.get("isdescending"))
    size = _size(world, query.get("pagesize"), len(keys))
    positions = _positions(keys, query.get("lastentry") or "", descending)
    first = positions.start + positions.step * _whole(world, "InitialSkip", query.get("initialskip"), 0)
    chosen = range(first, positions.stop, positions.step)[:size]
    answer = Response(body=[row(at) for at in chosen])
    following = range(first, positions.stop, positions.step)[size:]
    if following and chosen and world.setting("classic_link_header"):
        answer.headers = {"Link": _link(request, keys, chosen[-1], positions.step, size, order.field)}
    return answer


def _positions(keys: Sequence[str], last_entry: str, descending: bool) -> range:
    """Positions after the row last seen."""
    last = last_entry.lower()
    if descending:
        return range((bisect_left(keys, last) if last else len(keys)) - 1, -1, -1)
    return range(bisect_right(keys, last) if last else 0, len(keys))


def _size(world: World, text: str | None, everything: int) -> int:
    """Rows in a page: no more than the cap, and all of them when nothing was asked for, unless a setting says less."""
    cap = int(world.setting("classic_page_cap"))
    if not text:
        unasked = world.setting("classic_page_unasked")
        return everything if unasked is None else int(unasked)
    size = _whole(world, "PageSize", text, cap)
    if size < 1:
        raise refusal(world, "UnknownError", "PageSize must be at least 1.")
    return min(size, cap)


def _whole(world: World, name: str, text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise refusal(world, "UnknownError", f"{name} '{text}' is not a whole number.")
    return int(text)


def _link(request: Request, keys: Sequence[str], at: int, step: int, size: int, field: str) -> str:
    """The link to the rows after position `at`. Where rows share a key (sessions of one user), the page before may end
    between them: then it starts after the key before theirs and skips those already given.
    """
    first = at
    while 0 <= first - step < len(keys) and keys[first - step] == keys[at]:
        first -= step
    shared = 0 <= at + step < len(keys) and keys[at + step] == keys[at]
    before = keys[first - step] if 0 <= first - step < len(keys) else ""
    query = {
        "PageSize": size,
        "LastEntry": before if shared else keys[at],
        "SortField": field,
        "IsDescending": step < 0,
        "InitialSkip": abs(at - first) + 1 if shared else 0,
    }
    return f'<{request.origin}{request.path}?{urlencode(query, quote_via=quote)}>; rel="next"'
