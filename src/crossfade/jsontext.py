"""Where things are in a JSON text, so that a problem can be named with its line. Pure; beside the standard parser.

Offsets count characters from 0, lines from 1. What is not JSON raises `json.JSONDecodeError`, a name given twice in one
object raises `Repeated`, nesting beyond what Python can follow raises `RecursionError`.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from typing import Any, NoReturn

_BLANK = " \t\r\n\ufeff"
"""A mark of the encoding stands in the middle too, where files were joined."""


class Repeated(ValueError):
    """An object gives one name twice; one of the two values would be lost."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Repeated(next(name for name in names if names.count(name) > 1))
    return found


def _constant(text: str) -> NoReturn:
    raise json.JSONDecodeError(f"{text} is not a JSON value", text, 0)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def whole(text: str) -> Any:
    """The one value that a text is."""
    return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)


class Lines:
    """The line of any offset in a text, in logarithmic time."""

    def __init__(self, text: str) -> None:
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def of(self, offset: int) -> int:
        return bisect_right(self._ends, offset - 1) + 1


def skip(text: str, at: int) -> int:
    """The offset of the next letter that is not blank, or the text's length."""
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def value(text: str, at: int) -> tuple[Any, int]:
    """The value at an offset, and the offset behind it."""
    at = skip(text, at)
    if at >= len(text):
        raise json.JSONDecodeError("the text ends where a value should be", text, at)
    return _DECODER.raw_decode(text, at)


def elements(text: str, at: int) -> Generator[tuple[int, Any], None, int]:
    """Each element of the array at an offset, with its own offset. Returns the offset behind the array."""
    at = skip(text, skip(text, at) + 1)
    while text[at : at + 1] != "]":
        found, end = value(text, at)
        yield at, found
        at = _behind_comma(text, end, "]")
    return at + 1


def members(text: str, at: int) -> Iterator[tuple[str, int, Any]]:
    """Each member of the object at an offset: name, the value's offset, value."""
    at = skip(text, skip(text, at) + 1)
    while text[at : at + 1] != "}":
        name, end = value(text, at)
        colon = skip(text, end)
        if not isinstance(name, str) or text[colon : colon + 1] != ":":
            raise json.JSONDecodeError("a name and a colon should be here", text, at)
        start = skip(text, colon + 1)
        found, end = value(text, start)
        yield name, start, found
        at = _behind_comma(text, end, "}")


def _behind_comma(text: str, at: int, closing: str) -> int:
    at = skip(text, at)
    if text[at : at + 1] == ",":
        return skip(text, at + 1)
    if text[at : at + 1] == closing:
        return at
    raise json.JSONDecodeError(f"a comma or {closing} should be here", text, at)


def locate(text: str, path: Sequence[str | int]) -> int:
    """The offset of what a path of names and indexes leads to, or of the last part of it that is there."""
    at = skip(text, 0)
    for part in path:
        found = next((start for name, start in _parts(text, at) if name == part), None)
        if found is None:
            return at
        at = found
    return at


def _parts(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    if text[at : at + 1] == "{":
        yield from ((name, start) for name, start, _ in members(text, at))
    elif text[at : at + 1] == "[":
        yield from ((index, start) for index, (start, _) in enumerate(elements(text, at)))
