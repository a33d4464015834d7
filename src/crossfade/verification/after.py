"""Effective access on Azure Virtual Desktop, from a target snapshot, in classic's names where the plan maps them.

Whoever holds Desktop Virtualization User on an application group or above it, themselves or through directory groups,
opens its items when a workspace lists the group and neither the group (`showInFeed`) nor the item (`showInPortal`) is
hidden. Who holds desktop and apps of one pool sees the pool's preferred type only. A personal desktop opens on the host
whose `assignedUser` they are; without one, nowhere under Direct, anywhere under Automatic.
Facts: arm-service 1.3 to 1.8, 4.4, 5.3.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import ArmObject
from crossfade.plan.plan import NameMapping
from crossfade.verification.access import ANYWHERE, DESKTOP, REMOTE_APP, Access, Path, Places, Resource
from crossfade.verification.grants import Grants
from crossfade.verification.people import PRESENT, People
from crossfade.verification.verification import Unexplained

_PREFERRED = {"desktop": DESKTOP, "railapplications": REMOTE_APP}
_KINDS = {"desktop": DESKTOP, "remoteapp": REMOTE_APP}
_READS_BESIDE_ACCESS = (
    "provider ",
    "the locations",
    "the resource groups",
    "the role assignment quota",
    "the caller's permissions",
    "the virtual machines",
    "the power states",
    "the directory groups",
    "directory group ",
    "the people in group",
    "the diagnostic settings",
    "the Conditional Access policies",
)
"""How the subjects of gaps begin that say nothing of access, or that are judged grant by grant."""


class Item(msgspec.Struct, frozen=True):
    resource: Resource
    shown: bool


class Group(msgspec.Struct, frozen=True):
    """An application group with what is in it. `pool` is None when its host pool is not there."""

    id: str
    kind: str
    pool: ArmObject | None
    workspace: str
    """Name of the workspace that lists it; empty for none."""
    hidden: bool
    items: list[Item]

    @property
    def visible(self) -> bool:
        return bool(self.workspace) and not self.hidden and self.pool is not None


class After:
    """The target side of one snapshot.

    `names`: the plan's; without any, resources keep their ARM ids. `desktops`: folded classic key of a Desktop group ->
    its desktop. `pools`: folded ids of the host pools that count; None: all.
    """

    def __init__(
        self,
        target: TargetSnapshot,
        people: People,
        *,
        names: Collection[NameMapping] = (),
        desktops: Mapping[str, Resource] | None = None,
        pools: Collection[str] | None = None,
    ) -> None:
        self._people = people
        self._grants = Grants(target, people)
        self._keys = {fold(name.target): name.source for name in names}
        self._desktops = desktops or {}
        objects = _by_type(target)
        self._pools = {fold(pool.id): pool for pool in objects.get("hostpools", ())}
        wanted = self._pools.keys() if pools is None else pools
        listed = _listed(objects.get("workspaces", ()))
        children = _children(objects)
        self._groups = [
            self._group(group, listed, children.get(fold(group.id), []))
            for group in objects.get("applicationgroups", ())
            if _pool_id(group) in wanted
        ]
        self._holding = {fold(item.resource.key): (group, item) for group in self._groups for item in group.items}
        self._beside: dict[str, list[Group]] = {}
        for each in self._groups:
            if each.pool is not None and each.visible:
                self._beside.setdefault(fold(each.pool.id), []).append(each)
        self._own = _own_hosts(objects.get("hostpools/sessionhosts", ()))
        self._gaps = [gap for gap in target.gaps if not gap.subject.startswith(_READS_BESIDE_ACCESS)]

    def _group(self, group: ArmObject, listed: Mapping[str, str], children: list[ArmObject]) -> Group:
        kind = _KINDS.get(fold(str(group.properties.get("applicationGroupType"))), REMOTE_APP)
        return Group(
            id=group.id,
            kind=kind,
            pool=self._pools.get(_pool_id(group)),
            workspace=listed.get(fold(group.id), ""),
            hidden=group.properties.get("showInFeed") is False,
            items=[self._desktop(group)] if kind == DESKTOP else [self._app(child) for child in children],
        )

    def _desktop(self, group: ArmObject) -> Item:
        """The service makes each Desktop group with its one desktop (facts/arm-service 1.4)."""
        source = self._keys.get(fold(group.id))
        known = self._desktops.get(fold(source)) if source else None
        return Item(known or Resource(key=f"{group.id}/desktops/SessionDesktop", kind=DESKTOP), True)

    def _app(self, app: ArmObject) -> Item:
        key = self._keys.get(fold(app.id), app.id)
        return Item(Resource(key=key, kind=REMOTE_APP), app.properties.get("showInPortal") is not False)

    # -- the access

    def access(self) -> Access:
        found = Access()
        holders = {fold(group.id): self._holders(group) for group in self._groups if group.visible}
        preferring = self._preferring(holders)
        for group in self._groups:
            people = holders.get(fold(group.id), frozenset())
            if group.pool is not None and people and _preferred(group.pool) not in (None, group.kind):
                people -= preferring.get(fold(group.pool.id), frozenset())
            self._open(found, group, people)
        found.unjudged = [
            *self._grants.doubts(group.id for group in self._groups),
            *(Unexplained(subject=gap.subject, why=f"{gap.what} {gap.why}") for gap in self._gaps),
        ]
        return found

    def _holders(self, group: Group) -> frozenset[str]:
        held = self._grants.people_on(group.id)
        return frozenset(person for person in held if self._people.standing(person).state == PRESENT)

    def _preferring(self, holders: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """Folded pool id -> who holds a visible group of the pool's preferred type: they see no other."""
        found: dict[str, frozenset[str]] = {}
        for group in self._groups:
            if group.pool is not None and group.visible and group.kind == _preferred(group.pool):
                pool = fold(group.pool.id)
                found[pool] = found.get(pool, frozenset()) | holders[fold(group.id)]
        return found

    def _open(self, found: Access, group: Group, people: frozenset[str]) -> None:
        personal = group.pool is not None and _is_personal(group.pool)
        places = {person: self._places(group, person) for person in people} if personal else {}
        for item in group.items:
            if not item.shown:
                continue
            if personal:
                found.put_personal(item.resource, {person: place for person, place in places.items() if place})
            else:
                found.put(item.resource, people)

    def _places(self, group: Group, person: str) -> Places:
        assert group.pool is not None, "asked only of groups with a pool"
        own = self._own.get((fold(group.pool.id), person))
        if own:
            return frozenset(own)
        direct = fold(str(group.pool.properties.get("personalDesktopAssignmentType"))) == "direct"
        return frozenset() if direct else ANYWHERE

    # -- the explanation

    def paths_of(self, person: str) -> Iterator[Path]:
        """Everything a person (folded) holds a right to, open to them or not."""
        for group in self._groups:
            if person in self._grants.people_on(group.id):
                for item in group.items:
                    yield self._path(person, group, item)

    def paths_to(self, resource: str) -> Iterator[Path]:
        """Everybody who holds a right to a resource (folded key)."""
        if resource in self._holding:
            group, item = self._holding[resource]
            for person in sorted(self._grants.people_on(group.id)):
                yield self._path(person, group, item)

    def why(self, person: str, resource: str) -> str:
        """In words, why a person (folded) can open a resource (folded key), or cannot."""
        if resource not in self._holding:
            return "the target has no such item"
        group, item = self._holding[resource]
        if person not in self._grants.people_on(group.id):
            return "no grant on the application group or above it reaches them"
        return self._path(person, group, item).how

    def _path(self, person: str, group: Group, item: Item) -> Path:
        ways = [held.how() for held in self._grants.on(group.id) if person in held.people]
        hindrance, place = self._hindrance(person, group, item)
        return Path(
            person=self._people.label(person),
            resource=item.resource.key,
            opens=not hindrance,
            how="; ".join(part for part in (*ways, f"but {hindrance}" if hindrance else place) if part),
        )

    def _hindrance(self, person: str, group: Group, item: Item) -> tuple[str, str]:
        """What stands in the way, or else where it opens."""
        standing = self._people.standing(person)
        obstacles = {
            standing.why: standing.state != PRESENT,
            "the group's host pool is not there": group.pool is None,
            "no workspace lists the application group": not group.workspace,
            "the application group is hidden (showInFeed is false)": group.hidden,
            "it is hidden from the feed (showInPortal is false)": not item.shown,
            "the pool prefers the other type, which they hold too": self._overruled(person, group),
        }
        hindrance = next((words for words, holds in obstacles.items() if holds), "")
        if hindrance or group.pool is None or not _is_personal(group.pool):
            return hindrance, "" if hindrance else f"shown in workspace {group.workspace}"
        places = self._places(group, person)
        if not places:
            return "no session host is assigned to them and the pool assigns directly", ""
        own = ", ".join(last_name(place) for place in sorted(places))
        return "", f"on their own host {own}" if own else "on a free host at first sign-in"

    def _overruled(self, person: str, group: Group) -> bool:
        if group.pool is None or _preferred(group.pool) in (None, group.kind):
            return False
        rivals = [other for other in self._beside.get(fold(group.pool.id), ()) if other.kind == _preferred(group.pool)]
        return any(person in self._grants.people_on(rival.id) for rival in rivals)


