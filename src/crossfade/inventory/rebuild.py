"""Parents that no source gave, rebuilt from the names that their children carry (facts/classic-service 3.5 point 8)."""

from collections.abc import Iterator
from typing import Any

from crossfade.inventory.normalise import Draft
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.provenance import Gap
from crossfade.sources.records import Kind

DEFAULT_GROUP = "Desktop Application Group"
_ORDER: tuple[tuple[Kind, frozenset[Kind]], ...] = (
    (Kind.HOST, frozenset({Kind.SESSION})),
    (Kind.GROUP, frozenset({Kind.APP, Kind.DESKTOP, Kind.ASSIGNMENT})),
    (Kind.POOL, frozenset({Kind.HOST, Kind.GROUP})),
    (Kind.TENANT, frozenset({Kind.POOL})),
)
"""Lowest parents first: a rebuilt one may need a parent itself."""
_OWN_KEY = frozenset({Kind.DESKTOP, Kind.ASSIGNMENT})
"""Kinds whose key is the key of their group."""


def rebuilt(drafts: list[Draft]) -> tuple[list[Draft], list[Gap]]:
    """The missing parents, in order of their keys, and a gap for each. Also fills in kinds of groups that have none."""
    made: list[Draft] = []
    gaps: list[Gap] = []
    for kind, children in _ORDER:
        there = {fold(draft.key) for draft in drafts if draft.kind is kind}
        below = _by_parent([draft for draft in drafts + made if draft.kind in children])
        for folded in sorted(below.keys() - there):
            draft = _parent(kind, below[folded])
            made.append(draft)
            gaps.append(_gap(draft))
    gaps += list(_fill_kinds(drafts + made))
    return made, gaps


def _by_parent(children: list[Draft]) -> dict[str, list[Draft]]:
    found: dict[str, list[Draft]] = {}
    for child in children:
        found.setdefault(fold(_parent_key(child)), []).append(child)
    return found


def _parent_key(child: Draft) -> str:
    return child.key if child.kind in _OWN_KEY else parent_key(child.key)


def _parent(kind: Kind, children: list[Draft]) -> Draft:
    first = children[0]
    return Draft(
        kind=kind,
        key=_parent_key(first),
        values=_pool(children) if kind is Kind.POOL else {},
        extra={},
        missing=(),
        origin=first.origin,
        where=first.where,
    )


def _pool(children: list[Draft]) -> dict[str, Any]:
    """Only personal pools bind a host to a person."""
    personal = any(child.values.get("assigned_user") for child in children)
    return {"personal": True, "load_balancer": "Persistent"} if personal else {}


def _gap(draft: Draft) -> Gap:
    return Gap(
        subject=f"{draft.kind} {draft.key}",
        what="It was not read; it is known from objects below it, and its own properties are unknown.",
        why=f"The first that names it is in {draft.where}.",
        mend=f"Export the {draft.kind}s too, or check what the plan says about it property by property.",
    )


def _fill_kinds(drafts: list[Draft]) -> Iterator[Gap]:
    """The kind of a group that was not read: from what it holds, then from its name, else the service's default."""
    unknown = [draft for draft in drafts if draft.kind is Kind.GROUP and draft.values.get("kind") is None]
    if not unknown:
        return
    kinds = {fold(draft.key): "Desktop" for draft in drafts if draft.kind is Kind.DESKTOP}
    kinds |= {fold(parent_key(draft.key)): "RemoteApp" for draft in drafts if draft.kind is Kind.APP}
    for draft in unknown:
        default = "Desktop" if fold(last_name(draft.key)) == fold(DEFAULT_GROUP) else "RemoteApp"
        draft.values["kind"] = kinds.get(fold(draft.key), default)
        yield Gap(
            subject=f"{draft.kind} {draft.key}",
            what=f"Its ResourceType was not read; it is taken for {draft.values['kind']}.",
            why="What it holds, or else its name, says so.",
            mend="Export the app groups with all their properties.",
        )
