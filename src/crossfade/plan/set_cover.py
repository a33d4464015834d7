"""Fewest assignments for a set of people: some of the groups that hold only such people, and the rest one by one.

A group costs one assignment and so does a person, so whoever is in any group can be covered by one at no more cost than
alone. What is left is the smallest number of groups that together hold everybody who is in any: minimum set cover.
Reduction rules, then branch and bound within a budget of work; past it the best that was found, starting from greedy
with improvement. The same input gives the same answer.

Rows and groups are bits of Python integers: a row is the set of groups that hold a person, as a mask.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence

import msgspec

WORK = 3_000_000
"""Pairs of rows that are compared at most, for one set of people: well below a second."""


class Cover(msgspec.Struct, frozen=True):
    """`groups`: indexes of the chosen ones, ascending. `exact`: no choice has fewer assignments."""

    groups: list[int]
    exact: bool


def cover(people: Collection[Hashable], groups: Sequence[Collection[Hashable]], *, work: int = WORK) -> Cover:
    """The choice with the fewest assignments, and of those one in which no group stands in for a single person only.

    Each group holds none but `people`. Of groups that serve alike the earlier one is taken: order says preference.
    """
    masks = _masks(people, groups)
    rows = Counter(masks.values())
    found = _Search(work)
    chosen = [column for part in _parts(list(rows)) for column in found.smallest(part)]
    return Cover(sorted(column.bit_length() - 1 for column in _worth_it(chosen, rows)), found.exact)


def greedy(people: Collection[Hashable], groups: Sequence[Collection[Hashable]]) -> list[int]:
    """The plain method, for comparison: always the group that holds most of those who are left, while it holds two."""
    left = set(people)
    chosen: list[int] = []
    while True:
        best = max(range(len(groups)), key=lambda at: (len(left.intersection(groups[at])), -at), default=-1)
        if best < 0 or len(left.intersection(groups[best])) < 2:
            return sorted(chosen)
        chosen.append(best)
        left.difference_update(groups[best])


def assignments(people: Collection[Hashable], groups: Sequence[Collection[Hashable]], chosen: Iterable[int]) -> int:
    """How many assignments a choice needs: its groups, and everybody whom none of them holds."""
    picked = list(chosen)
    held = {person for at in picked for person in groups[at]}
    return len(picked) + len(set(people) - held)


def _masks(people: Collection[Hashable], groups: Sequence[Collection[Hashable]]) -> dict[Hashable, int]:
    """Person -> the groups that hold them; who is in none is left out."""
    known = people if isinstance(people, set | frozenset) else set(people)
    found: dict[Hashable, int] = {}
    for at, members in enumerate(groups):
        bit = 1 << at
        for person in members:
            assert person in known, "a group with somebody else in it would give access away"
            found[person] = found.get(person, 0) | bit
    return found


def _worth_it(chosen: list[int], rows: Counter[int]) -> list[int]:
    """Without groups that stand in for one person only: assigned alone they cost the same, and nobody joins them.

    `rows`: mask -> how many people have it.
    """
    kept = sum(chosen)
    for column in sorted(chosen, reverse=True):
        only = sum(count for mask, count in rows.items() if mask & kept == column)
        if only <= 1:
            kept &= ~column
    return [column for column in chosen if column & kept]


# ---------------------------------------------------------------- rows


def _parts(rows: list[int]) -> list[list[int]]:
    """Rows that share no group, directly or through others, are problems of their own."""
    parts: list[tuple[int, list[int]]] = []
    for row in rows:
        mask, members = row, [row]
        apart = []
        for part in parts:
            if part[0] & mask:
                mask |= part[0]
                members = part[1] + members
            else:
                apart.append(part)
        parts = [*apart, (mask, members)]
    return [members for _, members in parts]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit


def _hardest(rows: Iterable[int]) -> list[int]:
    """Without rows that are covered whenever another one is: its groups are among theirs."""
    kept: list[int] = []
    lowest: dict[int, list[int]] = {}
    for row in sorted(set(rows), key=lambda row: (row.bit_count(), row)):
        if not any(other & row == other for bit in _bits(row) for other in lowest.get(bit, ())):
            kept.append(row)
            lowest.setdefault(row & -row, []).append(row)
    return kept


def _useful(rows: list[int]) -> int:
    """Groups that no other one replaces: those whose rows are all among another's are left out, the later of equals."""
    held: dict[int, int] = {}
    for at, row in enumerate(rows):
        for column in _bits(row):
            held[column] = held.get(column, 0) | 1 << at
    useful = 0
    for column, mine in sorted(held.items(), key=lambda item: (-item[1].bit_count(), item[0])):
        rarest = min((rows[bit.bit_length() - 1] & useful for bit in _bits(mine)), key=int.bit_count)
        if not any(mine & held[other] == mine for other in _bits(rarest)):
            useful |= column
    return useful


