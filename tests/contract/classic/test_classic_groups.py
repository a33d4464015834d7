"""App groups, desktops, assigned users, RemoteApps, start menu apps (facts/classic-service 1.9 to 1.13)."""

from __future__ import annotations

from typing import Any

import pytest
from classic_desk import GROUP, NAMES, TENANT_URL, Desk

POOL = TENANT_URL + "/HostPools/Office%20Pool"
POOL_NAMES = NAMES | {"hostPoolName": "Office Pool"}
DESKTOP = POOL + "/AppGroups/Desktop%20Application%20Group"
APPS = POOL + "/AppGroups/Office%20Apps"
APP_NAMES = POOL_NAMES | {"appGroupName": "Office Apps"}
EXCEL = APPS + "/RemoteApps/Excel"
EXCEL_PATH = "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE"


@pytest.fixture(autouse=True)
def _pool(desk: Desk) -> None:
    desk.pool()


def make_group(desk: Desk, name: str = "Office Apps", **more: Any) -> None:
    url = f"{POOL}/AppGroups/{name.replace(' ', '%20')}"
    body = POOL_NAMES | {"appGroupName": name, "resourceType": "0", **more}
    assert desk.call("POST", url, body).status == 201


# ---------------------------------------------------------------- app groups


def test_an_app_group_as_the_facts_show_it(desk: Desk) -> None:
    make_group(desk, friendlyName="Office")
    assert desk.get(APPS) == {
        "tenantGroupName": GROUP,
        "tenantName": "contoso",
        "hostPoolName": "Office Pool",
        "appGroupName": "Office Apps",
        "description": None,
        "friendlyName": "Office",
        "resourceType": 0,
    }
    names = [group["appGroupName"] for group in desk.get(POOL + "/AppGroups")]
    assert names == ["Desktop Application Group", "Office Apps"]
    assert desk.code("POST", APPS, APP_NAMES) == (409, "AppGroupAlreadyExists")
    assert desk.code("GET", APPS + "2") == (404, "AppGroupNotFound")


def test_an_app_group_changes_in_words_only(desk: Desk) -> None:
    make_group(desk)
    changed = desk.call("PATCH", APPS, APP_NAMES | {"description": "all of it"}).body
    assert changed["description"] == "all of it"
    assert desk.code("PATCH", APPS, APP_NAMES | {"resourceType": 1}) == (400, "AppGroupCannotBeUpdated")


def test_one_desktop_group_at_a_time(desk: Desk) -> None:
    second = POOL + "/AppGroups/Second%20Desktop"
    assert desk.code("POST", second, {"resourceType": 1}) == (409, "DesktopAppGroupAlreadyExists")
    assert desk.call("DELETE", DESKTOP).status == 200
    assert desk.call("POST", second, {"resourceType": 1}).status == 201
    assert desk.get(second + "/Desktop")["remoteDesktopName"] == "Remote Desktop"


def test_a_personal_pool_takes_no_further_group(desk: Desk) -> None:
    pool = desk.pool("Own Desktops", personal=True)
    refused = desk.code("POST", pool + "/AppGroups/Apps", {"resourceType": 0})
    assert refused == (400, "AppGroupCannotBeCreatedForPersonalDesktopHostPool")


def test_windows_7_publishes_no_apps(desk: Desk) -> None:
    desk.host().os_version = "6.1.7601"
    assert desk.code("POST", APPS, APP_NAMES) == (400, "AppGroupCannotBeCreatedForWin7HostPool")


def test_caps_are_switched_on_by_settings(desk: Desk) -> None:
    desk.set(classic_app_groups_limit=1)
    assert desk.code("POST", APPS, APP_NAMES) == (400, "MaxApplicationGroupsLimitPerHostPoolReached")


def test_apps_keep_their_group(desk: Desk) -> None:
    make_group(desk)
    desk.host()
    desk.call("POST", EXCEL, {"filePath": EXCEL_PATH})
    assert desk.code("DELETE", APPS) == (409, "AppGroupCannotBeRemoved")
    desk.call("DELETE", EXCEL)
    assert desk.call("DELETE", APPS).status == 200
    assert desk.code("DELETE", APPS) == (404, "AppGroupNotFound")


# ---------------------------------------------------------------- desktop


