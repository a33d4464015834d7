"""A small interpreter of the Kusto query language: one table, a pipeline of operators (facts/arm-service 7.4, 6.4).

| Part | Known |
|---|---|
| operators | `_STEPS`: filters, projections, `summarize … by`, sorting and limits of one table; with `joins` also |
| | `join` of kind inner or leftouter, `(…) on key` |
| conditions | `and`, `or`, `not`, comparisons, `in`, `in~`, `contains`, `has`, `startswith`, `endswith`, and |
| | `between (a .. b)`, the last six also with `!` |
| functions | `_FUNCTIONS` and `_SPECIAL`; `+`, `-`, `*`, `/` |
| aggregates | `_AGGREGATES` |

The rest is refused. A table with columns has its names and types checked before a row is looked at, as Kusto does it;
one without takes any name. Values: datetimes and timespans are seconds; a text that is missing is empty, anything else
None.
"""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from avdtwin.clock import iso, parse_iso

Row = dict[str, Any]
_DEEPEST = 30
_LONGEST = 10_000
"""Tokens of a query."""

_TOKENS = re.compile(
    r"""(?:\s|//[^\n]*)*(?:(?P<moment>datetime\([^()'"|]*\))|(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<span>\d+(?:\.\d+)?(?:ms|d|h|m|s)\b)|(?P<number>\d+(?:\.\d+)?(?![\w]))"""
    r"""|(?P<name>!?in~|!(?:in|contains|has|startswith|endswith|between)\b|[A-Za-z_$][\w$]*)"""
    r"""|(?P<mark>=~|!~|==|!=|<=|>=|\.\.|[|(),.=<>*/+\[\]-])|(?P<end>\Z)|(?P<wrong>.))""",
    re.DOTALL,
)
_SPAN_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_NUMBERS = ("int", "long", "real")
_TOO_LONG = 2**63
_ANY = "dynamic"


