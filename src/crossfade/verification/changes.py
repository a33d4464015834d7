"""Two accesses compared: who lost or gained what, and whose personal desktop is another one."""

from collections.abc import Callable, Iterator

import msgspec

from crossfade.model.ids import fold
from crossfade.verification.access import ANYWHERE, Access, Places
from crossfade.verification.verification import AccessChange, Swap

Why = Callable[[str, str], str]
"""(person, folded resource key) -> how the target gives it, or why it does not."""
Label = Callable[[str], str]

_NOBODY: frozenset[str] = frozenset()


class Changes(msgspec.Struct):
    lost: list[AccessChange] = []
    gained: list[AccessChange] = []
    swapped: list[Swap] = []


def changes(before: Access, after: Access, *, why: Why, label: Label) -> Changes:
    """Every difference, sorted by resource and person. A changed place of a desktop kept is a swap, nothing more."""
    found = Changes()
    for key, lost, gained in _differences(before, after):
        resource = (before.resources.get(key) or after.resources[key]).key
        found.lost += [_change(person, key, resource, why, label) for person in sorted(lost)]
        found.gained += [_change(person, key, resource, why, label) for person in sorted(gained)]
    for key in sorted(before.places.keys() | after.places.keys()):
        both = before.people.get(key, _NOBODY) & after.people.get(key, _NOBODY)
        for person in sorted(both):
            had, has = before.place(key, person), after.place(key, person)
            if had not in (has, ANYWHERE):
                found.swapped.append(Swap(person=label(person), before=_told(had), after=_told(has)))
    return found


def _differences(before: Access, after: Access) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """Resource -> lost, gained. Items of one group share their set of people: each pair of sets is compared once."""
    known: dict[tuple[int, int], tuple[frozenset[str], frozenset[str]]] = {}
    for key in sorted(before.people.keys() | after.people.keys()):
        left, right = before.people.get(key, _NOBODY), after.people.get(key, _NOBODY)
        pair = (id(left), id(right))
        if pair not in known:
            known[pair] = (left - right, right - left)
        lost, gained = known[pair]
        if lost or gained:
            yield key, lost, gained


def _change(person: str, key: str, resource: str, why: Why, label: Label) -> AccessChange:
    return AccessChange(person=label(person), resource=resource, why=why(person, fold(key)))


def _told(places: Places) -> str | None:
    return ", ".join(sorted(places - ANYWHERE)) or None
