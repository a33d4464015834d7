"""The draft of an estate that was reconstructed: records as exports hold them, with how sure each is (decision 0013).

A record that is guessed is left out, and so is all that lies below it, until somebody confirms it. Pure.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from crossfade.model.ids import classic_key, fold
from crossfade.model.provenance import Confidence, Gap
from crossfade.sources.records import SHAPES, Kind, RawRecord, Reading

CONFIDENCE, SIGN, READ_AT = "Confidence", "Sign", "ReadAt"
_MARKS = {name.casefold(): name for name in (CONFIDENCE, SIGN, READ_AT)}
_GAP = ("subject", "what", "why", "mend")
_OWNERS = frozenset({Kind.TENANT, Kind.POOL, Kind.GROUP})
"""Kinds that others lie below."""
CONFIRM = "Write `confirmed` in place of `guessed` where it is true, delete the others, and read the folder again."


class Unclear(ValueError):
    """What is wrong with a record of a draft; the text is for people."""


class Mark(msgspec.Struct, frozen=True):
    """What a record of a draft says of itself."""

    confidence: Confidence
    sign: str = ""
    read_at: str | None = None


def marked(data: dict[str, Any]) -> tuple[dict[str, Any], Mark | None]:
    """The record without its marks, and these; None where it is an export's. Raises Unclear."""
    names = _marks_of(tuple(data))
    found = {mark: data[name] for name, mark in names.items()}
    if CONFIDENCE not in found:
        return data, None
    kept = {name: value for name, value in data.items() if name not in names}
    try:
        confidence = Confidence(str(found[CONFIDENCE]).strip().casefold())
    except ValueError:
        known = ", ".join(Confidence)
        raise Unclear(f"{CONFIDENCE} is {found[CONFIDENCE]!r}; known are {known}.") from None
    read_at = found.get(READ_AT)
    return kept, Mark(confidence, str(found.get(SIGN) or ""), str(read_at) if read_at else None)


@lru_cache(maxsize=SHAPES)
def _marks_of(names: tuple[str, ...]) -> dict[str, str]:
    """Names as they are written -> marks that they are."""
    return {name: _MARKS[name.casefold()] for name in names if name.casefold() in _MARKS}


def gap_of(data: dict[str, Any]) -> Gap | None:
    """The gap that a draft keeps in this object, if it is one."""
    if len(data) != len(_GAP):
        return None
    folded = {name.casefold(): value for name, value in data.items()}
    return Gap(**{name: str(folded[name]) for name in _GAP}) if folded.keys() == set(_GAP) else None


def leave_out(reading: Reading, guesses: Iterable[tuple[RawRecord, Mark]]) -> None:
    """Take what lies below a guess out of a reading, and tell of all that is left out."""
    guesses = list(guesses)
    known = {fold(classic_key(*record.names)) for record in reading.records if record.kind in _OWNERS}
    unsure = {_key(record): record for record, _ in guesses if record.kind in _OWNERS and _key(record) not in known}
    below: dict[str, int] = {}
    kept = []
    for record in reading.records:
        above = next((key for key in _above(record) if key in unsure), None)
        if above is None:
            kept.append(record)
        else:
            below[above] = below.get(above, 0) + 1
    reading.records = kept
    reading.gaps += _told(guesses, below)


def _key(record: RawRecord) -> str:
    return fold(classic_key(*record.names))


def _above(record: RawRecord) -> Iterator[str]:
    """Keys of a record's own place and of all above it, outermost first."""
    return (fold(classic_key(*record.names[:depth])) for depth in range(1, len(record.names) + 1))


def _told(guesses: list[tuple[RawRecord, Mark]], below: dict[str, int]) -> Iterator[Gap]:
    alike: dict[tuple[str, Kind], list[tuple[RawRecord, Mark]]] = {}
    for record, mark in guesses:
        if record.kind in _OWNERS:
            yield _pool_gap(record, mark, below.get(_key(record), 0))
        else:
            alike.setdefault((record.where.rpartition(":")[0], record.kind), []).append((record, mark))
    for (file, kind), found in alike.items():
        signs = list(dict.fromkeys(mark.sign for _, mark in found))
        first = "The first: " if len(signs) > 1 else ""
        yield Gap(
            subject=file,
            what=f"{_many(len(found), kind)} and left out.",
            why=f"{first}{signs[0]}.",
            mend=CONFIRM,
        )


def _many(count: int, kind: Kind) -> str:
    return f"1 {kind} in it is a guess" if count == 1 else f"{count} {kind}s in it are guesses"


def _pool_gap(record: RawRecord, mark: Mark, below: int) -> Gap:
    return Gap(
        subject=f"{record.kind} {classic_key(*record.names)}",
        what=f"It is a guess: it was left out, with all that is known below it ({below} records).",
        why=f"{mark.sign}.",
        mend=f"In {record.where}: {CONFIRM[0].lower()}{CONFIRM[1:]}",
    )
