"""Timespans of a query in ISO 8601: `PT1H`, `start/end`, `start/duration`, `duration/end`."""

import re

from avdtwin.clock import parse_iso

_DURATION = re.compile(
    r"P(?=[\dT])(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?=\d)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}

Bounds = tuple[float | None, float | None]


def bounds(text: str, now: float) -> Bounds:
    """From when until when, the end not included; None is no bound. Raises ValueError when it is no timespan."""
    if not text:
        return None, None
    first, slash, second = text.partition("/")
    if not slash:
        return now - _length(first), None
    if _DURATION.fullmatch(first):
        end = parse_iso(second)
        return end - _length(first), end
    start = parse_iso(first)
    return start, start + _length(second) if _DURATION.fullmatch(second) else parse_iso(second)


def _length(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration")
    return sum(float(number) * _SECONDS[unit] for unit, number in match.groupdict().items() if number)
