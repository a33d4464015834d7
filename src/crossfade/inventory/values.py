"""Values as sources give them -> one form: enums by name, times as ISO UTC, numbers as numbers.

Shapes: facts/classic-service 3.4 and 3.5.

Each function takes what was read and returns the value, or raises Unreadable.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

Convert = Callable[[Any], Any]
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_DATE = re.compile(r"\\?/Date\((-?\d+)([+-]\d{4})?\)\\?/")
_CUT = re.compile(r"System\.(\w+\[\]|Collections\.\S+)")
"""What PowerShell writes where a list lies deeper than it was told to go."""
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Unreadable(ValueError):
    """A value that means nothing to us, or several things."""


def text(value: Any) -> str | None:
    """Text as it is; null and empty text differ."""
    if isinstance(value, str) and _CUT.fullmatch(value):
        raise Unreadable(f"is {value!r}, the name of a type in place of its content")
    if value is None or isinstance(value, str):
        return value
    raise Unreadable(f"is {_kind(value)}, not text")


def guid(value: Any) -> str | None:
    """An id; unset ones come as null or zeros (facts/classic-service 2.9)."""
    found = text(value)
    return None if found in ("", ZERO_GUID) else found


def flag(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    found = _FLAGS.get(str(value).strip().casefold())
    if found is None:
        raise Unreadable(f"is {_shown(value)}, not true or false")
    return found


def whole(value: Any) -> int | None:
    """A whole number, also as text."""
    if value is None or value == "":
        return None
    if isinstance(value, int | str) and not isinstance(value, bool):
        with suppress(ValueError):  # told below, like any other kind of value
            return int(value)
    raise Unreadable(f"is {_shown(value)}, not a whole number")


def name_of(names: Mapping[int, str]) -> Convert:
    """Converts an enum that must be one of `names`: number, number as text, or name in any casing."""
    return lambda value: _named(names, value)


def open_name_of(names: Mapping[int, str]) -> Convert:
    """As `name_of` for an enum that later agents extend: an unknown number becomes `Unknown (12)`."""

    def convert(value: Any) -> str | None:
        try:
            return _named(names, value)
        except Unreadable:
            number = str(value)
            return f"Unknown ({number})" if number.lstrip("-").isdigit() else text(value)

    return convert


def _named(names: Mapping[int, str], value: Any) -> str | None:
    if value is None or value == "":
        return None
    folded = str(value).strip().casefold()
    for number, name in names.items():
        if folded in (str(number), name.casefold()) and not isinstance(value, bool):
            return name
    raise Unreadable(f"is {_shown(value)}, none of {', '.join(names.values())}")


def moment(value: Any) -> str | None:
    """A time as ISO UTC with milliseconds; `.NET`'s year 1 means never.

    `/Date(ms)/` counts UTC milliseconds, whatever offset follows. A text without an offset is UTC. Text in the way of a
    culture (`01.05.2020 06:31:07`) is refused: the order of day and month would be a guess.
    """
    if isinstance(value, dict):
        value = next((inner for name, inner in value.items() if name.casefold() == "value"), value)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        found = _json_date(value) or _iso_date(value)
        if found is not None:
            return None if found.year <= 1 else _iso(found)
    raise Unreadable(f"is {_shown(value)}, whose day and month would have to be guessed")


def _json_date(value: str) -> datetime | None:
    found = _JSON_DATE.fullmatch(value.strip())
    if found is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC)


def _iso_date(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if found.tzinfo is None or found.year in (1, 9999):  # `.NET`'s ends of time, which no offset may pass
        return found.replace(tzinfo=UTC)
    return found.astimezone(UTC)


def _iso(found: datetime) -> str:
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


HEALTH_CHECKS = {
    0: "DomainJoinedCheck",
    1: "DomainTrustCheck",
    2: "FSLogixHealthCheck",
    3: "SxSStackListenerCheck",
    4: "UrlsAccessibleCheck",
    5: "MonitoringAgentCheck",
}
HEALTH_OUTCOMES = {0: "Unknown", 1: "HealthCheckSucceeded", 2: "HealthCheckFailed", 4: "SessionHostShutdown"}


def health(value: Any) -> dict[str, str]:
    """Check -> outcome from the JSON inside SessionHostHealthCheckResult: array or map, names or numbers (1.7)."""
    if value in (None, ""):
        return {}
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise Unreadable("is not the JSON that agents report") from None
    if isinstance(found, dict):
        found = [_of_map(name, item) for name, item in found.items()]
    if not isinstance(found, list):
        raise Unreadable("is not the list of checks that agents report")
    return dict(sorted(_check(item) for item in found if isinstance(item, dict)))


def _of_map(name: str, item: Any) -> dict[str, Any]:
    members = item if isinstance(item, dict) else {"HealthCheckResult": item}
    return {"HealthCheckName": name, **members}


def _check(item: dict[str, Any]) -> tuple[str, str]:
    folded = {name.casefold(): value for name, value in item.items()}
    name = open_name_of(HEALTH_CHECKS)(folded.get("healthcheckname"))
    outcome = open_name_of(HEALTH_OUTCOMES)(folded.get("healthcheckresult"))
    return name or "Unknown", outcome or "Unknown"


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", bool: "true or false"}.get(type(value), "a number")


def _shown(value: Any) -> str:
    shown = repr(value) if isinstance(value, str | int | float | None) else _kind(value)
    return shown if len(shown) <= 40 else shown[:37] + "…'"
