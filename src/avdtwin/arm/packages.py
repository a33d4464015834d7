"""Packages: MSIX ones of a host pool, and app attach packages beside the pools (facts/arm-service 1.12). The twin keeps
what it is told; what is in an image is told by `images`.
"""

import re
from typing import Any

from avdtwin.arm import bodies, errors, fields, hostpools, locations, paging, store
from avdtwin.arm.fields import Field, boolean, choice, record, records, text, texts
from avdtwin.arm.ids import NAMESPACE, Place
from avdtwin.arm.routes import ROUTES, may_read
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

POOLS = hostpools.KIND
MSIX, ATTACH = "msixPackages", "appAttachPackages"
_FIELDS = {
    MSIX: (
        *(Field(name, text) for name in ("imagePath", "packageName", "packageFamilyName", "displayName")),
        Field("packageRelativePath", text),
        Field("isRegularRegistration", boolean, False),
        Field("isActive", boolean, False),
        Field("packageDependencies", records, []),
        Field("version", text),
        Field("lastUpdated", text),
        Field("packageApplications", records, []),
    ),
    ATTACH: (
        Field("image", record),
        Field("hostPoolReferences", texts, []),
        Field("keyVaultURL", text),
        Field(
            "failHealthCheckOnStagingFailure", choice("Unhealthy", "NeedsAssistance", "DoNotFail"), "NeedsAssistance"
        ),
    ),
}
_PATCHED = {
    MSIX: tuple(field for field in _FIELDS[MSIX] if field.name in ("displayName", "isActive", "isRegularRegistration")),
    ATTACH: _FIELDS[ATTACH],
}

_ATTACH_ORDER: dict[str, Any] = {
    "repositoryResourceId": None,
    "repositoryApplicationId": None,
    "customData": None,
    "packageOwnerName": "AppAttach",
    "packageLookbackUrl": None,
    "image": None,
    "hostPoolReferences": [],
    "failHealthCheckOnStagingFailure": "NeedsAssistance",
    "keyVaultURL": None,
}
_NEVER = "0001-01-01T00:00:00"
_IMAGE_ORDER: dict[str, Any] = {
    "packageAlias": None,
    "imagePath": None,
    "packageName": None,
    "packageFamilyName": None,
    "packageFullName": None,
    "displayName": None,
    "packageRelativePath": None,
    "isRegularRegistration": False,
    "isActive": False,
    "packageDependencies": [],
    "version": None,
    "lastUpdated": _NEVER,
    "packageApplications": [],
    "certificateExpiry": _NEVER,
    "certificateName": None,
    "isPackageTimestamped": "NotTimestamped",
}
"""Members of an app attach package in their order, as recorded (New-AzWvdAppAttachPackage, 2026-03); what stands for a
member of the image that was not given is inferred but for the last three. There is no `provisioningState`.
"""


@ROUTES.item("PUT", POOLS, MSIX)
@ROUTES.item("PUT", ATTACH)
def put(world: World, request: Request, place: Place) -> Response:
    kind = _kind(place)
    body = fields.body_of(request)
    location = locations.required(body, kind) if kind == ATTACH else None
    tags = fields.tags_of(body)
    stored = fields.for_put(_FIELDS[kind], fields.properties_of(body))
    package = store.get(world, place.key)
    created = package is None
    if package is None:
        author = bodies.author(request.principal)
        full = f"{NAMESPACE}/{ATTACH}" if kind == ATTACH else f"{NAMESPACE}/{POOLS}/{MSIX}"
        package = Resource(
            id=place.id, type=full, name=place.name, properties={}, created_by=author, created_at=world.now
        )
        store.add(world, package)
    elif location is not None:
        locations.require_same(package, location)
    package.location, package.tags = location, tags
    package.properties |= _with_moment(stored)
    bodies.touch(world, package, request.principal)
    return bodies.put_answer(package, _body(package), created)


@ROUTES.item("PATCH", POOLS, MSIX)
@ROUTES.item("PATCH", ATTACH)
def patch(world: World, request: Request, place: Place) -> Response:
    package = _require(world, place)
    body = fields.body_of(request)
    tags = fields.tags_of(body) if "tags" in body else package.tags
    package.properties |= _with_moment(fields.for_patch(_PATCHED[_kind(place)], fields.properties_of(body)))
    package.tags = tags
    bodies.touch(world, package, request.principal)
    return Response(body=_body(package))


@ROUTES.item("GET", POOLS, MSIX)
@ROUTES.item("GET", ATTACH)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_body(_require(world, place)))


@ROUTES.item("DELETE", POOLS, MSIX)
@ROUTES.item("DELETE", ATTACH)
def delete(world: World, request: Request, place: Place) -> Response:
    package = store.get(world, place.key)
    if package is None:
        return errors.GatewayResponse(status=204) if _kind(place) == ATTACH else Response(status=204)
    body = _body(package)
    store.remove(world, package)
    return Response(body=body)


@ROUTES.listing(POOLS, MSIX)
def list_in_pool(world: World, request: Request, place: Place) -> Response:
    return paging.of_provider(world, request, store.keys(world, place.key, MSIX), _show(world))


@ROUTES.listing(ATTACH)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    return paging.of_gateway(world, request, store.keys(world, place.group_id, ATTACH), _show(world))


@ROUTES.in_subscription(ATTACH)
def list_in_subscription(world: World, request: Request, subscription: str) -> Response:
    keys = store.keys(world, f"/subscriptions/{subscription}", ATTACH)
    return paging.of_gateway(world, request, keys, may_read(world, request, subscription, ATTACH, _show(world)))


# ---------------------------------------------------------------- parts


def _kind(place: Place) -> str:
    return MSIX if place.types[-1].lower() == MSIX.lower() else ATTACH


def _require(world: World, place: Place) -> Resource:
    package = store.get(world, place.key)
    if package is not None:
        return package
    if _kind(place) == ATTACH:
        raise errors.resource_not_found(f"{NAMESPACE}/{ATTACH.lower()}", place.name, place.group)
    raise errors.provider(404, "MSIXPackage does not exist")


def _with_moment(stored: dict[str, Any]) -> dict[str, Any]:
    """`lastUpdated` of an image without a fraction of nothing: `…:00.0000000` comes back as `…:00` (recorded)."""
    image = stored.get("image")
    if not image or not isinstance(image.get("lastUpdated"), str):
        return stored
    return {**stored, "image": {**image, "lastUpdated": re.sub(r"\.0+(?=\D|$)", "", image["lastUpdated"])}}


def _show(world: World) -> paging.Show:
    return lambda key: _body(world.state.arm.resources[key])


def _body(package: Resource) -> dict[str, Any]:
    if package.location is None:
        return bodies.child(package, dict(package.properties))
    properties = {**_ATTACH_ORDER, **package.properties}
    if properties["image"] is not None:
        properties["image"] = {**_IMAGE_ORDER, **properties["image"]}
    return {**bodies.tracked(package, properties), "tags": package.tags or {}}
