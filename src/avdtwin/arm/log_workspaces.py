"""Log Analytics workspaces (`Microsoft.OperationalInsights/workspaces`): where diagnostic settings send logs to.

Shapes are those of azure-mgmt-loganalytics 14.0.0 (API version 2025-07-01). Inferred: the wording of refusals, and that
a change leaves a workspace `Succeeded` at once. Departure: the service keeps a deleted workspace for 14 days and gives
it back to whoever makes it again; here it is gone, with its rows.
"""

import re
from collections.abc import Iterator
from typing import Any

from avdtwin.arm import bodies, errors, fields, rights, store
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.locations import require_same
from avdtwin.arm.regions import normal
from avdtwin.arm.scopes import caller_of
from avdtwin.clock import iso
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

NAMESPACE = "Microsoft.OperationalInsights"
TYPE = f"{NAMESPACE}/workspaces"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_MANY = f"{_GROUP}/providers/{TYPE}"
_ONE = f"{_MANY}/{{name}}"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]")
_DAYS = range(30, 731)
"""Retention of the paid tiers; the free one keeps 7 days."""

_SKUS = ("Free", "Standard", "Premium", "PerNode", "PerGB2018", "Standalone", "CapacityReservation", "LACluster")
_ACCESS = ("Enabled", "Disabled", "SecuredByPerimeter")
_DEFAULTS: dict[str, Any] = {
    "sku": {"name": "PerGB2018"},
    "retentionInDays": 30,
    "features": {},
    "workspaceCapping": {"dailyQuotaGb": -1.0},
    "publicNetworkAccessForIngestion": "Enabled",
    "publicNetworkAccessForQuery": "Enabled",
}
_FEATURES = {"legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": True}


def register(router: Router) -> None:
    router.add("GET", f"/subscriptions/{{subscription}}/providers/{TYPE}", list_in_subscription)
    router.add("GET", _MANY, list_in_group)
    router.add("GET", _ONE, get)
    router.add("PUT", _ONE, put)
    router.add("PATCH", _ONE, patch)
    router.add("DELETE", _ONE, delete)


def of_customer_id(world: World, customer_id: str) -> Resource | None:
    """The workspace that queries know by this id, in any casing."""
    wanted = customer_id.lower()
    return next((each for each in all_of(world) if each.properties["customerId"] == wanted), None)


def all_of(world: World) -> Iterator[Resource]:
    """Every workspace, by subscription and id."""
    for subscription in world.state.arm.subscriptions:
        yield from store.children(world, f"/subscriptions/{subscription}", TYPE)


def lay(world: World, group: str, name: str, *, location: str, customer_id: str, days: int) -> Resource:
    """A workspace that has been there for long, in a resource group given by its id; it keeps rows for `days`."""
    full = f"{group}/providers/{TYPE}/{name}"
    properties = {**_DEFAULTS, "customerId": customer_id, "retentionInDays": days}
    made = Resource(id=full, type=TYPE, name=name, location=location, properties=properties, created_at=world.now)
    return store.add(world, made)


# ---------------------------------------------------------------- routes


def get(world: World, request: Request, subscription: str, group: str, name: str) -> Response:
    return GatewayResponse(body=_body(world, _require(world, request, "read", subscription, group, name)))


def put(world: World, request: Request, subscription: str, group: str, name: str) -> Response:
    """201 for a new one, which is `Creating` for a while; 200 for one that was there."""
    scope = _allowed(world, request, "write", subscription, group, name)
    _require_registered(world, request, subscription)
    given = fields.body_of(request)
    if not _NAME.fullmatch(name):
        raise _refused(f"The workspace name '{name}' is invalid: 4 to 63 letters, digits and hyphens.")
    location = given.get("location")
    if not isinstance(location, str) or not location.strip():
        raise errors.gateway(400, "LocationRequired", "The location property is required for this definition.")
    tags, properties = fields.tags_of(given), _checked(fields.properties_of(given))
    found = store.get(world, scope)
    if found is not None:
        require_same(found, normal(location))
    workspace = found or _new(world, request, scope, name)
    workspace.location, workspace.tags = normal(location), tags
    workspace.properties |= _DEFAULTS | properties
    bodies.touch(world, workspace, request.principal)
    return GatewayResponse(status=200 if found else 201, body=_body(world, workspace))


def patch(world: World, request: Request, subscription: str, group: str, name: str) -> Response:
    found = _require(world, request, "write", subscription, group, name)
    given = fields.body_of(request)
    tags, properties = fields.tags_of(given), _checked(fields.properties_of(given))
    if "tags" in given:
        found.tags = tags
    found.properties |= properties
    bodies.touch(world, found, request.principal)
    return GatewayResponse(body=_body(world, found))


