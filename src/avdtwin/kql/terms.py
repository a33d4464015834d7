"""Tables, and terms of their rows: what each is worth, and of which type it is."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from avdtwin.clock import parse_iso
from avdtwin.kql.errors import BadQuery
from avdtwin.kql.values import OF_TEXT, Row

_NUMBERS = ("int", "long", "real")
_TOO_LONG = 2**63
ANY = "dynamic"
_SPAN_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class Table(NamedTuple):
    """Rows, and the type of each column; None: any name may be asked for."""

    columns: dict[str, str] | None
    rows: list[Row]


class Term(NamedTuple):
    """An expression: its value for a row, its type (`dynamic` where nobody knows) and the name of its column."""

    value: Callable[[Row], Any]
    type: str = ANY
    name: str = ""


def columns_of(table: Table, terms: list[Term]) -> dict[str, str] | None:
    return None if table.columns is None else {term.name: term.type for term in terms}


def column_term(operator: str, columns: dict[str, str] | None, path: list[str]) -> Term:
    name = "_".join(path)
    if columns is None:
        return Term(lambda row: _walk(row, path), ANY, name)
    first = path[0]
    if first not in columns:
        raise BadQuery(f"'{operator}' operator: Failed to resolve column or scalar expression named '{first}'")
    kind = columns[first]
    if len(path) == 1:
        missing = "" if kind == "string" else None
        return Term(lambda row: row.get(first, missing), kind, name)
    if kind != ANY:
        raise BadQuery(f"'{operator}' operator: a value of type {kind} has no '{path[1]}'", code="SEM0100")
    return Term(lambda row: _walk(row, path), ANY, name)


def _walk(row: Row, path: list[str]) -> Any:
    found: Any = row
    for name in path:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def negated(term: Term, negative: bool) -> Term:
    return Term(lambda row: not term.value(row), "bool") if negative else term


def _alike(one: str, other: str) -> bool:
    return ANY in (one, other) or one == other or (one in _NUMBERS and other in _NUMBERS)


def require_alike(operator: str, compare: str, left: Term, right: Term) -> None:
    if compare in OF_TEXT:
        for term in (left, right):
            require_type(operator, compare, term, "string")
    elif not _alike(left.type, right.type):
        text = f"'{operator}' operator: Cannot compare values of types {left.type} and {right.type}. "
        raise BadQuery(text + "Try adding explicit casts", code="SEM0064")


def require_type(operator: str, what: str, term: Term, kind: str) -> None:
    if term.type not in (kind, ANY):
        text = f"'{operator}' operator: {what} takes a value of type {kind}, not {term.type}"
        raise BadQuery(text, code="SEM0025")


def reckoned(operator: str, left: Term, sign: str, right: Term) -> Term:
    kind = _SUMS.get((left.type, sign, right.type)) or _of_numbers(left.type, sign, right.type)
    if kind is None:
        text = f"'{operator}' operator: no '{sign}' between {left.type} and {right.type}"
        raise BadQuery(text, code="SEM0061")
    reckon = _RECKON[sign]

    def value(row: Row) -> Any:
        one, other = left.value(row), right.value(row)
        if not isinstance(one, int | float) or not isinstance(other, int | float):
            return None
        made = reckon(one, other)
        return float(made) if isinstance(made, int) and abs(made) >= _TOO_LONG else made

    return Term(value, kind)


def _of_numbers(left: str, sign: str, right: str) -> str | None:
    if ANY in (left, right):
        return ANY
    if left not in _NUMBERS or right not in _NUMBERS:
        return None
    return "real" if "real" in (left, right) else "long"


def _divided(one: float, other: float) -> float | int | None:
    if other == 0:
        return None
    return one // other if isinstance(one, int) and isinstance(other, int) else one / other


_SUMS = {
    ("datetime", "-", "datetime"): "timespan",
    ("datetime", "-", "timespan"): "datetime",
    ("datetime", "+", "timespan"): "datetime",
    ("timespan", "+", "timespan"): "timespan",
    ("timespan", "-", "timespan"): "timespan",
    ("timespan", "/", "timespan"): "real",
}
_RECKON: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": _divided,
}


def _text_literal(text: str) -> Term:
    value = re.sub(r"\\(.)", r"\1", text[1:-1])
    return Term(lambda row: value, "string")


def _number_literal(text: str) -> Term:
    value = float(text) if "." in text else int(text[:18])
    return Term(lambda row: value, "real" if "." in text else "long")


def _span_literal(text: str) -> Term:
    unit = text.lstrip("0123456789.")
    value = float(text.removesuffix(unit)) * _SPAN_S[unit]
    return Term(lambda row: value, "timespan")


def _moment_literal(text: str) -> Term:
    try:
        value = parse_iso(text[len("datetime(") : -1])
    except ValueError as error:
        raise BadQuery(f"{text} is no moment", kind="SyntaxError", code="SYN0002", token=text) from error
    return Term(lambda row: value, "datetime")


LITERALS: dict[str, Callable[[str], Term]] = {
    "text": _text_literal,
    "number": _number_literal,
    "span": _span_literal,
    "moment": _moment_literal,
}
