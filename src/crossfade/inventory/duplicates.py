"""Objects that were read more than once become one, and whoever must know is told. Table: `inventory.merge`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.inventory import LIVE_VALUES
from crossfade.inventory.normalise import Draft
from crossfade.model.ids import fold
from crossfade.model.provenance import Gap, Origin
from crossfade.sources.records import Kind

_RANK = {"live": 0, "export": 1, "remains": 2}


class Merged(msgspec.Struct):
    """What became of drafts of one identity."""

    draft: Draft
    gaps: list[Gap] = []
    problems: list[Problem] = []


def identity(draft: Draft) -> tuple[str, ...]:
    """What makes two drafts of one kind the same object. A role assignment has no name of its own."""
    key = fold(draft.key)
    if draft.kind is Kind.ASSIGNMENT:
        return key, _folded(draft, "upn")
    if draft.kind is Kind.ROLE:
        return (key, *(_folded(draft, name) for name in ("role", "object_id", "sign_in_name", "app_id")))
    return (key,)


def _folded(draft: Draft, name: str) -> str:
    return fold(str(draft.values.get(name) or ""))


def merged(drafts: list[Draft], origins: Sequence[Origin]) -> Merged:
    """One draft from those of one identity; at least one, in the order they were read."""
    if len(drafts) == 1:
        return Merged(drafts[0])
    if drafts[0].kind is Kind.ASSIGNMENT:
        return _one_person(drafts)
    ordered = sorted(drafts, key=lambda draft: _RANK.get(origins[draft.origin].source, len(_RANK)))
    best = _latest(ordered, origins)
    result = Merged(best, [], [])
    for other in ordered:
        if other is not best:
            _add(best, other, origins, result)
    return result


def _latest(ordered: list[Draft], origins: Sequence[Origin]) -> Draft:
    """Of the best source: the one with the latest heartbeat, else the one that was read last."""
    source = origins[ordered[0].origin].source
    peers = [draft for draft in ordered if origins[draft.origin].source == source]
    return max(reversed(peers), key=lambda draft: draft.values.get("last_heartbeat") or "")


def _add(best: Draft, other: Draft, origins: Sequence[Origin], result: Merged) -> None:
    """Fill what `best` lacks from another; say where they disagree."""
    differing = _differing(best.values, other.values) + _differing(best.extra, other.extra)
    best.values = {**other.values, **best.values}
    best.extra = {**other.extra, **best.extra}
    best.missing = tuple(name for name in best.missing if name not in best.values)
    sources = {origins[best.origin].source, origins[other.origin].source}
    if not differing or sources == {"live"}:
        return
    what = f"{best.kind} {best.key} is also in {other.where}, with another {', '.join(sorted(differing))}."
    if sources in ({"export"}, {"remains"}):
        result.problems.append(Problem(best.where, what, "Keep the file that is true and take the other away."))
    else:
        why = f"{best.where} is taken, since it comes from the better source."
        result.gaps.append(Gap(subject=f"{best.kind} {best.key}", what=what, why=why, mend="Check which one is true."))


def _differing(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    both = ours.keys() & theirs.keys() - LIVE_VALUES - {"state"}
    return [name for name in both if ours[name] != theirs[name]]


def _one_person(drafts: list[Draft]) -> Merged:
    spellings = sorted({str(draft.values["upn"]) for draft in drafts})
    chosen = max(drafts, key=lambda draft: str(draft.values["upn"]))
    if len(spellings) == 1:
        return Merged(chosen)
    gap = Gap(
        subject=f"app group {chosen.key}",
        what=f"One person is assigned {len(spellings)} times, spelled {' and '.join(spellings)}; counted once.",
        why="Names of people are compared without case.",
        mend="Nothing to do when that is one person.",
    )
    return Merged(chosen, [gap])
