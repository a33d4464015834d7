"""One raw record -> one draft: the members of a classic object in one form, and what of it could not be read. Pure."""

from typing import Any

import msgspec

from crossfade.inventory.fields import FIELDS, NAMES, NEVER, Field
from crossfade.inventory.values import Unreadable
from crossfade.model.ids import classic_key
from crossfade.sources.records import Kind, RawRecord


class Draft(msgspec.Struct, kw_only=True):
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
    fields = FIELDS[record.kind]
    draft = Draft(
        kind=record.kind, key=_key(record), values={}, extra={}, missing=(), origin=record.origin, where=record.where
    )
    misread = []
    for name, value in record.data.items():
        folded = name.casefold()
        field = fields.get(folded)
        if field is not None:
            misread += _take(draft, field, name, value)
        elif value is not None and folded not in NAMES and folded not in NEVER:
            draft.extra[name[:1].lower() + name[1:]] = value
    draft.missing = tuple(sorted({field.attribute for field in fields.values() if field.design} - draft.values.keys()))
    return draft, misread


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
