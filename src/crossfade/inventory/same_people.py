"""RemoteApp groups of one pool with exactly the same people: one application group could take the place of several.

Only told: what people find grouped, and who may administer what, is the customer's to decide. A pool has one Desktop
group, which is never part of it.
"""

from collections import Counter

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.model.classic import GroupKind
from crossfade.model.ids import fold, last_name, parent_key


class SamePeople(msgspec.Struct, frozen=True, kw_only=True):
    """`groups`: keys, the first of which the others could be merged into; `clashes`: names that several of their apps
    have, of which only one can keep it."""

    pool: str
    groups: list[str]
    people: int
    apps: int
    clashes: list[str] = []

    def saved(self) -> int:
        """How many application groups fewer."""
        return len(self.groups) - 1

    def told(self) -> str:
        """One line for whoever has to decide."""
        names = " + ".join(last_name(key) for key in self.groups)
        renamed = f"; to rename: {', '.join(self.clashes)}" if self.clashes else ""
        figures = f"{self.people} people each, {self.apps} apps, {self.saved()} fewer{renamed}"
        return f"{last_name(self.pool)}: {names} ({figures})"


def same_people(inventory: Inventory) -> list[SamePeople]:
    """Those that save most come first."""
    people: dict[str, set[str]] = {}
    for assignment in inventory.assignments:
        people.setdefault(fold(assignment.key), set()).add(fold(assignment.upn))
    alike: dict[tuple[str, frozenset[str]], list[str]] = {}
    for group in inventory.groups:
        held = people.get(fold(group.key))
        if held and group.kind is not GroupKind.DESKTOP:
            alike.setdefault((fold(parent_key(group.key)), frozenset(held)), []).append(group.key)
    apps: dict[str, list[str]] = {}
    for app in inventory.apps:
        apps.setdefault(fold(parent_key(app.key)), []).append(fold(last_name(app.key)))
    found = [_merge(keys, len(held), apps) for (_, held), keys in alike.items() if len(keys) > 1]
    return sorted(found, key=lambda one: (-one.saved(), fold(one.groups[0])))


def _merge(keys: list[str], people: int, apps: dict[str, list[str]]) -> SamePeople:
    names = Counter(name for key in keys for name in apps.get(fold(key), []))
    return SamePeople(
        pool=parent_key(keys[0]),
        groups=sorted(keys, key=fold),
        people=people,
        apps=names.total(),
        clashes=sorted(name for name, count in names.items() if count > 1),
    )
