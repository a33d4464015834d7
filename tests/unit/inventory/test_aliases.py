"""An alias becomes the path that the start menu has; without a start menu it stays, and assessment blocks."""

from __future__ import annotations

from typing import Any

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.merge import assemble
from crossfade.sources.records import Kind, RawRecord, Reading

GROUP = {"TenantGroupName": "G", "TenantName": "T", "HostPoolName": "P", "AppGroupName": "Apps"}


def read(app: dict[str, Any], *menus: dict[str, Any]) -> Inventory:
    reading = Reading()
    origin = reading.origin("export", "a.json", None)
    data = {**GROUP, "RemoteAppName": "Calc", **app}
    names = (*GROUP.values(), "Calc")
    reading.records.append(RawRecord(kind=Kind.APP, data=data, names=names, origin=origin, where="a.json:1"))
    for menu in menus:
        found = {**GROUP, **menu}
        reading.records.append(
            RawRecord(kind=Kind.START_MENU_APP, data=found, names=(), origin=origin, where="m.json:1")
        )
    return assemble(reading, made_at="2026-06-01T00:00:00Z")


MENU = {"AppAlias": "calculator", "FilePath": r"C:\calc.exe", "IconPath": r"C:\calc.dll", "IconIndex": -3}


def test_path_and_icon_come_from_the_start_menu() -> None:
    inventory = read({"AppAlias": "Calculator", "FilePath": None}, MENU)
    (app,) = inventory.apps
    assert (app.file_path, app.icon_path, app.icon_index) == (r"C:\calc.exe", r"C:\calc.dll", -3)
    assert any("stands for" in gap.what for gap in inventory.gaps)


def test_the_start_menu_of_another_group_of_the_pool_will_do() -> None:
    (app,) = read({"AppAlias": "calculator"}, {**MENU, "AppGroupName": "Other"}).apps
    assert app.file_path == r"C:\calc.exe"


def test_nothing_is_guessed() -> None:
    for menu in ({**MENU, "HostPoolName": "Q"}, {**MENU, "AppAlias": "calc"}, {**MENU, "FilePath": None}):
        assert read({"AppAlias": "calculator"}, menu).apps[0].file_path is None


def test_what_the_app_says_itself_counts() -> None:
    (app,) = read({"AppAlias": "calculator", "FilePath": r"D:\my.exe", "IconIndex": 5}, MENU).apps
    assert (app.file_path, app.icon_index) == (r"D:\my.exe", 5)
