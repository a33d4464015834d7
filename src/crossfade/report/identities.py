"""The people whom the directory does not know, as a table to fill in: CSV out, and what was filled in back.

Whatever a name holds, a spreadsheet takes no cell for a formula: one that looks like it gets an apostrophe in front,
which is taken off again. Read with commas or semicolons, with or without the mark of UTF-8: as spreadsheets save it.
"""

import csv
import io
from collections.abc import Iterable, Mapping

from crossfade.errors import InputError, Problem
from crossfade.model.ids import fold
from crossfade.plan.people import Unresolved, is_left_out, is_object_id, reason_of

COLUMNS = ("classic name", "state", "why", "has", "maybe", "now")
NOW = "A UPN, an object id, or `leave out: <reason>`; empty while it is undecided."
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARK = "\ufeff"


def as_csv(people: Iterable[Unresolved]) -> bytes:
    """One row for each placeholder; `now` is what was decided so far."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in people:
        cells = (one.upn, one.state, one.why, str(one.groups), one.maybe, one.decided)
        writer.writerow([_safe(cell) for cell in cells])
    return (_MARK + text.getvalue()).encode()


def told(one: Unresolved) -> str:
    """Who it is, and what was decided."""
    maybe = f"; today perhaps {one.maybe}, who has this address" if one.maybe else ""
    undecided = f"undecided ({one.state}; groups and desktops in classic: {one.groups}{maybe})"
    return f"{one.upn}: {one.decided or undecided}"


def from_csv(data: bytes, known: Iterable[str], *, place: str) -> dict[str, str]:
    """Classic name -> what was decided, empty for undecided. Raises InputError with every problem and its line.

    `known`: the names that wait for a decision; any other is a mistake.
    """
    waiting = {fold(upn): upn for upn in known}
    rows = _rows(data, place)
    decided: dict[str, str] = {}
    problems: list[Problem] = []
    for line, row in rows:
        name, now = _plain(row[COLUMNS[0]]), _plain(row["now"]).strip()
        wrong = _wrong(name, now, waiting, decided)
        if wrong:
            problems.append(Problem(f"{place}:{line}", *wrong))
        elif name:
            decided[waiting[fold(name)]] = now
    if problems:
        raise InputError(f"{place} cannot be used; nothing was written.", problems)
    return decided


def _rows(data: bytes, place: str) -> list[tuple[int, Mapping[str, str]]]:
    try:
        text = data.decode("utf-8-sig")
        head = text.partition("\n")[0]
        reader = csv.DictReader(
            io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True
        )
        rows: list[tuple[int, Mapping[str, str]]] = [
            (reader.line_num, {key: value or "" for key, value in row.items() if key}) for row in reader
        ]
        missing = [name for name in (COLUMNS[0], "now") if name not in (reader.fieldnames or [])]
    except (UnicodeDecodeError, csv.Error) as error:
        problem = Problem(place, f"is no CSV in UTF-8: {error}.", "Save it as CSV UTF-8.")
        raise InputError(f"{place} cannot be used.", [problem]) from None
    if missing:
        what = f"lacks the column {' and '.join(missing)}."
        raise InputError(f"{place} cannot be used.", [Problem(f"{place}:1", what, "Keep the first line as it was.")])
    return rows


def _wrong(name: str, now: str, waiting: Mapping[str, str], decided: Mapping[str, str]) -> tuple[str, str] | None:
    """What and mend, or None for a good row."""
    if not name and not now:
        return None
    if fold(name) not in waiting:
        return f"{name or 'nobody'} waits for no decision.", "Keep the names as they were written."
    if decided.get(waiting[fold(name)], now) != now:
        return f"{name} is decided twice, and differently.", "Keep one of the rows."
    if now and not _says_something(now):
        return f"{now} says not who {name} is.", NOW
    return None


def _says_something(now: str) -> bool:
    if is_left_out(now):
        return bool(reason_of(now))
    return is_object_id(now) or (now.count("@") == 1 and " " not in now and not now.startswith("@"))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) or text.startswith("'") else text


def _plain(text: str) -> str:
    return text[1:] if text.startswith("'") else text
