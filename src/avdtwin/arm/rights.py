"""What a caller may do: role assignments, inherited along scopes and through groups, turned into actions.

An assignment counts from its `effective_at` on, a membership from the moment kept with it. Rights are the union over
assignments of (actions minus that role's own notActions), with `*` standing for any text (facts: arm-service 5.4).
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from avdtwin.arm import roles
from avdtwin.arm.errors import gateway
from avdtwin.index import Index, index_of
from avdtwin.state import RoleAssignment
from avdtwin.wire import Principal, WireError
from avdtwin.world import World


def require(world: World, principal: Principal, action: str, scope: str) -> None:
    """Raise the service's 403 unless the caller may do `action` at `scope` (a resource id, or `/`)."""
    if world.setting("rights_enforced") and not allows(world, principal.object_id, action, scope):
        raise forbidden(principal, action, scope)


def require_linked(world: World, principal: Principal, mine: tuple[str, str], linked: tuple[str, str]) -> None:
    """Raise 403 LinkedAuthorizationFailed unless the caller may do the linked action, at an object that the one being
    written names. Each is (action, scope). Shape of the message: what people posted of the service."""
    if world.setting("rights_enforced") and not allows(world, principal.object_id, *linked):
        name = principal.upn or principal.app_id or principal.object_id
        raise gateway(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{name}' with object id '{principal.object_id}' has permission to perform action '{mine[0]}' "
            f"on scope '{mine[1]}'; however, it does not have permission to perform action '{linked[0]}' on the linked "
            f"scope(s) '{linked[1]}' or the linked scope(s) are invalid.",
        )


def forbidden(principal: Principal, action: str, scope: str) -> WireError:
    """403 AuthorizationFailed (facts: arm-service 2.5)."""
    name = principal.upn or principal.app_id or principal.object_id
    return gateway(
        403,
        "AuthorizationFailed",
        f"The client '{name}' with object id '{principal.object_id}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials.",
    )


def allows(world: World, object_id: str, action: str, scope: str, *, data: bool = False) -> bool:
    """Whether this object may do `action` (a data action with `data`) at `scope` now."""
    return any(_role_allows(role, action, data) for role in held(world, object_id, scope))


def held(world: World, object_id: str, scope: str) -> Iterator[roles.Role]:
    """Roles that count for an object at a scope now; one comes as often as it was assigned."""
    for assignment in counting(world, object_id, scope):
        role = roles.of_definition_id(world, assignment.role_definition_id)
        if role is not None:
            yield role


def counting(world: World, object_id: str, scope: str) -> Iterator[RoleAssignment]:
    """Assignments at a scope or above it that are in force and reach an object, directly or through groups."""
    key = object_id.lower()
    for ancestor in scopes_above(scope):
        for assignment in _reaching(world, _normal(ancestor), key):
            if assignment.effective_at <= world.now:
                yield assignment


def _reaching(world: World, scope: str, key: str) -> Iterator[RoleAssignment]:
    """Assignments made exactly at a scope to an object, or to a group that holds it. A thousand people assigned one by
    one are not looked through for one of them."""
    index = _index(world)
    yield from index.items(f"given {scope} {key}")
    for assignment in index.items(f"shared {scope}"):
        principal = assignment.principal_id.lower()
        if principal != key and is_or_holds(world, principal, key):
            yield assignment


def covering(world: World, scope: str) -> Iterator[RoleAssignment]:
    """Assignments at a scope and at every scope above it, the widest first."""
    for ancestor in scopes_above(scope):
        yield from at(world, ancestor)


def at(world: World, scope: str) -> list[RoleAssignment]:
    """Assignments made exactly at a scope."""
    return _index(world).items(f"scope {_normal(scope)}")


def at_and_below(world: World, scope: str) -> list[RoleAssignment]:
    """Assignments made at a scope or at anything inside it, by id."""
    prefix = _normal(scope) + "/"
    subscription = prefix.split("/")[2] if prefix.startswith("/subscriptions/") else ""
    # Ids begin with their scope, so those of one scope and of all below it share this prefix.
    keys = (
        _index(world).keys(f"subscription {subscription}") if subscription else list(world.state.arm.role_assignments)
    )
    return [world.state.arm.role_assignments[key] for key in keys if key.startswith(prefix)]


