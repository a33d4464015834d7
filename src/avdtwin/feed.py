"""What each person may open, on either service: the judge of every proof of equal access.

Built straight from the state by code of its own. It shares nothing with the services' rights, their brokers or what a
client shows, so that an error there cannot hide here.

* classic: whose UPN is listed in the app group, without case, while the service is on. ARM: who holds Desktop
  Virtualization User, in force, on the group, its resource group, its subscription or the root; themselves or through a
  group that holds them at any depth; when a workspace refers to the group and its `showInFeed` is not false.
* An item shows unless `ShowInWebFeed` (ARM: an application's `showInPortal`) is false.
* Desktop and apps of one pool for one person: impossible in classic; in ARM the pool's `preferredAppGroupType` shows.
* Personal pools: on the host assigned to the person; without one, nothing with direct assignment, any with automatic.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from avdtwin.arm import rights
from avdtwin.state import AppGroup, ClassicHostPool, Resource, RoleAssignment, User
from avdtwin.world import World

USE_ROLES = frozenset({"1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63"})
"""Built-in roles that hold the data action below: Desktop Virtualization User (facts/arm-service 5.1)."""
USE_APPLICATIONS = "Microsoft.DesktopVirtualization/applicationGroups/useApplications/action"

_PROVIDER = "microsoft.desktopvirtualization/"
_PREFERRED = {"desktop": "desktop", "railapplications": "remoteapp"}


class Entry(NamedTuple):
    """One thing a person may open. All parts are lower-cased, so that entries of two moments compare."""

    pool: str
    """`tenant group/tenant/pool`, or the id of the ARM host pool."""
    group: str
    """Name of the app group, or the id of the application group."""
    item: str
    """Name of the RemoteApp, application or desktop."""
    kind: str
    """`Desktop` or `RemoteApp`, as both services spell it."""
    host: str
    """On a personal pool the VM's resource id (the host's name where the VM is not known); empty for whichever."""


Feed = frozenset[Entry]


def classic_feed(world: World, user_id: str) -> Feed:
    """Everything the person may open through classic; empty for who is gone, disabled or unknown."""
    user = _user(world, user_id)
    return frozenset(_classic_entries(world, user)) if user else frozenset()


def arm_feed(world: World, user_id: str) -> Feed:
    """Everything the person may open through Azure Virtual Desktop; empty for who is gone, disabled or unknown."""
    user = _user(world, user_id)
    return frozenset(_ArmView(world).entries(user)) if user else frozenset()


def feeds(world: World) -> dict[str, tuple[Feed, Feed]]:
    """Object id -> (classic, ARM) of every living user: the same answers, quicker than one by one."""
    view = _ArmView(world)
    classic = _classic_by_upn(world)
    living = (user for user in world.state.directory.users.values() if user.enabled and not user.deleted)
    return {user.id: (frozenset(classic.get(user.upn.lower(), ())), frozenset(view.entries(user))) for user in living}


def _user(world: World, user_id: str) -> User | None:
    user = world.state.directory.users.get(user_id.lower())
    return user if user is not None and user.enabled and not user.deleted else None


# ---------------------------------------------------------------- classic


def _classic_pools(world: World) -> Iterator[tuple[str, ClassicHostPool]]:
    if not world.state.classic.alive:
        return
    for group in world.state.classic.groups.values():
        for tenant in group.tenants.values():
            for pool in tenant.pools.values():
                yield f"{group.name}/{tenant.name}/{pool.name}".lower(), pool


def _classic_entries(world: World, user: User) -> Iterator[Entry]:
    upn = user.upn.lower()
    for key, pool in _classic_pools(world):
        for group in pool.groups.values():
            if upn in group.users:
                yield from _entries_of_group(key, pool, group, upn)


def _classic_by_upn(world: World) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for key, pool in _classic_pools(world):
        for group in pool.groups.values():
            for upn in group.users:
                found.setdefault(upn, []).extend(_entries_of_group(key, pool, group, upn))
    return found


def _entries_of_group(key: str, pool: ClassicHostPool, group: AppGroup, upn: str) -> Iterator[Entry]:
    for host in _classic_places(pool, upn):
        if group.resource_type == 1:
            if group.desktop is not None and group.desktop.show_in_web_feed is not False:
                yield Entry(key, group.name.lower(), group.desktop.name.lower(), "Desktop", host)
            continue
        for app in group.apps.values():
            if app.show_in_web_feed is not False:
                yield Entry(key, group.name.lower(), app.name.lower(), "RemoteApp", host)


def _classic_places(pool: ClassicHostPool, upn: str) -> list[str]:
    if not pool.persistent:
        return [""]
    own = [host for host in pool.hosts.values() if (host.assigned_user or "").lower() == upn]
    if own:
        return [(host.vm or host.name).lower() for host in own]
    return [] if pool.assignment_type == 2 else [""]


# ---------------------------------------------------------------- ARM


class _ArmView:
    """The ARM side at one moment, laid out for reading feeds from it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pools: dict[str, Resource] = {}
        self._groups: dict[str, Resource] = {}
        self._items: dict[str, list[Resource]] = {}
        self._hosts: dict[str, list[Resource]] = {}
        self._listed: set[str] = set()
        for key, resource in world.state.arm.resources.items():
            self._place(key, resource)
        self._scopes_of = self._scopes()
        self._groups_under: dict[str, list[str]] = {}

    def _place(self, key: str, resource: Resource) -> None:
        kind = resource.type.lower().removeprefix(_PROVIDER)
        if kind == "hostpools":
            self._pools[key] = resource
        elif kind == "applicationgroups":
            self._groups[key] = resource
        elif kind in ("applicationgroups/applications", "applicationgroups/desktops"):
            self._items.setdefault(key.rsplit("/", 2)[0], []).append(resource)
        elif kind == "hostpools/sessionhosts":
            self._hosts.setdefault(key.rsplit("/", 2)[0], []).append(resource)
        elif kind == "workspaces":
            self._listed.update(str(ref).lower() for ref in resource.properties.get("applicationGroupReferences") or [])

    def _scopes(self) -> dict[str, set[str]]:
        """User's object id -> scopes at which they may use applications."""
        found: dict[str, set[str]] = {}
        using = USE_ROLES | _custom_use_roles(self._world)
        for assignment in self._world.state.arm.role_assignments.values():
            if _role_of(assignment) in using and assignment.effective_at <= self._world.now:
                scope = assignment.scope.lower().rstrip("/")
                for user in self._people_of(assignment.principal_id.lower()):
                    found.setdefault(user, set()).add(scope)
        return found

    def _people_of(self, principal: str) -> Iterable[str]:
        """The principal itself, or the people in a group and in the groups in it; cycles are harmless."""
        groups = self._world.state.directory.groups
        if principal not in groups:
            return (principal,)
        people: set[str] = set()
        open_groups, seen = [principal], {principal}
        while open_groups:
            for member, since in groups[open_groups.pop()].members.items():
                if since > self._world.now:
                    continue
                if member not in groups:
                    people.add(member)
                elif member not in seen:
                    seen.add(member)
                    open_groups.append(member)
        return people

    def entries(self, user: User) -> Iterator[Entry]:
        """What this user sees and may open."""
        kinds: dict[str, set[str]] = {}
        visible = sorted({key for scope in self._scopes_of.get(user.id.lower(), ()) for key in self._under(scope)})
        for key in visible:
            kinds.setdefault(_pool_of(self._groups[key]), set()).add(_kind_of(self._groups[key]))
        for key in visible:
            group = self._groups[key]
            pool = self._pools.get(_pool_of(group))
            if pool is None or _hidden(_kind_of(group), kinds[_pool_of(group)], pool):
                continue
            for item in self._items.get(key, ()):
                if item.properties.get("showInPortal") is not False:
                    yield from self._placed(key, group, item, pool, user.upn)

    def _under(self, scope: str) -> list[str]:
        """Keys of the groups at or below a scope that a workspace lists and that are not hidden."""
        found = self._groups_under.get(scope)
        if found is None:
            found = [key for key in self._groups if (key + "/").startswith(scope + "/") and self._shown(key)]
            self._groups_under[scope] = found
        return found

    def _shown(self, key: str) -> bool:
        return key in self._listed and self._groups[key].properties.get("showInFeed") is not False

    def _placed(self, key: str, group: Resource, item: Resource, pool: Resource, upn: str) -> Iterator[Entry]:
        kind = "Desktop" if _kind_of(group) == "desktop" else "RemoteApp"
        name = item.name.rpartition("/")[2].lower()
        for host in self._places(pool, upn.lower()):
            yield Entry(pool.id.lower(), key, name, kind, host)

    def _places(self, pool: Resource, upn: str) -> list[str]:
        if str(pool.properties.get("hostPoolType")).lower() != "personal":
            return [""]
        hosts = self._hosts.get(pool.id.lower(), ())
        own = [host for host in hosts if str(host.properties.get("assignedUser") or "").lower() == upn]
        if own:
            return [(host.vm or host.name.rpartition("/")[2]).lower() for host in own]
        return [] if str(pool.properties.get("personalDesktopAssignmentType")).lower() == "direct" else [""]


def _role_of(assignment: RoleAssignment) -> str:
    return assignment.role_definition_id.lower().rpartition("/")[2]


def _custom_use_roles(world: World) -> set[str]:
    """Roles of the customer's own that hold the data action."""
    found = world.state.arm.custom_roles
    return {guid for guid in found if rights.role_allows(world, guid, USE_APPLICATIONS, data=True)}


def _pool_of(group: Resource) -> str:
    return str(group.properties.get("hostPoolArmPath")).lower()


def _kind_of(group: Resource) -> str:
    """`desktop` or `remoteapp`."""
    return str(group.properties.get("applicationGroupType")).lower()


def _hidden(kind: str, kinds: set[str], pool: Resource) -> bool:
    """Whether the pool's preferred type hides groups of this kind from a person who has groups of these kinds there."""
    preferred = _PREFERRED.get(str(pool.properties.get("preferredAppGroupType")).lower())
    return preferred is not None and preferred in kinds and kind != preferred
