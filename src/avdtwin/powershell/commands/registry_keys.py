"""Registry keys as objects, and what the item commands do to them."""

from typing import Any

from avdtwin import registry
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.frames import Session
from avdtwin.powershell.values import NOTHING, Obj, as_list, number, text

_KINDS: dict[str, str] = {"str": "String", "int": "DWord", "list": "MultiString"}


def is_registry(path: str) -> bool:
    return registry.key_of(path).partition("\\")[0] in ("hklm:", "hkcu:")


def values(session: Session, key: str) -> dict[str, Any]:
    """The values of a key. Raises ScriptError when there is no such key."""
    found = registry.seen(session.machine)
    if key in found:
        return found[key]
    if exists(session, key):
        return {}
    raise ScriptError(f"Cannot find path '{key}' because it does not exist.")


def exists(session: Session, key: str) -> bool:
    return any(other == key or other.startswith(key + "\\") for other in registry.seen(session.machine))


def children(session: Session, key: str) -> list[str]:
    """Names of the keys directly below, sorted."""
    prefix = key + "\\"
    keys = registry.seen(session.machine)
    return sorted({other[len(prefix) :].split("\\")[0] for other in keys if other.startswith(prefix)})


def hive(session: Session, drive: str) -> Obj:
    """`[Microsoft.Win32.Registry]::LocalMachine`."""
    return Obj("registryhive", methods=_key_methods(session, drive))


def key_object(session: Session, key: str) -> Obj:
    """What Get-Item and Get-ChildItem give for a key."""
    found = values(session, key)
    long_name = key.replace("hklm:", "HKEY_LOCAL_MACHINE")
    return Obj(
        "registrykey",
        {
            "Name": long_name,
            "PSPath": f"Microsoft.PowerShell.Core\\Registry::{long_name}",
            "PSChildName": key.rpartition("\\")[2],
            "Property": list(found),
        },
        _key_methods(session, key),
    )


def _key_methods(session: Session, key: str) -> dict[str, Any]:
    def get_value(name: Any, default: Any = None, options: Any = None) -> Any:
        return read(session, key, text(name), default)

    def open_sub_key(path: Any, writable: Any = False) -> Any:
        below = _below(key, path)
        return key_object(session, below) if exists(session, below) else None

    def create_sub_key(path: Any, check: Any = None, options: Any = None) -> Obj:
        below = _below(key, path)
        kind = "make_volatile_key" if text(options).lower() == "volatile" else "make_key"
        if not exists(session, below):
            session.change(kind, below)
        return key_object(session, below)

    return {
        "GetValue": get_value,
        "GetValueNames": lambda: list(values(session, key)),
        "GetValueKind": lambda name: _KINDS[type(read(session, key, text(name), "")).__name__],
        "GetSubKeyNames": lambda: children(session, key),
        "OpenSubKey": open_sub_key,
        "CreateSubKey": create_sub_key,
        "Close": lambda: NOTHING,
        "Dispose": lambda: NOTHING,
    }


def _below(key: str, path: Any) -> str:
    return registry.key_of(key + "\\" + text(path))


def read(session: Session, key: str, name: str, default: Any = None) -> Any:
    found = values(session, key)
    return next((value for other, value in found.items() if other.lower() == name.lower()), default)


def properties(session: Session, key: str, name: str | None) -> Obj:
    """What Get-ItemProperty gives. Raises ScriptError for a value that is not there."""
    found = values(session, key)
    if name is not None:
        found = {other: value for other, value in found.items() if other.lower() == name.lower()}
        if not found:
            raise ScriptError(f"Property {name} does not exist at path {key}.")
    return Obj("pscustomobject", dict(found))


def write(session: Session, key: str, name: str, value: Any, kind: str | None) -> None:
    """Set a value; the key must be there. Without a kind it follows from the value."""
    values(session, key)
    session.change("set_value", key, name, _typed(value, kind))


def _typed(value: Any, kind: str | None) -> Any:
    low = (kind or ("DWord" if isinstance(value, int) else "String")).lower()
    if low == "dword":
        return int(number(value))
    if low == "multistring":
        return [text(item) for item in as_list(value)]
    if low in ("string", "expandstring"):
        return text(value)
    raise Unsupported(f"registry value of kind {kind}")


def copy(session: Session, source: str, target: str) -> None:
    """Copy a key with everything below it. A target that exists gets it as a child, as Copy-Item does."""
    values(session, source)
    if exists(session, target):
        target = target + "\\" + source.rpartition("\\")[2]
    found = registry.seen(session.machine)
    for key in sorted(found):
        if key == source or key.startswith(source + "\\"):
            new = target + key[len(source) :]
            session.change("make_key", new)
            for name, value in found[key].items():
                session.change("set_value", new, name, value)


def make(session: Session, key: str, *, force: bool) -> None:
    if exists(session, key):
        if not force:
            raise ScriptError("A key in this path already exists.")
        # -Force on a key that is there empties it, as the registry provider does.
        session.change("remove_key", key)
    parent = key.rpartition("\\")[0]
    if not force and not exists(session, parent):
        raise ScriptError("The registry key at the specified path does not exist.")
    session.change("make_key", key)


def remove(session: Session, key: str, *, recurse: bool) -> None:
    values(session, key)
    if children(session, key) and not recurse:
        raise Unsupported("Remove-Item on a key with keys below it, without -Recurse: it would ask")
    session.change("remove_key", key)
