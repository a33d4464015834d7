"""Assigned users: single people by UPN, in an app group (facts/classic-service 1.10)."""

from typing import Any

from avdtwin import directory
from avdtwin.classic import access, fields, places
from avdtwin.classic.app_groups import DESKTOP
from avdtwin.classic.errors import refusal
from avdtwin.classic.paging import Order, drop, page_of, put
from avdtwin.classic.routes import APP_GROUP, created, deleted, route
from avdtwin.state import AppGroup, ClassicHostPool
from avdtwin.wire import Request, Response
from avdtwin.world import World

USERS = APP_GROUP + "/AssignedUsers"
USER = USERS + "/{upn}"
ORDER = Order("UserPrincipalName", "AppGroupUserIncorrectSortField")
_GUEST = "#ext#"


def row(names: dict[str, str], upn: str) -> dict[str, Any]:
    return {
        "userPrincipalName": upn,
        "tenantName": names["tenantName"],
        "tenantGroupName": names["tenantGroupName"],
        "hostPoolName": names["hostPoolName"],
        "appGroupName": names["appGroupName"],
    }


@route("GET", USERS)
def list_users(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    names = places.names(world, path)
    return page_of(world, request, places.app_group(world, path).users, ORDER, lambda upn: row(names, upn))


@route("GET", USER)
def get_user(world: World, request: Request, upn: str, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    found = places.app_group(world, path).users.get(upn.lower())
    if found is None:
        raise refusal(world, "UpnIsNotAssignedToAppGroup")
    return Response(body=row(places.names(world, path), found))


@route("POST", USER)
def assign_user(world: World, request: Request, upn: str, **parents: str) -> Response:
    """Assigning the same one again changes nothing, in whatever casing."""
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    pool, group = places.pool(world, path), places.app_group(world, path)
    fields.read_under(world, request, path, userPrincipalName=upn)
    refuse_unknown(world, fields.upn(world, upn))
    names = places.names(world, path)
    if upn.lower() in group.users:
        return _assigned_already(world, row(names, group.users[upn.lower()]))
    _refuse_other_kind(world, pool, group, upn.lower())
    put(world, group.users, upn.lower(), upn)
    return created(world, row(names, upn))


def refuse_unknown(world: World, upn: str) -> None:
    """The UPN must be that of a member of the directory: guests do not work."""
    if _GUEST in upn.lower() or directory.user_by_upn(world, upn) is None:
        raise refusal(world, "UpnNotInAad")


def _assigned_already(world: World, body: dict[str, Any]) -> Response:
    if int(world.setting("classic_assign_twice_status")) != 200:
        raise refusal(world, "AppGroupCannotBeUpdated", "The user is already assigned to this app group.")
    return Response(body=body)


def _refuse_other_kind(world: World, pool: ClassicHostPool, group: AppGroup, key: str) -> None:
    """Within one pool a person has the desktop or RemoteApps, not both; several RemoteApp groups are fine."""
    holds = {other.resource_type for other in pool.groups.values() if key in other.users}
    if holds - {group.resource_type}:
        wanted_desktop = group.resource_type == DESKTOP
        raise refusal(world, "UpnAlreadyHasRemoteAppAssignment" if wanted_desktop else "UpnAlreadyHasDesktopRights")


@route("DELETE", USER)
def unassign_user(world: World, request: Request, upn: str, **parents: str) -> Response:
    """Removal wants an existing UPN too, so the assignment of somebody deleted or renamed is stuck; removing one that
    is not assigned ends without error.
    """
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    group = places.app_group(world, path)
    refuse_unknown(world, upn)
    if upn.lower() in group.users:
        drop(world, group.users, upn.lower())
    elif world.setting("classic_unassign_absent") == "refuse":
        raise refusal(world, "UpnIsNotAssignedToAppGroup")
    return deleted(world)
