"""Parts of the classic estate that could not be read: a plan or a proof would take what they hold for nothing. Pure."""

from collections.abc import Callable, Iterable

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.model.ids import fold, parent_key
from crossfade.model.provenance import Gap

_HELD: dict[str, Callable[[Inventory], Iterable[str]]] = {
    "hostpools": lambda inventory: (parent_key(one.key) for one in inventory.pools),
    "appgroups": lambda inventory: (parent_key(one.key) for one in inventory.groups),
    "sessionhosts": lambda inventory: (parent_key(one.key) for one in inventory.hosts),
    "assignedusers": lambda inventory: (one.key for one in inventory.assignments),
    "remoteapps": lambda inventory: (parent_key(one.key) for one in inventory.apps),
    "desktop": lambda inventory: (one.key for one in inventory.desktops),
    "sessions": lambda inventory: (parent_key(parent_key(one.key)) for one in inventory.sessions),
}
"""Folded collection, as the service calls it -> whose are there: keys of tenants, pools or app groups."""
ACCESS = frozenset({"appgroups", "assignedusers", "desktop", "remoteapps", "sessionhosts"})
"""Those of a pool without which somebody may lose what they have."""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """`of`: folded key of the tenant, pool or app group; `collection`: folded."""

    gap: Gap
    collection: str
    of: str

    def is_of(self, key: str) -> bool:
        """Whether it is of this object (folded key) or of something below it."""
        return f"{self.of}/".startswith(f"{key}/")


def unread(inventory: Inventory) -> list[Unread]:
    """The gaps of such parts: a list that did not come (`the AppGroups of <key>`) and that no export has either, or one
    that came in part (`<key>/AppGroups`). What an export lacks is another matter: whoever exported it knows."""
    found = []
    for gap in inventory.gaps:
        listed, of, key = fold(gap.subject).partition(" of ")
        if of and listed.removeprefix("the ") in _HELD:
            collection = listed.removeprefix("the ")
            if key not in map(fold, _HELD[collection](inventory)):
                found.append(Unread(gap=gap, collection=collection, of=key))
            continue
        key, _, collection = fold(gap.subject).rpartition("/")
        if collection in _HELD:
            found.append(Unread(gap=gap, collection=collection, of=key))
    return found