def test_the_desktop_of_a_group(desk: Desk) -> None:
    names = POOL_NAMES | {"appGroupName": "Desktop Application Group", "remoteDesktopName": "Remote Desktop"}
    assert desk.get(DESKTOP + "/Desktop") == names | {
        "friendlyName": None,
        "description": "The default Session Desktop",
        "showInWebFeed": None,
    }
    changed = desk.call("PATCH", DESKTOP + "/Desktop", names | {"friendlyName": "Office Pool", "showInWebFeed": True})
    assert (changed.status, changed.body["friendlyName"], changed.body["showInWebFeed"]) == (200, "Office Pool", True)
    assert desk.get(DESKTOP + "/Desktop") == changed.body


def test_a_remote_app_group_has_no_desktop(desk: Desk) -> None:
    make_group(desk)
    assert desk.code("GET", APPS + "/Desktop") == (404, "DesktopDoesNotExist")
    assert desk.code("PATCH", APPS + "/Desktop", {"friendlyName": "x"}) == (404, "DesktopDoesNotExist")


# ---------------------------------------------------------------- assigned users


def test_assigning_and_again_in_another_casing(desk: Desk) -> None:
    make_group(desk)
    url = APPS + "/AssignedUsers/amy@contoso.com"
    row = APP_NAMES | {"userPrincipalName": "amy@contoso.com"}
    made = desk.call("POST", url, row)
    assert (made.status, made.body) == (201, row)
    again = desk.call("POST", APPS + "/AssignedUsers/AMY%40contoso.com", APP_NAMES)
    assert (again.status, again.body) == (200, row)
    assert desk.get(APPS + "/AssignedUsers") == [row] == [desk.get(url.upper())]
    desk.set(classic_assign_twice_status=400)
    assert desk.call("POST", url, row).status == 400


def test_the_upn_must_exist(desk: Desk) -> None:
    unknown = DESKTOP + "/AssignedUsers/zoe@contoso.com"
    assert desk.code("POST", unknown, {}) == (400, "UpnNotInAad")
    assert desk.code("DELETE", unknown) == (400, "UpnNotInAad")
    guest = DESKTOP + "/AssignedUsers/amy_partner.com%23EXT%23@contoso.com"
    assert desk.code("POST", guest, {}) == (400, "UpnNotInAad")


def test_the_assignment_of_somebody_gone_is_stuck(desk: Desk) -> None:
    url = DESKTOP + "/AssignedUsers/amy@contoso.com"
    desk.call("POST", url, {})
    del desk.world.state.directory.upns["amy@contoso.com"]
    assert desk.code("DELETE", url) == (400, "UpnNotInAad")
    assert len(desk.get(DESKTOP + "/AssignedUsers")) == 1


def test_desktop_or_apps_within_a_pool(desk: Desk) -> None:
    make_group(desk)
    make_group(desk, "More Apps")
    amy, bob = "/AssignedUsers/amy@contoso.com", "/AssignedUsers/bob@contoso.com"
    desk.call("POST", DESKTOP + amy, {})
    assert desk.code("POST", APPS + amy, {}) == (400, "UpnAlreadyHasDesktopRights")
    desk.call("POST", APPS + bob, {})
    assert desk.code("POST", DESKTOP + bob, {}) == (400, "UpnAlreadyHasRemoteAppAssignment")
    assert desk.call("POST", POOL + "/AppGroups/More%20Apps" + bob, {}).status == 201


def test_unassigning_and_again(desk: Desk) -> None:
    url = DESKTOP + "/AssignedUsers/amy@contoso.com"
    desk.call("POST", url, {})
    assert desk.call("DELETE", url).status == desk.call("DELETE", url).status == 200
    assert desk.code("GET", url) == (404, "UpnIsNotAssignedToAppGroup")
    desk.set(classic_unassign_absent="refuse", classic_delete_status=204)
    assert desk.code("DELETE", url) == (404, "UpnIsNotAssignedToAppGroup")


# ---------------------------------------------------------------- RemoteApps


def test_a_remote_app_as_the_facts_show_it(desk: Desk) -> None:
    make_group(desk)
    desk.host()
    row = APP_NAMES | {
        "remoteAppName": "Excel",
        "filePath": EXCEL_PATH,
        "appAlias": None,
        "commandLineSetting": 0,
        "description": None,
        "friendlyName": "Excel",
        "iconIndex": 0,
        "iconPath": EXCEL_PATH,
        "requiredCommandLine": None,
        "showInWebFeed": True,
    }
    made = desk.call("POST", EXCEL, APP_NAMES | {"remoteAppName": "Excel", "filePath": EXCEL_PATH, "appAlias": None})
    assert (made.status, made.body) == (201, row)
    assert desk.get(EXCEL) == row
    assert desk.get(APPS + "/RemoteApps") == [row]
    assert desk.code("POST", EXCEL, {"filePath": EXCEL_PATH}) == (409, "RemoteAppAlreadyExists")
    assert desk.call("DELETE", EXCEL).status == 200
    assert desk.code("DELETE", EXCEL) == (404, "RemoteAppNotFound")


