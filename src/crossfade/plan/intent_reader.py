"""`crossfade.toml` read with every problem at once, each with its line."""

import difflib
import re
import tomllib
from typing import Any

import msgspec

from crossfade.errors import InputError, Problem
from crossfade.model.growth import Growth
from crossfade.plan.intent import (
    Accepted,
    Access,
    Azure,
    Diagnostics,
    Hooks,
    Installers,
    Intent,
    Names,
    Notices,
    PoolIntent,
    Scaling,
    Sessions,
    Waves,
)
from crossfade.plan.intent_ranges import out_of_range


def read_intent(data: bytes, *, place: str = "crossfade.toml") -> Intent:
    """The intent from the bytes of its file. Raises InputError with all problems, each with its line."""
    try:
        text = data.decode("utf-8-sig")
        raw = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem(f"{place}:{line}", "is not UTF-8.", "Save the file as UTF-8.")
        raise InputError(f"{place} cannot be used.", [problem]) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        where = f"{place}:{found[1]}" if found else place
        raise InputError(f"{place} is not TOML.", [Problem(where, f"{error}.", "Correct the line.")]) from None
    reader = _Reader(text, place)
    intent = reader.intent(raw)
    reader.problems.extend(out_of_range(intent, reader.where))
    if reader.problems:
        raise InputError(f"{place} has {len(reader.problems)} problem(s).", reader.problems)
    return intent


class _Reader:
    """Converts section by section and member by member, so that one wrong value does not hide the next."""

    def __init__(self, text: str, place: str) -> None:
        self.place = place
        self.problems: list[Problem] = []
        self._lines = _line_numbers(text)

    def where(self, *path: str) -> str:
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line:
                return f"{self.place}:{line}"
        return self.place

    def intent(self, raw: dict[str, Any]) -> Intent:
        values: dict[str, Any] = {}
        for name, value in raw.items():
            convert = _SECTIONS.get(name)
            if convert is None:
                self._unknown((name,), name, list(_SECTIONS))
            else:
                values[name] = convert(self, name, value)
        return Intent(**{name: value for name, value in values.items() if value is not None})

    def section(self, kind: type[Any], path: tuple[str, ...], value: Any) -> Any:
        """One table as `kind`; wrong members are noted and left at their default."""
        if not isinstance(value, dict):
            self.problems.append(Problem(self.where(*path), f"{path[-1]} must be a table.", "Write it as [section]."))
            return None
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        values: dict[str, Any] = {}
        for name, item in value.items():
            field = fields.get(name)
            if field is None:
                self._unknown((*path, name), name, list(fields))
                continue
            try:
                values[name] = msgspec.convert(item, field.type)
            except msgspec.ValidationError as error:
                what = f"{'.'.join((*path, name))}: {error}."
                self.problems.append(Problem(self.where(*path, name), what, "Correct the value."))
        missing = [name for name, field in fields.items() if field.required and name not in value]
        for name in missing:
            self.problems.append(Problem(self.where(*path), f"{'.'.join(path)} lacks {name}.", f"Add {name}."))
        required = {field.name for field in fields.values() if field.required}
        return kind(**values) if required <= values.keys() else None

    def _unknown(self, path: tuple[str, ...], name: str, known: list[str]) -> None:
        close = difflib.get_close_matches(name, known, 1)
        mend = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(sorted(known))}."
        self.problems.append(Problem(self.where(*path), f"{'.'.join(path)} is not a setting.", mend))


def _table(kind: type[Any]) -> Any:
    return lambda reader, name, value: reader.section(kind, (name,), value)


def _texts(reader: _Reader, name: str, value: Any) -> dict[str, str] | None:
    try:
        return msgspec.convert(value, dict[str, str])
    except msgspec.ValidationError as error:
        reader.problems.append(Problem(reader.where(name), f"{name}: {error}.", "Write texts in quotes."))
        return None


def _lists(reader: _Reader, name: str, value: Any) -> dict[str, list[str]] | None:
    try:
        return msgspec.convert(value, dict[str, list[str]])
    except msgspec.ValidationError as error:
        mend = 'Write a list of ids: "<app group>" = ["<group id>"].'
        reader.problems.append(Problem(reader.where(name), f"{name}: {error}.", mend))
        return None


def _pools(reader: _Reader, name: str, value: Any) -> dict[str, PoolIntent]:
    if not isinstance(value, dict):
        reader.problems.append(Problem(reader.where(name), "pools must be a table.", 'Write it as [pools."<key>"].'))
        return {}
    found = {key: reader.section(PoolIntent, (name, key), item) for key, item in value.items()}
    return {key: item for key, item in found.items() if item is not None}


def _scaling(reader: _Reader, name: str, value: Any) -> dict[str, Scaling]:
    if not isinstance(value, dict):
        mend = 'Write it as [scaling."<pool>"].'
        reader.problems.append(Problem(reader.where(name), "scaling must be a table.", mend))
        return {}
    found = {key: reader.section(Scaling, (name, key), item) for key, item in value.items()}
    return {key: item for key, item in found.items() if item is not None}


def _accepted(reader: _Reader, name: str, value: Any) -> list[Accepted]:
    if not isinstance(value, list):
        reader.problems.append(Problem(reader.where(name), "accepted must be a list.", "Write it as [[accepted]]."))
        return []
    found = [reader.section(Accepted, (name,), item) for item in value]
    return [item for item in found if item is not None]


_SECTIONS: dict[str, Any] = {
    "azure": _table(Azure),
    "names": _table(Names),
    "rename": _texts,
    "tags": _texts,
    "growth": _table(Growth),
    "access": _table(Access),
    "waves": _table(Waves),
    "sessions": _table(Sessions),
    "notices": _table(Notices),
    "hooks": _table(Hooks),
    "installers": _table(Installers),
    "diagnostics": _table(Diagnostics),
    "pools": _pools,
    "accepted": _accepted,
    "conflicts": _texts,
    "groups": _lists,
    "roles": _texts,
    "people": _texts,
    "single_sign_on": _texts,
    "scaling": _scaling,
}


def _line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """Path of a table or key -> its line. Good for plain tables and `key = value` lines, as `init` writes them."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?(.+?)\]\]?\s*(#.*)?$", line)
        key = re.match(r"\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)\s*=", line)
        if header:
            table = tuple(part.strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+", header[1]))
            found.setdefault(table, number)
        elif key:
            found.setdefault((*table, key[1].strip("\"'")), number)
    return found
