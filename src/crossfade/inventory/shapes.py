"""Where plain data does not fit a struct: every place, not only the first. Pure."""

import difflib
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import msgspec

Path = tuple[str | int, ...]
Misfit = tuple[Path, str]


def shown(path: Path) -> str:
    """`("hosts", 3, "vm")` -> `hosts[3].vm`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the document"


def misfits(raw: Any, kind: Any, path: Path = ()) -> Iterator[Misfit]:
    """Each place where `raw` is not what `kind` (a struct, list, dict, union or plain type) wants, and why."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _of_struct(raw, kind, path)
    elif get_origin(kind) in (Union, types.UnionType):
        yield from _of_union(raw, get_args(kind), path)
    elif get_origin(kind) is list and isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from misfits(item, get_args(kind)[0], (*path, index))
    elif get_origin(kind) is dict and isinstance(raw, dict):
        for name, item in raw.items():
            yield from misfits(item, get_args(kind)[1], (*path, str(name)))
    else:
        yield from _of_leaf(raw, kind, path)


def _of_leaf(raw: Any, kind: Any, path: Path) -> Iterator[Misfit]:
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        yield path, str(error).partition(" - at ")[0] + "."


def _of_struct(raw: Any, kind: type[msgspec.Struct], path: Path) -> Iterator[Misfit]:
    if not isinstance(raw, dict):
        yield path, f"Expected `object`, got `{_named(raw)}`."
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    tag = kind.__struct_config__.tag_field
    for name, field in fields.items():
        if name in raw:
            yield from misfits(raw[name], field.type, (*path, name))
        elif field.required:
            yield path, f"{name!r} is missing."
    for name in raw:
        if name not in fields and name != tag:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            yield (*path, name), f"is no member of a {kind.__name__} and would be lost.{hint}"


def _of_union(raw: Any, kinds: tuple[Any, ...], path: Path) -> Iterator[Misfit]:
    structs = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    if isinstance(raw, dict) and len(structs) > 1:
        yield from _of_tagged(raw, structs, path)
    elif isinstance(raw, dict) and structs:
        yield from misfits(raw, structs[0], path)
    elif raw is not None and len(rest := [kind for kind in kinds if kind is not type(None)]) == 1:
        yield from misfits(raw, rest[0], path)
    else:
        yield from _of_leaf(raw, Union[kinds], path)  # noqa: UP007 - a union made at run time


def _of_tagged(raw: dict[str, Any], structs: list[type[msgspec.Struct]], path: Path) -> Iterator[Misfit]:
    field = structs[0].__struct_config__.tag_field or "type"
    by_tag = {kind.__struct_config__.tag: kind for kind in structs}
    kind = next((kind for tag, kind in by_tag.items() if tag == raw.get(field)), None)
    if kind is None:
        yield (*path, field), f"is {raw.get(field)!r}, none of {', '.join(sorted(map(str, by_tag)))}."
    else:
        yield from misfits(raw, kind, path)


def _named(raw: Any) -> str:
    names = {dict: "object", list: "array", str: "str", bool: "bool", type(None): "null"}
    return names.get(type(raw), type(raw).__name__)