def test_an_alias_becomes_path_and_icon(desk: Desk) -> None:
    make_group(desk)
    desk.host()
    made = desk.call("POST", EXCEL, {"appAlias": "Excel", "commandLineSetting": 1}).body
    assert (made["filePath"], made["iconPath"], made["appAlias"]) == (EXCEL_PATH, EXCEL_PATH, None)
    refused = desk.code("POST", APPS + "/RemoteApps/Solitaire", {"appAlias": "solitaire"})
    assert refused == (400, "StartMenuAppNotFoundForGivenAlias")


def test_publishing_needs_a_living_host(desk: Desk) -> None:
    make_group(desk)
    assert desk.code("POST", EXCEL, {"filePath": EXCEL_PATH}) == (400, "RemoteAppNoSessionHostsAvailable")
    host = desk.host()
    desk.silence(host)
    assert desk.code("POST", EXCEL, {"filePath": EXCEL_PATH}) == (400, "RemoteAppNoSessionHostsAvailable")
    desk.set(classic_remote_app_needs_host=False)
    assert desk.call("POST", EXCEL, {"filePath": EXCEL_PATH}).status == 201


@pytest.mark.parametrize(
    "body, code",
    [
        ({}, "RemoteAppInvalidFilePath"),
        ({"filePath": " C:\\a.exe"}, "FilePathNotValidWhiteSpace"),
        ({"filePath": "C:\\a.exe", "iconPath": "C:\\a.ico "}, "IconPathNotValidWhiteSpace"),
        ({"filePath": "C:\\a.exe", "iconPath": "%windir%\\a.ico"}, "RemoteAppInvalidIconPath"),
        ({"filePath": "C:\\a.exe", "commandLineSetting": 7}, "RemoteAppCommandLineSettingIsNotValid"),
        ({"filePath": "C:\\a.exe", "remoteAppName": "Word"}, "NameDoesNotMatchObject"),
    ],
)
def test_a_bad_remote_app_is_refused(desk: Desk, body: dict[str, Any], code: str) -> None:
    make_group(desk)
    desk.host()
    assert desk.code("POST", EXCEL, body) == (400, code)
    assert desk.get(APPS + "/RemoteApps") == []


def test_a_desktop_group_publishes_no_apps(desk: Desk) -> None:
    desk.host()
    refused = desk.code("POST", DESKTOP + "/RemoteApps/Excel", {"filePath": EXCEL_PATH})
    assert refused == (400, "RemoteAppNotAllowedOnDesktopAppGroup")


def test_an_app_changes_by_what_is_sent(desk: Desk) -> None:
    make_group(desk)
    host = desk.host()
    desk.call("POST", EXCEL, {"filePath": EXCEL_PATH})
    desk.silence(host)
    body = {"requiredCommandLine": "/safe", "commandLineSetting": "Require", "filePath": EXCEL_PATH}
    changed = desk.call("PATCH", EXCEL, body)
    assert (changed.status, changed.body["commandLineSetting"], changed.body["requiredCommandLine"]) == (
        200,
        2,
        "/safe",
    )
    assert changed.body["friendlyName"] == "Excel"
    assert desk.code("PATCH", EXCEL, {"filePath": "C:\\b.exe"}) == (400, "RemoteAppNoSessionHostsAvailable")


# ---------------------------------------------------------------- start menu


def test_the_start_menu_is_a_living_hosts_answer(desk: Desk) -> None:
    make_group(desk)
    assert desk.code("GET", APPS + "/StartMenuApps") == (400, "HostPoolNoSessionHosts")
    host = desk.host()
    found = desk.get(APPS + "/StartMenuApps")
    assert [app["appAlias"] for app in found] == sorted(app["appAlias"] for app in found)
    assert found[0] == APP_NAMES | {
        "appAlias": "excel",
        "friendlyName": "Excel",
        "filePath": EXCEL_PATH,
        "commandLineArguments": "",
        "iconPath": EXCEL_PATH,
        "iconIndex": 0,
    }
    assert desk.code("GET", DESKTOP + "/StartMenuApps") == (400, "AppGroupIsDesktop")
    desk.silence(host)
    assert desk.code("GET", APPS + "/StartMenuApps") == (400, "StartMenuAppListIsNotAvailable")