class BadQuery(Exception):
    """A query that cannot be run; the text says where. `kind` is `SyntaxError` or `SemanticError`, `code` Kusto's."""

    def __init__(self, text: str, *, kind: str = "SemanticError", code: str = "SEM0100", token: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.code = code
        self.token = token


class Table(NamedTuple):
    """Rows, and the type of each column; None: any name may be asked for."""

    columns: dict[str, str] | None
    rows: list[Row]


class Term(NamedTuple):
    """An expression: its value for a row, its type (`dynamic` where nobody knows) and the name of its column."""

    value: Callable[[Row], Any]
    type: str = _ANY
    name: str = ""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


Find = Callable[[str], Table | None]


def run(text: str, find: Find, *, now: float, joins: bool = False) -> Table:
    """The answer to a query; `find` gives a table by its name. Raises BadQuery."""
    return _Parser(text, find, now, joins).run()


class _Parser:
    """Runs a query while reading it: each operator takes a table and leaves another."""

    def __init__(self, text: str, find: Find, now: float, joins: bool) -> None:
        self._text = text
        self._tokens = _scan(text)
        self._at = 0
        self._find = find
        self._now = now
        self._joins = joins
        self._depth = 0
        self._operator = ""
        self._columns: dict[str, str] | None = None

    def run(self) -> Table:
        found = self._pipeline()
        if self._token.kind != "end":
            raise self._unexpected()
        return found

    def _pipeline(self) -> Table:
        name = self._name()
        table = self._find(name)
        if table is None:
            raise BadQuery(f"Failed to resolve table or column expression named '{name}'")
        while self._take("|"):
            start = self._at
            self._operator = self._name().lower()
            step = _STEPS.get(self._operator)
            if step is None:
                self._at = start
                raise self._unexpected()
            self._columns = table.columns
            table = step(self, table)
        return table

    # -- operators

    def where(self, table: Table) -> Table:
        holds = self._condition_of("where").value
        return Table(table.columns, [row for row in table.rows if holds(row)])

    def project(self, table: Table) -> Table:
        terms = self._list(self._column)
        rows = [{term.name: term.value(row) for term in terms} for row in table.rows]
        return Table(_columns_of(table, terms), rows)

    def extend(self, table: Table) -> Table:
        terms = self._list(self._column)
        rows = [row | {term.name: term.value(row) for term in terms} for row in table.rows]
        columns = _columns_of(table, terms)
        return Table(None if table.columns is None or columns is None else table.columns | columns, rows)

    def distinct(self, table: Table) -> Table:
        projected = self.project(table)
        found: dict[str, Row] = {}
        for row in projected.rows:
            found.setdefault(repr(row), row)
        return Table(projected.columns, list(found.values()))

    def order(self, table: Table) -> Table:
        self._word("by")
        return Table(table.columns, _sorted(table.rows, self._list(self._order_key)))

    def top(self, table: Table) -> Table:
        count = self._whole()
        return Table(table.columns, self.order(table).rows[:count])

    def limit(self, table: Table) -> Table:
        return Table(table.columns, table.rows[: self._whole()])

    def count(self, table: Table) -> Table:
        return Table({"Count": "long"}, [{"Count": len(table.rows)}])

    def summarize(self, table: Table) -> Table:
        """Keys first, then what was reckoned; without keys one row, also of no rows at all."""
        aggregates = [] if self._is_word("by") else self._list(self._aggregate)
        keys = self._list(self._column) if self._take_word("by") else []
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
        if self._take_word("kind"):
            self._must("=")
            kind = self._name().lower()
        if kind not in ("inner", "leftouter"):
            raise BadQuery(f"'join' operator: join of kind '{kind}' is not known")
        self._must("(")
        with self._nested():
            others = self._pipeline()
        self._must(")")
        self._word("on")
        key = self._name()
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
        term = self._expression()
        if self._take_word("asc"):
            return term, False
        self._take_word("desc")
        return term, True

    def _column(self) -> Term:
        """`name = expression`, or an expression that lends its own name."""
        if self._token.kind == "name" and self._tokens[self._at + 1].text == "=":
            name = self._name()
            self._must("=")
            return self._expression()._replace(name=name)
        start = self._at
        term = self._expression()
        if term.name:
            return term
        words = [token.text for token in self._tokens[start : self._at] if token.kind == "name"]
        return term._replace(name="_".join(words) or "Column1")

    def _aggregate(self) -> "_Aggregate":
        name = ""
        if self._token.kind == "name" and self._tokens[self._at + 1].text == "=":
            name = self._name()
            self._must("=")
        function = self._name().lower()
        make = _AGGREGATES.get(function)
        if make is None:
            raise BadQuery(f"'summarize' operator: Unknown function: '{function}'.", code="SEM0260")
        self._must("(")
        with self._nested():
            made = make(self, function)
        self._must(")")
        return made.renamed(name) if name else made

    def _condition_of(self, what: str) -> Term:
        term = self._expression()
        if term.type not in ("bool", _ANY):
            raise BadQuery(f"'{what}' operator: the predicate must be of type bool, not {term.type}", code="SEM0045")
        return term

    # -- expressions

    def _expression(self) -> Term:
        parts = [self._and()]
        while self._take_word("or"):
            parts.append(self._and())
        if len(parts) == 1:
            return parts[0]
        values = [part.value for part in parts]
        return Term(lambda row: any(value(row) for value in values), "bool")

    def _and(self) -> Term:
        parts = [self._not()]
        while self._take_word("and"):
            parts.append(self._not())
        if len(parts) == 1:
            return parts[0]
        values = [part.value for part in parts]
        return Term(lambda row: all(value(row) for value in values), "bool")

    def _not(self) -> Term:
        if self._take_word("not"):
            with self._nested():
                wrong = self._not().value
            return Term(lambda row: not wrong(row), "bool")
        left = self._sum()
        operator = self._token.text.lower() if self._token.kind in ("name", "mark") else ""
        plain = operator.removeprefix("!") if operator != "!=" and operator != "!~" else operator
        if plain in ("in", "in~"):
            self._at += 1
            return _negated(self._among(left, plain), plain != operator)
        if plain == "between":
            self._at += 1
            return _negated(self._between(left), plain != operator)
        if plain not in _COMPARE:
            return left
        self._at += 1
        right, compare = self._sum(), _COMPARE[plain]
        _require_alike(self._operator, plain, left, right)
        return _negated(Term(lambda row: compare(left.value(row), right.value(row)), "bool"), plain != operator)

    def _among(self, left: Term, operator: str) -> Term:
        self._must("(")
        choices, equal = self._list(self._sum), _COMPARE["==" if operator == "in" else "=~"]
        self._must(")")
        for choice in choices:
            _require_alike(self._operator, "==", left, choice)
        return Term(lambda row: any(equal(left.value(row), choice.value(row)) for choice in choices), "bool")

    def _between(self, left: Term) -> Term:
        self._must("(")
        low = self._sum()
        self._must("..")
        high = self._sum()
        self._must(")")
        for bound in (low, high):
            _require_alike(self._operator, "<=", left, bound)
        reaches, stays = _COMPARE[">="], _COMPARE["<="]
        return Term(
            lambda row: reaches(left.value(row), low.value(row)) and stays(left.value(row), high.value(row)), "bool"
        )

    def _sum(self) -> Term:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Term:
        return self._chain(("*", "/"), self._primary)

    def _chain(self, signs: tuple[str, str], part: Callable[[], Term]) -> Term:
        left = part()
        while self._token.kind == "mark" and self._token.text in signs:
            sign = self._token.text
            self._at += 1
            left = _reckoned(self._operator, left, sign, part())
        return left

    def _primary(self) -> Term:
        kind, text, _ = self._token
        if self._take("("):
            with self._nested():
                inner = self._expression()
            self._must(")")
            return inner
        if self._take("-"):
            with self._nested():
                negative = self._primary()
            return _reckoned(self._operator, Term(lambda row: 0, negative.type), "-", negative)
        literal = _LITERALS.get(kind)
        if literal is not None:
            self._at += 1
            return literal(text)
        if kind != "name":
            raise self._unexpected()
        self._at += 1
        if text.lower() in ("true", "false"):
            return Term(lambda row: text.lower() == "true", "bool")
        if self._token.text == "(":
            return self._call(text)
        return self._path(text)

    def _call(self, name: str) -> Term:
        own, plain = _SPECIAL.get(name.lower()), _FUNCTIONS.get(name.lower())
        if own is None and plain is None:
            raise BadQuery(f"'{self._operator}' operator: Unknown function: '{name}'.", code="SEM0260")
        self._must("(")
        with self._nested():
            made = own(self) if own is not None else self._of_one(plain)
        self._must(")")
        return made

    def _of_one(self, plain: tuple[Callable[[Any], Any], str] | None) -> Term:
        assert plain is not None, "the name of a function was looked up"
        inner, (function, kind) = self._expression(), plain
        return Term(lambda row: function(inner.value(row)), kind)

    def _path(self, name: str) -> Term:
        path = [name]
        while True:
            if self._take("."):
                path.append(self._name())
            elif self._take("["):
                path.append(self._next("text")[1:-1])
                self._must("]")
            else:
                break
        return _column_term(self._operator, self._columns, path)

    # -- functions that look at more than one value

    def ago(self) -> Term:
        span, now = self._expression(), self._now
        _require_type(self._operator, "ago", span, "timespan")
        return Term(lambda row: now - span.value(row), "datetime")

    def now(self) -> Term:
        now = self._now
        return Term(lambda row: now, "datetime")

    def datetime_diff(self) -> Term:
        """How many bounds of a unit lie between two moments."""
        unit = self._next("text")[1:-1].lower()
        if unit not in _UNITS:
            raise BadQuery(f"'{self._operator}' operator: datetime_diff knows no '{unit}'", code="SEM0031")
        self._must(",")
        later = self._expression()
        self._must(",")
        earlier, size = self._expression(), _UNITS[unit]
        for moment in (later, earlier):
            _require_type(self._operator, "datetime_diff", moment, "datetime")

        def value(row: Row) -> int | None:
            one, other = later.value(row), earlier.value(row)
            return None if one is None or other is None else math.floor(one / size) - math.floor(other / size)

        return Term(value, "long")

    def bin(self) -> Term:
        term = self._expression()
        self._must(",")
        size = self._expression()

        def value(row: Row) -> Any:
            given, step = term.value(row), size.value(row)
            return None if given is None or not step else math.floor(given / step) * step

        return Term(value, term.type, term.name)

    def iff(self) -> Term:
        holds = self._condition_of(self._operator)
        self._must(",")
        one = self._expression()
        self._must(",")
        other = self._expression()
        return Term(lambda row: one.value(row) if holds.value(row) else other.value(row), one.type)

    # -- tokens

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _unexpected(self) -> BadQuery:
        token = self._token
        line = self._text.count("\n", 0, token.at) + 1
        column = token.at - (self._text.rfind("\n", 0, token.at) + 1)
        text = f"Query could not be parsed at '{token.text}' on line [{line},{column}]"
        return BadQuery(text, kind="SyntaxError", code="SYN0002", token=token.text)

    @contextmanager
    def _nested(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._unexpected()
        yield
        self._depth -= 1

    def _list(self, part: Callable[[], Any]) -> list[Any]:
        found = [part()]
        while self._take(","):
            found.append(part())
        return found

    def _take(self, mark: str) -> bool:
        found = self._token.kind == "mark" and self._token.text == mark
        self._at += found
        return found

    def _is_word(self, word: str) -> bool:
        return self._token.kind == "name" and self._token.text.lower() == word

    def _take_word(self, word: str) -> bool:
        found = self._is_word(word)
        self._at += found
        return found

    def _must(self, mark: str) -> None:
        if not self._take(mark):
            raise self._unexpected()

    def _word(self, word: str) -> None:
        if not self._take_word(word):
            raise self._unexpected()

    def _name(self) -> str:
        return self._next("name")

    def _whole(self) -> int:
        return int(float(self._next("number")[:18]))

    def _next(self, kind: str) -> str:
        if self._token.kind != kind:
            raise self._unexpected()
        self._at += 1
        return self._tokens[self._at - 1].text


def _scan(text: str) -> list[_Token]:
    """Tokens, the last of them an end."""
    found: list[_Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _TOKENS.match(text, at)
        assert match is not None, "every text goes on with something, or with what is wrong"
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind)))
        if len(found) > _LONGEST:
            raise BadQuery(f"a query takes {_LONGEST} words and marks at most", kind="SyntaxError", code="SYN0001")
        at = match.end()
    return found


