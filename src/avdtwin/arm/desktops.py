"""The desktop of a Desktop group: made with it, renamed by PATCH, never created or deleted (facts/arm-service 1.6)."""

from typing import Any

from avdtwin.arm import bodies, errors, fields, icons, paging, store
from avdtwin.arm.fields import Field, text
from avdtwin.arm.ids import NAMESPACE, Place
from avdtwin.arm.routes import ROUTES
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

GROUPS = "applicationGroups"
KIND = "desktops"
NAME = "SessionDesktop"

FIELDS = (Field("description", text), Field("friendlyName", text))


@ROUTES.item("GET", GROUPS, KIND)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_body(_require(world, place)))


@ROUTES.item("PATCH", GROUPS, KIND)
def patch(world: World, request: Request, place: Place) -> Response:
    desktop = _require(world, place)
    desktop.properties |= fields.for_patch(FIELDS, fields.properties_of(fields.body_of(request)))
    bodies.touch(world, desktop, request.principal)
    return Response(body=_body(desktop))


@ROUTES.listing(GROUPS, KIND)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    resources = world.state.arm.resources
    return paging.of_provider(world, request, store.keys(world, place.key, KIND), lambda key: _body(resources[key]))


def create(world: World, group: Place, author: str | None) -> Resource:
    """The SessionDesktop of a new Desktop group, with the names the service gives it (recorded in 2025-06)."""
    place = group.child(KIND, NAME)
    desktop = Resource(
        id=place.id,
        type=f"{NAMESPACE}/{GROUPS}/{KIND}",
        name=NAME,
        properties={
            "description": "The default Session Desktop",
            "friendlyName": NAME,
            **icons.of_desktop(),
            "objectId": world.guid("object"),
        },
        created_by=author,
        created_at=world.now,
        modified_by=author,
        modified_at=world.now,
    )
    return store.add(world, desktop)


def _require(world: World, place: Place) -> Resource:
    desktop = store.get(world, place.key)
    if desktop is None:
        raise errors.provider(404, "Desktop does not exist")
    return desktop


def _body(desktop: Resource) -> dict[str, Any]:
    order = {"description": None, "friendlyName": None, **icons.of_desktop(), "objectId": None}
    return bodies.child(desktop, {**order, **desktop.properties})
