"""Application groups (facts/arm-service 1.4, 1.16)."""

from typing import Any

from avdtwin.arm import bodies, desktops, errors, fields, filters, hostpools, locations, names, paging, store
from avdtwin.arm.fields import Field, boolean, choice, text
from avdtwin.arm.ids import NAMESPACE, Place, place_of, wire_id
from avdtwin.arm.routes import ROUTES, may_read
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

KIND = "applicationGroups"
TYPE = f"{NAMESPACE}/{KIND}"

FIELDS = (
    Field("showInFeed", boolean),
    Field("hostPoolArmPath", text, required=True, fixed=True),
    Field("description", text),
    Field("friendlyName", text),
    Field("applicationGroupType", choice("RemoteApp", "Desktop"), required=True, fixed=True),
    Field("migrationRequest", fields.migration_request),
)

_ORDER: dict[str, Any] = {
    "showInFeed": None,
    "hostPoolArmPath": None,
    "workspaceArmPath": None,
    "description": None,
    "friendlyName": None,
    "applicationGroupType": "RemoteApp",
    "migrationRequest": None,
    "cloudPcResource": False,
    "objectId": None,
}

_FILTERS = frozenset({"applicationgrouptype"})


# ---------------------------------------------------------------- routes


@ROUTES.item("PUT", KIND)
def put(world: World, request: Request, place: Place) -> Response:
    """Create in the location of its host pool, a Desktop group with its SessionDesktop; or replace what may change."""
    body = fields.body_of(request)
    names.require(world, KIND, place.name)
    location = locations.required(body, KIND)
    tags = fields.tags_of(body)
    stored = fields.for_put(FIELDS, fields.properties_of(body))
    group = store.get(world, place.key)
    created = group is None
    if group is None:
        pool = _pool_named(world, stored["hostPoolArmPath"])
        _require_fits(world, pool, location, stored["applicationGroupType"])
        group = _new(world, place, pool, stored, bodies.author(request.principal))
    else:
        locations.require_same(group, location)
        _require_unchanged(group, stored)
    stored["hostPoolArmPath"] = wire_id(stored["hostPoolArmPath"]) if created else group.properties["hostPoolArmPath"]
    group.location, group.tags, group.kind = location, tags, stored["applicationGroupType"]
    group.properties |= stored
    bodies.touch(world, group, request.principal)
    return bodies.put_answer(group, _body(group), created)


@ROUTES.item("PATCH", KIND)
def patch(world: World, request: Request, place: Place) -> Response:
    group = require(world, place)
    body = fields.body_of(request)
    tags = fields.tags_of(body) if "tags" in body else group.tags
    group.properties |= fields.for_patch(FIELDS, fields.properties_of(body))
    group.tags = tags
    bodies.touch(world, group, request.principal)
    return Response(body=_body(group))


@ROUTES.item("GET", KIND)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_body(require(world, place)))


