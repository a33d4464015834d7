"""One spelling for each name: the services compare names without case, and sources spell parents as they like."""

from collections.abc import Iterable

from crossfade.inventory.normalise import Draft
from crossfade.model.ids import fold
from crossfade.sources.records import Kind

_OWNERS = frozenset({Kind.TENANT_GROUP, Kind.TENANT, Kind.POOL, Kind.GROUP, Kind.HOST, Kind.APP})
"""Kinds whose key ends in their own name: they know how it is spelled."""
_HOSTS = frozenset({Kind.HOST, Kind.SESSION})
"""Kinds whose fourth name is a host's: a group may have the same name."""


def respell(drafts: Iterable[Draft]) -> None:
    """Give all keys the spelling of the objects that own the names; where none does, one that children use."""
    drafts = list(drafts)
    keys = {(draft.kind in _HOSTS, draft.kind in _OWNERS, draft.key) for draft in drafts}
    best: dict[tuple[bool, str], tuple[bool, str]] = {}
    for of_host, owner, key in keys:
        parts = key.split("/")
        for depth, name in enumerate(parts, start=1):
            place = _place(of_host, parts[:depth])
            said = (owner and depth == len(parts), name)
            best[place] = max(best.get(place, said), said)
    spelled = {(of_host, key): _spelled(of_host, key, best) for of_host, _, key in keys}
    for draft in drafts:
        draft.key = spelled[draft.kind in _HOSTS, draft.key]


def _spelled(of_host: bool, key: str, best: dict[tuple[bool, str], tuple[bool, str]]) -> str:
    parts = key.split("/")
    return "/".join(best[_place(of_host, parts[: depth + 1])][1] for depth in range(len(parts)))


def _place(of_host: bool, parts: list[str]) -> tuple[bool, str]:
    return of_host and len(parts) > 3, fold("/".join(parts))