def named(world: World, name: str) -> RoleAssignment | None:
    """The assignment of a name, which is unique in the tenant."""
    return next(iter(_index(world).items(f"name {name.lower()}")), None)


def of_subscription(world: World, subscription: str) -> list[str]:
    """Keys of the assignments in a subscription, at any depth."""
    return _index(world).keys(f"subscription {subscription.lower()}")


def of_principal(world: World, object_id: str) -> list[RoleAssignment]:
    """Assignments made to this very object, at any scope."""
    return _index(world).items(f"principal {object_id.lower()}")


def put(world: World, assignment: RoleAssignment) -> None:
    """Add an assignment; its id must be new."""
    key = assignment.id.lower()
    assert key not in world.state.arm.role_assignments, assignment.id
    world.state.arm.role_assignments[key] = assignment


def drop(world: World, assignment: RoleAssignment) -> None:
    """Take an assignment away."""
    del world.state.arm.role_assignments[assignment.id.lower()]
    _index(world).remove(assignment.id.lower())


def scopes_above(scope: str) -> list[str]:
    """`scope` and the scopes that contain it, lower-cased, the widest first: root, subscription, resource group,
    resource, child resource. Empty segments are skipped.
    """
    parts = _normal(scope).strip("/").split("/")
    found = ["/"]
    if parts == [""]:
        return found
    ends = [2, 4] if parts[0] == "subscriptions" else []
    start = 4 if len(parts) > 3 and parts[2] == "resourcegroups" else 2 if parts[0] == "subscriptions" else 0
    # providers/<namespace>/<type>/<name>, then <type>/<name> for each child
    ends += range(start + 4, len(parts) + 1, 2)
    found += ["/" + "/".join(parts[:end]) for end in sorted({*ends, len(parts)}) if end <= len(parts)]
    return list(dict.fromkeys(found))


def is_or_holds(world: World, principal_id: str, object_id: str) -> bool:
    """Whether a principal is this object, or a group that holds it, directly or through groups, by memberships that
    count already. Ids are lower-case. Cycles are harmless.
    """
    if principal_id == object_id:
        return True
    groups = world.state.directory.groups
    if principal_id not in groups:
        return False
    waiting, seen = [principal_id], {principal_id}
    while waiting:
        group = groups.get(waiting.pop())
        if group is None:
            continue
        since = group.members.get(object_id)
        if since is not None and since <= world.now:
            return True
        for member in (groups.keys() & group.members.keys()) - seen:
            if group.members[member] <= world.now:
                seen.add(member)
                waiting.append(member)
    return False


def role_allows(world: World, guid: str, action: str, *, data: bool = False) -> bool:
    """Whether a role holds an action."""
    role = roles.of_definition_id(world, guid)
    return role is not None and _role_allows(role, action, data)


def _role_allows(role: roles.Role, action: str, data: bool) -> bool:
    allowed, denied = (role.data_actions, role.not_data_actions) if data else (role.actions, role.not_actions)
    return _matches(allowed, action.lower()) and not _matches(denied, action.lower())


@lru_cache(maxsize=8192)
def _matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.lower().split("*")))


# ---------------------------------------------------------------- index


def _index(world: World) -> Index[RoleAssignment]:
    return index_of(world, "arm.role_assignments", world.state.arm.role_assignments, _buckets_of)


def _buckets_of(_key: str, assignment: RoleAssignment) -> list[str]:
    scope = _normal(assignment.scope)
    principal = assignment.principal_id.lower()
    buckets = [f"scope {scope}", f"given {scope} {principal}"]
    buckets += [f"name {assignment.name.lower()}", f"principal {principal}"]
    if assignment.principal_type.lower() != "user":
        buckets.append(f"shared {scope}")
    if scope.startswith("/subscriptions/"):
        buckets.append(f"subscription {scope.split('/')[2]}")
    return buckets


def _normal(scope: str) -> str:
    return "/" + "/".join(part for part in scope.lower().split("/") if part)
