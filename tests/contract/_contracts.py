"""Microsoft's published types, and what of a body does not fit them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "types" / "microsoft.desktopvirtualization"
NAMESPACE = "Microsoft.DesktopVirtualization"
REQUIRED, READ_ONLY, WRITE_ONLY, BY_DEPLOYMENT = 1, 2, 4, 8

_KINDS = {"BooleanType": bool, "IntegerType": int, "StringType": str}


@cache
def _types(version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / version / "types.json").read_text(encoding="utf-8"))
    return found


def kinds(version: str) -> dict[str, dict[str, Any]]:
    """The resource types of a version, without their namespace, with the reference to their body."""
    found = [each for each in _types(version) if each["$type"] == "ResourceType"]
    return {each["name"].split("@")[0].partition("/")[2]: each["body"] for each in found}


def actions(version: str) -> dict[str, dict[str, Any]]:
    """The actions of a version with the reference to what they answer."""
    return {each["name"]: each["output"] for each in _types(version) if each["$type"] == "ResourceFunctionType"}


def problems(version: str, ref: dict[str, Any], body: Any, *, request: bool = False) -> list[str]:
    """What of a body does not fit, as `path: why`. In an answer null stands for a member that is not set; in a request
    nothing may be there that is only read.
    """
    return list(_of(_types(version), ref, body, "", request))


def _of(types: list[dict[str, Any]], ref: dict[str, Any], value: Any, at: str, request: bool) -> list[str]:
    kind = types[int(ref["$ref"][2:])]
    if value is None and not request:
        return []
    return _CHECKS[kind["$type"]](types, kind, value, at, request)


def _plain(types: Any, kind: Any, value: Any, at: str, request: bool) -> list[str]:
    wanted = _KINDS[kind["$type"]]
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        return [f"{at}: {value!r} is no {wanted.__name__}"]
    long = isinstance(value, str) and not kind.get("minLength", 0) <= len(value) <= kind.get("maxLength", len(value))
    unlike = isinstance(value, str) and "pattern" in kind and not re.search(kind["pattern"], value)
    return [f"{at}: {value!r} is not of the form"] if long or unlike else []


def _literal(types: Any, kind: Any, value: Any, at: str, request: bool) -> list[str]:
    return [] if value == kind["value"] else [f"{at}: {value!r} is not {kind['value']!r}"]


def _one_of(types: Any, kind: Any, value: Any, at: str, request: bool) -> list[str]:
    tried = [_of(types, each, value, at, request) for each in kind["elements"]]
    return [] if any(not each for each in tried) else [f"{at}: {value!r} is none of the values"]


def _list(types: Any, kind: Any, value: Any, at: str, request: bool) -> list[str]:
    if not isinstance(value, list):
        return [f"{at}: {value!r} is no list"]
    return [each for item in value for each in _of(types, kind["itemType"], item, f"{at}[]", request)]


def _object(types: Any, kind: Any, value: Any, at: str, request: bool) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no object"]
    known, found = kind.get("properties", {}), []
    for name, item in value.items():
        where = f"{at}.{name}" if at else name
        if name in known and not (request and known[name]["flags"] & READ_ONLY):
            found += _of(types, known[name]["type"], item, where, request)
        elif "additionalProperties" in kind:
            found += _of(types, kind["additionalProperties"], item, where, request)
        else:
            found.append(f"{where}: unknown")
    needed = {name for name, each in known.items() if each["flags"] & REQUIRED and not each["flags"] & BY_DEPLOYMENT}
    return found + [f"{at}.{name}: missing".lstrip(".") for name in sorted(needed - value.keys())]


_CHECKS = {
    **dict.fromkeys(_KINDS, _plain),
    "AnyType": lambda *_: [],
    "StringLiteralType": _literal,
    "UnionType": _one_of,
    "ArrayType": _list,
    "ObjectType": _object,
}
