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
_LINK = "Microsoft.OperationalInsights/workspaces/sharedKeys/action"
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
_GROUPS = ("allLogs",)
"""Of no type here is another group known."""

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
    return GatewayResponse(body={"value": [_body(each) for each in settings_of(world, resource.id.lower())]})


def get(world: World, request: Request, scope: str, name: str) -> Response:
    resource = _target(world, request, scope, "read")
    found = store.get(world, _id(resource, name))
    if found is None:
        raise errors.gateway(404, "ResourceNotFound", f"The diagnostic setting '{name}' doesn't exist.")
    return GatewayResponse(body=_body(found))


def put(world: World, request: Request, scope: str, name: str) -> Response:
    from avdtwin import agent_reports  # what writes logs asks this module in its turn

    resource = _target(world, request, scope, "write")
    given = fields.properties_of(fields.body_of(request))
    if not 1 <= len(name) <= 260 or _BAD_NAME.search(name):
        raise errors.gateway(400, "BadRequest", f"The name '{name}' is invalid.")
    properties = _checked(resource, given)
    _require_link(world, request, resource, properties)
    others = [each for each in settings_of(world, resource.id.lower()) if each.name.lower() != name.lower()]
    if len(others) >= _MOST:
        raise errors.gateway(409, "Conflict", f"A resource takes at most {_MOST} diagnostic settings.")
    _refuse_doubles(resource, properties, others)
    made = Resource(id=_id(resource, name), type=_RIGHT, name=name, properties=properties, created_at=world.now)
    answer = GatewayResponse(body=_body(store.add(world, made)))
    agent_reports.begin(world)
    return answer


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
    found = _spelled(name, _categories(resource))
    if found is None:
        raise errors.gateway(404, "ResourceNotFound", f"The category '{name}' doesn't exist.")
    return GatewayResponse(body=_category(resource, found))


# ---------------------------------------------------------------- for those who write logs


def settings_of(world: World, key: str) -> list[Resource]:
    """The settings of a resource, by its lower-cased id."""
    return store.children(world, key, "diagnosticSettings")


def settings_in(world: World, subscription: str) -> list[Resource]:
    """Every setting in a subscription, of whatever resource."""
    return store.children(world, f"/subscriptions/{subscription}", "diagnosticSettings")


def sinks(world: World, key: str, category: str) -> list[str]:
    """Ids of the workspaces to which a resource (lower-cased id) sends a category now; nobody knows that they exist."""
    resource = store.get(world, key)
    if resource is None:
        return []
    sending = (each.properties for each in settings_of(world, key) if category in _sent(resource, each.properties))
    return [str(properties["workspaceId"]) for properties in sending if properties.get("workspaceId")]


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


def _checked(resource: Resource, given: dict[str, Any]) -> dict[str, Any]:
    logs = fields.records("logs", given.get("logs") or [])
    for log in logs:
        _require_known(resource, log)
    return {**_sinks(given), "logs": logs, "metrics": fields.records("metrics", given.get("metrics") or [])}


def _sinks(given: dict[str, Any]) -> dict[str, Any]:
    """Where a setting sends to. Whether there is anything at these ids is not looked at here."""
    kept: dict[str, Any] = {name: fields.text(name, given[name]) for name in _TEXTS if given.get(name)}
    if not any(name in kept for name in _SINKS):
        raise errors.gateway(400, "BadRequest", "At least one data sink needs to be specified.")
    return kept


def _require_known(resource: Resource, log: dict[str, Any]) -> None:
    category, group = log.get("category"), log.get("categoryGroup")
    if (category is None) == (group is None):
        raise errors.gateway(400, "BadRequest", "A log needs either a category or a category group.")
    if category is not None and _spelled(category, _categories(resource)) is None:
        raise errors.gateway(400, "BadRequest", f"Category '{category}' is not supported.")
    if group is not None and _spelled(group, _GROUPS) is None:
        raise errors.gateway(400, "BadRequest", f"Category group '{group}' is not supported.")


def _require_link(world: World, request: Request, resource: Resource, properties: dict[str, Any]) -> None:
    """Whoever sends logs to a workspace needs its keys. Other sinks are not judged here."""
    workspace = str(properties.get("workspaceId") or "")
    if workspace:
        rights.require_linked(world, caller_of(request), (f"{_RIGHT}/write", resource.id), (_LINK, workspace))


def _refuse_doubles(resource: Resource, properties: dict[str, Any], others: list[Resource]) -> None:
    """One category goes to one sink by one setting only (facts 6.1). A group stands for its categories; a sink is an
    id, so its casing does not matter. The wording is inferred.
    """
    sent = _sent(resource, properties)
    for other in others:
        both = sorted(sent & _sent(resource, other.properties))
        for sink in _SINKS:
            asked = str(properties.get(sink) or "")
            if both and asked and asked.lower() == str(other.properties.get(sink) or "").lower():
                text = f"Data sink '{asked}' is already used in diagnostic setting '{other.name}' for category "
                raise errors.gateway(409, "Conflict", f"{text}'{both[0]}'.")


def _sent(resource: Resource, properties: dict[str, Any]) -> set[str]:
    """The categories that a setting sends, those of its groups among them."""
    enabled = [log for log in properties["logs"] if log.get("enabled")]
    named = {_spelled(log.get("category"), _categories(resource)) for log in enabled} - {None}
    in_groups = _categories(resource) if any(log.get("categoryGroup") for log in enabled) else ()
    return {*in_groups, *(str(name) for name in named)}


def _spelled(name: Any, known: tuple[str, ...]) -> str | None:
    """A name in the spelling of the service, whatever its casing; None for one that it does not know."""
    return next((each for each in known if each.lower() == str(name).lower()), None)


def _body(setting: Resource) -> dict[str, Any]:
    return {"id": setting.id, "type": _RIGHT, "name": setting.name, "properties": setting.properties}


def _category(resource: Resource, name: str) -> dict[str, Any]:
    kind = f"{_RIGHT}Categories"
    properties = {"categoryType": "Logs", "categoryGroups": list(_GROUPS)}
    return {
        "id": f"{resource.id}/providers/{kind}/{name}",
        "type": kind,
        "name": name,
        "properties": properties,
    }