def _reduced(rows: list[int]) -> tuple[list[int], list[int]]:
    """What the rules leave of a problem, and the groups that they settle: those that alone hold somebody."""
    taken: list[int] = []
    while rows:
        rows = _hardest(rows)
        settled = 0
        for row in rows:
            settled |= row if row.bit_count() == 1 else 0
        if settled:
            taken += _bits(settled)
            rows = [row for row in rows if not row & settled]
            continue
        useful = _useful(rows)
        fewer = [row & useful for row in rows]
        if fewer == rows:
            break
        rows = fewer
    return rows, taken


def _least(rows: list[int]) -> int:
    """No choice has fewer groups: as many as there are rows that share none, and as the largest group leaves room."""
    apart, used = 0, 0
    for row in rows:
        if not row & used:
            used |= row
            apart += 1
    largest = max(_sizes(rows).values(), default=1)
    return max(apart, -(-len(rows) // largest))


def _sizes(rows: list[int]) -> dict[int, int]:
    """Group -> how many rows it covers."""
    found: dict[int, int] = {}
    for row in rows:
        for column in _bits(row):
            found[column] = found.get(column, 0) + 1
    return found


def _greedy(rows: list[int]) -> list[int]:
    """Largest first, then without those that the others make needless."""
    chosen: list[int] = []
    left = rows
    while left:
        sizes = _sizes(left)
        best = max(sizes, key=lambda column: (sizes[column], -column))
        chosen.append(best)
        left = [row for row in left if not row & best]
    return _improved(rows, chosen)


def _improved(rows: list[int], chosen: list[int]) -> list[int]:
    """Needless ones dropped; then two exchanged for one, as long as that is possible."""
    while True:
        chosen = _needed(rows, chosen)
        shorter = _two_for_one(rows, chosen)
        if shorter is None:
            return chosen
        chosen = shorter


def _needed(rows: list[int], chosen: list[int]) -> list[int]:
    kept = sum(chosen)
    for column in reversed(chosen):
        if all(row & kept & ~column for row in rows if row & column):
            kept &= ~column
    return [column for column in chosen if column & kept]


def _two_for_one(rows: list[int], chosen: list[int]) -> list[int] | None:
    """One group in the place of two that are needed: it covers what no third one does."""
    kept = sum(chosen)
    sole: dict[int, int] = {}
    for row in rows:
        if (row & kept).bit_count() <= 2:
            sole[row & kept] = sole.get(row & kept, -1) & row
    for at, first in enumerate(chosen):
        for second in chosen[at + 1 :]:
            common = sole[first] & sole[second] & sole.get(first | second, -1) & ~kept
            if common:
                return [*(column for column in chosen if column not in (first, second)), common & -common]
    return None


# ---------------------------------------------------------------- branch and bound


class _Search:
    """`exact` until the work is used up."""

    def __init__(self, work: int) -> None:
        self._work = work
        self.exact = True

    def smallest(self, rows: list[int]) -> list[int]:
        """Groups that cover all rows, as few as the work allows to find."""
        left, taken = _reduced(rows)
        for part in _parts(left):
            known = _greedy(part)
            taken = taken + (self._below(part, len(known)) or known)
        return taken

    def _below(self, rows: list[int], limit: int) -> list[int] | None:
        """Fewer than `limit` groups that cover all rows, and no cover has less; None when there are none such."""
        self._work -= len(rows) * len(rows) + 1
        rows, taken = _reduced(rows)
        if not rows or len(taken) + _least(rows) >= limit:
            return taken if not rows and len(taken) < limit else None
        if self._work < 0:
            self.exact = False
            return None
        parts = _parts(rows)
        found = self._branched(rows, limit - len(taken)) if len(parts) == 1 else self._each(parts, limit - len(taken))
        return None if found is None else taken + found

    def _each(self, parts: list[list[int]], limit: int) -> list[int] | None:
        """All parts together below the limit."""
        ahead = sum(map(_least, parts))
        found: list[int] = []
        for part in parts:
            ahead -= _least(part)
            more = self._below(part, limit - len(found) - ahead)
            if more is None:
                return None
            found += more
        return found

    def _branched(self, rows: list[int], limit: int) -> list[int] | None:
        """One of the groups of the narrowest row must be taken: each is tried, without those tried before it."""
        sizes = _sizes(rows)
        narrowest = min(rows, key=lambda row: (row.bit_count(), row))
        best: list[int] | None = None
        tried = 0
        for column in sorted(_bits(narrowest), key=lambda column: (-sizes[column], column)):
            left = [row & ~tried for row in rows if not row & column]
            tried |= column
            if not all(left):
                continue
            more = self._below(left, limit - 1)
            if more is not None:
                best = [column, *more]
                limit = len(best)
        return best
