"""Role assignments at any scope (facts: arm-service 5.3)."""

import re
from typing import Any

from avdtwin import directory
from avdtwin.arm import errors, rights, roles
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of, require, scope_of, subscription_of
from avdtwin.clock import iso
from avdtwin.state import Group, RoleAssignment, ServicePrincipal, User
from avdtwin.wire import Request, Response, Router, WireError
from avdtwin.world import World

_TYPE = "Microsoft.Authorization/roleAssignments"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_KINDS = {User: "User", Group: "Group", ServicePrincipal: "ServicePrincipal"}
_FILTER = re.compile(
    r"^(?:(?P<at>atScope\(\))|principalId\s+eq\s+'(?P<direct>[^']*)'|assignedTo\('(?P<all>[^']*)'\))$", re.I
)
_AVD_OBJECT = re.compile(r"/providers/microsoft\.desktopvirtualization/\w+/[^/]+$")
_OWNER = roles.BY_NAME["owner"].guid
_PAGE = 1000


def register(router: Router) -> None:
    one = f"/{{scope*}}/providers/{_TYPE}/{{name}}"
    router.add("GET", one, get)
    router.add("PUT", one, put)
    router.add("DELETE", one, delete)
    router.add("GET", f"/{{scope*}}/providers/{_TYPE}", list_at)
    metrics = "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics"
    router.add("GET", metrics, usage)


# ---------------------------------------------------------------- reading


