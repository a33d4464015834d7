"""RemoteApps of an application group (facts/arm-service 1.5)."""

from typing import Any

from avdtwin.arm import bodies, errors, fields, groups, icons, names, paging, store
from avdtwin.arm.fields import Field, boolean, choice, integer, text
from avdtwin.arm.ids import NAMESPACE, Place
from avdtwin.arm.routes import ROUTES
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

GROUPS = groups.KIND
KIND = "applications"

FIELDS = (
    Field("description", text),
    Field("friendlyName", text),
    Field("filePath", text),
    Field("commandLineSetting", choice("DoNotAllow", "Allow", "Require"), required=True),
    Field("commandLineArguments", text, ""),
    Field("showInPortal", boolean, False),
    Field("iconPath", text),
    Field("iconIndex", integer, 0),
    # The published spelling is InBuilt, the service answers Inbuilt.
    Field("applicationType", choice("Inbuilt", "MsixApplication"), "Inbuilt"),
    Field("msixPackageFamilyName", text),
    Field("msixPackageApplicationId", text),
)

_ORDER: dict[str, Any] = {
    "description": None,
    "friendlyName": None,
    "filePath": None,
    "commandLineSetting": "DoNotAllow",
    "commandLineArguments": "",
    "showInPortal": False,
    "iconPath": None,
    "iconIndex": 0,
    "iconHash": "",
    "iconContent": "",
    "applicationType": "Inbuilt",
    "msixPackageFamilyName": None,
    "msixPackageApplicationId": None,
    "objectId": None,
}


@ROUTES.item("PUT", GROUPS, KIND)
def put(world: World, request: Request, place: Place) -> Response:
    """Create or replace. The icon is read now, and not again until the next write."""
    names.require(world, KIND, place.name)
    group = groups.above(world, place)
    stored = fields.for_put(FIELDS, fields.properties_of(fields.body_of(request)))
    _complete(stored, place.name)
    app = store.get(world, place.key)
    created = app is None
    if app is None:
        _require_room(world, group)
        app = _new(world, place, bodies.author(request.principal))
    app.properties |= stored
    _read_icon(world, group, app)
    bodies.touch(world, app, request.principal)
    return bodies.put_answer(app, _body(app), created)


@ROUTES.item("PATCH", GROUPS, KIND)
def patch(world: World, request: Request, place: Place) -> Response:
    app = _require(world, place)
    changed = fields.for_patch(FIELDS, fields.properties_of(fields.body_of(request)))
    app.properties |= changed
    if changed.keys() & {"iconPath", "iconIndex", "filePath"}:
        _read_icon(world, groups.above(world, place), app)
    bodies.touch(world, app, request.principal)
    return Response(body=_body(app))


@ROUTES.item("GET", GROUPS, KIND)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_body(_require(world, place)))


@ROUTES.item("DELETE", GROUPS, KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    app = store.get(world, place.key)
    if app is None:
        return Response(status=204)
    body = _body(app)
    store.remove(world, app)
    return Response(body=body)


@ROUTES.listing(GROUPS, KIND)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    resources = world.state.arm.resources
    return paging.of_provider(world, request, store.keys(world, place.key, KIND), lambda key: _body(resources[key]))


# ---------------------------------------------------------------- parts


def _new(world: World, place: Place, author: str | None) -> Resource:
    app = Resource(
        id=place.id,
        type=f"{NAMESPACE}/{GROUPS}/{KIND}",
        name=place.name,
        properties={"objectId": world.guid("object")},
        created_by=author,
        created_at=world.now,
    )
    return store.add(world, app)


def _complete(stored: dict[str, Any], name: str) -> None:
    """What the service fills in: the friendly name from the name, the icon from the file (facts 1.5)."""
    if stored["applicationType"] == "Inbuilt" and not stored["filePath"]:
        raise errors.provider(400, "filePath is required for an application of type InBuilt")
    stored["friendlyName"] = stored["friendlyName"] if stored["friendlyName"] is not None else name
    stored["iconPath"] = stored["iconPath"] or stored["filePath"]


def _read_icon(world: World, group: Resource, app: Resource) -> None:
    pool = groups.pool_of(world, group)
    path = app.properties.get("iconPath") or app.properties.get("filePath")
    app.properties |= icons.of_application(world, pool, path, app.properties.get("iconIndex") or 0)


def _require_room(world: World, group: Resource) -> None:
    if group.properties.get("applicationGroupType") == "Desktop":
        raise errors.provider(400, f"ApplicationGroup {group.name} is of type Desktop and takes no applications")
    limit = int(world.setting("applications_per_group"))
    if len(store.keys(world, group.id, KIND)) >= limit and world.setting("quotas_enforced"):
        raise errors.provider(
            400, f"The limit of {limit} applications for ApplicationGroup {group.name} has been reached"
        )


def _require(world: World, place: Place) -> Resource:
    app = store.get(world, place.key)
    if app is None:
        raise errors.provider(404, "Application does not exist")
    return app


def _body(app: Resource) -> dict[str, Any]:
    return bodies.child(app, {**_ORDER, **app.properties})
