"""Effective access on classic, from the inventory. Rules: facts/classic-service 1.7 and 1.9 to 1.12.

Whoever is listed in an app group, without case, opens what the group shows: `ShowInWebFeed` false hides an item. In a
personal pool it opens on the person's own host; without one, nowhere under direct assignment, anywhere under automatic.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.unread import ACCESS, unread
from crossfade.model.classic import AppGroup, AssignmentType, Desktop, GroupKind, HostPool, RemoteApp
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import VirtualMachine
from crossfade.plan.machines import Machines
from crossfade.verification.access import ANYWHERE, DESKTOP, REMOTE_APP, Access, Path, Places, Resource
from crossfade.verification.people import GONE, PRESENT, UNKNOWN, People, Standing
from crossfade.verification.verification import Unexplained


class Item(msgspec.Struct, frozen=True):
    """One thing that an app group holds. `shown`: whether the feed has it."""

    resource: Resource
    shown: bool


class Before:
    """The classic side of one inventory.

    `vms`: folded host key -> VM resource id, for hosts that do not say it themselves. `pools`: folded keys of the pools
    that count; None: all.
    """

    def __init__(
        self,
        inventory: Inventory,
        people: People,
        *,
        vms: Mapping[str, str] | None = None,
        pools: Collection[str] | None = None,
    ) -> None:
        self.people = people
        self._vms = vms or {}
        self._pools = {fold(pool.key): pool for pool in inventory.pools if pools is None or fold(pool.key) in pools}
        self._groups = {fold(group.key): group for group in inventory.groups if self._pool(group) is not None}
        self._items = _items(inventory, self._groups)
        self._listed: dict[str, dict[str, str]] = {key: {} for key in self._groups}
        for assignment in inventory.assignments:
            listed = self._listed.get(fold(assignment.key))
            if listed is not None:
                listed.setdefault(fold(assignment.upn), assignment.upn)
                people.call(assignment.upn)
        self._own = self._own_hosts(inventory)
        parts = (one for one in unread(inventory) if one.collection in ACCESS)
        self._unread = [one.gap for one in parts if any(one.is_of(pool) for pool in self._pools)]

    def _pool(self, group: AppGroup) -> HostPool | None:
        return self._pools.get(fold(parent_key(group.key)))

    def _own_hosts(self, inventory: Inventory) -> dict[tuple[str, str], set[str]]:
        """(folded pool key, person) -> places of their own."""
        found: dict[tuple[str, str], set[str]] = {}
        for host in inventory.hosts:
            if host.assigned_user:
                vm = self._vms.get(fold(host.key)) or host.azure_resource_id or last_name(host.key)
                owner = (fold(parent_key(host.key)), fold(host.assigned_user))
                found.setdefault(owner, set()).add(fold(vm))
        return found

    def listed(self) -> set[str]:
        """Whoever is assigned anything, present or not."""
        return {person for people in self._listed.values() for person in people}

    def desktops(self) -> dict[str, Resource]:
        """Folded group key of each Desktop group -> its desktop: on the target it has another name."""
        return {
            key: items[0].resource
            for key, items in self._items.items()
            if items and self._groups[key].kind is GroupKind.DESKTOP
        }

    def shown(self, group: str) -> list[tuple[str, bool]]:
        """Keys of what an app group (folded key) holds, and whether the feed shows each."""
        return [(item.resource.key, item.shown) for item in self._items.get(group, [])]

    def absent(self) -> dict[str, str]:
        """Folded UPN -> why, of those who are listed and cannot sign in anywhere."""
        return {person: standing.why for person, standing in self._standings() if standing.state == GONE}

    def unjudged(self) -> dict[str, str]:
        """Folded UPN -> why, of those of whom nobody knows whether they can sign in."""
        return {person: standing.why for person, standing in self._standings() if standing.state == UNKNOWN}

    def _standings(self) -> Iterator[tuple[str, Standing]]:
        return ((person, self.people.standing(person)) for person in sorted(self.listed()))

    # -- the access

    def access(self) -> Access:
        found = Access()
        present = {person for person in self.listed() if self.people.standing(person).state == PRESENT}
        for key, group in self._groups.items():
            people = frozenset(self._listed[key].keys() & present)
            self._open(found, key, group, people)
        found.unjudged = [
            *(Unexplained(subject=gap.subject, why=f"{gap.what} {gap.why}") for gap in self._unread),
            *(Unexplained(subject=self.people.label(person), why=why) for person, why in self.unjudged().items()),
        ]
        return found

    def _open(self, found: Access, key: str, group: AppGroup, people: frozenset[str]) -> None:
        pool = self._pools[fold(parent_key(group.key))]
        places = {person: self._places(pool, person) for person in people} if pool.personal else {}
        for item in self._items[key]:
            if not item.shown:
                continue
            if pool.personal:
                found.put_personal(item.resource, {person: place for person, place in places.items() if place})
            else:
                found.put(item.resource, people)

    def _places(self, pool: HostPool, person: str) -> Places:
        own = self._own.get((fold(pool.key), person))
        if own:
            return frozenset(own)
        return frozenset() if pool.assignment is AssignmentType.DIRECT else ANYWHERE

    # -- the explanation

    def paths_of(self, person: str) -> Iterator[Path]:
        """Everything a person (folded) is listed for, open to them or not."""
        for key, group in self._groups.items():
            if person in self._listed[key]:
                for item in self._items[key]:
                    yield self._path(person, group, item)

    def paths_to(self, resource: str) -> Iterator[Path]:
        """Everybody listed for a resource (folded key)."""
        group = self._groups.get(parent_key(resource))
        for item in self._items.get(parent_key(resource), ()):
            if group is not None and fold(item.resource.key) == resource:
                for person in sorted(self._listed[parent_key(resource)]):
                    yield self._path(person, group, item)

    def _path(self, person: str, group: AppGroup, item: Item) -> Path:
        pool = self._pools[fold(parent_key(group.key))]
        spelled, label = self._listed[fold(group.key)][person], self.people.label(person)
        how = f"assigned to app group {last_name(group.key)} of {last_name(pool.key)}"
        how += "" if fold(spelled) == fold(label) else f" as {spelled}"
        hindrance, place = self._hindrance(person, pool, item)
        return Path(
            person=label,
            resource=item.resource.key,
            opens=not hindrance,
            how=f"{how}; {hindrance or place}" if hindrance or place else how,
        )

    def _hindrance(self, person: str, pool: HostPool, item: Item) -> tuple[str, str]:
        """What stands in the way, or else where it opens."""
        standing = self.people.standing(person)
        if standing.state != PRESENT:
            return f"but: {standing.why}", ""
        if not item.shown:
            return "but it is hidden from the feed (ShowInWebFeed is false)", ""
        if not pool.personal:
            return "", ""
        places = self._places(pool, person)
        if not places:
            return "but no desktop is assigned to them and the pool assigns directly", ""
        own = ", ".join(last_name(place) for place in sorted(places))
        return "", f"on their own host {own}" if own else "on a free host at first sign-in"


def machines_of(inventory: Inventory, machines: list[VirtualMachine]) -> dict[str, str]:
    """Folded host key -> VM resource id, for every host whose VM is certain."""
    index = Machines(machines)
    found = ((fold(host.key), index.find(host)[0]) for host in inventory.hosts)
    return {key: machine.id for key, machine in found if machine is not None}


def _items(inventory: Inventory, groups: dict[str, AppGroup]) -> dict[str, list[Item]]:
    """Folded group key -> its items. A Desktop group always has its desktop, read or not."""
    found: dict[str, list[Item]] = {key: [] for key in groups}
    desktops = {fold(desktop.key): desktop for desktop in inventory.desktops}
    for key, group in groups.items():
        if group.kind is GroupKind.DESKTOP:
            desktop = desktops.get(key, Desktop(key=group.key))
            resource = Resource(key=f"{group.key}/{desktop.name}", kind=DESKTOP)
            found[key].append(Item(resource, desktop.show_in_web_feed is not False))
    for app in inventory.apps:
        if fold(parent_key(app.key)) in found:
            found[fold(parent_key(app.key))].append(_app(app))
    return found


def _app(app: RemoteApp) -> Item:
    return Item(Resource(key=app.key, kind=REMOTE_APP), app.show_in_web_feed is not False)
