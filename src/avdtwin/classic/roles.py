"""Role definitions and assignments (facts/classic-service 1.14, 2.6 and 4)."""

from collections.abc import Callable
from typing import Any

import msgspec

from avdtwin import directory
from avdtwin.classic import access
from avdtwin.classic.errors import refusal
from avdtwin.classic.limits import refuse_above
from avdtwin.classic.paging import Order, page, page_of, put
from avdtwin.classic.paging import drop as drop_key
from avdtwin.classic.places import Path
from avdtwin.classic.routes import route
from avdtwin.state import ClassicRoleAssignment, Group, ServicePrincipal, User
from avdtwin.wire import Request, Response
from avdtwin.world import World

OWNER = "RDS Owner"
DEFINITIONS = "/{scope*}/Rds.Authorization/roleDefinitions"
ASSIGNMENTS = "/{scope*}/Rds.Authorization/roleAssignments"
ASSIGNMENT_ORDER = Order("RoleAssignmentId", "UnknownError")
DEFINITION_ORDER = Order("RoleDefinitionName", "UnknownError")

_WORDS = ("tenantgroups", "tenants", "hostpools", "appgroups")
_IDS = {
    "RDS Contributor": "f5dc85e1-b94d-48f0-f5dc-08d623dd1cc4",
    OWNER: "3b14baea-8d82-4610-f5da-08d623dd1cc4",
    "RDS Operator": "827a079d-aa89-4d0d-f5dd-08d623dd1cc4",
    "RDS Reader": "2ea11dc0-46e3-4ee8-f5db-08d623dd1cc4",
}
_DESCRIPTIONS = {
    "RDS Contributor": "Can manage everything except access to resources.",
    OWNER: "Can manage everything, including access to resources.",
    "RDS Operator": "Can view diagnostic activities.",
    "RDS Reader": "Can view everything, but cannot make any changes.",
}


def path_of(world: World, scope: str) -> Path:
    """`TenantGroups/a/Tenants/b` as a path of names; `()` is the deployment."""
    parts = scope.split("/") if scope else []
    words = tuple(part.lower() for part in parts[0::2])
    if len(parts) % 2 or words != _WORDS[: len(words)]:
        raise refusal(world, "InvalidAuthorizationRoleScope", f"'{scope}' is not a scope.")
    return tuple(parts[1::2])


# ---------------------------------------------------------------- definitions


def _definition(name: str) -> dict[str, Any]:
    return {
        "roleDefinitionName": name,
        "id": _IDS[name],
        "scope": "/",
        "isCustom": False,
        "description": _DESCRIPTIONS[name],
        "actions": list(access.ACTIONS[name.lower()]),
        "assignableScopes": [],
    }


def role_name(world: World, role: str) -> str:
    """The role's name in its own casing. Raises RoleNotFound."""
    for name in _IDS:
        if name.lower() == role.lower():
            return name
    raise refusal(world, "RoleNotFound", f"RoleNotFound: '{role}'.")


@route("GET", DEFINITIONS)
def list_definitions(world: World, request: Request, scope: str) -> Response:
    """The same four everywhere, for anybody who is signed in."""
    path_of(world, scope)
    names = list(_IDS)
    keys = [name.lower() for name in names]
    return page(world, request, keys, DEFINITION_ORDER, lambda at: _definition(names[at]))


@route("GET", DEFINITIONS + "/{role}")
def get_definition(world: World, request: Request, scope: str, role: str) -> Response:
    path_of(world, scope)
    return Response(body=_definition(role_name(world, role)))


@route("GET", DEFINITIONS + "/Id/{id}")
def get_definition_by_id(world: World, request: Request, scope: str, id: str) -> Response:
    path_of(world, scope)
    for name, known in _IDS.items():
        if known == id.lower():
            return Response(body=_definition(name))
    raise refusal(world, "RoleNotFound")


# ---------------------------------------------------------------- reading assignments


