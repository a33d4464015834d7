"""The form all documents share: JSON with sorted keys, versioned, digested, readable by a person."""

import hashlib
import json
from typing import Any, TypeVar

import msgspec

from crossfade.errors import InputError, Problem

Document = TypeVar("Document")


def canonical(data: Any) -> bytes:
    """The one byte form of plain data or structs: sorted keys, two blanks, UTF-8, a newline at the end."""
    builtins = msgspec.to_builtins(data, str_keys=True)
    return (json.dumps(builtins, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def digest(data: Any) -> str:
    """`sha256:<hex>` of the canonical form."""
    return "sha256:" + hashlib.sha256(canonical(data)).hexdigest()


def encode(document: Any) -> bytes:
    """A document as the bytes of its file."""
    return canonical(document)


def decode(data: bytes, kind: type[Document], *, place: str) -> Document:
    """A document from the bytes of its file.

    Raises InputError naming `place` (the file) with line and column when it is not UTF-8 or not JSON, and with the path
    inside the document when a member is missing or of the wrong type or format version.
    """
    text = _text(data, place)
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg} in column {error.colno}."
        raise _wrong(place, f"{place}:{error.lineno}", what) from None
    expected = getattr(kind, "FORMAT", None)
    if expected is not None and (not isinstance(raw, dict) or raw.get("format") != expected):
        found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise _wrong(place, f"{place}: format", f"is {found!r}, this version reads {expected!r}.")
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        raise _wrong(place, f"{place}: {where.strip('`') or '$'}", what + ".") from None


def _text(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _wrong(place, f"{place}:{line}", f"byte {error.start} is not UTF-8.") from None


def _wrong(place: str, where: str, what: str) -> InputError:
    mend = "Make the document again with the command that writes it, or restore it from your backup."
    return InputError(f"{place} cannot be used.", [Problem(where, what, mend)])
