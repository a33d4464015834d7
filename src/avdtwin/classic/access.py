"""Who may do what in the classic service: its four roles, inherited downward, without denial.

Source: facts/classic-service 4. A scope is a path of names; `()` is the deployment. Reading wants `…/Read`, so that
RDS Reader has it; handing out a registration token is an action of its own, since a token is a secret.
"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

from avdtwin import directory
from avdtwin.classic import places
from avdtwin.classic.errors import refusal
from avdtwin.classic.places import Path
from avdtwin.state import ClassicRoleAssignment
from avdtwin.wire import Principal, Request
from avdtwin.world import World

READ = "Microsoft.RDS.Resources/Read"
WRITE = "Microsoft.RDS.Resources/Write"
EXPORT = "Microsoft.RDS.Resources/RegistrationInfos/Export"
READ_ROLES = "Microsoft.RDS.Authorization/Read"
WRITE_ROLES = "Microsoft.RDS.Authorization/Write"
DIAGNOSE = "Microsoft.RDS.Diagnostics/Read"

ACTIONS: dict[str, tuple[str, ...]] = {
    "rds owner": ("*",),
    "rds contributor": ("Microsoft.RDS.Resources/*", "Microsoft.RDS.Diagnostics/*"),
    "rds reader": ("*/Read",),
    "rds operator": ("Microsoft.RDS.Diagnostics/Read",),
}

_BY_SCOPE = "classic-roles"
_Index = dict[str, list[ClassicRoleAssignment]]


class _Indexed(msgspec.Struct):
    count: int
    by_scope: _Index


def require(world: World, request: Request, action: str, path: Path) -> None:
    """Raise UnauthorizedAccess unless the caller may do `action` at a path."""
    if not allows(world, caller(request), action, path):
        raise refusal(world, "UnauthorizedAccess")


def caller(request: Request) -> Principal:
    assert request.principal is not None, "a route ran before its caller was known"
    return request.principal


def allows(world: World, principal: Principal, action: str, path: Path) -> bool:
    if not world.setting("rights_enforced"):
        return True
    assignments = list(_reaching(world, path))
    if not assignments:
        return False
    held = _identities(world, principal, assignments)
    return any(a.object_id.lower() in held and _matches(a.role.lower(), action.lower()) for a in assignments)


def filter_for(world: World, request: Request, action: str, path: Path) -> Callable[[str], bool] | None:
    """Which children of a path the caller sees in a list: None for all. Raises UnauthorizedAccess when they may see
    none of those that hold a role assignment of theirs, as somebody without any role.
    """
    principal = caller(request)
    if allows(world, principal, action, path):
        return None
    children = {key for key in _children_with_roles(world, path) if allows(world, principal, action, (*path, key))}
    if not children:
        raise refusal(world, "UnauthorizedAccess")
    return children.__contains__


# ---------------------------------------------------------------- assignments


def scope_text(world: World, path: Path) -> str:
    """`/Tenant Group/Tenant/Pool/Group` in the casing of the objects. Raises the 404 of the first that is missing."""
    return "/" + "/".join(place.name for place in places.walk(world, path))


def at_scope(world: World, scope: str) -> list[ClassicRoleAssignment]:
    """Assignments made at exactly this scope, in the order they were made."""
    return _index(world).get(_normal(scope), [])


def changed(world: World) -> None:
    """Role assignments were added, removed or replaced."""
    world.derived.pop(_BY_SCOPE, None)


def drop_below(world: World, path: Path) -> None:
    """Take away the assignments of an object that is being removed, and of all below it."""
    assignments = world.state.classic.role_assignments
    gone = "/".join(("", *path)).lower() + "/"
    for key in [key for key, found in assignments.items() if f"{_normal(found.scope)}/".startswith(gone)]:
        del assignments[key]
    changed(world)


def _reaching(world: World, path: Path) -> Iterator[ClassicRoleAssignment]:
    index = _index(world)
    for depth in range(len(path) + 1):
        yield from index.get("/" + "/".join(path[:depth]).lower(), ())


def _children_with_roles(world: World, path: Path) -> set[str]:
    above = "/".join(("", *path)).lower() + "/"
    return {
        scope[len(above) :] for scope in _index(world) if scope.startswith(above) and "/" not in scope[len(above) :]
    }


def _index(world: World) -> _Index:
    assignments = world.state.classic.role_assignments
    kept = world.derived.get(_BY_SCOPE)
    if not isinstance(kept, _Indexed) or kept.count != len(assignments):
        index: _Index = {}
        for assignment in assignments.values():
            index.setdefault(_normal(assignment.scope), []).append(assignment)
        kept = world.derived[_BY_SCOPE] = _Indexed(len(assignments), index)
    return kept.by_scope


def _normal(scope: str) -> str:
    return "/" + scope.strip("/").lower()


def _identities(world: World, principal: Principal, assignments: list[ClassicRoleAssignment]) -> set[str]:
    """The caller's object id, and those of their groups when any of the assignments is a group's."""
    own = {principal.object_id.lower()}
    if any(assignment.object_type == "Group" for assignment in assignments):
        own |= directory.groups_of(world, principal.object_id)
    return own


@lru_cache(maxsize=256)
def _matches(role: str, action: str) -> bool:
    return any(fnmatchcase(action, pattern.lower()) for pattern in ACTIONS.get(role, ()))
