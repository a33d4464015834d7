"""Reads files that the classic cmdlets made with ConvertTo-Json (facts/classic-service 3.3 to 3.5).

File names mean nothing; a file's content says what is in it. All problems of all files are collected. Pure: the bytes
come from the caller.
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from crossfade import jsontext
from crossfade.errors import Problem
from crossfade.model.provenance import Confidence, Gap
from crossfade.sources.drafts import Mark, Unclear, gap_of, leave_out, marked
from crossfade.sources.kinds import KEY_NAMES, REQUIRED, recognise
from crossfade.sources.records import SHAPES, Kind, RawRecord, Reading
from crossfade.sources.secrets import without_secrets
from crossfade.sources.texts import NotText, decoded

_AGAIN = "Export it again with `Get-Rds… | ConvertTo-Json | Out-File …`, or take the file out of the folder."
_FORMAT_MARK = "ClassId2e4f51ef21dd47e99d3c952918aff9cd"
_FORMAT_MARKS = frozenset({_FORMAT_MARK.casefold(), "formatentryinfo", "pageheaderentry", "shapeinfo"})
_DAMAGED = re.compile(_FORMAT_MARK, re.I)
_FOREIGN = (
    (re.compile(r"\s*<Objs\b"), "is CLIXML"),
    (re.compile(r"\s*#TYPE |\s*(\"?)[A-Za-z]+\1([,;\t]\1\w+\1)+\s*(\n|$)"), "is CSV"),
    (re.compile(r"\*{20,}"), "is a transcript"),
    (re.compile(r"\s*[A-Za-z]+ +: "), "is the text of Format-List"),
    (re.compile(r"\s*[A-Za-z ]+\r?\n-{3,}"), "is the text of Format-Table"),
)
"""How other files that people keep begin."""
_PACKED = {b"PK\x03\x04": "zip", b"\x1f\x8b": "gzip", b"7z\xbc\xaf": "7z"}
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape that is half of a letter: the other half should be beside it."""

_REMOTING = frozenset({"item", "pscomputername", "runspaceid", "psshowcomputername", "psstandardmembers"})


class ExportFile(msgspec.Struct, frozen=True):
    """A file to read. `written_at`: ISO UTC, as the folder has it."""

    name: str
    data: bytes
    written_at: str | None = None


def read_exports(files: Iterable[ExportFile]) -> Reading:
    """The records of all files, in order of their names. What makes them unusable is in `problems`."""
    reader = _Reader()
    for file in sorted(files, key=lambda file: file.name):
        reader.read(file)
    leave_out(reader.reading, reader.guesses)
    return reader.reading


class _Bad(msgspec.Struct, frozen=True):
    """In place of a record: what is wrong there, and the mend."""

    what: str
    mend: str = _AGAIN