# ---------------------------------------------------------------- terms


def _columns_of(table: Table, terms: list[Term]) -> dict[str, str] | None:
    return None if table.columns is None else {term.name: term.type for term in terms}


def _column_term(operator: str, columns: dict[str, str] | None, path: list[str]) -> Term:
    name = "_".join(path)
    if columns is None:
        return Term(lambda row: _walk(row, path), _ANY, name)
    first = path[0]
    if first not in columns:
        raise BadQuery(f"'{operator}' operator: Failed to resolve column or scalar expression named '{first}'")
    kind = columns[first]
    if len(path) == 1:
        missing = "" if kind == "string" else None
        return Term(lambda row: row.get(first, missing), kind, name)
    if kind != _ANY:
        raise BadQuery(f"'{operator}' operator: a value of type {kind} has no '{path[1]}'", code="SEM0100")
    return Term(lambda row: _walk(row, path), _ANY, name)


def _walk(row: Row, path: list[str]) -> Any:
    found: Any = row
    for name in path:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def _negated(term: Term, negative: bool) -> Term:
    return Term(lambda row: not term.value(row), "bool") if negative else term


def _alike(one: str, other: str) -> bool:
    return _ANY in (one, other) or one == other or (one in _NUMBERS and other in _NUMBERS)


def _require_alike(operator: str, compare: str, left: Term, right: Term) -> None:
    if compare in _OF_TEXT:
        for term in (left, right):
            _require_type(operator, compare, term, "string")
    elif not _alike(left.type, right.type):
        text = f"'{operator}' operator: Cannot compare values of types {left.type} and {right.type}. "
        raise BadQuery(text + "Try adding explicit casts", code="SEM0064")