def delete(world: World, request: Request, subscription: str, group: str, name: str) -> Response:
    found = store.get(world, _allowed(world, request, "delete", subscription, group, name))
    if found is None:
        return GatewayResponse(status=204)
    store.remove(world, found)
    return GatewayResponse()


def list_in_group(world: World, request: Request, subscription: str, group: str) -> Response:
    scope = _GROUP.format(subscription=subscription, group=group)
    rights.require(world, caller_of(request), f"{TYPE}/read", scope)
    if store.get(world, scope) is None:
        raise errors.group_not_found(group)
    return GatewayResponse(body={"value": [_body(world, each) for each in store.children(world, scope, TYPE)]})


def list_in_subscription(world: World, request: Request, subscription: str) -> Response:
    """Those that the caller may read: the others are left out, not refused."""
    caller, free = caller_of(request).object_id, not world.setting("rights_enforced")
    found = store.children(world, f"/subscriptions/{subscription}", TYPE)
    readable = (each for each in found if free or rights.allows(world, caller, f"{TYPE}/read", each.id))
    return GatewayResponse(body={"value": [_body(world, each) for each in readable]})


# ---------------------------------------------------------------- parts


def _allowed(world: World, request: Request, verb: str, subscription: str, group: str, name: str) -> str:
    """The id of a path, when the caller may do this there and its resource group is there."""
    scope = _ONE.format(subscription=subscription, group=group, name=name)
    rights.require(world, caller_of(request), f"{TYPE}/{verb}", scope)
    if store.get(world, _GROUP.format(subscription=subscription, group=group)) is None:
        raise errors.group_not_found(group)
    return scope


def _require(world: World, request: Request, verb: str, subscription: str, group: str, name: str) -> Resource:
    found = store.get(world, _allowed(world, request, verb, subscription, group, name))
    if found is None:
        raise errors.resource_not_found(TYPE, name, group)
    return found


def _require_registered(world: World, request: Request, subscription: str) -> None:
    held = world.state.arm.subscriptions[subscription.lower()].providers
    # Over plain http the SDK could not register it by itself (facts 12.2).
    if held.get(NAMESPACE.lower()) != "Registered" and request.origin.startswith("https:"):
        raise errors.not_registered(NAMESPACE)


def _new(world: World, request: Request, scope: str, name: str) -> Resource:
    lasts = world.between("log workspace", world.setting("log_workspace_create_s"))
    workspace = Resource(
        id=scope,
        type=TYPE,
        name=name,
        properties={"customerId": world.guid("log workspace")},
        created_by=bodies.author(request.principal),
        created_at=world.now,
        secrets={"ready_at": world.now + lasts},
    )
    return store.add(world, workspace)


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The properties that a body may set, of those it names."""
    kept = {name: given[name] for name in _DEFAULTS if given.get(name) is not None}
    for name in ("sku", "features", "workspaceCapping"):
        if not isinstance(kept.get(name, {}), dict):
            raise _refused(f"The value of '{name}' is invalid: an object was expected.")
    sku = str(kept.get("sku", {}).get("name", "PerGB2018"))
    if "sku" in kept:
        kept["sku"] = {**kept["sku"], "name": _word("sku.name", sku, _SKUS)}
    for name in ("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"):
        if name in kept:
            kept[name] = _word(name, kept[name], _ACCESS)
    days = kept.get("retentionInDays", 30)
    if isinstance(days, bool) or not (days in _DAYS or (days == 7 and sku.lower() == "free")):
        raise _refused(f"'retentionInDays' has value {days!r}: it should be between 30 and 730.")
    return kept


def _word(name: str, given: Any, known: tuple[str, ...]) -> str:
    found = next((each for each in known if each.lower() == str(given).lower()), None)
    if found is None:
        raise _refused(f"The value '{given}' of '{name}' is invalid: known are {', '.join(known)}.")
    return found


def _refused(message: str) -> errors.WireError:
    return errors.gateway(400, "InvalidParameter", message)


def _body(world: World, workspace: Resource) -> dict[str, Any]:
    own = workspace.properties
    ready = world.now >= workspace.secrets.get("ready_at", 0.0)
    changed = iso(workspace.modified_at, 7)
    tags = {} if workspace.tags is None else {"tags": workspace.tags}
    properties = {
        **own,
        "provisioningState": "Succeeded" if ready else "Creating",
        "sku": {**own["sku"], "lastSkuUpdate": iso(workspace.created_at, 7)},
        "features": _FEATURES | own["features"],
        "workspaceCapping": {**own["workspaceCapping"], "dataIngestionStatus": "RespectQuota"},
        "createdDate": iso(workspace.created_at, 7),
        "modifiedDate": changed,
    }
    return {
        "properties": properties,
        "location": workspace.location,
        **tags,
        "id": workspace.id,
        "name": workspace.name,
        "type": TYPE,
        "systemData": bodies.system_data(workspace),
    }
