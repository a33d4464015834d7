"""Casts and static members, an allow-list of each."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Any

from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.frames import Frame
from avdtwin.powershell.values import NOTHING, Moment, Obj, Table, TypeRef, Version, as_list, number, text, truth

# ---------------------------------------------------------------- casts


def cast(type_name: str, value: Any) -> Any:
    """`[type]value`. Raises ScriptError when it cannot be, Unsupported for a type that is not known here."""
    name = type_name.strip().lower().removeprefix("system.")
    if name.endswith("[]") and name != "byte[]":
        return [cast(name[:-2], item) for item in ([] if value is None else as_list(value))]
    if name not in _CASTS:
        raise Unsupported(f"cast to [{type_name}]")
    return _CASTS[name](value)


def _whole(value: Any) -> int:
    return round(number(value))


def _object(value: Any) -> Any:
    if isinstance(value, Table):
        made = Obj("pscustomobject")
        for key, item in value.pairs():
            made.properties.set(key, item)
        return made
    return value


def _moment(value: Any) -> Moment:
    if isinstance(value, Moment):
        return value
    raise Unsupported("cast to [datetime]")


def _exception(value: Any) -> Any:
    return value


_CASTS: dict[str, Callable[[Any], Any]] = {
    "string": text,
    "int": _whole,
    "int32": _whole,
    "int64": _whole,
    "long": _whole,
    "uint32": _whole,
    "double": lambda value: float(number(value)),
    "bool": truth,
    "switch": truth,
    "version": lambda value: value if isinstance(value, Version) else Version(text(value)),
    "datetime": _moment,
    "array": as_list,
    "object": lambda value: value,
    "hashtable": lambda value: value,
    "ordered": lambda value: value,
    "pscustomobject": _object,
    "psobject": _object,
    "exception": _exception,
    "void": lambda value: NOTHING,
    "byte[]": lambda value: value if isinstance(value, bytes) else bytes(as_list(value)),
    "char": lambda value: chr(value) if isinstance(value, int) else text(value),
    "securestring": text,
}


# ---------------------------------------------------------------- static members


def static_get(frame: Frame, type_name: str, name: str) -> Any:
    """`[type]::name` without call."""
    key = f"{TypeRef(type_name).name}::{name.lower()}"
    if key not in _STATIC_VALUES:
        raise Unsupported(f"[{type_name}]::{name}")
    return _STATIC_VALUES[key](frame)


def static_set(type_name: str, name: str) -> None:
    """`[type]::name = …`: only what has no meaning here may be set."""
    if f"{TypeRef(type_name).name}::{name.lower()}" not in _SETTABLE:
        raise Unsupported(f"setting [{type_name}]::{name}")


def static_call(frame: Frame, type_name: str, name: str, arguments: list[Any]) -> Any:
    """`[type]::name(…)`."""
    key = f"{TypeRef(type_name).name}::{name.lower()}"
    if key not in _STATIC_CALLS:
        raise Unsupported(f"[{type_name}]::{name}()")
    return _STATIC_CALLS[key](*arguments)


def _utf8(frame: Frame) -> Obj:
    return Obj(
        "text.utf8encoding",
        methods={
            "GetBytes": lambda value: text(value).encode(),
            "GetString": lambda value: bytes(value).decode(errors="replace"),
            "GetByteCount": lambda value: len(text(value).encode()),
        },
    )


def _sha256() -> Obj:
    return Obj(
        "sha256",
        methods={"ComputeHash": lambda value: hashlib.sha256(bytes(value)).digest(), "Dispose": lambda: NOTHING},
    )


def _from_base64(value: Any) -> bytes:
    try:
        return base64.b64decode(text(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ScriptError("The input is not a valid Base-64 string.") from error


def _local_machine(frame: Frame) -> Obj:
    from avdtwin.powershell.commands import registry_keys

    return registry_keys.hive(frame.session, "hklm:")


def _offset_now(frame: Frame) -> Obj:
    now = frame.session.world.now + frame.session.elapsed_s
    return Obj("datetimeoffset", methods={"ToUnixTimeSeconds": lambda: int(now)})


_STATIC_VALUES: dict[str, Callable[[Frame], Any]] = {
    "text.encoding::utf8": _utf8,
    "net.securityprotocoltype::tls12": lambda frame: "Tls12",
    "net.servicepointmanager::securityprotocol": lambda frame: "Tls12",
    "microsoft.win32.registry::localmachine": _local_machine,
    "microsoft.win32.registrykeypermissioncheck::readwritesubtree": lambda frame: "ReadWriteSubTree",
    "microsoft.win32.registryoptions::volatile": lambda frame: "Volatile",
    "datetimeoffset::utcnow": _offset_now,
    "datetime::utcnow": lambda frame: Moment(frame.session.world.now + frame.session.elapsed_s),
}
_SETTABLE = {"net.servicepointmanager::securityprotocol"}
_STATIC_CALLS: dict[str, Callable[..., Any]] = {
    "string::isnullorempty": lambda value: text(value) == "",
    "string::isnullorwhitespace": lambda value: text(value).strip() == "",
    "string::join": lambda separator, values: text(separator).join(text(item) for item in as_list(values)),
    "convert::frombase64string": _from_base64,
    "convert::tobase64string": lambda value: base64.b64encode(bytes(value)).decode(),
    "bitconverter::tostring": lambda value: "-".join(f"{byte:02X}" for byte in bytes(value)),
    "security.cryptography.sha256::create": _sha256,
    "runtime.interopservices.marshal::finalreleasecomobject": lambda value: 0,
    "math::min": lambda left, right: min(number(left), number(right)),
    "math::max": lambda left, right: max(number(left), number(right)),
    "regex::escape": lambda value: re.escape(text(value)),
}
