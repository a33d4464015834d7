"""Which kind of application group people see who hold both kinds of one pool: derived from who holds what.

In classic nobody may hold a desktop and apps of one pool (facts/classic-service 1.10); in the new service they may, and
then see the pool's preferred kind only (facts/arm-service 1.3). Two classic names of one person can become that.
"""

from collections.abc import Iterable, Mapping

import msgspec

from crossfade.errors import Problem
from crossfade.model.classic import GroupKind, HostPool
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.plan.intent import PoolIntent
from crossfade.plan.membership import some
from crossfade.plan.plan import GroupAccess

DESKTOP, APPS = "Desktop", "RailApplications"
SAID = {"desktop": DESKTOP, "apps": APPS, "both": "None"}
"""What crossfade.toml says -> `preferredAppGroupType`."""


class Held(msgspec.Struct, kw_only=True):
    """Object id -> UPN of the people who hold the desktop of a pool, and of those who hold apps of it; of somebody who
    could not be resolved, folded UPN -> UPN."""

    desktop: dict[str, str] = {}
    apps: dict[str, str] = {}

    def both(self) -> list[str]:
        return sorted(self.desktop[one] for one in self.desktop.keys() & self.apps.keys())


def held_by_pool(access: Iterable[GroupAccess], kinds: Mapping[str, GroupKind]) -> dict[str, Held]:
    """Folded pool key -> who holds what. `kinds`: folded group key -> its kind."""
    found: dict[str, Held] = {}
    for group in access:
        held = found.setdefault(fold(parent_key(group.source)), Held())
        people = held.desktop if kinds.get(fold(group.source)) is GroupKind.DESKTOP else held.apps
        people.update({fold(object_id): upn for upn, object_id in group.people.items()})
        people.update({fold(upn): upn for upn in group.missing})
    return found


def preferred(pool: HostPool, held: Held, own: PoolIntent) -> str:
    """The kind to prefer: what the operator says, else the desktop where anybody has one."""
    if own.preferred:
        return SAID[own.preferred]
    return DESKTOP if held.desktop or pool.personal else APPS


def told(pool: HostPool, held: Held, own: PoolIntent) -> str:
    """The consequence, for the reader of a plan; empty where nobody could be concerned."""
    if not held.desktop or not held.apps:
        return ""
    chosen, both = preferred(pool, held, own), held.both()
    shown = {DESKTOP: "the desktop only", APPS: "the apps only"}.get(chosen, "both, as far as their client shows both")
    named = f" ({some(both)})" if both else ""
    return (
        f"{last_name(pool.key)}: {len(held.desktop)} people hold its desktop, {len(held.apps)} apps, "
        f"{len(both)} both{named}. {chosen} is preferred: whoever holds both, now or later, sees {shown}."
    )


def undecided(pool: HostPool, held: Held, own: PoolIntent) -> list[Problem]:
    """People who hold both and would lose one of them, where nobody has said which: that is not ours to guess."""
    both = held.both()
    if not both or own.preferred:
        return []
    what = (
        f"{len(both)} people hold its desktop and apps of it, and the new service shows them the pool's preferred kind "
        f"only: {some(both)}."
    )
    mend = f'Decide what they see: [pools."{pool.key}"] preferred = "desktop", "apps" or "both".'
    return [Problem(pool.key, what, mend)]