def _require_type(operator: str, what: str, term: Term, kind: str) -> None:
    if term.type not in (kind, _ANY):
        text = f"'{operator}' operator: {what} takes a value of type {kind}, not {term.type}"
        raise BadQuery(text, code="SEM0025")


def _reckoned(operator: str, left: Term, sign: str, right: Term) -> Term:
    kind = _SUMS.get((left.type, sign, right.type)) or _of_numbers(left.type, sign, right.type)
    if kind is None:
        text = f"'{operator}' operator: no '{sign}' between {left.type} and {right.type}"
        raise BadQuery(text, code="SEM0061")
    reckon = _RECKON[sign]

    def value(row: Row) -> Any:
        one, other = left.value(row), right.value(row)
        if not isinstance(one, int | float) or not isinstance(other, int | float):
            return None
        made = reckon(one, other)
        return float(made) if isinstance(made, int) and abs(made) >= _TOO_LONG else made

    return Term(value, kind)


def _of_numbers(left: str, sign: str, right: str) -> str | None:
    if _ANY in (left, right):
        return _ANY
    if left not in _NUMBERS or right not in _NUMBERS:
        return None
    return "real" if "real" in (left, right) else "long"


def _divided(one: float, other: float) -> float | int | None:
    if other == 0:
        return None
    return one // other if isinstance(one, int) and isinstance(other, int) else one / other