class _Reader:
    """Fills one Reading, file by file. `guesses`: records of a draft that nobody has confirmed."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.guesses: list[tuple[RawRecord, Mark]] = []
        self._signs: dict[Mark, int] = {}

    def read(self, file: ExportFile) -> None:
        reading = self.reading
        if packed := next((name for mark, name in _PACKED.items() if file.data.startswith(mark)), None):
            mend = "Unpack it into the folder, and take the archive out."
            reading.problems.append(Problem(f"{file.name}:1", f"is a {packed} archive.", mend))
            return
        try:
            text, _ = decoded(file.data)
        except NotText as error:
            mend = "If Set-Content wrote it in an ANSI code page, export again with `Out-File -Encoding UTF8`."
            reading.problems.append(Problem(f"{file.name}:{error.line}", error.what, mend))
            return
        if not text.strip("\ufeff\0 \t\r\n"):
            reading.gaps.append(_empty(file.name))
            return
        origin = reading.origin("export", file.name, file.written_at)
        halves = _HALF.search(text) is not None
        for line, found in _rows(text):
            where = f"{file.name}:{line}"
            if halves and not isinstance(found, _Bad) and _has_half(found):
                found = _Bad("a text ends or begins with half of a letter: it has been cut there.")
            if isinstance(found, _Bad):
                reading.problems.append(Problem(where, found.what, found.mend))
            elif gap := gap_of(found):
                reading.gaps.append(gap)
            else:
                self._take(found, origin, where)

    def _take(self, found: dict[str, Any], origin: int, where: str) -> None:
        try:
            data, mark = marked(found)
        except Unclear as error:
            self.reading.problems.append(Problem(where, str(error), "Write one of these, or take the record out."))
            return
        kind = recognise(data)
        wrong = _wrong(kind, data) + _unsaid(kind, data, mark)
        self.reading.problems += [Problem(where, bad.what, bad.mend) for bad in wrong]
        if kind is None or wrong:
            return
        extra = _remoting(tuple(data))
        kept = {name: value for name, value in data.items() if name not in extra} if extra else data
        names = tuple(str(member(data, name)) for name in KEY_NAMES.get(kind, ()))
        source = origin if mark is None else self._sign(mark, where)
        record = RawRecord(kind=kind, data=without_secrets(kept), names=names, origin=source, where=where)
        if mark is not None and mark.confidence is Confidence.GUESSED:
            self.guesses.append((record, mark))
        else:
            self.reading.records.append(record)
        if kind is Kind.REGISTRATION:
            self.reading.gaps.append(_token_file(where.rpartition(":")[0]))

    def _sign(self, mark: Mark, where: str) -> int:
        """The index of the origin that a mark is."""
        if mark not in self._signs:
            place = mark.sign or where.rpartition(":")[0]
            self._signs[mark] = self.reading.origin("remains", place, mark.read_at, mark.confidence)
        return self._signs[mark]


@lru_cache(maxsize=SHAPES)
def _remoting(names: tuple[str, ...]) -> frozenset[str]:
    """Those that PowerShell adds to what comes from another machine."""
    return frozenset(name for name in names if name.casefold() in _REMOTING)


def member(data: dict[str, Any], name: str) -> Any:
    """A property in whatever casing it came, or None."""
    if name in data:
        return data[name]
    return next((value for key, value in data.items() if key.casefold() == name.casefold()), None)


def _wrong(kind: Kind | None, data: dict[str, Any]) -> list[_Bad]:
    names = tuple(data)
    if kind is None or _is_formatted(names):
        unknown = f"an object of no known type, with the properties {_listed(names)}."
        return [_formatted() if _is_formatted(names) else _Bad(unknown)]
    wrong = [_Bad(f"{kind} has {name!r} twice, in two casings.") for name in _twice(names)]
    return wrong + [bad for name in REQUIRED.get(kind, ()) if (bad := _key(kind, data, name))]


@lru_cache(maxsize=SHAPES)
def _is_formatted(names: tuple[str, ...]) -> bool:
    return not _FORMAT_MARKS.isdisjoint(name.casefold() for name in names)


@lru_cache(maxsize=SHAPES)
def _twice(names: tuple[str, ...]) -> list[str]:
    folded = [name.casefold() for name in names]
    return sorted({name for name in folded if folded.count(name) > 1})


def _unsaid(kind: Kind | None, data: dict[str, Any], mark: Mark | None) -> list[_Bad]:
    """Whether a pool is personal must be said where it was reconstructed: the service's default would let people into
    each other's desktops."""
    said = mark is None or mark.confidence is Confidence.GUESSED or member(data, "Persistent") is not None
    if kind is not Kind.POOL or said:
        return []
    mend = "Write true where each person has a host of their own, else false."
    return [_Bad(f"host pool {member(data, 'HostPoolName')} is not a guess, and Persistent says nothing.", mend)]


def _key(kind: Kind, data: dict[str, Any], name: str) -> _Bad | None:
    """What is wrong with a property that must be there: it is missing, empty, or no name."""
    value = member(data, name)
    mend = "Export it again without Select-Object, so that each object names itself and its parents."
    if value is None or value == "":
        return _Bad(f"{kind} without {name}.", mend)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return _Bad(f"{kind}: {name} is no name but {type(value).__name__}.", mend)
    if name != "Scope" and "/" in str(value):
        return _Bad(f"{kind}: {name} holds a slash, which no name of the classic service can.")
    return None


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:6]) or "none"
    return shown + (", …" if len(names) > 6 else "")


