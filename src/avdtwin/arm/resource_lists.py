"""Resources of all kinds, listed as ARM's inventory shows them: without their properties."""

import re
from typing import Any

from avdtwin.arm import errors, rights, store
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_DEPLOYMENTS = _GROUP + "/providers/Microsoft.Resources/deployments"
_FILTER = re.compile(
    r"^(?:(?P<member>resourceType|name|location|resourceGroup)|(?P<tag>tagName|tagValue))\s+eq\s+'(?P<text>[^']*)'$",
    re.I,
)
_HIDDEN = ("microsoft.resources/", "microsoft.authorization/")


def register(router: Router) -> None:
    router.add("GET", _GROUP + "/resources", of_group)
    router.add("GET", "/subscriptions/{subscription}/resources", of_subscription)
    router.add("GET", _DEPLOYMENTS, deployments)
    router.add("GET", _DEPLOYMENTS + "/{name}", deployment)


def of_group(world: World, request: Request, subscription: str, group: str) -> Response:
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    rights.require(world, caller_of(request), "Microsoft.Resources/subscriptions/resourceGroups/read", scope)
    if store.get(world, scope) is None:
        raise errors.group_not_found(group)
    return _listed(request, _tracked(world, scope))


def of_subscription(world: World, request: Request, subscription: str) -> Response:
    """Everything that the caller may read in a subscription."""
    caller = caller_of(request).object_id
    free = not world.setting("rights_enforced")
    found: list[Resource] = []
    for key in store.keys(world, f"/subscriptions/{subscription}", "resourceGroups"):
        found += [
            each for each in _tracked(world, key) if free or rights.allows(world, caller, f"{each.type}/read", each.id)
        ]
    return _listed(request, found)


def deployments(world: World, request: Request, subscription: str, group: str) -> Response:
    """The history of template deployments: what an estate or the control API put there."""
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    rights.require(world, caller_of(request), "Microsoft.Resources/deployments/read", scope)
    if store.get(world, scope) is None:
        raise errors.group_not_found(group)
    below = f"{scope}/providers/Microsoft.Resources/deployments/".lower()
    found = [body for key, body in sorted(world.state.arm.deployments.items()) if key.startswith(below)]
    found += [_deployment(each) for each in store.children(world, scope, "deployments")]
    top = request.query.get("top", "")
    return GatewayResponse(body={"value": found[: int(top[:9])] if top.isdecimal() else found})


def deployment(world: World, request: Request, subscription: str, group: str, name: str) -> Response:
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    target = f"{scope}/providers/Microsoft.Resources/deployments/{name}"
    rights.require(world, caller_of(request), "Microsoft.Resources/deployments/read", target)
    if store.get(world, scope) is None:
        raise errors.group_not_found(group)
    found = world.state.arm.deployments.get(target.lower())
    kept = store.get(world, target)
    if found is None and kept is not None:
        found = _deployment(kept)
    if found is None:
        raise errors.gateway(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")
    return GatewayResponse(body=found)


def _tracked(world: World, scope: str) -> list[Resource]:
    return [each for each in store.children(world, scope) if not each.type.lower().startswith(_HIDDEN)]


def _listed(request: Request, found: list[Resource]) -> Response:
    text = request.query.get("filter", "").strip()
    for part in re.split(r"\s+and\s+", text, flags=re.I) if text else ():
        match = _FILTER.match(part.strip())
        if match is None:
            raise errors.gateway(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query.")
        found = [each for each in found if _fits(each, match)]
    return GatewayResponse(body={"value": [_shown(each) for each in found]})


def _fits(resource: Resource, match: re.Match[str]) -> bool:
    wanted = match["text"].lower()
    tags = resource.tags or {}
    if match["tag"]:
        held = tags if match["tag"].lower() == "tagname" else tags.values()
        return any(each.lower() == wanted for each in held)
    values = {
        "resourcetype": resource.type,
        "name": resource.name,
        "location": resource.location or "",
        "resourcegroup": resource.id.split("/")[4],
    }
    return values[match["member"].lower()].lower() == wanted


def _shown(resource: Resource) -> dict[str, Any]:
    optional = {"kind": resource.kind, "location": resource.location, "tags": resource.tags}
    filled = {name: value for name, value in optional.items() if value is not None}
    return {"id": resource.id, "name": resource.name, "type": resource.type, **filled}


def _deployment(resource: Resource) -> dict[str, Any]:
    return {"id": resource.id, "name": resource.name, "type": resource.type, "properties": resource.properties}
