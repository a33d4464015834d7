"""Private links of host pools and workspaces: what can be linked to, and the connections that were made.

A connection appears when somebody links a private endpoint to the object, on the side of the network: here only
`connect` does that. It is then read, approved or rejected, and removed. Bodies as recorded (azure-powershell,
Get-AzWvdPrivateLinkResource, Get- and Remove-AzWvdPrivateEndpointConnection, 2026-03): names stand alone, without their
parent's, and there is no systemData. The answers to an absent connection and to a PUT are inferred.
"""

from typing import Any

import msgspec

from avdtwin.arm import errors, fields, paging, store
from avdtwin.arm.fields import Field, choice, text
from avdtwin.arm.ids import NAMESPACE, Place, wire_id, wire_type
from avdtwin.arm.routes import ROUTES
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

KIND = "privateEndpointConnections"
POOLS, WORKSPACES = "hostPools", "workspaces"


class Link(msgspec.Struct, frozen=True):
    """Something of an object that a private endpoint can be linked to."""

    group: str
    members: tuple[str, ...]
    zone: str


_LINKS = {
    POOLS: (Link("connection", ("broker", "diagnostics", "gateway-ring-map", "web"), "privatelink.wvd.microsoft.com"),),
    WORKSPACES: (
        Link("feed", ("web-r1", "web-r0"), "privatelink.wvd.microsoft.com"),
        Link("global", ("web",), "privatelink-global.wvd.microsoft.com"),
    ),
}

_STATE = (
    Field("status", choice("Pending", "Approved", "Rejected"), required=True),
    Field("description", text, ""),
    Field("actionsRequired", text, "None"),
)


# ---------------------------------------------------------------- routes


@ROUTES.listing(POOLS, "privateLinkResources")
@ROUTES.listing(WORKSPACES, "privateLinkResources")
def list_links(world: World, request: Request, place: Place) -> Response:
    kind = POOLS if place.types[0].lower() == POOLS.lower() else WORKSPACES
    return Response(body={"value": [_link(place, kind, link) for link in _LINKS[kind]], "nextLink": None})


@ROUTES.listing(POOLS, KIND)
@ROUTES.listing(WORKSPACES, KIND)
def list_connections(world: World, request: Request, place: Place) -> Response:
    keys = store.keys(world, place.key, KIND)
    return paging.of_provider(world, request, keys, lambda key: _body(world.state.arm.resources[key]))


@ROUTES.item("GET", POOLS, KIND)
@ROUTES.item("GET", WORKSPACES, KIND)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_body(_require(world, place)))


@ROUTES.item("PUT", POOLS, KIND)
@ROUTES.item("PUT", WORKSPACES, KIND)
def decide(world: World, request: Request, place: Place) -> Response:
    """Approve or reject. It makes no connection: only the network's side does."""
    given = fields.section(fields.properties_of(fields.body_of(request)), "privateLinkServiceConnectionState") or {}
    decided = fields.for_put(_STATE, given)
    connection = _require(world, place)
    connection.properties["privateLinkServiceConnectionState"] = decided
    return Response(body=_body(connection))


@ROUTES.item("DELETE", POOLS, KIND)
@ROUTES.item("DELETE", WORKSPACES, KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    """The answer shows it as disconnected."""
    connection = store.get(world, place.key)
    if connection is None:
        return Response(status=204)
    connection.properties["privateLinkServiceConnectionState"]["status"] = "Disconnected"
    store.remove(world, connection)
    return Response(body=_body(connection))


# ---------------------------------------------------------------- for others


def connect(world: World, parent_id: str, endpoint_id: str, *, approved: bool = True) -> Resource:
    """What happens when a private endpoint is linked to a host pool or workspace, approved at once or waiting for it.
    Linked again, it keeps its connection. Raises LookupError when there is no such object.
    """
    parent = store.get(world, parent_id)
    if parent is None or parent.type.rpartition("/")[2].lower() not in (POOLS.lower(), WORKSPACES.lower()):
        raise LookupError(f"{parent_id} is no host pool and no workspace")
    shown = endpoint_id.lower()
    for known in store.children(world, parent.id, KIND):
        if known.properties["privateEndpoint"]["id"] == shown:
            return known
    name = f"{endpoint_id.rpartition('/')[2]}.{world.guid('private-link')}"
    decided = ("Approved", "Auto-approved") if approved else ("Pending", "")
    state = {"status": decided[0], "description": decided[1], "actionsRequired": "None"}
    properties = {
        "provisioningState": "Succeeded",
        "privateEndpoint": {"id": shown},
        "privateLinkServiceConnectionState": state,
    }
    connection = Resource(
        id=f"{parent.id}/{KIND}/{name}", type=f"{parent.type}/{KIND}", name=name, properties=properties
    )
    connection.created_at = world.now
    return store.add(world, connection)


def of(world: World, parent: Resource) -> list[dict[str, Any]]:
    """The connections as the body of their object shows them."""
    shown = [_body(connection) for connection in store.children(world, parent.id, KIND)]
    return [{name: body[name] for name in ("name", "id", "type", "properties")} for body in shown]


# ---------------------------------------------------------------- parts


def _require(world: World, place: Place) -> Resource:
    connection = store.get(world, place.key)
    if connection is None:
        raise errors.provider(404, "PrivateEndpointConnection does not exist")
    return connection


def _body(connection: Resource) -> dict[str, Any]:
    return {
        "name": connection.name,
        "id": wire_id(connection.id),
        "type": wire_type(connection.type),
        "properties": dict(connection.properties),
        "systemData": None,
    }


def _link(place: Place, kind: str, link: Link) -> dict[str, Any]:
    """`hostPools` keeps its capital here (recorded)."""
    above = wire_id(place.group_id)
    return {
        "name": link.group,
        "id": f"{above}/providers/{NAMESPACE}/{kind}/{place.name}/privatelinkresources/{link.group}",
        "type": f"{NAMESPACE}/{kind}/privatelinkresources",
        "properties": {
            "groupId": link.group,
            "requiredMembers": list(link.members),
            "requiredZoneNames": [link.zone],
        },
        "systemData": None,
    }