def _empty(name: str) -> Gap:
    return Gap(
        subject=name,
        what="The file has no content: what its cmdlet listed was empty. The content does not say which cmdlet.",
        why="Windows PowerShell writes nothing for an empty list.",
        mend="Nothing to do when that list was empty indeed.",
    )


def _token_file(name: str) -> Gap:
    return Gap(
        subject=name,
        what="The file holds a registration token. Only that there is one, and when it expires, was read.",
        why="Whoever has a valid token can join a machine to the host pool.",
        mend="Delete the file, or keep it where secrets are kept.",
    )


def _formatted() -> _Bad:
    what = "went through Format-Table or Format-List: that leaves layout and destroys the data."
    return _Bad(what, "Export again without Format-Table and Format-List.")


# ---------------------------------------------------------------- shapes


def _rows(text: str) -> Iterator[tuple[int, dict[str, Any] | _Bad]]:
    """Each object of a text with its line; in place of what cannot be read, what is wrong with it."""
    lines = jsontext.Lines(text)
    foreign = _foreign(text)
    if foreign is not None:
        yield 1, foreign
        return
    at = 0
    try:
        for at, found in _objects(text):
            yield lines.of(at), found if isinstance(found, dict | _Bad) else _not_an_object(found)
    except json.JSONDecodeError as error:
        yield lines.of(error.pos), _not_json(error, text)
    except jsontext.Repeated as error:
        yield lines.of(at), _Bad(f"an object here or below has two members named {error.name!r}.")
    except RecursionError:
        yield lines.of(at), _Bad("is nested too deeply to be an export.")
    except ValueError:
        yield lines.of(at), _Bad("an object here or below has a number of thousands of digits.")


def _foreign(text: str) -> _Bad | None:
    """Other files that people keep, and exports that a Format cmdlet has damaged."""
    if _DAMAGED.search(text):
        return _formatted()
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return None
    name = next((name for pattern, name in _FOREIGN if pattern.match(text)), None)
    return _Bad(f"{name}; this version reads JSON.") if name else None


def _objects(text: str) -> Iterator[tuple[int, Any]]:
    """The shapes of 3.4: one object, an array, `{"value": […], "Count": n}`, or several of these in one file."""
    at = jsontext.skip(text, 0)
    while at < len(text):
        if text[at] == "[":
            end = yield from jsontext.elements(text, at)
        else:
            end = yield from _one(text, at)
        at = jsontext.skip(text, end)


def _one(text: str, at: int) -> Generator[tuple[int, Any], None, int]:
    found, end = jsontext.value(text, at)
    inner = member(found, "value") if isinstance(found, dict) else None
    if isinstance(inner, list) and len(found) <= 2:
        start = next(start for name, start, _ in jsontext.members(text, at) if name.casefold() == "value")
        yield from jsontext.elements(text, start)
        count = member(found, "Count")
        if count is not None and count != len(inner):
            yield at, _Bad(f"Count says {count}, but there are {len(inner)}: the file has been cut or edited.")
    elif found is not None:
        yield at, found
    return end


def _has_half(found: dict[str, Any]) -> bool:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _not_an_object(found: Any) -> _Bad:
    if isinstance(found, str) and found.startswith(("@{", "Microsoft.RDInfra.", "System.")):
        return _Bad("the name of an object in place of the object.", "Export it again with `ConvertTo-Json -Depth 5`.")
    return _Bad(f"{type(found).__name__} where an object should be.")


def _not_json(error: json.JSONDecodeError, text: str) -> _Bad:
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        return _Bad("the text ends in the middle of a value: the file is cut off.")
    return _Bad(f"not JSON in column {error.colno}: {error.msg}.")