_SUMS = {
    ("datetime", "-", "datetime"): "timespan",
    ("datetime", "-", "timespan"): "datetime",
    ("datetime", "+", "timespan"): "datetime",
    ("timespan", "+", "timespan"): "timespan",
    ("timespan", "-", "timespan"): "timespan",
    ("timespan", "/", "timespan"): "real",
}
_RECKON: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": _divided,
}


def _text_literal(text: str) -> Term:
    value = re.sub(r"\\(.)", r"\1", text[1:-1])
    return Term(lambda row: value, "string")


def _number_literal(text: str) -> Term:
    value = float(text) if "." in text else int(text[:18])
    return Term(lambda row: value, "real" if "." in text else "long")


def _span_literal(text: str) -> Term:
    unit = text.lstrip("0123456789.")
    value = float(text.removesuffix(unit)) * _SPAN_S[unit]
    return Term(lambda row: value, "timespan")


def _moment_literal(text: str) -> Term:
    try:
        value = parse_iso(text[len("datetime(") : -1])
    except ValueError as error:
        raise BadQuery(f"{text} is no moment", kind="SyntaxError", code="SYN0002", token=text) from error
    return Term(lambda row: value, "datetime")


_LITERALS: dict[str, Callable[[str], Term]] = {
    "text": _text_literal,
    "number": _number_literal,
    "span": _span_literal,
    "moment": _moment_literal,
}


# ---------------------------------------------------------------- values


def _sorted(rows: list[Row], keys: list[tuple[Term, bool]]) -> list[Row]:
    for term, down in reversed(keys):
        rows = sorted(rows, key=lambda row, term=term: _sortable(term.value(row)), reverse=down)  # type: ignore[misc]
    return rows


def _free(name: str, row: Row) -> str:
    """The name of a joined column: with a number where the left side has it."""
    return f"{name}1" if name in row else name


def _sortable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value).lower())


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _whole_number(value: Any) -> int | None:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _fold(left: Any, right: Any) -> bool:
    return _text(left).lower() == _text(right).lower()


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "=~": _fold,
    "!~": lambda left, right: not _fold(left, right),
    "<": lambda left, right: left is not None and right is not None and left < right,
    "<=": lambda left, right: left is not None and right is not None and left <= right,
    ">": lambda left, right: left is not None and right is not None and left > right,
    ">=": lambda left, right: left is not None and right is not None and left >= right,
    "contains": lambda left, right: _text(right).lower() in _text(left).lower(),
    "has": lambda left, right: _text(right).lower() in re.split(r"\W+", _text(left).lower()),
    "startswith": lambda left, right: _text(left).lower().startswith(_text(right).lower()),
    "endswith": lambda left, right: _text(left).lower().endswith(_text(right).lower()),
}
_OF_TEXT = ("=~", "!~", "contains", "has", "startswith", "endswith")
_FUNCTIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "tolower": (lambda value: _text(value).lower(), "string"),
    "toupper": (lambda value: _text(value).upper(), "string"),
    "tostring": (_text, "string"),
    "toint": (_whole_number, "int"),
    "tolong": (_whole_number, "long"),
    "isempty": (lambda value: _text(value) == "", "bool"),
    "isnotempty": (lambda value: _text(value) != "", "bool"),
    "isnull": (lambda value: value is None, "bool"),
    "isnotnull": (lambda value: value is not None, "bool"),
}
_SPECIAL: dict[str, Callable[[_Parser], Term]] = {
    "ago": _Parser.ago,
    "now": _Parser.now,
    "datetime_diff": _Parser.datetime_diff,
    "bin": _Parser.bin,
    "iff": _Parser.iff,
}
_UNITS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}
_STEPS: dict[str, Callable[[_Parser, Table], Table]] = {
    "where": _Parser.where,
    "project": _Parser.project,
    "extend": _Parser.extend,
    "distinct": _Parser.distinct,
    "summarize": _Parser.summarize,
    "order": _Parser.order,
    "sort": _Parser.order,
    "top": _Parser.top,
    "limit": _Parser.limit,
    "take": _Parser.limit,
    "count": _Parser.count,
    "join": _Parser.join,
}


# ---------------------------------------------------------------- aggregates


