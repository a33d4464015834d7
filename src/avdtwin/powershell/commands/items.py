"""Item commands, for registry keys and for files: the path decides."""

from typing import Any

from avdtwin import registry
from avdtwin.powershell.commands import registry_keys as keys
from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.values import Obj, text

_PATHS = ("LiteralPath",)


def file_of(call: Call, path: str) -> dict[str, Any]:
    """A file on the machine. Raises ScriptError when it is not there."""
    found = call.machine.files.get(path.lower())
    if found is None:
        raise ScriptError(f"Cannot find path '{path}' because it does not exist.")
    return found


@command("Test-Path", positional=("Path",), named=(*_PATHS, "PathType"))
def _test_path(call: Call) -> list[Any]:
    path = call.path()
    if keys.is_registry(path):
        return [keys.exists(call.session, registry.key_of(path))]
    low = path.lower().rstrip("\\")
    files = call.machine.files
    is_file = low in files
    kind = call.get("PathType")
    if kind is not None:
        return [is_file if text(kind).lower() == "leaf" else not is_file and _is_directory(files, low)]
    return [is_file or _is_directory(files, low)]


def _is_directory(files: dict[str, dict[str, Any]], low: str) -> bool:
    known = ("c:", "c:\\windows", "c:\\programdata", "c:\\users", "c:\\windows\\temp")
    return low in known or any(other.startswith(low + "\\") for other in files)


@command("Get-Item", positional=("Path",), named=_PATHS)
def _get_item(call: Call) -> list[Any]:
    path = call.path()
    if keys.is_registry(path):
        return [keys.key_object(call.session, registry.key_of(path))]
    found = file_of(call, path)
    return [Obj("fileinfo", {"FullName": path, "Length": found.get("size", 0)})]


@command("Get-ChildItem", positional=("Path",), named=_PATHS)
def _get_child_item(call: Call) -> list[Any]:
    path = call.path()
    if not keys.is_registry(path):
        raise Unsupported("Get-ChildItem on files")
    key = registry.key_of(path)
    keys.values(call.session, key)
    below = [f"{key}\\{name}" for name in keys.children(call.session, key)]
    return [keys.key_object(call.session, child) for child in below]


@command("Get-ItemProperty", positional=("Path", "Name"), named=_PATHS)
def _get_property(call: Call) -> list[Any]:
    name = call.get("Name")
    key = _key(call)
    return [keys.properties(call.session, key, None if name is None else text(name))]


@command("Set-ItemProperty", positional=("Path", "Name", "Value"), named=(*_PATHS, "Type"), switches=("Force",))
def _set_property(call: Call) -> list[Any]:
    kind = call.get("Type")
    keys.write(call.session, _key(call), call.text("Name"), call.get("Value"), None if kind is None else text(kind))
    return []


@command(
    "New-ItemProperty",
    positional=("Path", "Name"),
    named=(*_PATHS, "Value", "PropertyType"),
    switches=("Force",),
)
def _new_property(call: Call) -> list[Any]:
    key, name, kind = _key(call), call.text("Name"), call.get("PropertyType")
    if not call.flag("Force") and keys.read(call.session, key, name) is not None:
        raise ScriptError("The property already exists.")
    keys.write(call.session, key, name, call.get("Value"), None if kind is None else text(kind))
    return [keys.properties(call.session, key, name)]


@command("Remove-ItemProperty", positional=("Path", "Name"), named=_PATHS, switches=("Force",))
def _remove_property(call: Call) -> list[Any]:
    key, name = _key(call), call.text("Name")
    keys.properties(call.session, key, name)
    call.session.change("remove_value", key, name)
    return []


def _key(call: Call) -> str:
    path = call.path()
    if not keys.is_registry(path):
        raise Unsupported("a property of a file")
    return registry.key_of(path)


@command("New-Item", positional=("Path",), named=(*_PATHS, "ItemType", "Name"), switches=("Force",))
def _new_item(call: Call) -> list[Any]:
    path = call.path()
    if keys.is_registry(path):
        key = registry.key_of(path)
        keys.make(call.session, key, force=call.flag("Force"))
        return [keys.key_object(call.session, key)]
    if text(call.get("ItemType")).lower() != "directory":
        raise Unsupported("New-Item for a file")
    call.session.change("put_file", path.lower().rstrip("\\") + "\\.", {"size": 0})
    return [Obj("directoryinfo", {"FullName": path})]


@command("Copy-Item", positional=("Path", "Destination"), named=_PATHS, switches=("Recurse", "Force"))
def _copy_item(call: Call) -> list[Any]:
    source, target = call.path(), call.text("Destination")
    if not keys.is_registry(source) or not keys.is_registry(target):
        raise Unsupported("Copy-Item on files")
    if not call.flag("Recurse"):
        raise Unsupported("Copy-Item on a key without -Recurse")
    keys.copy(call.session, registry.key_of(source), registry.key_of(target))
    return []


@command("Remove-Item", positional=("Path",), named=_PATHS, switches=("Recurse", "Force"))
def _remove_item(call: Call) -> list[Any]:
    path = call.path()
    if keys.is_registry(path):
        keys.remove(call.session, registry.key_of(path), recurse=call.flag("Recurse"))
        return []
    file_of(call, path)
    call.session.change("remove_file", path.lower())
    return []
