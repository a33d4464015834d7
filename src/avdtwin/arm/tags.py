"""Tags of a scope as a resource of their own, and the names in use."""

from collections import Counter
from typing import Any

from avdtwin.arm import errors, fields, rights, store
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of, require, scope_of
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

TYPE = "Microsoft.Resources/tags"


def register(router: Router) -> None:
    router.add("GET", f"/{{scope*}}/providers/{TYPE}/default", get)
    router.add("PATCH", f"/{{scope*}}/providers/{TYPE}/default", patch)
    router.add("GET", "/subscriptions/{subscription}/tagNames", names)


def get(world: World, request: Request, scope: str) -> Response:
    scope = scope_of(scope)
    rights.require(world, caller_of(request), f"{TYPE}/read", scope)
    return GatewayResponse(body=_shown(scope, _resource(world, scope).tags or {}))


def patch(world: World, request: Request, scope: str) -> Response:
    """`operation` Merge, Replace or Delete with `properties.tags`."""
    scope = scope_of(scope)
    rights.require(world, caller_of(request), f"{TYPE}/write", scope)
    found = _resource(world, scope)
    given = fields.body_of(request)
    tags = fields.tags_of(fields.properties_of(given)) or {}
    held = found.tags or {}
    results = {
        "merge": held | tags,
        "replace": tags,
        "delete": {name: value for name, value in held.items() if name not in tags},
    }
    operation = str(given.get("operation", "")).lower()
    if operation not in results:
        raise errors.bad_request(f"The tags operation '{given.get('operation')}' is not valid.")
    found.tags = results[operation]
    return GatewayResponse(body=_shown(scope, found.tags))


def names(world: World, request: Request, subscription: str) -> Response:
    """Tag names in use on resource groups and what is in them, with how often each value occurs."""
    scope = f"/subscriptions/{subscription}"
    rights.require(world, caller_of(request), "Microsoft.Resources/subscriptions/tagNames/read", scope)
    found: dict[str, Counter[str]] = {}
    for group in store.children(world, scope, "resourceGroups"):
        for resource in (group, *store.children(world, group.id)):
            for name, value in (resource.tags or {}).items():
                found.setdefault(name, Counter())[value] += 1
    return GatewayResponse(body={"value": [_name(scope, name, counts) for name, counts in found.items()]})


def _name(scope: str, name: str, counts: Counter[str]) -> dict[str, Any]:
    values = [
        {
            "id": f"{scope}/tagNames/{name}/tagValues/{value}",
            "tagValue": value,
            "count": {"type": "Total", "value": count},
        }
        for value, count in counts.items()
    ]
    total = {"type": "Total", "value": counts.total()}
    return {"id": f"{scope}/tagNames/{name}", "tagName": name, "count": total, "values": values}


def _resource(world: World, scope: str) -> Resource:
    require(world, scope)
    found = store.get(world, scope)
    if found is None:
        raise errors.gateway(404, "ResourceNotFound", f"The scope '{scope}' has no tags here.")
    return found


def _shown(scope: str, tags: dict[str, str]) -> dict[str, Any]:
    return {"id": f"{scope}/providers/{TYPE}/default", "name": "default", "type": TYPE, "properties": {"tags": tags}}
