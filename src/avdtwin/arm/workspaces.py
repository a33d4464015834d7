"""Workspaces: what people subscribe to, a list of application groups (facts/arm-service 1.7)."""

from typing import Any

from avdtwin.arm import bodies, errors, fields, groups, locations, names, paging, private_links, store
from avdtwin.arm.fields import Field, choice, text, texts
from avdtwin.arm.ids import NAMESPACE, Place, wire_id
from avdtwin.arm.routes import ROUTES, may_read
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

KIND = "workspaces"
TYPE = f"{NAMESPACE}/{KIND}"

FIELDS = (
    Field("publicNetworkAccess", choice("Enabled", "Disabled"), "Enabled"),
    Field("description", text),
    Field("friendlyName", text),
    Field("applicationGroupReferences", texts, []),
)

_ORDER: dict[str, Any] = {
    "privateEndpointConnections": None,
    "publicNetworkAccess": "Enabled",
    "description": None,
    "friendlyName": None,
    "applicationGroupReferences": [],
    "cloudPcResource": False,
    "objectId": None,
}


# ---------------------------------------------------------------- routes


@ROUTES.item("PUT", KIND)
def put(world: World, request: Request, place: Place) -> Response:
    body = fields.body_of(request)
    names.require(world, KIND, place.name)
    location = locations.required(body, KIND)
    tags = fields.tags_of(body)
    stored = fields.for_put(FIELDS, fields.properties_of(body))
    workspace = store.get(world, place.key)
    if workspace is not None:
        locations.require_same(workspace, location)
    listed = _checked(world, place, location, stored.pop("applicationGroupReferences"))
    created = workspace is None
    workspace = workspace or _new(world, place, bodies.author(request.principal))
    workspace.location, workspace.tags = location, tags
    workspace.properties |= stored
    _list(world, workspace, listed)
    bodies.touch(world, workspace, request.principal)
    return bodies.put_answer(workspace, _body(workspace, None), created)


@ROUTES.item("PATCH", KIND)
def patch(world: World, request: Request, place: Place) -> Response:
    """The list of groups is replaced as a whole; nothing guards against a second writer (rec 07)."""
    workspace = _require(world, place)
    body = fields.body_of(request)
    tags = fields.tags_of(body) if "tags" in body else workspace.tags
    changed = fields.for_patch(FIELDS, fields.properties_of(body))
    wanted = changed.pop("applicationGroupReferences", None)
    if wanted is not None:
        _list(world, workspace, _checked(world, place, workspace.location, wanted))
    workspace.properties |= changed
    workspace.tags = tags
    bodies.touch(world, workspace, request.principal)
    return Response(body=_body(workspace, None))


@ROUTES.item("GET", KIND)
def get(world: World, request: Request, place: Place) -> Response:
    workspace = _require(world, place)
    return Response(body=_body(workspace, private_links.of(world, workspace)))


@ROUTES.item("DELETE", KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    """Its groups stay, in no workspace. The answer has no systemData (rec 06)."""
    workspace = store.get(world, place.key)
    if workspace is None:
        return errors.GatewayResponse(status=204)
    body = {**_body(workspace, private_links.of(world, workspace)), "systemData": None}
    _list(world, workspace, [])
    store.remove(world, workspace)
    return Response(body=body)


@ROUTES.listing(KIND)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    return paging.of_gateway(world, request, store.keys(world, place.group_id, TYPE), _show(world))


@ROUTES.in_subscription(KIND)
def list_in_subscription(world: World, request: Request, subscription: str) -> Response:
    keys = store.keys(world, f"/subscriptions/{subscription}", TYPE)
    return paging.of_gateway(world, request, keys, may_read(world, request, subscription, KIND, _show(world)))


# ---------------------------------------------------------------- parts


def _new(world: World, place: Place, author: str | None) -> Resource:
    workspace = Resource(
        id=place.id,
        type=TYPE,
        name=place.name,
        properties={"applicationGroupReferences": [], "objectId": world.guid("object")},
        created_by=author,
        created_at=world.now,
    )
    return store.add(world, workspace)


def _checked(world: World, place: Place, location: str | None, wanted: list[str]) -> list[str]:
    """The references as they were sent, each once. Raises 400 for a group that is not there, lies in another location,
    or is in another workspace already.
    """
    listed: dict[str, str] = {}
    for reference in wanted:
        listed.setdefault(reference.lower(), reference)
    for key, reference in listed.items():
        group = store.get(world, key)
        if group is None or group.type.lower() != groups.TYPE.lower():
            raise errors.provider(400, f"ApplicationGroup {reference} does not exist")
        if not locations.together(group, location):
            raise errors.provider(400, "Workspace must be in same location as associated ApplicationGroups")
        holder = group.properties.get("workspaceArmPath")
        if holder and holder.lower() != place.key:
            raise errors.provider(400, f"ApplicationGroup {group.name} is already registered with Workspace {holder}")
    return list(listed.values())


def _list(world: World, workspace: Resource, wanted: list[str]) -> None:
    """Make these the workspace's groups, with their way back."""
    present = workspace.properties.get("applicationGroupReferences") or []
    keys = {reference.lower() for reference in wanted}
    for reference in present:
        group = store.get(world, reference)
        if group is not None and reference.lower() not in keys:
            group.properties["workspaceArmPath"] = None
    for reference in wanted:
        group = store.get(world, reference)
        if group is not None:
            group.properties["workspaceArmPath"] = wire_id(workspace.id)
    workspace.properties["applicationGroupReferences"] = wanted


def _require(world: World, place: Place) -> Resource:
    workspace = store.get(world, place.key)
    if workspace is None:
        raise errors.resource_not_found(TYPE, place.name, place.group)
    return workspace


def _show(world: World) -> paging.Show:
    def show(key: str) -> dict[str, Any]:
        workspace = world.state.arm.resources[key]
        return _body(workspace, private_links.of(world, workspace))

    return show


def _body(workspace: Resource, private_endpoints: list[dict[str, Any]] | None) -> dict[str, Any]:
    properties = {**_ORDER, **workspace.properties, "privateEndpointConnections": private_endpoints}
    return {**bodies.tracked(workspace, properties), "tags": workspace.tags or {}}
