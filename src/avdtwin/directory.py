"""Look-ups in the directory that several services need. The Graph routes are in `graph`."""

from avdtwin.state import Group, ServicePrincipal, User
from avdtwin.world import World


def user_by_upn(world: World, upn: str) -> User | None:
    """The living user of a UPN, compared without case."""
    object_id = world.state.directory.upns.get(upn.lower())
    return world.state.directory.users.get(object_id) if object_id else None


def principal(world: World, object_id: str) -> User | Group | ServicePrincipal | None:
    """Whoever has this object id and was not deleted."""
    directory = world.state.directory
    key = object_id.lower()
    user = directory.users.get(key)
    if user is not None:
        return None if user.deleted else user
    return directory.groups.get(key) or directory.service_principals.get(key)


def replicated(world: World, object_id: str) -> bool:
    """Whether the rest of the cloud knows an object already. One made a moment ago it does not."""
    return world.state.directory.replicating.get(object_id.lower(), 0.0) <= world.now


def start_replication(world: World, object_id: str) -> None:
    """Have a new object become known after `principal_replication_s`."""
    delay = world.between("replication", world.setting("principal_replication_s"))
    world.state.directory.replicating[object_id.lower()] = world.now + delay


def add_user(world: World, user: User) -> User:
    """Put a user in; its UPN must be free. Ids are lower-case GUIDs."""
    directory = world.state.directory
    assert user.upn.lower() not in directory.upns, f"{user.upn} is taken"
    directory.users[user.id] = user
    if not user.deleted:
        directory.upns[user.upn.lower()] = user.id
    return user


def transitive_users(world: World, group_id: str) -> set[str]:
    """Object ids of the users in a group and in the groups inside it. Cycles are harmless."""
    directory = world.state.directory
    seen: set[str] = set()
    users: set[str] = set()
    waiting = [group_id.lower()]
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        group = directory.groups.get(key)
        if group is None:
            continue
        for member in group.members:
            (waiting.append(member) if member in directory.groups else users.add(member))
    return users


def groups_of(world: World, object_id: str) -> set[str]:
    """Ids of all groups that hold this object, directly or through other groups."""
    directory = world.state.directory
    found: set[str] = set()
    waiting = {object_id.lower()}
    while waiting:
        holders = {key for key, group in directory.groups.items() if waiting & group.members.keys()}
        waiting = holders - found
        found |= waiting
    return found
