"""One raw record -> one draft: the members of a classic object in one form, and what of it could not be read. Pure."""

from functools import lru_cache
from typing import Any

import msgspec

from crossfade.inventory.fields import FIELDS, NAMES, NEVER, Field
from crossfade.inventory.values import Unreadable
from crossfade.model.ids import classic_key
from crossfade.sources.records import Kind, RawRecord


class Draft(msgspec.Struct, kw_only=True, gc=False):
    """A classic object before it is checked against its fellows. `values`: members of the model that were read;
    `missing`: members that this record has not."""

    kind: Kind
    key: str
    values: dict[str, Any]
    extra: dict[str, Any]
    missing: tuple[str, ...]
    origin: int
    where: str


class Misread(msgspec.Struct, frozen=True):
    """A value that means nothing to us. `soft`: it is left out and that is all."""

    draft: Draft
    property: str
    why: str
    soft: bool


def drafted(record: RawRecord) -> tuple[Draft, list[Misread]]:
    """A record of a kind in `FIELDS`, normalised."""
    draft = Draft(
        kind=record.kind, key=_key(record), values={}, extra={}, missing=(), origin=record.origin, where=record.where
    )
    misread = []
    for name, value in record.data.items():
        field = _field(record.kind, name)
        if isinstance(field, Field):
            misread += _take(draft, field, name, value)
        elif value is not None and field:
            draft.extra[field] = value
    draft.missing = _missing(record.kind, frozenset(draft.values))
    return draft, misread


@lru_cache(maxsize=4096)
def _field(kind: Kind, name: str) -> Field | str:
    """Where a property goes: a member, a name in `extra`, or (empty) nowhere."""
    folded = name.casefold()
    unknown = "" if folded in NAMES or folded in NEVER else name[:1].lower() + name[1:]
    return FIELDS[kind].get(folded) or unknown


@lru_cache(maxsize=4096)
def _missing(kind: Kind, there: frozenset[str]) -> tuple[str, ...]:
    """Members of the design that a record with these has not."""
    return tuple(sorted({field.attribute for field in FIELDS[kind].values() if field.design} - there))


def _take(draft: Draft, field: Field, name: str, value: Any) -> list[Misread]:
    """Put one value where it belongs. Of two spellings of one property, the one that says something wins."""
    try:
        found = field.convert(value)
    except Unreadable as error:
        draft.values.setdefault(field.attribute, None)
        return [Misread(draft, name, str(error), field.soft)]
    if draft.values.get(field.attribute) is None:
        draft.values[field.attribute] = found
    return []


def _key(record: RawRecord) -> str:
    if record.kind is Kind.ROLE:
        scope = next((value for name, value in record.data.items() if name.casefold() == "scope"), "")
        return str(scope).strip("/")
    return classic_key(*record.names)
