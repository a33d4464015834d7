"""Start menu items, read from a session host that can be reached (facts/arm-service 1.10, rec 12)."""

from typing import Any

from avdtwin.arm import errors, groups, icons, paging, store
from avdtwin.arm.ids import NAMESPACE, Place, wire_id, wire_name
from avdtwin.arm.routes import ROUTES
from avdtwin.wire import Request, Response
from avdtwin.world import World

GROUPS = groups.KIND
KIND = "startMenuItems"
TYPE = f"{NAMESPACE}/applicationgroups/startmenuitems"

_SYSTEM = "C:\\Windows\\system32\\"

ITEMS: dict[str, tuple[str, str, str, int]] = {
    "Calculator": (f"{_SYSTEM}calc.exe", "", f"{_SYSTEM}calc.exe", 0),
    "Character Map": (f"{_SYSTEM}charmap.exe", "", f"{_SYSTEM}charmap.exe", 0),
    "iSCSI Initiator": (f"{_SYSTEM}iscsicpl.exe", "", f"{_SYSTEM}iscsicpl.dll", -1),
    "Notepad": (f"{_SYSTEM}notepad.exe", "", f"{_SYSTEM}notepad.exe", 0),
    "ODBC Data Sources (32-bit)": (
        "C:\\Windows\\syswow64\\odbcad32.exe",
        "",
        f"{_SYSTEM}odbcint.dll",
        -1439,
    ),
    "Task Manager": (f"{_SYSTEM}taskmgr.exe", "/7", f"{_SYSTEM}Taskmgr.exe", -30651),
}
"""Display name -> file, arguments, icon file, icon index, as on a fresh machine."""


@ROUTES.listing(GROUPS, KIND)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    """Needs a reachable host in the group's pool; the refusal without one is not recorded."""
    group = groups.require(world, place)
    pool = groups.pool_of(world, group)
    hosts = store.children(world, pool.id, "sessionHosts") if pool is not None else []
    if not any(icons.reachable(world, host) for host in hosts):
        raise errors.provider(400, "There is no available SessionHost to read the start menu from")
    return paging.of_provider(world, request, sorted(ITEMS), lambda name: _body(group.id, name))


def _body(group_id: str, name: str) -> dict[str, Any]:
    file_path, arguments, icon_path, icon_index = ITEMS[name]
    item_id = f"{group_id}/{KIND}/{name}"
    return {
        "name": wire_name(item_id),
        "id": wire_id(item_id),
        "type": TYPE,
        "properties": {
            "appAlias": "".join(letter for letter in name.lower() if letter.isalnum()),
            "filePath": file_path,
            "commandLineArguments": arguments,
            "iconPath": icon_path,
            "iconIndex": icon_index,
        },
        "systemData": None,
    }
