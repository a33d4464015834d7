"""The published desktop of a Desktop group (facts/classic-service 1.12)."""

from typing import Any

from avdtwin.classic import access, fields, places
from avdtwin.classic.errors import refusal
from avdtwin.classic.fields import Field
from avdtwin.classic.places import Path
from avdtwin.classic.routes import APP_GROUP, route
from avdtwin.state import PublishedDesktop
from avdtwin.wire import Request, Response
from avdtwin.world import World

DESKTOP = APP_GROUP + "/Desktop"
FIELDS = (fields.FRIENDLY_NAME, fields.DESCRIPTION, Field("showInWebFeed", "show_in_web_feed", fields.flag))


def row(names: dict[str, str], desktop: PublishedDesktop) -> dict[str, Any]:
    return {
        "tenantGroupName": names["tenantGroupName"],
        "tenantName": names["tenantName"],
        "hostPoolName": names["hostPoolName"],
        "appGroupName": names["appGroupName"],
        "remoteDesktopName": desktop.name,
        "friendlyName": desktop.friendly_name,
        "description": desktop.description,
        "showInWebFeed": desktop.show_in_web_feed,
    }


def _desktop(world: World, path: Path) -> PublishedDesktop:
    found = places.app_group(world, path).desktop
    if found is None:
        raise refusal(world, "DesktopDoesNotExist")
    return found


@route("GET", DESKTOP)
def get_desktop(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    return Response(body=row(places.names(world, path), _desktop(world, path)))


@route("PATCH", DESKTOP)
def change_desktop(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    desktop = _desktop(world, path)
    body = fields.read_under(world, request, path)
    fields.apply(desktop, fields.changes(world, body, FIELDS))
    return Response(body=row(places.names(world, path), desktop))
