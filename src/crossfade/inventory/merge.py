"""Raw records of one or several sources -> one Inventory (design 3). Pure and deterministic.

What is merged, and how:

    the same object read twice, alike              once, silently
    ... a session host with other live values      the later heartbeat
    ... from two sources, differing                 live before export before remains, and a gap
    ... from two exported files, differing          a problem: nobody can tell which is true
    one person twice in a group, in two casings    once, and a gap that has both spellings
    a child whose parent was not read              the parent is rebuilt, and a gap
    names of one object in several casings         the object's own spelling everywhere
    an app that has an alias and no path           the start menu's path, and a gap
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from crossfade.errors import InputError, Problem
from crossfade.inventory.absences import absences, cut_properties
from crossfade.inventory.aliases import resolve
from crossfade.inventory.duplicates import identity, merged
from crossfade.inventory.fields import FIELDS, TYPES
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.normalise import Draft, Misread, drafted
from crossfade.inventory.rebuild import rebuilt
from crossfade.inventory.spelling import respell
from crossfade.inventory.unconfirmed import unconfirmed
from crossfade.model.classic import ClassicObject
from crossfade.model.provenance import Gap
from crossfade.sources.records import Kind, Reading

_LISTS: dict[Kind, str] = {
    Kind.TENANT_GROUP: "tenant_groups",
    Kind.TENANT: "tenants",
    Kind.POOL: "pools",
    Kind.GROUP: "groups",
    Kind.DESKTOP: "desktops",
    Kind.APP: "apps",
    Kind.ASSIGNMENT: "assignments",
    Kind.HOST: "hosts",
    Kind.SESSION: "sessions",
    Kind.ROLE: "roles",
}


def assemble(reading: Reading, *, made_at: str) -> Inventory:
    """The inventory of what was read. Raises InputError with all problems, those of the reading included."""
    gaps, problems = list(reading.gaps), list(reading.problems)
    drafts = _drafts(reading, gaps, problems)
    gaps += resolve(drafts, reading.records)
    respell(drafts)
    parents, found = rebuilt(drafts)
    drafts = _unique(drafts + parents, reading, gaps, problems)
    if problems:
        raise InputError("What was read cannot be used; nothing was written.", sorted(problems, key=_file_and_line))
    gaps += [*found, *cut_properties(drafts, reading.origins), *unconfirmed(drafts, reading.origins)]
    inventory = _inventory(drafts, reading, made_at)
    if any(origin.source == "export" for origin in reading.origins):
        gaps += absences(inventory)
    return msgspec.structs.replace(inventory, gaps=_sorted(gaps))


def _drafts(reading: Reading, gaps: list[Gap], problems: list[Problem]) -> list[Draft]:
    drafts = []
    for record in reading.records:
        if record.kind not in FIELDS:
            continue
        draft, misread = drafted(record)
        drafts.append(draft)
        for item in misread:
            if item.soft or reading.origins[draft.origin].source == "live":
                gaps.append(_left_out(item))
            else:
                what = f"{draft.kind} {draft.key}: {item.property} {item.why}."
                problems.append(Problem(draft.where, what, "Correct it, or export it again."))
    return drafts


def _left_out(item: Misread) -> Gap:
    return Gap(
        subject=f"{item.draft.kind} {item.draft.key}",
        what=f"{item.property} in {item.draft.where} {item.why}; it is left out.",
        why="Later modules and agents know values that this version does not.",
        mend="Look the value up by hand if it matters.",
    )


def _unique(drafts: list[Draft], reading: Reading, gaps: list[Gap], problems: list[Problem]) -> list[Draft]:
    """One draft for each object, in order of kinds and keys."""
    alike: dict[tuple[Kind, tuple[str, ...]], list[Draft]] = {}
    for draft in drafts:
        alike.setdefault((draft.kind, identity(draft)), []).append(draft)
    unique = []
    for _, same in sorted(alike.items(), key=lambda item: item[0]):
        result = merged(same, reading.origins)
        unique.append(result.draft)
        gaps += result.gaps
        problems += result.problems
    return unique


def _inventory(drafts: Iterable[Draft], reading: Reading, made_at: str) -> Inventory:
    lists: dict[str, Any] = {name: [] for name in _LISTS.values()}
    for draft in drafts:
        lists[_LISTS[draft.kind]].append(_object(draft))
    return Inventory(made_at=made_at, origins=reading.origins, **lists)


def _object(draft: Draft) -> ClassicObject:
    """Members that were null take the model's default where it has one."""
    said = {name: value for name, value in draft.values.items() if value is not None}
    if draft.kind is Kind.SESSION:
        said.setdefault("state", "Unknown")
    members = {**said, "key": draft.key, "extra": draft.extra, "origin": draft.origin}
    return msgspec.convert(members, TYPES[draft.kind])


def _sorted(gaps: list[Gap]) -> list[Gap]:
    return sorted(set(gaps), key=lambda gap: (gap.subject.casefold(), gap.what, gap.why))


def _file_and_line(problem: Problem) -> tuple[str, int]:
    file, _, line = problem.where.rpartition(":")
    return (file, int(line)) if line.isdigit() else (problem.where, 0)
