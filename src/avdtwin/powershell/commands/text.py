"""JSON in and out."""

import json
from typing import Any

from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import ScriptError
from avdtwin.powershell.values import Moment, Obj, Table, Version, text

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"}
"""Windows PowerShell 5.1 writes these so."""


@command("ConvertTo-Json", positional=("InputObject",), named=("Depth",), switches=("Compress",))
def _to_json(call: Call) -> list[Any]:
    found = call.input("InputObject")
    plain = [_plain(item, int(call.get("Depth", 2)) + 1) for item in found]
    separators = (",", ":") if call.flag("Compress") else None
    indent = None if call.flag("Compress") else 4
    written = json.dumps(
        plain[0] if len(plain) == 1 else plain, separators=separators, indent=indent, ensure_ascii=False
    )
    return ["".join(_ESCAPED.get(letter, letter) for letter in written)]


def _plain(value: Any, depth: int) -> Any:
    if depth < 0:
        return text(value)
    if isinstance(value, (Table, Obj)):
        pairs = value.pairs() if isinstance(value, Table) else value.properties.pairs()
        return {text(key): _plain(item, depth - 1) for key, item in pairs}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    return text(value) if isinstance(value, (Version, Moment)) else value


@command("ConvertFrom-Json", positional=("InputObject",))
def _from_json(call: Call) -> list[Any]:
    written = "\n".join(text(item) for item in call.input("InputObject"))
    try:
        found = _objects(json.loads(written))
    except ValueError as error:
        raise ScriptError("Invalid JSON primitive.") from error
    return [found]


def _objects(value: Any) -> Any:
    if isinstance(value, dict):
        return Obj("pscustomobject", {key: _objects(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_objects(item) for item in value]
    return value
