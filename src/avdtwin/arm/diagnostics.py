"""Diagnostic settings of a resource, and the categories that it may send (Microsoft.Insights; facts/arm-service 6)."""

import re
from typing import Any

from avdtwin.arm import errors, fields, rights, store
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of, require, scope_of
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

_AT = "/{scope*}/providers/Microsoft.Insights"
_MANY = f"{_AT}/diagnosticSettings"
_ONE = f"{_MANY}/{{name}}"
_RIGHT = "Microsoft.Insights/diagnosticSettings"
_MOST = 5
_BAD_NAME = re.compile(r"[<>*%&:\\?+/]|[ .]$")

CATEGORIES = {
    "microsoft.desktopvirtualization/hostpools": (
        *("Checkpoint", "Error", "Management", "Connection", "HostRegistration", "AgentHealthStatus", "NetworkData"),
        *("SessionHostManagement", "ConnectionGraphicsData", "AutoscaleEvaluationPooled", "MultiLinkAdd"),
    ),
    "microsoft.desktopvirtualization/applicationgroups": ("Checkpoint", "Error", "Management"),
    "microsoft.desktopvirtualization/workspaces": ("Checkpoint", "Error", "Management", "Feed"),
    "microsoft.desktopvirtualization/scalingplans": ("Autoscale",),
    "microsoft.desktopvirtualization/appattachpackages": ("Management",),
}
_SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
_TEXTS = (*_SINKS, "eventHubName", "serviceBusRuleId", "logAnalyticsDestinationType")


def register(router: Router) -> None:
    router.add("GET", _MANY, list_all)
    router.add("GET", _ONE, get)
    router.add("PUT", _ONE, put)
    router.add("DELETE", _ONE, delete)
    router.add("GET", f"{_AT}/diagnosticSettingsCategories", list_categories)
    router.add("GET", f"{_AT}/diagnosticSettingsCategories/{{name}}", get_category)


def list_all(world: World, request: Request, scope: str) -> Response:
    resource = _target(world, request, scope, "read")
    return GatewayResponse(body={"value": [_body(each) for each in _settings(world, resource)]})


def get(world: World, request: Request, scope: str, name: str) -> Response:
    resource = _target(world, request, scope, "read")
    found = store.get(world, _id(resource, name))
    if found is None:
        raise errors.gateway(404, "ResourceNotFound", f"The diagnostic setting '{name}' doesn't exist.")
    return GatewayResponse(body=_body(found))


def put(world: World, request: Request, scope: str, name: str) -> Response:
    resource = _target(world, request, scope, "write")
    given = fields.properties_of(fields.body_of(request))
    if not 1 <= len(name) <= 260 or _BAD_NAME.search(name):
        raise errors.gateway(400, "BadRequest", f"The name '{name}' is invalid.")
    properties = _checked(resource, given)
    others = [each for each in _settings(world, resource) if each.name.lower() != name.lower()]
    if len(others) >= _MOST:
        raise errors.gateway(409, "Conflict", f"A resource takes at most {_MOST} diagnostic settings.")
    _refuse_doubles(properties, others)
    made = Resource(id=_id(resource, name), type=_RIGHT, name=name, properties=properties, created_at=world.now)
    return GatewayResponse(body=_body(store.add(world, made)))


def delete(world: World, request: Request, scope: str, name: str) -> Response:
    found = store.get(world, _id(_target(world, request, scope, "delete"), name))
    if found is None:
        return GatewayResponse(status=204)
    store.remove(world, found)
    return GatewayResponse()


def list_categories(world: World, request: Request, scope: str) -> Response:
    resource = _target(world, request, scope, "read")
    return GatewayResponse(body={"value": [_category(resource, each) for each in _categories(resource)]})


def get_category(world: World, request: Request, scope: str, name: str) -> Response:
    resource = _target(world, request, scope, "read")
    found = next((each for each in _categories(resource) if each.lower() == name.lower()), None)
    if found is None:
        raise errors.gateway(404, "ResourceNotFound", f"The category '{name}' doesn't exist.")
    return GatewayResponse(body=_category(resource, found))


# ---------------------------------------------------------------- parts


def _target(world: World, request: Request, captured: str, verb: str) -> Resource:
    scope = scope_of(captured)
    rights.require(world, caller_of(request), f"{_RIGHT}/{verb}", scope)
    require(world, scope)
    found = store.get(world, scope)
    if found is None or not _categories(found):
        raise errors.gateway(400, "ResourceTypeNotSupported", f"The resource '{scope}' has no diagnostic settings.")
    return found


def _categories(resource: Resource) -> tuple[str, ...]:
    return CATEGORIES.get(resource.type.lower(), ())


def _id(resource: Resource, name: str) -> str:
    return f"{resource.id}/providers/{_RIGHT}/{name}"


def _settings(world: World, resource: Resource) -> list[Resource]:
    return store.children(world, resource.id, "diagnosticSettings")


def _checked(resource: Resource, given: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: fields.text(name, given[name]) for name in _TEXTS if given.get(name)}
    if not any(name in kept for name in _SINKS):
        raise errors.gateway(400, "BadRequest", "At least one data sink needs to be specified.")
    logs = fields.records("logs", given.get("logs") or [])
    for log in logs:
        category = log.get("category")
        if category is not None and category not in _categories(resource):
            raise errors.gateway(400, "BadRequest", f"Category '{category}' is not supported.")
        if category is None and log.get("categoryGroup") not in ("allLogs", "audit"):
            raise errors.gateway(400, "BadRequest", "A log needs a category or a category group.")
    return {**kept, "logs": logs, "metrics": fields.records("metrics", given.get("metrics") or [])}


def _refuse_doubles(properties: dict[str, Any], others: list[Resource]) -> None:
    """One category goes to one sink by one setting only."""
    for other in others:
        for sink in _SINKS:
            same = properties.get(sink) is not None and properties[sink] == other.properties.get(sink)
            both = _sent(properties) & _sent(other.properties)
            if same and both:
                text = f"Data sink '{properties[sink]}' is already used in diagnostic setting '{other.name}' for "
                raise errors.gateway(409, "Conflict", f"{text}category '{sorted(both)[0]}'.")


def _sent(properties: dict[str, Any]) -> set[str]:
    return {str(log.get("category") or log.get("categoryGroup")) for log in properties["logs"] if log.get("enabled")}


def _body(setting: Resource) -> dict[str, Any]:
    return {"id": setting.id, "type": _RIGHT, "name": setting.name, "properties": setting.properties}


def _category(resource: Resource, name: str) -> dict[str, Any]:
    kind = f"{_RIGHT}Categories"
    properties = {"categoryType": "Logs", "categoryGroups": ["allLogs"]}
    return {
        "id": f"{resource.id}/providers/{kind}/{name}",
        "type": kind,
        "name": name,
        "properties": properties,
    }
