"""Queries that are shipped for Log Analytics, and saved queries of classic rewritten for the new tables. Pure.

Classic wrote custom tables (facts/classic-service 6.2), the new service writes its own (facts/arm-service 6.2, 6.3).
`kql/columns.json` is the table of what becomes what. No source pairs the two sides; `sure` is false where one of the
two names is not confirmed, or where the names do not make the pair plain.
"""

import functools
import re
from importlib.resources import files

import msgspec

_TOKENS = re.compile(r"//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[A-Za-z_]\w*|.", re.DOTALL)
_CLASSIC = re.compile(r"\w+_(?:s|g|t|d|b|CL)\Z")
ACTIVITY = "WVDActivityV1_CL"
SCALING = "WVDTenantScale_CL"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A shipped query; `purpose` is its first comment."""

    name: str
    purpose: str
    text: str


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a classic table. `becomes` is None where no single column took its place: `note` says what did."""

    table: str
    column: str
    becomes: str | None
    sure: bool
    note: str


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """`activity_tables`: type of a classic activity -> its new table; `inferred_types`: those of which the names do not
    make that plain. `tables`: the other classic tables."""

    activity_tables: dict[str, str]
    inferred_types: list[str]
    tables: dict[str, str]
    columns: list[Column]


class Rewritten(msgspec.Struct, frozen=True, kw_only=True):
    """`changed`: what stood there -> what stands there now. `look_at`: what a person must decide or check."""

    text: str
    changed: dict[str, str]
    look_at: list[str]


def shipped() -> list[Query]:
    """All shipped queries, by name."""
    folder = files("crossfade.report") / "kql"
    found = [item for item in folder.iterdir() if item.name.endswith(".kql")]
    return [_query(item.name, item.read_text(encoding="utf-8")) for item in sorted(found, key=lambda item: item.name)]


def _query(name: str, text: str) -> Query:
    return Query(name=name.removesuffix(".kql"), purpose=text.split("\n", 1)[0].lstrip("/ "), text=text)


@functools.cache
def columns() -> Columns:
    data = (files("crossfade.report") / "kql" / "columns.json").read_bytes()
    return msgspec.json.decode(data, type=Columns)


def rewrite(query: str) -> Rewritten:
    """A saved query of classic with the new names, notes on top. Texts and comments in it are left as they are.

    Whatever ends like a classic column and is in no table is kept and named, so that nothing is lost in silence.
    """
    tokens = _TOKENS.findall(query)
    names, notes = _tables(tokens)
    used = set(names)
    names |= _columns(used, tokens, notes)
    known = {column.column for column in columns().columns if column.table in used} | used | {SCALING}
    unknown = sorted({token for token in tokens if _CLASSIC.match(token)} - known)
    notes += [f"{name}: is in no table of ours and was kept." for name in unknown]
    changed = {token: names[token] for token in sorted(set(tokens) & names.keys())}
    body = "".join(names.get(token, token) for token in tokens)
    head = "".join(f"// LOOK AT: {note}\n" for note in notes)
    return Rewritten(text=head + body, changed=changed, look_at=notes)


def _tables(tokens: list[str]) -> tuple[dict[str, str], list[str]]:
    """New names of the classic tables in use. Which one activities become is told by the types that it speaks of."""
    table = columns()
    names = {old: new for old, new in table.tables.items() if old in tokens}
    notes: list[str] = []
    if ACTIVITY in tokens:
        types = sorted({token[1:-1] for token in tokens if token[:1] in "\"'" and token[1:-1] in table.activity_tables})
        names[ACTIVITY] = table.activity_tables[types[0] if len(types) == 1 else "Connection"]
        if len(types) != 1:
            said = f"speaks of {', '.join(types)}" if types else "does not say of which type"
            notes.append(f"{ACTIVITY}: the query {said}; {names[ACTIVITY]} was taken. Each type has its own table.")
        elif types[0] in table.inferred_types:
            notes.append(f"{ACTIVITY}: of type {types[0]} became {names[ACTIVITY]}, an inference: check it.")
    if SCALING in tokens:
        notes.append(f"{SCALING}: was written by the classic scaling script; nothing writes it now.")
    return names, notes


def _columns(used: set[str], tokens: list[str], notes: list[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for column in columns().columns:
        if column.table not in used or column.column not in tokens:
            continue
        if column.becomes is None:
            notes.append(f"{column.column}: {column.note}.")
            continue
        names[column.column] = column.becomes
        if column.note:
            notes.append(f"{column.column}: became {column.becomes}; {column.note}.")
        if not column.sure:
            notes.append(f"{column.column}: became {column.becomes}, an inference: check it in your workspace.")
    return names
