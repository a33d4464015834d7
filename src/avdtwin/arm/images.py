"""What is in the image of a package: asked of a host pool, read by one of its session hosts from a file share.

The shares of the twin hold what was laid on them (`lay`). Bodies as recorded (azure-powershell, Expand-AzWvdMsixImage
and Import-AzWvdAppAttachPackageInformation, 2026-03): the older action tells every package of an image, the newer one
leaves resource packages out. The refusals (no host that could read, nothing at the path) are inferred.
"""

import base64
from collections.abc import Iterable
from typing import Any

from avdtwin.arm import errors, fields, hostpools, icons, store
from avdtwin.arm.fields import Field, choice, text
from avdtwin.arm.ids import NAMESPACE, Place, wire_id, wire_type
from avdtwin.arm.routes import ROUTES
from avdtwin.clock import iso
from avdtwin.state import ImagePackage
from avdtwin.wire import Request, Response
from avdtwin.world import World

_ARCHITECTURES = ("ARM", "ARM64", "X86", "X64", "Neutral", "X86A64", "ALL")
_EXPANDED = (Field("uri", text, required=True),)
_IMPORTED = (Field("path", text, required=True), Field("packageArchitecture", choice(*_ARCHITECTURES), "ALL"))


# ---------------------------------------------------------------- routes


@ROUTES.action("expandMsixImage", hostpools.KIND)
def expand(world: World, request: Request, place: Place) -> Response:
    given = fields.for_put(_EXPANDED, fields.body_of(request))
    value = [
        {
            "name": f"{place.name}/expandmsiximage",
            "id": f"{wire_id(place.id)}/expandmsiximage",
            "type": f"{wire_type(hostpools.TYPE)}/expandmsiximage",
            "properties": _certificate(package) | _properties(package, at, given["uri"]),
            "systemData": None,
        }
        for at, package in _read(world, place, given["uri"])
    ]
    return Response(body={"value": value, "nextLink": None})


@ROUTES.action("importAppAttachPackageInfo", hostpools.KIND)
def import_info(world: World, request: Request, place: Place) -> Response:
    given = fields.for_put(_IMPORTED, fields.body_of(request))
    wanted = given["packageArchitecture"]
    value = [
        {
            "name": "importappattachpackageinfo",
            "id": f"{wire_id(place.group_id)}/providers/{NAMESPACE}/appattachpackages/importappattachpackageinfo",
            "type": f"{NAMESPACE}/appattachpackages",
            "properties": {
                "image": _properties(package, at, given["path"])
                | _certificate(package)
                | {"isPackageTimestamped": "Timestamped" if package.timestamped else "NotTimestamped"},
                "hostPoolReferences": None,
                "failHealthCheckOnStagingFailure": None,
                "keyVaultURL": None,
            },
            "systemData": None,
        }
        for at, package in _read(world, place, given["path"])
        if not package.resource and wanted.lower() in ("all", package.architecture.lower())
    ]
    return Response(body={"value": value, "nextLink": None})


# ---------------------------------------------------------------- for others


def lay(world: World, path: str, packages: Iterable[ImagePackage]) -> None:
    """Put an image with these packages on a share, in place of what was at the path."""
    world.state.arm.images[path.lower()] = list(packages)


def package_of(full_name: str, **more: Any) -> ImagePackage:
    """A package by its full name, `Name_1.2.3.4_x64_resource_publisher`; `more` are other members of ImagePackage.
    Raises ValueError for another form.
    """
    parts = str(full_name).split("_")
    if len(parts) != 5 or not all(parts[at] for at in (0, 1, 2, 4)):
        raise ValueError(f"'{full_name}' is not of the form name_version_architecture_resource_publisher")
    if parts[2].lower() not in {each.lower() for each in _ARCHITECTURES}:
        raise ValueError(f"'{parts[2]}' in '{full_name}' is none of {', '.join(_ARCHITECTURES)}")
    return ImagePackage(
        name=parts[0], version=parts[1], architecture=parts[2], resource=parts[3], publisher=parts[4], **more
    )


# ---------------------------------------------------------------- parts


def _read(world: World, place: Place, path: str) -> list[tuple[int, ImagePackage]]:
    """The packages of an image, from 1 on. Raises 400 when no host of the pool can read it or nothing is there."""
    pool = hostpools.require(world, place)
    if not any(icons.reachable(world, host) for host in store.children(world, pool.id, "sessionHosts")):
        raise errors.provider(400, "There is no available SessionHost to read the image with")
    packages = world.state.arm.images.get(path.lower())
    if packages is None:
        raise errors.provider(400, f"The image {path} could not be opened: the network path was not found")
    return list(enumerate(packages, 1))


def _properties(package: ImagePackage, at: int, path: str) -> dict[str, Any]:
    family = f"{package.name}_{package.publisher}"
    full = "_".join((package.name, package.version, package.architecture, package.resource, package.publisher))
    alias = "".join(letter for letter in package.name.lower() if letter.isalnum())
    return {
        "packageAlias": f"{alias}-{at}",
        "imagePath": path,
        "packageName": package.name,
        "packageFamilyName": family,
        "packageFullName": full,
        "displayName": package.display_name,
        "packageRelativePath": f"\\apps\\{full}",
        "isRegularRegistration": False,
        "isActive": False,
        "packageDependencies": [],
        "version": package.version,
        "lastUpdated": _moment(package.updated_at, 7),
        "packageApplications": [_application(family, app_id, name) for app_id, name in package.applications.items()],
    }


def _application(family: str, app_id: str, friendly_name: str) -> dict[str, Any]:
    icon = icons.of_file(f"{family}!{app_id}")
    return {
        "appUserModelID": f"{family}!{app_id}",
        "appId": app_id,
        "description": "",
        "friendlyName": friendly_name,
        "iconImageName": "Square44x44Logo.scale-200.png",
        "rawIcon": icon,
        "rawPng": base64.b64encode(b"\x89PNG\r\n\x1a\n" + base64.b64decode(icon)).decode(),
    }


def _certificate(package: ImagePackage) -> dict[str, Any]:
    return {
        "certificateExpiry": _moment(package.certificate_expires_at, 0),
        "certificateName": package.certificate_name,
    }


def _moment(at: float | None, digits: int) -> str | None:
    """As these actions write times: with an offset, not a Z."""
    text = iso(at, digits)
    return text and text.replace("Z", "+00:00")
