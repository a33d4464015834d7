"""What a person's client shows of the resource they want, on each service, and how it comes to show the new feed.

| Client | shows the new feed |
|---|---|
| `new` | by itself, at its next refresh, once there is something in it |
| `web` | once its user goes to the new address |
| `old` | once its user subscribes to the new feed |
| `thin` | once its administrator points it there |

The last three need an act; a sign-in begins with it by a chance of its own (`feed_chance`), a message or a call to the
service desk brings it about at once. Whoever looks at the new feed takes a resource for the old one when it is of the
same kind, goes by the same title, and its pool by the same name, spelling aside.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from avdtwin import activity, broker, habits
from avdtwin.arm import store
from avdtwin.state import AppGroup, ClassicHostPool, Person, Resource, Titles
from avdtwin.world import World

_PREFERRED = {"desktop": "desktop", "railapplications": "remoteapp"}
_WORKSPACES = "Microsoft.DesktopVirtualization/workspaces"
_SHORTEST_PART = 6
"""Letters that a name must have to be recognised inside a longer one."""


def split(resource: str) -> tuple[str, str, str]:
    """`tenant group/tenant/pool/group/item` as (pool key, group, item), lower-cased."""
    pool, group, item = resource.lower().rsplit("/", 2)
    return pool, group, item


# ---------------------------------------------------------------- classic


def shown_by_classic(world: World, person: Person, resource: str) -> str | None:
    """The app group through which classic shows this resource to this person, or None."""
    pool_key, group_name, item = split(resource)
    pool = broker.classic_pool(world, pool_key)
    group = pool.groups.get(group_name) if pool else None
    upn = person.upn.lower()
    if pool is None or group is None or upn not in group.users or not _published(group, item):
        return None
    return group.name if _has_place(pool, upn) else None


def _published(group: AppGroup, item: str) -> bool:
    if group.resource_type == 1:
        return group.desktop is not None and group.desktop.show_in_web_feed is not False
    app = group.apps.get(item)
    return app is not None and app.show_in_web_feed is not False


def _has_place(pool: ClassicHostPool, upn: str) -> bool:
    if not pool.persistent or pool.assignment_type != 2:
        return True
    return any((host.assigned_user or "").lower() == upn for host in pool.hosts.values())


# ---------------------------------------------------------------- ARM


def shown_by_arm(world: World, person: Person, resource: str) -> str | None:
    """Id of the application group through which the new feed offers the same resource to this person, or None.

    Whoever found it before looks there first.
    """
    titles = titles_of(world, resource)
    known = person.found_at.get(resource)
    if known is not None and _still(world, person, known, titles):
        return known
    best: tuple[int, int, str] | None = None
    for group, pool in _listed(world):
        likeness = _alike(titles.pool, _names(pool))
        if not likeness or not _holds(world, group, titles):
            continue
        rank = (-likeness, -_alike(titles.group, _names(group)), group.id.lower())
        if (best is None or rank < best) and _offered(world, person, group, pool):
            best = rank
    if best is None:
        person.found_at.pop(resource, None)
        return None
    person.found_at[resource] = best[2]
    return best[2]


def _still(world: World, person: Person, group_id: str, titles: Titles) -> bool:
    """Whether a group found earlier still offers it."""
    group = world.state.arm.resources.get(group_id)
    pool = _pool_of(world, group) if group else None
    if group is None or pool is None or not _alike(titles.pool, _names(pool)) or not _holds(world, group, titles):
        return False
    listed = group_id in _lists(world).keys and group.properties.get("showInFeed") is not False
    return listed and _offered(world, person, group, pool)


def _listed(world: World, of_pool: Resource | None = None) -> Iterator[tuple[Resource, Resource]]:
    """Application groups that a workspace lists, each with its host pool; those of one pool when given."""
    resources = world.state.arm.resources
    lists = _lists(world)
    for key in lists.keys if of_pool is None else lists.by_pool.get(of_pool.id.lower(), ()):
        group = resources.get(key)
        if group is not None and group.properties.get("showInFeed") is not False:
            pool = _pool_of(world, group)
            if pool is not None:
                yield group, pool


class _Lists(msgspec.Struct, frozen=True):
    """What the workspaces list, laid out for look-ups; derived, and checked against them at each use."""

    references: list[list[str]]
    keys: dict[str, None]
    by_pool: dict[str, list[str]]


def _lists(world: World) -> _Lists:
    references = [workspace.properties.get("applicationGroupReferences") or [] for workspace in _workspaces(world)]
    kept = world.derived.get("clients.lists")
    if isinstance(kept, _Lists) and kept.references == references:
        return kept
    keys = {reference.lower(): None for listed in references for reference in listed}
    by_pool: dict[str, list[str]] = {}
    for key in keys:
        group = world.state.arm.resources.get(key)
        if group is not None:
            by_pool.setdefault(str(group.properties.get("hostPoolArmPath")).lower(), []).append(key)
    found = _Lists([list(listed) for listed in references], keys, by_pool)
    if keys.keys() <= world.state.arm.resources.keys():
        world.derived["clients.lists"] = found
    return found


def _workspaces(world: World) -> Iterator[Resource]:
    for subscription in world.state.arm.subscriptions.values():
        yield from store.children(world, f"/subscriptions/{subscription.id}", _WORKSPACES)


def _pool_of(world: World, group: Resource) -> Resource | None:
    return world.state.arm.resources.get(str(group.properties.get("hostPoolArmPath")).lower())


def _holds(world: World, group: Resource, titles: Titles) -> bool:
    """Whether the group has a resource of this kind that goes by this title."""
    if _kind(group) == "desktop":
        return titles.kind == "Desktop"
    if titles.kind == "Desktop":
        return False
    apps = store.children(world, group.id, "applications")
    shown = (app for app in apps if app.properties.get("showInPortal") is not False)
    return any(_alike(titles.item, _names(app)) for app in shown)


def _offered(world: World, person: Person, group: Resource, pool: Resource) -> bool:
    return (
        broker.may_use(world, person.user, group.id)
        and not _hidden(world, person, group, pool)
        and _has_arm_place(world, pool, person.upn.lower())
    )


def _hidden(world: World, person: Person, group: Resource, pool: Resource) -> bool:
    """Whether the pool prefers the other kind, and the person has a group of that kind there."""
    preferred = _PREFERRED.get(str(pool.properties.get("preferredAppGroupType")).lower())
    if preferred is None or preferred == _kind(group):
        return False
    rivals = (rival for rival, _ in _listed(world, pool) if _kind(rival) == preferred)
    return any(broker.may_use(world, person.user, rival.id) for rival in rivals)


def _has_arm_place(world: World, pool: Resource, upn: str) -> bool:
    own = pool.properties
    personal = str(own.get("hostPoolType")).lower() == "personal"
    if not personal or str(own.get("personalDesktopAssignmentType")).lower() != "direct":
        return True
    hosts = store.children(world, pool.id, "sessionHosts")
    return any(str(host.properties.get("assignedUser") or "").lower() == upn for host in hosts)


def _kind(group: Resource) -> str:
    return str(group.properties.get("applicationGroupType")).lower()


def _names(resource: Resource) -> tuple[str, ...]:
    title = resource.properties.get("friendlyName")
    name = resource.name.rpartition("/")[2]
    return (name, str(title)) if title else (name,)


# ---------------------------------------------------------------- telling that two things are one


def titles_of(world: World, resource: str) -> Titles:
    """What people know a resource by; learnt from classic when first asked for, and remembered."""
    known = world.state.titles.get(resource)
    if known is None:
        known = world.state.titles[resource] = _learn(world, resource)
    return known


def _learn(world: World, resource: str) -> Titles:
    pool_name, group_name, item_name = resource.rsplit("/", 2)
    pool_key, group_key, item_key = split(resource)
    pool = broker.classic_pool(world, pool_key)
    group = pool.groups.get(group_key) if pool else None
    app = group.apps.get(item_key) if group else None
    desktop = group is not None and group.resource_type == 1
    return Titles(
        kind="Desktop" if desktop else "RemoteApp",
        pool=_known(pool_name.rpartition("/")[2], pool.friendly_name if pool else None),
        group=_known(group_name, group.friendly_name if group else None),
        item=_known(item_name, app.friendly_name if app else None),
    )


def _known(name: str, title: str | None) -> list[str]:
    return [name, title] if title and title != name else [name]


def _alike(some: list[str], others: tuple[str, ...]) -> int:
    """3: the same but for spelling; 2: one begins with the other; 1: one holds the other; 0: not alike."""
    return _likeness_of_any(tuple(some), others)


@lru_cache(maxsize=65_536)
def _likeness_of_any(some: tuple[str, ...], others: tuple[str, ...]) -> int:
    return max(_likeness(one, other) for one in some for other in others)


def _likeness(one: str, other: str) -> int:
    short, long = sorted((_bare(one), _bare(other)), key=len)
    if short == long:
        return 3
    if len(short) < _SHORTEST_PART:
        return 0
    if long.startswith(short):
        return 2
    return int(short in long)


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


# ---------------------------------------------------------------- the new feed


def look(world: World, person: Person, *, told: bool = False) -> None:
    """A person starts their client, or was told to do something about it (`told`): it may show the new feed now."""
    if person.sees_arm_since is not None:
        return
    by_itself = person.client == "new"
    if by_itself and not told and not _stale(world, person):
        return
    person.feed_read_at = world.now
    chance = 1.0 if told else float(world.setting("feed_chance")[person.client])
    if chance < 1.0 and habits.draw(world.state.seed, person, "feed", world.now) >= chance:
        return
    groups = [group for group in (shown_by_arm(world, person, resource) for resource in person.resources) if group]
    if groups:
        person.sees_arm_since = world.now
        _log_feed(world, person, set(groups))
        world.note("feed_shown", user=person.user, client=person.client)


def _log_feed(world: World, person: Person, groups: set[str]) -> None:
    """Each workspace tells of what it shows of these application groups."""
    for workspace in _workspaces(world):
        listed = {reference.lower() for reference in workspace.properties.get("applicationGroupReferences") or []}
        if listed & groups:
            activity.fed(world, workspace, person.upn, person.client, len(listed & groups))


def _stale(world: World, person: Person) -> bool:
    read = person.feed_read_at
    return read is None or world.now - read >= float(world.setting("feed_refresh_s"))


def prefers_new(world: World, person: Person) -> bool:
    """Whether a person who sees both resources opens the new one now: more and more often, once they know it."""
    if person.sees_arm_since is None:
        return False
    first, last, growth_s = world.setting("new_feed_pull")
    known_s = world.now - person.sees_arm_since
    chance = float(last - (last - first) * 0.5 ** (known_s / growth_s))
    return habits.draw(world.state.seed, person, "choice", world.now) < chance