def row(assignment: ClassicRoleAssignment) -> dict[str, Any]:
    return {
        "roleAssignmentId": assignment.id,
        "scope": assignment.scope,
        "displayName": assignment.display_name,
        "signInName": assignment.sign_in_name,
        "groupObjectId": assignment.group_object_id,
        "aadTenantId": assignment.aad_tenant_id,
        "appId": assignment.app_id,
        "roleDefinitionName": assignment.role,
        "roleDefinitionId": _IDS.get(assignment.role),
        "objectId": assignment.object_id,
        "objectType": assignment.object_type,
    }


_FILTERS = {"upn": "sign_in_name", "appid": "app_id", "azureadobjectid": "group_object_id"}


def _asked(request: Request) -> Callable[[ClassicRoleAssignment], bool]:
    """Which assignments a query wants: by `upn`, `appId` or `azureADObjectId`; by none of them, all."""
    wanted = {attribute: request.query[name].lower() for name, attribute in _FILTERS.items() if request.query.get(name)}
    return lambda found: all((getattr(found, name) or "").lower() == value for name, value in wanted.items())


@route("GET", ASSIGNMENTS)
def list_assignments(world: World, request: Request, scope: str) -> Response:
    """At a scope: those made at it (a setting adds those below). Without a scope: all that the caller may see."""
    path = path_of(world, scope)
    asked = _asked(request)
    everything = world.state.classic.role_assignments
    if not path:
        caller = access.caller(request)
        sees = {
            text: access.allows(world, caller, access.READ_ROLES, tuple(part for part in text.split("/") if part))
            for text in {assignment.scope for assignment in everything.values()}
        }
        return page_of(
            world,
            request,
            everything,
            ASSIGNMENT_ORDER,
            row,
            lambda key: sees[everything[key].scope] and asked(everything[key]),
        )
    access.require(world, request, access.READ_ROLES, path)
    text = access.scope_text(world, path)
    found = {a.id.lower(): a for a in _at(world, text) if asked(a)}
    keys = sorted(found)
    return page(world, request, keys, ASSIGNMENT_ORDER, lambda at: row(found[keys[at]]))


def _at(world: World, scope: str) -> list[ClassicRoleAssignment]:
    if not world.setting("classic_role_list_below"):
        return access.at_scope(world, scope)
    below = scope.lower() + "/"
    return [a for a in world.state.classic.role_assignments.values() if f"{a.scope.lower()}/".startswith(below)]


# ---------------------------------------------------------------- changing them


class _Who(msgspec.Struct, frozen=True):
    """The principal of an assignment, as the directory has it."""

    object_id: str
    object_type: str
    display_name: str | None = None
    sign_in_name: str | None = None
    group_object_id: str | None = None
    app_id: str | None = None


def _user(world: World, upn: str) -> _Who:
    found = directory.user_by_upn(world, upn)
    if not isinstance(found, User):
        raise refusal(world, "UserNotFoundInAAD", f"'{upn}' is not in the directory.")
    return _Who(found.id, "User", display_name=found.display_name, sign_in_name=found.upn)


def _application(world: World, app_id: str) -> _Who:
    for found in world.state.directory.service_principals.values():
        if found.app_id.lower() == app_id.lower() and isinstance(found, ServicePrincipal):
            return _Who(found.id, "ServicePrincipal", app_id=found.app_id)
    raise refusal(world, "UserNotFoundInAAD", f"No service principal has the application id '{app_id}'.")


def _group(world: World, object_id: str) -> _Who:
    found = directory.principal(world, object_id)
    if not isinstance(found, Group):
        raise refusal(world, "GroupNotFoundInAAD", f"'{object_id}' is no group of the directory.")
    return _Who(found.id, "Group", display_name=found.display_name, group_object_id=found.id)


class _Form(msgspec.Struct, frozen=True):
    """One way to name a principal in the URL."""

    template: str
    find: Callable[[World, str], _Who]
    attribute: str
    """Where an assignment keeps the name: removal finds principals that are gone from the directory by it."""
    unknown: str
    """Code when the directory does not have it."""
    directory_needed: bool
    """Whether `aadTenantId` must be given at the scopes without a directory of their own."""


