"""RDP properties of a host pool: `name:type:value;…`, read entry by entry, compared by meaning. Pure.

Form: facts/classic-service 1.5, facts/arm-service 1.3. Names, types and values: Microsoft Learn, "Supported RDP
properties". A name that is not on that list is no fault: later clients know more.
"""

import re
from typing import NamedTuple

import msgspec

WHOLE, TEXT, BYTES = "i", "s", "b"
LISTS = frozenset({"camerastoredirect", "devicestoredirect", "drivestoredirect", "usbdevicestoredirect"})
"""Folded names whose value is a list, parted by semicolons."""
_ITEM = re.compile(r"-?(\*|dynamicdrives|[a-z]\\?:\\*|\{[0-9a-f-]+\}|[^:=]*\\[^:=]*)", re.IGNORECASE)
"""One more of such a list: a drive, a class of devices, a device."""
_KINDS = {WHOLE: "a whole number", TEXT: "text", BYTES: "bytes"}


class Entry(NamedTuple):
    """One property. `name` as it was written; `value` trimmed, a whole number without leading zeros."""

    name: str
    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}:{self.kind}:{self.value}"


class Fault(NamedTuple):
    """An entry (as it was written) that cannot mean what somebody wanted. `usable`: it can be sent all the same."""

    entry: str
    why: str
    usable: bool = False


class Rdp(msgspec.Struct, frozen=True):
    """What a property string says. `entries`: in order, each name once, the last one; all can be sent."""

    entries: list[Entry]
    faults: list[Fault]

    def text(self) -> str:
        """The string as it is sent: what is wrong left out, one form for each entry; empty for no entry."""
        return "".join(f"{entry};" for entry in self.entries)

    def lost(self) -> list[Fault]:
        """What `text` does not hold."""
        return [fault for fault in self.faults if not fault.usable]

    def unknown(self) -> list[str]:
        """Names that are not on the published list."""
        return [entry.name for entry in self.entries if entry.name.casefold() not in KNOWN]

    def meaning(self) -> dict[str, tuple[str, str]]:
        """Folded name -> (type, value): equal for two strings that do the same."""
        return {entry.name.casefold(): (entry.kind, entry.value) for entry in self.entries}


def parse(text: str | None) -> Rdp:
    """Reads a property string; what cannot be used is among the faults, never lost."""
    found: dict[str, Entry] = {}
    faults: list[Fault] = []
    for part in _parts(text or ""):
        entry, why = _entry(part)
        if entry is None:
            faults.append(Fault(part, why))
            continue
        if why:
            faults.append(Fault(part, why, usable=True))
        before = found.pop(entry.name.casefold(), None)
        if before is not None and before != entry:
            faults.append(Fault(str(before), f"{entry.name} is there twice, the last one counts"))
        found[entry.name.casefold()] = entry
    return Rdp(list(found.values()), faults)


def same(one: str | None, other: str | None) -> bool:
    """Whether two property strings mean the same."""
    return parse(one).meaning() == parse(other).meaning()


def _parts(text: str) -> list[str]:
    """The entries as they are written. A list of drives or devices holds semicolons of its own:
    `drivestoredirect:s:C\\:;E\\:;` is one entry."""
    found: list[str] = []
    for piece in filter(None, (piece.strip() for piece in text.split(";"))):
        if found and _name(found[-1]) in LISTS and _ITEM.fullmatch(piece):
            found[-1] += f";{piece}"
        else:
            found.append(piece)
    return found


def _name(part: str) -> str:
    return " ".join(part.partition(":")[0].split()).casefold()


def _entry(part: str) -> tuple[Entry | None, str]:
    """The entry, or None with why there is none; an entry with a reason is doubtful and can be sent."""
    name, colon, rest = part.partition(":")
    kind, second, value = rest.partition(":")
    name, kind, value = " ".join(name.split()), kind.strip().casefold(), value.strip()
    if not (name and colon and second):
        return None, f"{part} is not name:type:value"
    if kind not in _KINDS:
        return None, f"{part} is not name:type:value: the type is {kind!r}, none of i, s and b"
    if kind == WHOLE:
        if not value.removeprefix("-").isdecimal() or not value.isascii():
            return None, f"{name} is no whole number: {value}"
        value = str(int(value))
    if kind == BYTES:
        value = value.casefold()
    return Entry(name, kind, value), _doubt(name, kind, value)


def _doubt(name: str, kind: str, value: str) -> str:
    known = KNOWN.get(name.casefold())
    if known is None:
        return ""
    wanted, values = known
    if kind != wanted:
        return f"{name} is {_KINDS[kind]}, clients expect {_KINDS[wanted]}"
    if values and int(value) not in values:
        return f"{name} is {value}, clients know {values[0]} to {values[-1]}"
    return ""


def _whole(least: int, most: int, *names: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (WHOLE, tuple(range(least, most + 1))) for name in names}


KNOWN: dict[str, tuple[str, tuple[int, ...]]] = {
    **_whole(
        0,
        1,
        "audiocapturemode",
        "autoreconnection enabled",
        "bandwidthautodetect",
        "compression",
        "disableconnectionsharing",
        "dynamic resolution",
        "enablecredsspsupport",
        "enablerdsaadauth",
        "encode redirected video capture",
        "maximizetocurrentdisplays",
        "networkautodetect",
        "redirectclipboard",
        "redirectcomports",
        "redirectlocation",
        "redirectprinters",
        "redirectsmartcards",
        "redirectwebauthn",
        "singlemoninwindowedmode",
        "smart sizing",
        "targetisaadjoined",
        "use multimon",
        "videoplaybackmode",
    ),
    **_whole(0, 2, "audiomode", "redirected video capture encoding quality"),
    **_whole(0, 3, "authentication level", "keyboardhook"),
    **_whole(0, 4, "desktop size id"),
    **_whole(1, 2, "screen mode id"),
    **_whole(1, 7, "connection type"),
    **dict.fromkeys(("desktopheight", "desktopwidth", "desktopscalefactor", "session bpp"), (WHOLE, ())),
    **dict.fromkeys(
        (
            "alternate shell",
            "camerastoredirect",
            "devicestoredirect",
            "domain",
            "drivestoredirect",
            "kdcproxyname",
            "selectedmonitors",
            "shell working directory",
            "usbdevicestoredirect",
            "username",
            "winposstr",
        ),
        (TEXT, ()),
    ),
}
"""Folded name -> (type, whole numbers that clients know; none named: any)."""
