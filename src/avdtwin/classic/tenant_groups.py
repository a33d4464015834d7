"""Tenant groups (facts/classic-service 1.3). The default one always exists."""

from typing import Any

from avdtwin.classic import access, fields, places
from avdtwin.classic.errors import refusal
from avdtwin.classic.paging import Order, drop, page_of, put
from avdtwin.classic.roles import make_owner
from avdtwin.classic.routes import GROUP, GROUPS, created, deleted, route
from avdtwin.state import ClassicTenantGroup
from avdtwin.wire import Request, Response
from avdtwin.world import World

ORDER = Order("TenantGroupName", "TenantGroupIncorrectSortField")
FIELDS = (fields.FRIENDLY_NAME, fields.DESCRIPTION)


def row(group: ClassicTenantGroup) -> dict[str, Any]:
    return {"tenantGroupName": group.name, "description": group.description, "friendlyName": group.friendly_name}


@route("GET", GROUPS)
def list_tenant_groups(world: World, request: Request) -> Response:
    visible = access.filter_for(world, request, access.READ, ())
    return page_of(world, request, places.tenant_groups(world), ORDER, row, visible)


@route("GET", GROUP)
def get_tenant_group(world: World, request: Request, tenant_group: str) -> Response:
    access.require(world, request, access.READ, (tenant_group,))
    return Response(body=row(places.tenant_group(world, (tenant_group,))))


@route("POST", GROUP)
def create_tenant_group(world: World, request: Request, tenant_group: str) -> Response:
    """Needs rights above it: at the deployment."""
    access.require(world, request, access.WRITE, ())
    body = fields.read_under(world, request, (tenant_group,))
    if tenant_group.lower() in places.tenant_groups(world):
        raise refusal(world, "TenantGroupAlreadyExists")
    values = fields.changes(world, body, FIELDS, creating=True)
    group = ClassicTenantGroup(name=fields.new_name(world, tenant_group), **values)
    put(world, world.state.classic.groups, group.name.lower(), group)
    make_owner(world, request, (tenant_group,))
    return created(world, row(group))


@route("PATCH", GROUP)
def change_tenant_group(world: World, request: Request, tenant_group: str) -> Response:
    access.require(world, request, access.WRITE, (tenant_group,))
    group = places.tenant_group(world, (tenant_group,))
    body = fields.read_under(world, request, (tenant_group,))
    fields.apply(group, fields.changes(world, body, FIELDS))
    return Response(body=row(group))


@route("DELETE", GROUP)
def remove_tenant_group(world: World, request: Request, tenant_group: str) -> Response:
    access.require(world, request, access.WRITE, ())
    group = places.tenant_group(world, (tenant_group,))
    if group.tenants or group.name.lower() == places.DEFAULT_GROUP.lower():
        raise refusal(world, "TenantGroupCannotBeRemoved")
    access.drop_below(world, (tenant_group,))
    drop(world, world.state.classic.groups, group.name.lower())
    return deleted(world)
