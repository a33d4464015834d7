"""What `summarize` reckons of the rows of a group."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from avdtwin.kql.errors import BadQuery
from avdtwin.kql.expressions import Expressions
from avdtwin.kql.terms import Term, column_term
from avdtwin.kql.values import Row


class Aggregate(NamedTuple):
    """What `summarize` reckons of the rows of a group: columns with their types, and their values."""

    columns: dict[str, str]
    fold: Callable[[list[Row]], Row]

    def renamed(self, name: str) -> "Aggregate":
        """With another name for the first column."""
        first = next(iter(self.columns))
        columns = {name if old == first else old: kind for old, kind in self.columns.items()}
        return Aggregate(
            columns, lambda rows: {name if old == first else old: value for old, value in self.fold(rows).items()}
        )


def _of_one(name: str, kind: str, fold: Callable[[list[Row]], Any]) -> Aggregate:
    return Aggregate({name: kind}, lambda rows: {name: fold(rows)})


def _count(parser: Expressions, function: str) -> Aggregate:
    return _of_one("count_", "long", len)


def _countif(parser: Expressions, function: str) -> Aggregate:
    holds = parser.condition_of("summarize").value
    return _of_one("countif_", "long", lambda rows: sum(1 for row in rows if holds(row)))


def _dcount(parser: Expressions, function: str) -> Aggregate:
    term = parser.column()
    return _of_one(f"dcount_{term.name}", "long", lambda rows: len({repr(value) for value in _known(term, rows)}))


def _picked(parser: Expressions, function: str) -> Aggregate:
    term, pick = parser.column(), _PICK[function.removesuffix("if")]
    holds = None
    if function.endswith("if"):
        parser.must(",")
        holds = parser.condition_of("summarize").value
    kind = "real" if function.startswith("avg") else term.type

    def fold(rows: list[Row]) -> Any:
        values = _known(term, rows if holds is None else [row for row in rows if holds(row)])
        return pick(values) if values else None

    return _of_one(f"{function}_{term.name}", kind, fold)


def _percentile(parser: Expressions, function: str) -> Aggregate:
    term = parser.column()
    parser.must(",")
    rank = float(parser.taken("number"))
    if rank > 100:
        raise BadQuery("'summarize' operator: a percentile lies between 0 and 100", code="SEM0027")

    def fold(rows: list[Row]) -> Any:
        values = sorted(_known(term, rows))
        return values[max(0, math.ceil(rank / 100 * len(values)) - 1)] if values else None

    return _of_one(f"percentile_{term.name}_{rank:g}".replace(".", "_"), term.type, fold)


def _take_any(parser: Expressions, function: str) -> Aggregate:
    terms = parser.several(parser.column)
    return Aggregate(
        {term.name: term.type for term in terms},
        lambda rows: {term.name: term.value(rows[0]) if rows else None for term in terms},
    )


def _arg(parser: Expressions, function: str) -> Aggregate:
    term, pick = parser.column(), max if function == "arg_max" else min
    terms = [term]
    while parser.take(","):
        if parser.take("*"):
            terms += [column_term("summarize", parser.columns, [name]) for name in parser.columns or ()]
        else:
            terms.append(parser.column())

    def fold(rows: list[Row]) -> Row:
        known = [row for row in rows if term.value(row) is not None]
        best = pick(known, key=term.value) if known else None
        return {each.name: None if best is None else each.value(best) for each in terms}

    return Aggregate({each.name: each.type for each in terms}, fold)


def _known(term: Term, rows: list[Row]) -> list[Any]:
    return [value for value in (term.value(row) for row in rows) if value is not None]


_PICK: dict[str, Callable[[list[Any]], Any]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
}
AGGREGATES: dict[str, Callable[[Expressions, str], Aggregate]] = {
    "count": _count,
    "countif": _countif,
    "dcount": _dcount,
    **dict.fromkeys(("max", "min", "sum", "avg", "maxif", "minif", "sumif", "avgif"), _picked),
    "percentile": _percentile,
    "take_any": _take_any,
    "arg_max": _arg,
    "arg_min": _arg,
}
