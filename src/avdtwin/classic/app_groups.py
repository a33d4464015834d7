"""App groups (facts/classic-service 1.9): one for the desktop comes with the pool, others publish RemoteApps."""

from typing import Any

from avdtwin.classic import access, fields, places
from avdtwin.classic.errors import refusal
from avdtwin.classic.limits import refuse_above
from avdtwin.classic.paging import Order, drop, page_of, put
from avdtwin.classic.routes import APP_GROUP, APP_GROUPS, created, deleted, route
from avdtwin.state import AppGroup, ClassicHostPool, PublishedDesktop
from avdtwin.wire import Request, Response
from avdtwin.world import World

ORDER = Order("AppGroupName", "ApplicationGroupIncorrectSortField")
REMOTE_APP, DESKTOP = 0, 1
DEFAULT_NAME = "Desktop Application Group"
DEFAULT_DESCRIPTION = "The default desktop application group for the session host pool"

FIELDS = (fields.FRIENDLY_NAME, fields.DESCRIPTION)
_resource_type = fields.choice({"RemoteApp": REMOTE_APP, "Desktop": DESKTOP}, "AppGroupNotValid")


def default_group() -> AppGroup:
    """The group that is created with a pool."""
    return AppGroup(
        name=DEFAULT_NAME,
        resource_type=DESKTOP,
        description=DEFAULT_DESCRIPTION,
        friendly_name=DEFAULT_NAME,
        desktop=PublishedDesktop(),
    )


def row(names: dict[str, str], group: AppGroup) -> dict[str, Any]:
    """`names` are those down to the pool."""
    return {
        "tenantGroupName": names["tenantGroupName"],
        "tenantName": names["tenantName"],
        "hostPoolName": names["hostPoolName"],
        "appGroupName": group.name,
        "description": group.description,
        "friendlyName": group.friendly_name,
        "resourceType": group.resource_type,
    }


@route("GET", APP_GROUPS)
def list_app_groups(world: World, request: Request, tenant_group: str, tenant: str, pool: str) -> Response:
    path = (tenant_group, tenant, pool)
    visible = access.filter_for(world, request, access.READ, path)
    names = places.names(world, path)
    return page_of(world, request, places.pool(world, path).groups, ORDER, lambda group: row(names, group), visible)


@route("GET", APP_GROUP)
def get_app_group(world: World, request: Request, group: str, **parents: str) -> Response:
    path = (*parents.values(), group)
    access.require(world, request, access.READ, path)
    return Response(body=row(places.names(world, path), places.app_group(world, path)))


@route("POST", APP_GROUP)
def create_app_group(world: World, request: Request, group: str, **parents: str) -> Response:
    path = (*parents.values(), group)
    access.require(world, request, access.WRITE, path[:3])
    pool = places.pool(world, path)
    body = fields.read_under(world, request, path)
    if group.lower() in pool.groups:
        raise refusal(world, "AppGroupAlreadyExists")
    given = body.get("resourcetype")
    kind = REMOTE_APP if given is None else _resource_type(world, "resourceType", given)
    _refuse_kind(world, pool, kind)
    values = fields.changes(world, body, FIELDS, creating=True)
    desktop = PublishedDesktop() if kind == DESKTOP else None
    made = AppGroup(name=fields.new_name(world, group), resource_type=kind, desktop=desktop, **values)
    put(world, pool.groups, made.name.lower(), made)
    return created(world, row(places.names(world, path[:3]), made))


def _refuse_kind(world: World, pool: ClassicHostPool, kind: int) -> None:
    """A personal pool has its Desktop group alone; any pool has one of these at most; Windows 7 publishes no app."""
    if pool.persistent and (kind == REMOTE_APP or pool.groups):
        raise refusal(world, "AppGroupCannotBeCreatedForPersonalDesktopHostPool")
    if kind == DESKTOP and any(group.resource_type == DESKTOP for group in pool.groups.values()):
        raise refusal(world, "DesktopAppGroupAlreadyExists")
    if kind == REMOTE_APP and any(host.os_version.startswith("6.1") for host in pool.hosts.values()):
        raise refusal(world, "AppGroupCannotBeCreatedForWin7HostPool")
    refuse_above(world, "classic_app_groups_limit", len(pool.groups), "MaxApplicationGroupsLimitPerHostPoolReached")


@route("PATCH", APP_GROUP)
def change_app_group(world: World, request: Request, group: str, **parents: str) -> Response:
    path = (*parents.values(), group)
    access.require(world, request, access.WRITE, path)
    found = places.app_group(world, path)
    body = fields.read_under(world, request, path)
    given = body.get("resourcetype")
    if given is not None and _resource_type(world, "resourceType", given) != found.resource_type:
        raise refusal(world, "AppGroupCannotBeUpdated", "The resource type of an app group cannot be changed.")
    fields.apply(found, fields.changes(world, body, FIELDS))
    return Response(body=row(places.names(world, path), found))


@route("DELETE", APP_GROUP)
def remove_app_group(world: World, request: Request, group: str, **parents: str) -> Response:
    """Published RemoteApps block it; assigned users and the desktop go with it (1.16)."""
    path = (*parents.values(), group)
    access.require(world, request, access.WRITE, path)
    found = places.app_group(world, path)
    if found.apps:
        raise refusal(world, "AppGroupCannotBeRemoved")
    access.drop_below(world, path)
    drop(world, places.pool(world, path).groups, found.name.lower())
    return deleted(world)
