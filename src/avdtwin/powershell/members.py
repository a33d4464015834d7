"""Properties, methods and elements of values, an allow-list by kind. A missing property is an error: strict mode 2."""

from collections.abc import Callable
from typing import Any

from avdtwin.clock import iso
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.values import Moment, Obj, Table, Version, as_list, number, text


def get(value: Any, name: str) -> Any:
    """`value.name`. On an array it is asked of every element, as PowerShell does since version 3."""
    low = name.lower()
    if isinstance(value, Obj) and value.properties.has(low):
        return value.properties.get(low)
    if isinstance(value, Table):
        return _of_table(value, name)
    for kind, table in _PROPERTIES:
        if isinstance(value, kind) and low in table:
            return table[low](value)
    if isinstance(value, list):
        return [get(item, name) for item in value]
    raise ScriptError(f"The property '{name}' cannot be found on this object. Verify that the property exists.")


def _of_table(table: Table, name: str) -> Any:
    if table.has(name):
        return table.get(name)
    own: dict[str, Callable[[], Any]] = {
        "keys": lambda: [key for key, _ in table.pairs()],
        "values": lambda: [value for _, value in table.pairs()],
        "count": lambda: len(table),
    }
    if name.lower() in own:
        return own[name.lower()]()
    raise ScriptError(f"The property '{name}' cannot be found on this object. Verify that the property exists.")


def put(value: Any, name: str, new: Any) -> None:
    """`value.name = new`."""
    if isinstance(value, Table):
        value.set(name, new)
    elif isinstance(value, Obj) and value.properties.has(name):
        value.properties.set(name, new)
    else:
        raise ScriptError(f"The property '{name}' cannot be found on this object. Verify that it can be set.")


def call(value: Any, name: str, arguments: list[Any]) -> Any:
    """`value.name(…)`."""
    low = name.lower()
    if value is None:
        raise ScriptError("You cannot call a method on a null-valued expression.")
    if isinstance(value, Obj) and low in value.methods:
        return value.methods[low](*arguments)
    for kind, table in _METHODS:
        if isinstance(value, kind) and low in table:
            return table[low](value, *arguments)
    kind_name = value.kind if isinstance(value, Obj) else type(value).__name__
    raise Unsupported(f"method {name} of {kind_name}")


def element(value: Any, index: Any) -> Any:
    """`value[index]`; beyond the end is null, as without a strict mode of 3."""
    if isinstance(value, Table):
        return value.get(index)
    if isinstance(value, Obj) and value.kind == "properties":
        return value.properties.get(index)
    if value is None:
        raise ScriptError("Cannot index into a null array.")
    if isinstance(index, list):
        return [element(value, item) for item in index]
    if isinstance(value, (list, str, bytes)):
        at = int(number(index))
        return value[at] if -len(value) <= at < len(value) else None
    if int(number(index)) == 0:
        return value
    raise ScriptError("Unable to index into this object.")


def put_element(value: Any, index: Any, new: Any) -> None:
    if isinstance(value, Table):
        value.set(index, new)
    elif isinstance(value, list):
        value[int(number(index))] = new
    else:
        raise ScriptError("Unable to index into this object.")


def _properties_of(value: Any) -> Obj:
    """`PSObject`: its `Properties` can be asked for a name without an error."""
    found = Obj("properties")
    for key, item in value.properties.pairs():
        found.properties.set(key, Obj("property", {"Name": key, "Value": item}))
    return Obj("psobject", {"Properties": found})


_PROPERTIES: list[tuple[type, dict[str, Callable[[Any], Any]]]] = [
    (str, {"length": len}),
    (bytes, {"length": len, "count": len}),
    (list, {"length": len, "count": len}),
    (Version, {"major": lambda value: value.parts[0], "minor": lambda value: value.parts[1]}),
    (Obj, {"psobject": _properties_of}),
]


def _substring(value: str, start: Any, length: Any = None) -> str:
    begin = int(number(start))
    end = len(value) if length is None else begin + int(number(length))
    if begin < 0 or end > len(value):
        raise ScriptError("Index and length must refer to a location within the string.")
    return value[begin:end]


def _trimmer(trim: Callable[..., str]) -> Callable[..., str]:
    return lambda value, *characters: trim(value, "".join(text(item) for item in characters) or None)


def _split(value: str, *separators: Any) -> list[str]:
    found = [value]
    for separator in separators:
        for sign in as_list(separator):
            found = [piece for part in found for piece in part.split(text(sign))]
    return found


def _moment_text(value: Moment, style: Any = "o") -> str:
    if text(style) != "o":
        raise Unsupported(f"date format {text(style)}")
    return str(iso(value.at, 7))


_METHODS: list[tuple[type, dict[str, Callable[..., Any]]]] = [
    (
        str,
        {
            "trim": _trimmer(str.strip),
            "trimend": _trimmer(str.rstrip),
            "trimstart": _trimmer(str.lstrip),
            "startswith": lambda value, other: value.startswith(text(other)),
            "endswith": lambda value, other: value.endswith(text(other)),
            "contains": lambda value, other: text(other) in value,
            "indexof": lambda value, other: value.find(text(other)),
            "replace": lambda value, old, new: value.replace(text(old), text(new)),
            "split": _split,
            "substring": _substring,
            "tolower": str.lower,
            "tolowerinvariant": str.lower,
            "toupper": str.upper,
            "padright": lambda value, width, fill=" ": value.ljust(int(width), fill),
            "tostring": str,
        },
    ),
    (
        Table,
        {
            "containskey": lambda value, key: value.has(key),
            "contains": lambda value, key: value.has(key),
            "add": lambda value, key, new: value.set(key, new),
            "remove": lambda value, key: value.remove(key),
        },
    ),
    (Moment, {"touniversaltime": lambda value: value, "tostring": _moment_text}),
    (bool, {"tostring": text}),
    (int, {"tostring": text}),
    (Version, {"tostring": text}),
]
