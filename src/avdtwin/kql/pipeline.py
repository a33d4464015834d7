"""A query run while it is read: each operator takes a table and leaves another."""

from collections.abc import Callable

from avdtwin.kql.aggregates import AGGREGATES, Aggregate
from avdtwin.kql.errors import BadQuery
from avdtwin.kql.expressions import Expressions
from avdtwin.kql.terms import Table, Term, columns_of
from avdtwin.kql.values import Row, sortable

Find = Callable[[str], Table | None]


class Pipeline(Expressions):
    """One query. `find` gives a table by its name; without `joins` a query is of one table."""

    def __init__(self, text: str, find: Find, now: float, joins: bool) -> None:
        super().__init__(text, now)
        self._find = find
        self._joins = joins

    def run(self) -> Table:
        found = self._pipeline()
        if self.token.kind != "end":
            raise self.unexpected()
        return found

    def _pipeline(self) -> Table:
        name = self.name()
        table = self._find(name)
        if table is None:
            raise BadQuery(f"Failed to resolve table or column expression named '{name}'")
        while self.take("|"):
            start = self._at
            self.operator = self.name().lower()
            step = STEPS.get(self.operator)
            if step is None:
                self._at = start
                raise self.unexpected()
            self.columns = table.columns
            table = step(self, table)
        return table

    def where(self, table: Table) -> Table:
        holds = self.condition_of("where").value
        return Table(table.columns, [row for row in table.rows if holds(row)])

    def project(self, table: Table) -> Table:
        terms = self.several(self.column)
        rows = [{term.name: term.value(row) for term in terms} for row in table.rows]
        return Table(columns_of(table, terms), rows)

    def extend(self, table: Table) -> Table:
        terms = self.several(self.column)
        rows = [row | {term.name: term.value(row) for term in terms} for row in table.rows]
        columns = columns_of(table, terms)
        return Table(None if table.columns is None or columns is None else table.columns | columns, rows)

    def distinct(self, table: Table) -> Table:
        projected = self.project(table)
        found: dict[str, Row] = {}
        for row in projected.rows:
            found.setdefault(repr(row), row)
        return Table(projected.columns, list(found.values()))

    def order(self, table: Table) -> Table:
        self.word("by")
        return Table(table.columns, _sorted(table.rows, self.several(self._order_key)))

    def top(self, table: Table) -> Table:
        count = self.whole()
        return Table(table.columns, self.order(table).rows[:count])

    def limit(self, table: Table) -> Table:
        return Table(table.columns, table.rows[: self.whole()])

    def count(self, table: Table) -> Table:
        return Table({"Count": "long"}, [{"Count": len(table.rows)}])

    def summarize(self, table: Table) -> Table:
        """Keys first, then what was reckoned; without keys one row, also of no rows at all."""
        aggregates = [] if self.is_word("by") else self.several(self.aggregate)
        keys = self.several(self.column) if self.take_word("by") else []
        groups: dict[str, list[Row]] = {} if keys else {"": list(table.rows)}
        for row in table.rows if keys else ():
            groups.setdefault(repr([key.value(row) for key in keys]), []).append(row)
        rows = []
        for group in groups.values():
            made = {key.name: key.value(group[0]) for key in keys}
            for aggregate in aggregates:
                made |= aggregate.fold(group)
            rows.append(made)
        columns = {key.name: key.type for key in keys}
        for aggregate in aggregates:
            columns |= aggregate.columns
        return Table(columns, rows)

    def join(self, table: Table) -> Table:
        if not self._joins:
            raise BadQuery("'join' operator: queries of one table are answered here, no others", code="SEM0001")
        kind = "inner"
        if self.take_word("kind"):
            self.must("=")
            kind = self.name().lower()
        if kind not in ("inner", "leftouter"):
            raise BadQuery(f"'join' operator: join of kind '{kind}' is not known")
        self.must("(")
        with self.nested():
            others = self._pipeline()
        self.must(")")
        self.word("on")
        key = self.name()
        by_key: dict[str, list[Row]] = {}
        for other in others.rows:
            by_key.setdefault(repr(other.get(key)), []).append(other)
        found = []
        for row in table.rows:
            matches = by_key.get(repr(row.get(key)), [{}] if kind == "leftouter" else [])
            found += [row | {_free(name, row): value for name, value in match.items()} for match in matches]
        return Table(None, found)

    # -- parts of operators

    def _order_key(self) -> tuple[Term, bool]:
        term = self.expression()
        if self.take_word("asc"):
            return term, False
        self.take_word("desc")
        return term, True

    def aggregate(self) -> "Aggregate":
        name = ""
        if self.token.kind == "name" and self._tokens[self._at + 1].text == "=":
            name = self.name()
            self.must("=")
        function = self.name().lower()
        make = AGGREGATES.get(function)
        if make is None:
            raise BadQuery(f"'summarize' operator: Unknown function: '{function}'.", code="SEM0260")
        self.must("(")
        with self.nested():
            made = make(self, function)
        self.must(")")
        return made.renamed(name) if name else made


def _sorted(rows: list[Row], keys: list[tuple[Term, bool]]) -> list[Row]:
    for term, down in reversed(keys):
        rows = sorted(rows, key=lambda row, term=term: sortable(term.value(row)), reverse=down)  # type: ignore[misc]
    return rows


def _free(name: str, row: Row) -> str:
    """The name of a joined column: with a number where the left side has it."""
    return f"{name}1" if name in row else name


STEPS: dict[str, Callable[[Pipeline, Table], Table]] = {
    "where": Pipeline.where,
    "project": Pipeline.project,
    "extend": Pipeline.extend,
    "distinct": Pipeline.distinct,
    "summarize": Pipeline.summarize,
    "order": Pipeline.order,
    "sort": Pipeline.order,
    "top": Pipeline.top,
    "limit": Pipeline.limit,
    "take": Pipeline.limit,
    "count": Pipeline.count,
    "join": Pipeline.join,
}
