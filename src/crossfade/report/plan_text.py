"""A plan as text that people can sign: what is there now against what will be, row by row.

Signs: + create, ~ change, = taken as it is, . nothing to do, ! conflict.
"""

from collections import Counter
from collections.abc import Iterable

from crossfade.model.ids import fold, last_name
from crossfade.plan.diff import SIGNS, Change, changes, conflicts
from crossfade.plan.operations import Action
from crossfade.plan.plan import Plan, Wave
from crossfade.report import words
from crossfade.report.tables import indented, section, table

LEGEND = "+ create   ~ change   = there already, adopted   . nothing to do   ! conflict"
_WORDS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to change",
    Action.ADOPT: "adopted",
    Action.NO_OP: "nothing to do",
    Action.CONFLICT: "in conflict",
}
PERSONAL = frozenset({"grant-role", "add-member", "retract-assignment"})
"""Kinds of operations that are one per person: counted here, listed in plan.json."""


def plan_text(plan: Plan, *, every_row: bool = False) -> str:
    """The plan. `every_row`: also those of single people."""
    rows = changes(plan)
    shown = rows if every_row else [row for row in rows if row.kind not in PERSONAL or row.sign == "!"]
    lines = [counts(rows), LEGEND, "", *(_row(row) for row in shown)]
    if not every_row:
        lines += _people_rows(rows)
    lines += section("Waves", waves(plan))
    lines += section(
        "Conflicts: decide each in crossfade.toml [conflicts]", [_conflict(row) for row in conflicts(plan)]
    )
    lines += section("Cannot be undone", irreversible(plan))
    lines += section("Not carried over", not_carried(plan))
    lines += section("Good to know", [words.clean(note) for note in plan.notes])
    return "\n".join(lines)


def counts(rows: Iterable[Change]) -> str:
    """`Plan: 12 to create, 3 to change, 1 adopted.`"""
    found = Counter(row.sign for row in rows)
    parts = [f"{found[SIGNS[action]]:,} {text}" for action, text in _WORDS.items() if found[SIGNS[action]]]
    return f"Plan: {', '.join(parts) or 'nothing'}."


def _row(row: Change) -> str:
    return words.clean(f"{row.sign} {row.kind:<24} {_place(row.subject)}  ({row.reason})")


def _place(subject: str) -> str:
    """An ARM id without subscription and provider; anything else as it is."""
    _, found, rest = subject.partition("/providers/Microsoft.DesktopVirtualization/")
    return rest if found else subject


def _people_rows(rows: Iterable[Change]) -> list[str]:
    """One row for each kind and sign of what is done person by person."""
    found = Counter((row.sign, row.kind) for row in rows if row.kind in PERSONAL and row.sign != "!")
    return [f"{sign} {kind:<24} {number:,} times, person by person" for (sign, kind), number in sorted(found.items())]


def _conflict(row: Change) -> str:
    return words.clean(f"{row.subject}: {row.reason}")


def waves(plan: Plan) -> list[str]:
    """The waves with how many hosts of which pools and how many people."""
    pool_of = {fold(move.source): move.source_pool for move in plan.hosts}
    rows = [
        (wave.id, words.kind(wave.kind), len(wave.hosts), len(wave.cohort), _pools(wave, pool_of))
        for wave in plan.waves
    ]
    return table(("wave", "what", "hosts", "people", "of"), rows, right=(2, 3))


def _pools(wave: Wave, pool_of: dict[str, str]) -> str:
    found = Counter(last_name(pool_of.get(fold(host), "?")) for host in wave.hosts)
    return ", ".join(f"{name} {number}" for name, number in sorted(found.items()))


def irreversible(plan: Plan) -> list[str]:
    return [
        words.clean(f"{_place(operation.subject)}: {operation.irreversible}")
        for operation in plan.operations
        if operation.irreversible
    ]


def not_carried(plan: Plan) -> list[str]:
    lines = []
    for left in plan.not_carried:
        lines.append(words.clean(f"{words.resource(left.subject)}: {left.property} = {left.value!r}"))
        lines += indented([words.clean(left.why)])
    return lines