_FORMS = (
    _Form("/Users/upn/{principal}", _user, "sign_in_name", "UserNotFoundInAAD", True),
    _Form("/Users/appid/{principal}", _application, "app_id", "UserNotFoundInAAD", False),
    _Form("/Groups/azureADObjectId/{principal}", _group, "group_object_id", "GroupNotFoundInAAD", True),
)


def _check_directory(world: World, request: Request, form: _Form, path: Path) -> str | None:
    """A tenant has a directory; the deployment and a tenant group have none, so the call must name it (4)."""
    given = request.query.get("aadtenantid") or None
    if given is None and form.directory_needed and len(path) < 2:
        raise refusal(world, "AADParameterCausesBadRequest", "AADTenantId is needed at this scope.")
    if given is not None and given.lower() != world.state.directory.tenant_id.lower():
        raise refusal(world, form.unknown, f"Directory '{given}' is not known here.")
    return given


def _assign(form: _Form) -> Callable[..., Response]:
    def assign(world: World, request: Request, scope: str, role: str, principal: str) -> Response:
        path = path_of(world, scope)
        access.require(world, request, access.WRITE_ROLES, path)
        text = access.scope_text(world, path)
        name = role_name(world, role)
        aad_tenant_id = _check_directory(world, request, form, path)
        who = form.find(world, principal)
        for found in access.at_scope(world, text):
            if found.role == name and found.object_id.lower() == who.object_id.lower():
                return Response(body=row(found))
        count = len(access.at_scope(world, text))
        refuse_above(world, "classic_role_assignments_limit", count, "MaxRoleAssignmentLimitPerObjectReached")
        return Response(body=row(_add(world, text, name, who, aad_tenant_id)))

    return assign


def _add(world: World, scope: str, role: str, who: _Who, aad_tenant_id: str | None = None) -> ClassicRoleAssignment:
    made = ClassicRoleAssignment(
        id=world.guid("classic-role-assignment"),
        scope=scope,
        role=role,
        object_id=who.object_id,
        object_type=who.object_type,
        display_name=who.display_name,
        sign_in_name=who.sign_in_name,
        group_object_id=who.group_object_id,
        app_id=who.app_id,
        aad_tenant_id=aad_tenant_id,
    )
    put(world, world.state.classic.role_assignments, made.id.lower(), made)
    access.changed(world)
    return made


def make_owner(world: World, request: Request, path: Path) -> None:
    """Whoever creates a tenant group or a tenant becomes its owner: the practice of the set-up guide. What is created
    below inherits them.
    """
    caller = access.caller(request)
    user = directory.principal(world, caller.object_id)
    scope = access.scope_text(world, path)
    if isinstance(user, User):
        _add(world, scope, OWNER, _Who(user.id, "User", display_name=user.display_name, sign_in_name=user.upn))
    else:
        _add(world, scope, OWNER, _Who(caller.object_id, "ServicePrincipal", app_id=caller.app_id))


def _unassign(form: _Form) -> Callable[..., Response]:
    def unassign(world: World, request: Request, scope: str, role: str, principal: str) -> Response:
        path = path_of(world, scope)
        access.require(world, request, access.WRITE_ROLES, path)
        text = access.scope_text(world, path)
        name = role_name(world, role)
        _check_directory(world, request, form, path)
        held = [found for found in access.at_scope(world, text) if found.role == name]
        mine = [found for found in held if (getattr(found, form.attribute) or "").lower() == principal.lower()]
        if not mine:
            raise refusal(world, "RoleRemovalFailed", f"'{principal}' does not have the role {name} at '{text}'.")
        if name == OWNER and len(held) == len(mine):
            raise refusal(world, "LastOwnerCannotBeRemoved")
        _remove(world, mine)
        return Response(body=row(mine[0]))

    return unassign


def _remove(world: World, gone: list[ClassicRoleAssignment]) -> None:
    assignments = world.state.classic.role_assignments
    for key in [key for key, assignment in assignments.items() if any(assignment is found for found in gone)]:
        drop_key(world, assignments, key)
    access.changed(world)


for _form in _FORMS:
    route("PUT", ASSIGNMENTS + "/{role}" + _form.template)(_assign(_form))
    route("DELETE", ASSIGNMENTS + "/{role}" + _form.template)(_unassign(_form))
