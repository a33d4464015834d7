"""RemoteApps (facts/classic-service 1.11). Publishing asks a live session host to look at the path."""

from typing import Any

from avdtwin.classic import access, fields, hosts, places, start_menu
from avdtwin.classic.app_groups import DESKTOP
from avdtwin.classic.errors import refusal
from avdtwin.classic.fields import Field
from avdtwin.classic.limits import refuse_above
from avdtwin.classic.paging import Order, drop, page_of, put
from avdtwin.classic.places import Path
from avdtwin.classic.routes import APP_GROUP, by_host, created, deleted, route
from avdtwin.state import AppGroup, RemoteApp
from avdtwin.wire import Request, Response
from avdtwin.world import World

APPS = APP_GROUP + "/RemoteApps"
APP = APPS + "/{app}"
ORDER = Order("RemoteAppName", "RemoteAppIncorrectSortField")
COMMAND_LINES = {"DoNotAllow": 0, "Allow": 1, "Require": 2}

FIELDS = (
    fields.FRIENDLY_NAME,
    fields.DESCRIPTION,
    Field("filePath", "file_path", fields.path_text("FilePathNotValidWhiteSpace")),
    Field("appAlias", "app_alias", fields.emptiable),
    Field(
        "commandLineSetting",
        "command_line_setting",
        fields.choice(COMMAND_LINES, "RemoteAppCommandLineSettingIsNotValid"),
    ),
    Field("iconIndex", "icon_index", fields.whole),
    Field("iconPath", "icon_path", fields.path_text("IconPathNotValidWhiteSpace")),
    Field("requiredCommandLine", "required_command_line", fields.emptiable),
    Field("showInWebFeed", "show_in_web_feed", fields.flag),
)


def row(names: dict[str, str], app: RemoteApp) -> dict[str, Any]:
    return {
        "tenantGroupName": names["tenantGroupName"],
        "tenantName": names["tenantName"],
        "hostPoolName": names["hostPoolName"],
        "appGroupName": names["appGroupName"],
        "remoteAppName": app.name,
        "filePath": app.file_path,
        "appAlias": app.app_alias,
        "commandLineSetting": app.command_line_setting,
        "description": app.description,
        "friendlyName": app.friendly_name,
        "iconIndex": app.icon_index,
        "iconPath": app.icon_path,
        "requiredCommandLine": app.required_command_line,
        "showInWebFeed": app.show_in_web_feed,
    }


def _find(world: World, group: AppGroup, app: str) -> RemoteApp:
    found = group.apps.get(app.lower())
    if found is None:
        raise refusal(world, "RemoteAppNotFound", f"RemoteAppNotFound: '{app}'.")
    return found


@route("GET", APPS)
def list_apps(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    names = places.names(world, path)
    return page_of(world, request, places.app_group(world, path).apps, ORDER, lambda app: row(names, app))


@route("GET", APP)
def get_app(world: World, request: Request, app: str, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    return Response(body=row(places.names(world, path), _find(world, places.app_group(world, path), app)))


@route("POST", APP)
def create_app(world: World, request: Request, app: str, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    group = places.app_group(world, path)
    body = fields.read_under(world, request, path, remoteAppName=app)
    if group.resource_type == DESKTOP:
        raise refusal(world, "RemoteAppNotAllowedOnDesktopAppGroup")
    if app.lower() in group.apps:
        raise refusal(world, "RemoteAppAlreadyExists")
    refuse_above(world, "classic_remote_apps_limit", len(group.apps), "MaxRemoteAppsLimitPerAppGroupReached")
    values = _checked(world, path, fields.changes(world, body, FIELDS, creating=True))
    if not values.get("file_path"):
        raise refusal(world, "RemoteAppInvalidFilePath", "FilePath or AppAlias is needed.")
    made = RemoteApp(name=fields.new_name(world, app))
    fields.apply(made, {"friendly_name": app, "icon_path": values["file_path"]} | values)
    put(world, group.apps, made.name.lower(), made)
    answer = created(world, row(places.names(world, path), made))
    answer.delay_s = by_host(world, request).delay_s
    return answer


def _checked(world: World, path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """New values with an alias resolved against the start menu; a new path needs a live host."""
    alias = values.pop("app_alias", None)
    if alias or "file_path" in values:
        _refuse_without_host(world, path)
    if alias:
        values |= _resolved(world, alias)
    if "%" in (values.get("icon_path") or ""):
        raise refusal(world, "RemoteAppInvalidIconPath", "IconPath takes no environment variables.")
    return values


def _refuse_without_host(world: World, path: Path) -> None:
    if world.setting("classic_remote_app_needs_host") and not hosts.any_usable(world, path):
        raise refusal(world, "RemoteAppNoSessionHostsAvailable")


def _resolved(world: World, alias: str) -> dict[str, Any]:
    """Path and icon of a start menu app; the alias itself is not kept."""
    for item in start_menu.apps(world):
        if item["appAlias"].lower() == alias.lower():
            return {"file_path": item["filePath"], "icon_path": item["iconPath"], "icon_index": item["iconIndex"]}
    raise refusal(world, "StartMenuAppNotFoundForGivenAlias", f"No start menu app has the alias '{alias}'.")


@route("PATCH", APP)
def change_app(world: World, request: Request, app: str, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    found = _find(world, places.app_group(world, path), app)
    body = fields.read_under(world, request, path, remoteAppName=app)
    given = fields.changes(world, body, FIELDS)
    if given.get("file_path") == found.file_path:
        given.pop("file_path", None)
    values = _checked(world, path, given)
    if not values.get("file_path", found.file_path):
        raise refusal(world, "RemoteAppInvalidFilePath")
    fields.apply(found, values)
    body = row(places.names(world, path), found)
    return by_host(world, request, body) if "file_path" in values else Response(body=body)


@route("DELETE", APP)
def remove_app(world: World, request: Request, app: str, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    group = places.app_group(world, path)
    drop(world, group.apps, _find(world, group, app).name.lower())
    return deleted(world)
