"""The words that every report uses: names cleaned, states and kinds said plainly, times short."""

from datetime import datetime, timedelta
from typing import Any

from crossfade.model.ids import last_name

KINDS = {
    "canary-host": "one host first, to try the move",
    "canary-wave": "a few hosts of every pool",
    "wave": "hosts of all pools",
    "last-wave": "the hosts with the last classic seats",
    "restore-wave": "all hosts of a pool, at once",
}
STATES = {
    "on_source": "on classic",
    "staged": "prepared",
    "draining": "emptying",
    "drained": "empty",
    "saved": "saved",
    "moving": "moving",
    "registered": "registered",
    "healthy": "healthy",
    "accepting": "moved",
    "confirmed": "moved and confirmed",
    "reverting": "going back",
    "quarantined": "set aside",
}
WAVE_STATES = {
    "planned": "planned",
    "waiting": "waits",
    "moving": "hosts move",
    "soaking": "watched",
    "confirmed": "done",
}
TYPES = {
    "hostpools": "host pool",
    "applicationgroups": "application group",
    "applicationgroups/applications": "application",
    "applicationgroups/desktops": "desktop",
    "workspaces": "workspace",
    "scalingplans": "scaling plan",
    "resourcegroups": "resource group",
    "hostpools/sessionhosts": "session host",
}


def clean(value: object) -> str:
    """Text on one line without control characters: names are data, and a terminal obeys escape sequences."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 host`, `2 hosts`, `1,200 people`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def people(number: int) -> str:
    return count(number, "person", "people")


def state(name: str) -> str:
    return STATES.get(name, name.replace("_", " "))


def wave_state(name: str) -> str:
    return WAVE_STATES.get(name, name.replace("_", " "))


def value(found: Any) -> str:
    """A property's value for a reader: members of an object named, those without a value left out."""
    if isinstance(found, dict):
        parts = (f"{name.replace('_', ' ')} {value(one)}" for name, one in found.items() if one not in (None, ""))
        return ", ".join(parts)
    if isinstance(found, list):
        return ", ".join(map(value, found))
    if isinstance(found, bool):
        return "yes" if found else "no"
    return "nothing" if found is None else str(found) or "empty"


def title(text: str | None) -> str:
    """A title in somebody's feed, on one line."""
    return "no title: classic's default" if text is None else clean(text)


def kind(name: str) -> str:
    return KINDS.get(name, name)


def type_of(name: str) -> str:
    """`Microsoft.DesktopVirtualization/hostPools` -> `host pool`."""
    return TYPES.get(name.partition("/")[2].casefold(), name)


def host(key: str) -> str:
    """A host's own name without its domain."""
    return last_name(key).partition(".")[0]


def resource(key: str) -> str:
    """`pool / group / item` of a classic key; the last two names of an ARM id."""
    parts = key.strip("/").split("/")
    if key.startswith("/"):
        return f"{parts[-3] if len(parts) > 2 else parts[0]} / {parts[-1]}"
    return " / ".join(parts[2:] or parts)


def pool(key: str) -> str:
    return last_name(key)


def moment(text: str) -> str:
    """`2026-06-08 07:00` of an ISO time; what is none stays as it is."""
    found = parse(text)
    return found.strftime("%Y-%m-%d %H:%M") if found else text


def lasted(since: str, until: str) -> str:
    """`2 h 05 min`, `45 min`, `40 s`; empty when either end is missing."""
    length = between(since, until)
    return "" if length is None else span(length)


def between(since: str, until: str) -> timedelta | None:
    begin, end = parse(since), parse(until)
    return end - begin if begin and end else None


def span(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds % 86_400 // 3600, seconds % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def parse(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else datetime.fromisoformat(f"{text}+00:00")
