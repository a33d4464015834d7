"""The form all documents share: JSON with sorted keys, versioned, digested, readable by a person."""

import codecs
import hashlib
import json
from typing import Any, TypeVar

import msgspec

from crossfade import jsontext
from crossfade.errors import InputError, Problem
from crossfade.inventory.shapes import Path, misfits, shown

Document = TypeVar("Document")

PROBLEMS_SHOWN = 50
LINES_UP_TO = 5_000_000
"""Characters: in longer texts problems are named by their path alone, since finding lines would take minutes."""

_MEND = "Make the document again with the command that writes it, or restore it from your backup."


def canonical(data: Any) -> bytes:
    """The one byte form of plain data or structs: sorted keys, two blanks, UTF-8, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(data, order="sorted"), indent=2) + b"\n"


def digest(data: Any) -> str:
    """`sha256:<hex>` of the canonical form without its blanks."""
    return "sha256:" + hashlib.sha256(msgspec.json.encode(data, order="sorted")).hexdigest()


def digest_of(data: bytes) -> str:
    """What `digest` gives of the document in these bytes, whichever version of its type reads them: blanks and the
    order of members do not count, members that this version does not know do. Expects a readable document."""
    return digest(msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8)))


def encode(document: Any) -> bytes:
    """A document as the bytes of its file."""
    return canonical(document)


def decode(data: bytes, kind: type[Document], *, place: str) -> Document:
    """A document from the bytes of its file.

    Raises InputError naming `place` (the file) with the line when it is not UTF-8, not JSON or of another format; else
    with all problems at once: each member that is missing, unknown or of the wrong type, by line and path.
    """
    return _as_written(data, kind) or _judged(data, kind, place)


def _as_written(data: bytes, kind: type[Document]) -> Document | None:
    """The document, when the bytes are those that `encode` makes of it: nobody has touched them. Else None."""
    try:
        document = msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError:
        return None
    known = getattr(document, "format", None) == getattr(kind, "FORMAT", None)
    return document if known and encode(document) == data else None


def _judged(data: bytes, kind: type[Document], place: str) -> Document:
    text = _text(data, place)
    raw = _json(text, place)
    _check_format(raw, kind, place)
    try:
        document = msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        found = list(misfits(raw, kind)) or [((), str(error) + ".")]
    else:
        # What we write has every member: only a text that differs can hold one that would be lost.
        found = [] if msgspec.to_builtins(document) == raw else list(misfits(raw, kind))
        if not found:
            return document
    raise InputError(f"{place} cannot be used.", _problems(found, text, place))


def _text(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _wrong(place, f"{place}:{line}", f"byte {error.start} is not UTF-8.") from None


def _json(text: str, place: str) -> Any:
    try:
        return jsontext.whole(text)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg} in column {error.colno}."
        raise _wrong(place, f"{place}:{error.lineno}", what) from None
    except jsontext.Repeated as error:
        raise _wrong(place, place, f"one object has two members named {error.name!r}.") from None
    except RecursionError:
        raise _wrong(place, place, "is nested too deeply to be a document of ours.") from None


def _check_format(raw: Any, kind: type[Any], place: str) -> None:
    expected = getattr(kind, "FORMAT", None)
    found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
    if expected is not None and found != expected:
        raise _wrong(place, f"{place}: format", f"is {found!r}, this version reads {expected!r}.")


def _problems(found: list[tuple[Path, str]], text: str, place: str) -> list[Problem]:
    problems = [Problem(_where(path, text, place), what, _MEND) for path, what in found[:PROBLEMS_SHOWN]]
    if len(found) > PROBLEMS_SHOWN:
        problems.append(Problem(place, f"{len(found) - PROBLEMS_SHOWN} more problems like these.", _MEND))
    return problems


def _where(path: Path, text: str, place: str) -> str:
    if len(text) > LINES_UP_TO:
        return f"{place}: {shown(path)}"
    return f"{place}:{text.count(chr(10), 0, jsontext.locate(text, path)) + 1}: {shown(path)}"


def _wrong(place: str, where: str, what: str) -> InputError:
    return InputError(f"{place} cannot be used.", [Problem(where, what, _MEND)])