class _Aggregate(NamedTuple):
    """What `summarize` reckons of the rows of a group: columns with their types, and their values."""

    columns: dict[str, str]
    fold: Callable[[list[Row]], Row]

    def renamed(self, name: str) -> "_Aggregate":
        """With another name for the first column."""
        first = next(iter(self.columns))
        columns = {name if old == first else old: kind for old, kind in self.columns.items()}
        return _Aggregate(
            columns, lambda rows: {name if old == first else old: value for old, value in self.fold(rows).items()}
        )


def _of_one(name: str, kind: str, fold: Callable[[list[Row]], Any]) -> _Aggregate:
    return _Aggregate({name: kind}, lambda rows: {name: fold(rows)})


def _count(parser: _Parser, function: str) -> _Aggregate:
    return _of_one("count_", "long", len)


def _countif(parser: _Parser, function: str) -> _Aggregate:
    holds = parser._condition_of("summarize").value
    return _of_one("countif_", "long", lambda rows: sum(1 for row in rows if holds(row)))


def _dcount(parser: _Parser, function: str) -> _Aggregate:
    term = parser._column()
    return _of_one(f"dcount_{term.name}", "long", lambda rows: len({repr(value) for value in _known(term, rows)}))


def _picked(parser: _Parser, function: str) -> _Aggregate:
    term, pick = parser._column(), _PICK[function.removesuffix("if")]
    holds = None
    if function.endswith("if"):
        parser._must(",")
        holds = parser._condition_of("summarize").value
    kind = "real" if function.startswith("avg") else term.type

    def fold(rows: list[Row]) -> Any:
        values = _known(term, rows if holds is None else [row for row in rows if holds(row)])
        return pick(values) if values else None

    return _of_one(f"{function}_{term.name}", kind, fold)


def _percentile(parser: _Parser, function: str) -> _Aggregate:
    term = parser._column()
    parser._must(",")
    rank = float(parser._next("number"))
    if rank > 100:
        raise BadQuery("'summarize' operator: a percentile lies between 0 and 100", code="SEM0027")

    def fold(rows: list[Row]) -> Any:
        values = sorted(_known(term, rows))
        return values[max(0, math.ceil(rank / 100 * len(values)) - 1)] if values else None

    return _of_one(f"percentile_{term.name}_{rank:g}".replace(".", "_"), term.type, fold)


def _take_any(parser: _Parser, function: str) -> _Aggregate:
    terms = parser._list(parser._column)
    return _Aggregate(
        {term.name: term.type for term in terms},
        lambda rows: {term.name: term.value(rows[0]) if rows else None for term in terms},
    )


def _arg(parser: _Parser, function: str) -> _Aggregate:
    term, pick = parser._column(), max if function == "arg_max" else min
    terms = [term]
    while parser._take(","):
        if parser._take("*"):
            terms += [_column_term("summarize", parser._columns, [name]) for name in parser._columns or ()]
        else:
            terms.append(parser._column())

    def fold(rows: list[Row]) -> Row:
        known = [row for row in rows if term.value(row) is not None]
        best = pick(known, key=term.value) if known else None
        return {each.name: None if best is None else each.value(best) for each in terms}

    return _Aggregate({each.name: each.type for each in terms}, fold)


def _known(term: Term, rows: list[Row]) -> list[Any]:
    return [value for value in (term.value(row) for row in rows) if value is not None]


_PICK: dict[str, Callable[[list[Any]], Any]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
}
_AGGREGATES: dict[str, Callable[[_Parser, str], _Aggregate]] = {
    "count": _count,
    "countif": _countif,
    "dcount": _dcount,
    **dict.fromkeys(("max", "min", "sum", "avg", "maxif", "minif", "sumif", "avgif"), _picked),
    "percentile": _percentile,
    "take_any": _take_any,
    "arg_max": _arg,
    "arg_min": _arg,
}


# ---------------------------------------------------------------- on the wire


def moment(at: float) -> str:
    """A datetime as answers write it: without a fraction when there is none."""
    return str(iso(at, 0 if at == int(at) else 7))


def span(seconds: float) -> str:
    """A timespan as answers write it: `1.02:03:04.5000000`, `00:00:07`."""
    sign, ticks = "-" if seconds < 0 else "", round(abs(seconds) * 10_000_000)
    whole, fraction = divmod(ticks, 10_000_000)
    days, rest = divmod(whole, 86_400)
    head = f"{days}." if days else ""
    tail = f".{fraction:07d}" if fraction else ""
    return f"{sign}{head}{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}{tail}"
