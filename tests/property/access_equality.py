"""`who` against the twin's independent feed, for every living person of a world, on either side.

`assert_equal` is for tests of the whole migration too: call it before, between waves and after with documents that were
read at that moment, and the plan once there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from avdtwin import feed
from avdtwin.world import World
from crossfade.app import Rehearsal
from crossfade.commands.discover import discover, discover_target
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.plan.plan import NameMapping, Plan
from crossfade.verification.access import DESKTOP, Access
from crossfade.verification.after import After
from crossfade.verification.before import Before, machines_of
from crossfade.verification.people import People

Row = tuple[str, str, str]
"""Person, resource, place: all folded. Desktops are known by their group: their own name differs between the sides."""


def assert_equal(world: World, inventory: Inventory, target: TargetSnapshot, plan: Plan | None = None) -> None:
    """Both sides of the product's answer equal the twin's feeds. The documents must be of the world's present."""
    classic, arm = feed_rows(world)
    people = People(target.identities)
    before = Before(inventory, people, vms=machines_of(inventory, target.machines)).access()
    _same("classic", set(rows(before)), classic)
    after = After(target, people, names=plan.names if plan else ()).access()
    _same("target", _by_upn(world, rows(after, plan.names if plan else ())), arm)


def rows(access: Access, names: list[NameMapping] | tuple[NameMapping, ...] = ()) -> Iterator[Row]:
    """Everything that is open to anybody; on the target by ARM id, whatever the plan calls it."""
    targets = {fold(name.source): fold(name.target) for name in names}
    for key, resource in access.resources.items():
        shown = key.rsplit("/", 1)[0] if resource.kind == DESKTOP else key
        shown = shown.removesuffix("/desktops")
        for person in access.people[key]:
            for place in access.place(key, person):
                yield person, targets.get(shown, shown), place


def _by_upn(world: World, found: Iterable[Row]) -> set[Row]:
    """Persons known by object id only, as the directory calls them; who is gone from it has no feed to compare with."""
    living = {f"object {user.id}": fold(user.upn) for user in world.state.directory.users.values() if not user.deleted}
    named = ((living.get(person, person), resource, place) for person, resource, place in found)
    return {row for row in named if not row[0].startswith("object ")}


def feed_rows(world: World) -> tuple[set[Row], set[Row]]:
    """The twin's answer in the same form: classic, ARM."""
    users = world.state.directory.users
    classic, arm = set(), set()
    for user, (left, right) in feed.feeds(world).items():
        person = fold(users[user].upn)
        classic |= {(person, _classic_key(entry), fold(entry.host)) for entry in left}
        arm |= {(person, _arm_key(entry), fold(entry.host)) for entry in right}
    return classic, arm


def _classic_key(entry: feed.Entry) -> str:
    return fold(f"{entry.pool}/{entry.group}" + ("" if entry.kind == DESKTOP else f"/{entry.item}"))


def _arm_key(entry: feed.Entry) -> str:
    return fold(entry.group + ("" if entry.kind == DESKTOP else f"/applications/{entry.item}"))


def _same(side: str, ours: set[Row], theirs: set[Row]) -> None:
    assert ours == theirs, f"{side}: only ours {sorted(ours - theirs)[:5]}, only the feed's {sorted(theirs - ours)[:5]}"


async def documents(rehearsal: Rehearsal) -> tuple[Inventory, TargetSnapshot]:
    """Both sides of a rehearsal's world as the product reads them now."""
    async with rehearsal.services() as services:
        inventory = await discover(services)
        return inventory, await discover_target(services, inventory, [rehearsal.subscription])
