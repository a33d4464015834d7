"""Values of a row: how two of them compare, what a function makes of one, how an answer writes it."""

import re
from collections.abc import Callable
from typing import Any

from avdtwin.clock import iso

Row = dict[str, Any]


def sortable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value).lower())


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _whole_number(value: Any) -> int | None:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _fold(left: Any, right: Any) -> bool:
    return _text(left).lower() == _text(right).lower()


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "=~": _fold,
    "!~": lambda left, right: not _fold(left, right),
    "<": lambda left, right: left is not None and right is not None and left < right,
    "<=": lambda left, right: left is not None and right is not None and left <= right,
    ">": lambda left, right: left is not None and right is not None and left > right,
    ">=": lambda left, right: left is not None and right is not None and left >= right,
    "contains": lambda left, right: _text(right).lower() in _text(left).lower(),
    "has": lambda left, right: _text(right).lower() in re.split(r"\W+", _text(left).lower()),
    "startswith": lambda left, right: _text(left).lower().startswith(_text(right).lower()),
    "endswith": lambda left, right: _text(left).lower().endswith(_text(right).lower()),
}
OF_TEXT = ("=~", "!~", "contains", "has", "startswith", "endswith")
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "tolower": (lambda value: _text(value).lower(), "string"),
    "toupper": (lambda value: _text(value).upper(), "string"),
    "tostring": (_text, "string"),
    "toint": (_whole_number, "int"),
    "tolong": (_whole_number, "long"),
    "isempty": (lambda value: _text(value) == "", "bool"),
    "isnotempty": (lambda value: _text(value) != "", "bool"),
    "isnull": (lambda value: value is None, "bool"),
    "isnotnull": (lambda value: value is not None, "bool"),
}


def moment(at: float) -> str:
    """A datetime as answers write it: without a fraction when there is none."""
    return str(iso(at, 0 if at == int(at) else 7))


def span(seconds: float) -> str:
    """A timespan as answers write it: `1.02:03:04.5000000`, `00:00:07`."""
    sign, ticks = "-" if seconds < 0 else "", round(abs(seconds) * 10_000_000)
    whole, fraction = divmod(ticks, 10_000_000)
    days, rest = divmod(whole, 86_400)
    head = f"{days}." if days else ""
    tail = f".{fraction:07d}" if fraction else ""
    return f"{sign}{head}{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}{tail}"
