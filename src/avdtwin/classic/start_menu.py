"""Start menu apps: not stored, the live answer of a session host (facts/classic-service 1.13)."""

from typing import Any

from avdtwin.classic import access, hosts, places
from avdtwin.classic.app_groups import DESKTOP
from avdtwin.classic.errors import refusal
from avdtwin.classic.paging import Order, page
from avdtwin.classic.routes import APP_GROUP, by_host, route
from avdtwin.wire import Request, Response
from avdtwin.world import World

ORDER = Order("AppAlias", "StartMenuAppIncorrectSortField")
_OFFICE = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"
_WINDOWS = "C:\\windows\\system32\\"

_SHIPPED = (
    ("excel", "Excel", _OFFICE + "EXCEL.EXE"),
    ("mspaint", "Paint", _WINDOWS + "mspaint.exe"),
    ("notepad", "Notepad", _WINDOWS + "notepad.exe"),
    ("outlook", "Outlook", _OFFICE + "OUTLOOK.EXE"),
    ("powerpoint", "PowerPoint", _OFFICE + "POWERPNT.EXE"),
    ("word", "Word", _OFFICE + "WINWORD.EXE"),
    ("wordpad", "WordPad", "C:\\Program Files\\Windows NT\\Accessories\\wordpad.exe"),
)
"""Alias, title and path of what every host of the twin has, by alias."""


def apps(world: World) -> list[dict[str, Any]]:
    """All start menu apps by alias, without the names of where they are asked for."""
    own = world.setting("classic_start_menu")
    if own is not None:
        return sorted((_app(**app) for app in own), key=lambda app: str(app["appAlias"]).lower())
    return [_app(alias, title, path) for alias, title, path in _SHIPPED]


def _app(alias: str, title: str, path: str) -> dict[str, Any]:
    return {
        "appAlias": alias,
        "friendlyName": title,
        "filePath": path,
        "commandLineArguments": "",
        "iconPath": path,
        "iconIndex": 0,
    }


@route("GET", APP_GROUP + "/StartMenuApps")
def list_start_menu(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    names = places.names(world, path)
    if places.app_group(world, path).resource_type == DESKTOP:
        raise refusal(world, "AppGroupIsDesktop")
    if not places.pool(world, path).hosts:
        raise refusal(world, "HostPoolNoSessionHosts")
    if not hosts.any_usable(world, path):
        raise refusal(world, "StartMenuAppListIsNotAvailable")
    rows = [names | app for app in apps(world)]
    answer = page(world, request, [row["appAlias"].lower() for row in rows], ORDER, lambda at: rows[at])
    answer.delay_s = by_host(world, request).delay_s
    return answer