def get(world: World, request: Request, scope: str, name: str) -> Response:
    scope = scope_of(scope)
    rights.require(world, caller_of(request), f"{_TYPE}/read", scope)
    found = _at(world, scope, name)
    if found is None:
        raise errors.gateway(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
    return GatewayResponse(body=shown(found))


def list_at(world: World, request: Request, scope: str) -> Response:
    """Assignments at, above and below a scope, narrowed by `$filter`; 1,000 to a page."""
    scope = scope_of(scope)
    rights.require(world, caller_of(request), f"{_TYPE}/read", scope)
    require(world, scope)
    found = _narrowed(world, request, scope)
    start = _start(request)
    body: dict[str, Any] = {"value": [shown(each) for each in found[start : start + _PAGE]]}
    if start + _PAGE < len(found):
        kept = "".join(f"&%24{name}={request.query[name]}" for name in ("filter",) if name in request.query)
        version = request.query.get("api-version", "2022-04-01")
        link = f"{request.origin}{request.path}?api-version={version}{kept}&%24skipToken={start + _PAGE}"
        body["nextLink"] = link.replace(" ", "%20")
    return GatewayResponse(body=body)


def usage(world: World, request: Request, subscription: str) -> Response:
    """How much of the subscription's quota is used."""
    scope = f"/subscriptions/{subscription}"
    rights.require(world, caller_of(request), "Microsoft.Authorization/roleAssignmentsUsageMetrics/read", scope)
    limit = int(world.setting("role_assignments_per_subscription"))
    used = len(rights.of_subscription(world, subscription))
    return GatewayResponse(
        body={
            "subscriptionId": subscription,
            "roleAssignmentsLimit": limit,
            "roleAssignmentsCurrentCount": used,
            "roleAssignmentsRemainingCount": limit - used,
        }
    )


def shown(assignment: RoleAssignment) -> dict[str, Any]:
    """An assignment as the service writes it."""
    at = iso(assignment.created_at, 7)
    return {
        "properties": {
            "roleDefinitionId": assignment.role_definition_id,
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "scope": assignment.scope,
            "condition": assignment.condition,
            "conditionVersion": assignment.condition_version,
            "createdOn": at,
            "updatedOn": at,
            "createdBy": assignment.created_by,
            "updatedBy": assignment.created_by,
            "delegatedManagedIdentityResourceId": None,
            "description": assignment.description,
        },
        "id": assignment.id,
        "type": _TYPE,
        "name": assignment.name,
    }


def _narrowed(world: World, request: Request, scope: str) -> list[RoleAssignment]:
    only_here, direct, reaching = _filter_of(request)
    found = list(rights.covering(world, scope)) if only_here else _around(world, scope)
    if direct is not None:
        found = [each for each in found if each.principal_id.lower() == direct]
    if reaching is not None:
        found = [each for each in found if rights.is_or_holds(world, each.principal_id.lower(), reaching)]
    return found


def _filter_of(request: Request) -> tuple[bool, str | None, str | None]:
    """(at and above only, a principal's own, reaching a principal also through groups) of `$filter`."""
    only_here, direct, reaching = False, None, None
    text = request.query.get("filter", "").strip()
    for part in re.split(r"\s+and\s+", text, flags=re.I) if text else ():
        match = _FILTER.match(part.strip())
        if match is None:
            raise errors.gateway(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
        only_here = only_here or match["at"] is not None
        direct = match["direct"].lower() if match["direct"] is not None else direct
        reaching = match["all"].lower() if match["all"] is not None else reaching
    return only_here, direct, reaching


def _around(world: World, scope: str) -> list[RoleAssignment]:
    """Assignments above a scope, at it and below it."""
    if scope == "/":
        return list(world.state.arm.role_assignments.values())
    above = [each for ancestor in rights.scopes_above(scope)[:-1] for each in rights.at(world, ancestor)]
    return above + rights.at_and_below(world, scope)


def _start(request: Request) -> int:
    token = request.query.get("skiptoken", "0")
    if not token.isdecimal():
        raise errors.gateway(400, "InvalidSkipToken", "The skip token is not valid.")
    return int(token)


def _at(world: World, scope: str, name: str) -> RoleAssignment | None:
    found = rights.named(world, name)
    return found if found is not None and found.scope.lower() == scope.lower() else None


# ---------------------------------------------------------------- writing


def put(world: World, request: Request, scope: str, name: str) -> Response:
    """Assign a role. An identical repeat answers 200; everything else that exists already is refused."""
    scope = scope_of(scope)
    caller = caller_of(request)
    rights.require(world, caller, f"{_TYPE}/write", f"{scope.rstrip('/')}/providers/{_TYPE}/{name}")
    require(world, scope)
    wanted = _wanted(world, request, scope, name)
    same_name = rights.named(world, name)
    if same_name is not None:
        return GatewayResponse(body=shown(_repeat(same_name, wanted)))
    _refuse_twin(world, wanted)
    _check_quota(world, scope)
    wanted.created_by = caller.object_id
    rights.put(world, wanted)
    world.record("role_assigned", scope=scope, principal=wanted.principal_id, role=wanted.role_definition_id)
    return GatewayResponse(status=201, body=shown(wanted))


def delete(world: World, request: Request, scope: str, name: str) -> Response:
    """200 with the assignment as it was, or 204 when there is none."""
    scope = scope_of(scope)
    target = f"{scope.rstrip('/')}/providers/{_TYPE}/{name}"
    rights.require(world, caller_of(request), f"{_TYPE}/delete", target)
    found = _at(world, scope, name)
    if found is None:
        return GatewayResponse(status=204)
    if _is_last_owner(world, found):
        message = "Cannot delete the last RBAC admin assignment."
        raise errors.gateway(400, "CannotDeleteLastRbacAdminAssignment", message)
    rights.drop(world, found)
    world.record("role_removed", scope=scope, principal=found.principal_id, role=found.role_definition_id)
    return GatewayResponse(body=shown(found))


def _wanted(world: World, request: Request, scope: str, name: str) -> RoleAssignment:
    """The assignment that a body asks for, its role and principal looked up."""
    if not _GUID.fullmatch(name):
        message = f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."
        raise errors.gateway(400, "InvalidRoleAssignmentId", message)
    given = _properties(request)
    role = roles.of_definition_id(world, str(given["roleDefinitionId"]))
    if role is None:
        guid = str(given["roleDefinitionId"]).rsplit("/", 1)[-1]
        message = f"The specified role definition with ID '{guid}' does not exist."
        raise errors.gateway(404, "RoleDefinitionDoesNotExist", message)
    subscription = subscription_of(scope)
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    delay = world.between("role effect", world.setting("role_effective_s"))
    return RoleAssignment(
        id=f"{scope.rstrip('/')}/providers/{_TYPE}/{name}",
        name=name,
        scope=scope,
        role_definition_id=prefix + role.id,
        principal_id=str(given["principalId"]),
        principal_type=_principal_type(world, str(given["principalId"]), given.get("principalType")),
        created_at=world.now,
        effective_at=world.now + delay,
        description=given.get("description"),
        condition=given.get("condition"),
        condition_version=given.get("conditionVersion"),
    )


def _properties(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        body = None
    given = body.get("properties", body) if isinstance(body, dict) else None
    if not isinstance(given, dict) or not given.get("roleDefinitionId") or not given.get("principalId"):
        message = "The request to create role assignment is not valid. Role definition ID and principal ID are needed."
        raise errors.gateway(400, "InvalidCreateRoleAssignmentRequest", message)
    return given


def _principal_type(world: World, object_id: str, said: str | None) -> str:
    """What kind of object it is. Raises PrincipalNotFound while the object has not replicated; for a service principal
    that is said to be one the look-up is put off, as the service does.
    """
    found = directory.principal(world, object_id)
    known = found is not None and (directory.replicated(world, object_id) or said == "ServicePrincipal")
    if found is None or not known:
        tenant = world.state.directory.tenant_id.replace("-", "")
        message = (
            f"Principal {object_id.replace('-', '')} does not exist in the directory {tenant}. Check that you have the "
            "correct principal ID. If you are creating this principal and then immediately assigning a role, this "
            "error might be related to a replication delay. In this case, set the role assignment principalType "
            "property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
        )
        raise errors.gateway(400, "PrincipalNotFound", message)
    kind = _KINDS[type(found)]
    if said and said != kind:
        message = (
            f"The PrincipalId '{object_id.replace('-', '')}' has type '{kind}' , which is different from specified "
            f"PrinciaplType '{said}'."
        )
        raise errors.gateway(400, "UnmatchedPrincipalType", message)
    return kind


def _repeat(existing: RoleAssignment, wanted: RoleAssignment) -> RoleAssignment:
    """The existing one when it says the same; description and condition may change."""
    if _content(existing) != _content(wanted):
        message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        raise errors.gateway(400, "RoleAssignmentUpdateNotPermitted", message)
    existing.description = wanted.description
    existing.condition, existing.condition_version = wanted.condition, wanted.condition_version
    return existing


def _refuse_twin(world: World, wanted: RoleAssignment) -> None:
    for other in rights.at(world, wanted.scope):
        if _content(other) == _content(wanted):
            raise _exists(other)


def _exists(other: RoleAssignment) -> WireError:
    message = (
        f"The role assignment already exists. The ID of the existing role assignment is {other.name.replace('-', '')}."
    )
    return errors.gateway(409, "RoleAssignmentExists", message)


def _content(assignment: RoleAssignment) -> tuple[str, str, str]:
    role = assignment.role_definition_id.rsplit("/", 1)[-1]
    return (assignment.scope.lower(), role.lower(), assignment.principal_id.lower())


def _check_quota(world: World, scope: str) -> None:
    """4,000 in a subscription, 200 on one object of desktop virtualization (facts 5.3)."""
    subscription = subscription_of(scope)
    if subscription is None or not world.setting("quotas_enforced"):
        return
    full = len(rights.of_subscription(world, subscription)) >= world.setting("role_assignments_per_subscription")
    if _AVD_OBJECT.search(scope.lower()):
        full = full or len(rights.at(world, scope)) >= world.setting("role_assignments_per_object")
    if full:
        raise errors.gateway(400, "RoleAssignmentLimitExceeded", "No more role assignments can be created.")


def _is_last_owner(world: World, found: RoleAssignment) -> bool:
    """Whether it is the only Owner a subscription has at its own scope."""
    if found.scope.count("/") != 2 or not found.role_definition_id.lower().endswith(_OWNER):
        return False
    owners = [each for each in rights.at(world, found.scope) if each.role_definition_id.lower().endswith(_OWNER)]
    return len(owners) == 1
