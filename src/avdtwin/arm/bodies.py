"""The envelope of answers of the desktop virtualization provider: key order, casing and systemData (facts 2.4)."""

import re
from typing import Any

from avdtwin.arm.ids import wire_id, wire_name, wire_type
from avdtwin.clock import iso
from avdtwin.state import Resource
from avdtwin.wire import Principal, Response
from avdtwin.world import World

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def tracked(resource: Resource, properties: dict[str, Any]) -> dict[str, Any]:
    """A top-level resource."""
    return {
        "name": resource.name,
        "id": wire_id(resource.id),
        "type": wire_type(resource.type),
        "location": resource.location,
        "tags": resource.tags,
        "kind": resource.kind,
        "systemData": system_data(resource),
        "properties": properties,
    }


def child(resource: Resource, properties: dict[str, Any]) -> dict[str, Any]:
    """A resource below another one: no location, tags or kind, and systemData at the end."""
    return {
        "name": wire_name(resource.id),
        "id": wire_id(resource.id),
        "type": wire_type(resource.type),
        "properties": properties,
        "systemData": system_data(resource),
    }


def system_data(resource: Resource) -> dict[str, Any]:
    return {
        "createdBy": resource.created_by,
        "createdByType": _kind_of(resource.created_by),
        "createdAt": iso(resource.created_at),
        "lastModifiedBy": resource.modified_by,
        "lastModifiedByType": _kind_of(resource.modified_by),
        "lastModifiedAt": iso(resource.modified_at),
    }


def author(principal: Principal | None) -> str | None:
    """Who did it, as systemData names them: the UPN of a user, the application id of a service principal."""
    if principal is None:
        return None
    return principal.upn or principal.app_id or principal.object_id


def touch(world: World, resource: Resource, principal: Principal | None) -> None:
    """Note who changed a resource, now."""
    resource.modified_by = author(principal)
    resource.modified_at = world.now


def put_answer(resource: Resource, body: dict[str, Any], created: bool) -> Response:
    """201 with a relative `Location` for a new resource, 200 without one for one that was there."""
    if not created:
        return Response(body=body)
    return Response(status=201, body=body, headers={"Location": wire_id(resource.id)})


def _kind_of(name: str | None) -> str | None:
    if name is None:
        return None
    return "Application" if _GUID.fullmatch(name) else "User"
