"""Role definitions, to read: the built-in ones and those of the customer's own. The same at every scope."""

import re
from typing import Any

from avdtwin.arm import errors, rights, roles
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of, scope_of, subscription_of
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

_TYPE = "Microsoft.Authorization/roleDefinitions"
_FILTER = re.compile(
    r"^(?:(?P<name>roleName)\s+eq\s+'(?P<text>[^']*)'|atScopeAndBelow\(\)|type\s+eq\s+'(?P<type>\w+)')$", re.I
)


def register(router: Router) -> None:
    router.add("GET", f"/{{scope*}}/providers/{_TYPE}", list_at)
    router.add("GET", f"/{{scope*}}/providers/{_TYPE}/{{name}}", get)


def get(world: World, request: Request, scope: str, name: str) -> Response:
    scope = scope_of(scope)
    rights.require(world, caller_of(request), f"{_TYPE}/read", scope)
    role = roles.of_definition_id(world, name)
    if role is None:
        message = f"The specified role definition with ID '{name}' does not exist."
        raise errors.gateway(404, "RoleDefinitionDoesNotExist", message)
    return GatewayResponse(body=shown(role, scope))


def list_at(world: World, request: Request, scope: str) -> Response:
    scope = scope_of(scope)
    rights.require(world, caller_of(request), f"{_TYPE}/read", scope)
    return GatewayResponse(body={"value": [shown(role, scope) for role in _narrowed(world, request)]})


def shown(role: roles.Role, scope: str) -> dict[str, Any]:
    """A definition as the service writes it, its id below the subscription that was asked."""
    subscription = subscription_of(scope)
    return {
        "properties": {
            "roleName": role.name,
            "type": _kind(role),
            "description": role.description,
            "assignableScopes": ["/"],
            "permissions": [permission(role)],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2023-05-01T15:15:11.3213510Z",
            "createdBy": None,
            "updatedBy": None,
        },
        "id": (f"/subscriptions/{subscription}" if subscription else "") + role.id,
        "type": _TYPE,
        "name": role.guid,
    }


def _kind(role: roles.Role) -> str:
    return "CustomRole" if role.custom else "BuiltInRole"


def permission(role: roles.Role) -> dict[str, list[str]]:
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": list(role.not_data_actions),
    }


def _narrowed(world: World, request: Request) -> list[roles.Role]:
    found = roles.every(world)
    text = request.query.get("filter", "").strip()
    for part in re.split(r"\s+and\s+", text, flags=re.I) if text else ():
        match = _FILTER.match(part.strip())
        if match is None:
            raise errors.gateway(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
        if match["name"]:
            found = [role for role in found if role.name.lower() == match["text"].lower()]
        if match["type"]:
            found = [role for role in found if _kind(role).lower() == match["type"].lower()]
    return found
