"""`$filter` as far as directories need it: `eq`, `in`, `startswith`, `any(… eq …)`, joined by `and` and `or`."""

import re
from collections.abc import Callable
from typing import Any

Test = Callable[[dict[str, Any]], bool]

_TEXT = r"'((?:[^']|'')*)'"
_CLAUSES = (
    (re.compile(rf"^(\w+)\s+eq\s+{_TEXT}$", re.I), "eq"),
    (re.compile(r"^(\w+)\s+eq\s+(true|false|null)$", re.I), "literal"),
    (re.compile(rf"^(\w+)/any\(\s*(?:\w+)\s*:\s*\w+\s+eq\s+{_TEXT}\s*\)$", re.I), "any"),
    (re.compile(rf"^startswith\(\s*(\w+)\s*,\s*{_TEXT}\s*\)$", re.I), "startswith"),
    (re.compile(r"^(\w+)\s+in\s+\((.*)\)$", re.I), "in"),
)
_LITERALS = {"true": True, "false": False, "null": None}


def parse(text: str) -> Test:
    """A test for one object in wire form. Raises ValueError for anything this small grammar does not know."""
    alternatives = [[_clause(part) for part in _split(each, "and")] for each in _split(text, "or")]
    return lambda item: any(all(test(item) for test in tests) for tests in alternatives)


def sought(text: str) -> tuple[str, list[str]] | None:
    """(lower-cased member, values) of a filter that only asks for some values of one member, by `eq`, by `in` or by
    `eq` joined with `or`: worth an index. None for any other filter.
    """
    names, values = set(), []
    for part in _split(text, "or"):
        equal, listed = _CLAUSES[0][0].match(part), _CLAUSES[-1][0].match(part)
        if equal:
            names.add(equal[1].lower())
            values.append(_plain(equal[2]))
        elif listed:
            names.add(listed[1].lower())
            values += [_plain(value) for value in re.findall(_TEXT, listed[2])]
        else:
            return None
    return (names.pop(), values) if len(names) == 1 else None


def _clause(text: str) -> Test:
    for pattern, kind in _CLAUSES:
        match = pattern.match(text)
        if match:
            return _TESTS[kind](match[1].lower(), match[2])
    raise ValueError(text)


def _plain(quoted: str) -> str:
    return quoted.replace("''", "'")


def _member(item: dict[str, Any], name: str) -> Any:
    for key, value in item.items():
        if key.lower() == name:
            return value
    raise ValueError(f"Could not find a property named '{name}'.")


def _eq(name: str, quoted: str) -> Test:
    wanted = _plain(quoted).lower()
    return lambda item: str(_member(item, name) or "").lower() == wanted


def _literal(name: str, word: str) -> Test:
    wanted = _LITERALS[word.lower()]
    return lambda item: _member(item, name) == wanted


def _any(name: str, quoted: str) -> Test:
    wanted = _plain(quoted).lower()
    return lambda item: any(str(each).lower() == wanted for each in _member(item, name) or ())


def _startswith(name: str, quoted: str) -> Test:
    wanted = _plain(quoted).lower()
    return lambda item: str(_member(item, name) or "").lower().startswith(wanted)


def _in(name: str, listed: str) -> Test:
    wanted = {_plain(text).lower() for text in re.findall(_TEXT, listed)}
    return lambda item: str(_member(item, name) or "").lower() in wanted


_TESTS: dict[str, Callable[[str, str], Test]] = {
    "eq": _eq,
    "literal": _literal,
    "any": _any,
    "startswith": _startswith,
    "in": _in,
}


def _split(text: str, word: str) -> list[str]:
    """Parts between `word`s that stand outside quotes and parentheses."""
    parts, depth, quoted, start, at = [], 0, False, 0, 0
    separator = re.compile(rf"\s+{word}\s+", re.I)
    while at < len(text):
        character = text[at]
        quoted ^= character == "'"
        if not quoted:
            depth += (character == "(") - (character == ")")
            gap = separator.match(text, at) if depth == 0 else None
            if gap:
                parts.append(text[start:at].strip())
                start = at = gap.end()
                continue
        at += 1
    return [*parts, text[start:].strip()]