def _by_type(target: TargetSnapshot) -> dict[str, list[ArmObject]]:
    """Type below the desktop provider, lower-case -> objects."""
    found: dict[str, list[ArmObject]] = {}
    for item in target.objects:
        provider, _, kind = fold(item.type).partition("/")
        if provider == "microsoft.desktopvirtualization":
            found.setdefault(kind, []).append(item)
    return found


def _listed(workspaces: Collection[ArmObject]) -> dict[str, str]:
    """Folded id of an application group -> name of the workspace that lists it."""
    return {
        fold(str(reference)): workspace.name
        for workspace in workspaces
        for reference in workspace.properties.get("applicationGroupReferences") or []
    }


def _children(objects: Mapping[str, list[ArmObject]]) -> dict[str, list[ArmObject]]:
    """Folded id of an application group -> its applications."""
    found: dict[str, list[ArmObject]] = {}
    for app in objects.get("applicationgroups/applications", ()):
        found.setdefault(parent_key(parent_key(fold(app.id))), []).append(app)
    return found


def _own_hosts(hosts: Collection[ArmObject]) -> dict[tuple[str, str], set[str]]:
    """(folded pool id, folded UPN) -> places of their own."""
    found: dict[tuple[str, str], set[str]] = {}
    for host in hosts:
        user = str(host.properties.get("assignedUser") or "")
        if user:
            place = str(host.properties.get("resourceId") or last_name(host.id))
            found.setdefault((parent_key(parent_key(fold(host.id))), fold(user)), set()).add(fold(place))
    return found


def _pool_id(group: ArmObject) -> str:
    return fold(str(group.properties.get("hostPoolArmPath") or ""))


def _preferred(pool: ArmObject) -> str | None:
    return _PREFERRED.get(fold(str(pool.properties.get("preferredAppGroupType"))))


def _is_personal(pool: ArmObject) -> bool:
    return fold(str(pool.properties.get("hostPoolType"))) == "personal"