@ROUTES.item("DELETE", KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    """Goes with its applications and desktop, also out of its workspace and its host pool (facts 1.16)."""
    group = store.get(world, place.key)
    if group is None:
        return errors.GatewayResponse(status=204)
    body = _body(group)
    _leave_workspace(world, group)
    pool = store.get(world, group.properties.get("hostPoolArmPath") or "")
    if pool is not None:
        hostpools.release(world, pool, group.id)
    store.remove(world, group)
    return Response(body=body)


@ROUTES.listing(KIND)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    return paging.of_gateway(world, request, store.keys(world, place.group_id, KIND), _show(world, request))


@ROUTES.in_subscription(KIND)
def list_in_subscription(world: World, request: Request, subscription: str) -> Response:
    keys = store.keys(world, f"/subscriptions/{subscription}", KIND)
    return paging.of_gateway(world, request, keys, may_read(world, request, subscription, KIND, _show(world, request)))


# ---------------------------------------------------------------- for others


def require(world: World, place: Place) -> Resource:
    """The group of a place. Raises ARM's 404."""
    group = store.get(world, place.key)
    if group is None:
        raise errors.resource_not_found("Microsoft.DesktopVirtualization/applicationgroups", place.name, place.group)
    return group


def above(world: World, place: Place) -> Resource:
    """The group that a child's place lies in; the routes have seen to it that it is there."""
    group = store.get(world, place.cut(1).key)
    assert group is not None, place.id
    return group


def pool_of(world: World, group: Resource) -> Resource | None:
    """The host pool of a group."""
    return store.get(world, group.properties.get("hostPoolArmPath") or "")


# ---------------------------------------------------------------- parts


def _new(world: World, place: Place, pool: Resource, stored: dict[str, Any], author: str | None) -> Resource:
    group = Resource(
        id=place.id,
        type=TYPE,
        name=place.name,
        properties={"workspaceArmPath": None, "objectId": world.guid("object")},
        created_by=author,
        created_at=world.now,
    )
    store.add(world, group)
    hostpools.refer(world, pool, group.id)
    if stored["applicationGroupType"] == "Desktop":
        desktops.create(world, place, author)
    return group


def _pool_named(world: World, path: str) -> Resource:
    try:
        kinds = place_of(path).types
    except ValueError:
        kinds = ()
    pool = store.get(world, path) if len(kinds) == 1 else None
    if pool is None or pool.type.lower() != hostpools.TYPE.lower():
        raise errors.provider(400, f"HostPool {path} does not exist")
    return pool


def _require_fits(world: World, pool: Resource, location: str, kind: str) -> None:
    """Same location, one Desktop group for a pool, and not more groups than the tenant takes (facts 1.13, 1.4, 10)."""
    if not locations.together(pool, location):
        raise errors.provider(400, "ApplicationGroup must be in same location as associated HostPool")
    if kind == "Desktop" and _has_desktop(world, pool):
        raise errors.provider(400, f"HostPool {pool.name} already has an ApplicationGroup of type Desktop")
    limit = int(world.setting("application_groups_per_tenant"))
    count = sum(len(store.keys(world, f"/subscriptions/{key}", KIND)) for key in world.state.arm.subscriptions)
    if count >= limit and world.setting("quotas_enforced"):
        raise errors.provider(400, f"The limit of {limit} ApplicationGroups for the tenant has been reached")


def _has_desktop(world: World, pool: Resource) -> bool:
    references = pool.properties.get("applicationGroupReferences") or []
    present = (store.get(world, reference) for reference in references)
    return any(group is not None and group.properties.get("applicationGroupType") == "Desktop" for group in present)


def _require_unchanged(group: Resource, stored: dict[str, Any]) -> None:
    for name in ("hostPoolArmPath", "applicationGroupType"):
        if str(stored[name]).lower() != str(group.properties.get(name)).lower():
            raise errors.provider(400, f"{name} of ApplicationGroup {group.name} cannot be changed")


def _leave_workspace(world: World, group: Resource) -> None:
    workspace = store.get(world, group.properties.get("workspaceArmPath") or "")
    if workspace is not None:
        references = workspace.properties.get("applicationGroupReferences") or []
        kept = [reference for reference in references if reference.lower() != group.id.lower()]
        workspace.properties["applicationGroupReferences"] = kept


def _show(world: World, request: Request) -> paging.Show:
    passes = filters.of(request, _FILTERS)

    def show(key: str) -> dict[str, Any] | None:
        group = world.state.arm.resources[key]
        return _body(group) if passes(group.properties) else None

    return show


def _body(group: Resource) -> dict[str, Any]:
    properties = {**_ORDER, **group.properties}
    if properties["hostPoolArmPath"]:
        properties["hostPoolArmPath"] = wire_id(properties["hostPoolArmPath"])
    body = bodies.tracked(group, properties)
    body["kind"] = group.kind or properties["applicationGroupType"]
    return body
