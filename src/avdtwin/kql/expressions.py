"""Expressions of a query, read into terms."""

import math
from collections.abc import Callable
from typing import Any

from avdtwin.kql.errors import BadQuery
from avdtwin.kql.reader import Reader
from avdtwin.kql.terms import ANY, LITERALS, Term, column_term, negated, reckoned, require_alike, require_type
from avdtwin.kql.values import COMPARE, FUNCTIONS, Row


class Expressions(Reader):
    """Reads what may stand in an operator: `columns` are those of its table, `operator` is its name."""

    def __init__(self, text: str, now: float) -> None:
        super().__init__(text)
        self._now = now
        self.operator = ""
        self.columns: dict[str, str] | None = None

    def column(self) -> Term:
        """`name = expression`, or an expression that lends its own name."""
        if self.token.kind == "name" and self._tokens[self._at + 1].text == "=":
            name = self.name()
            self.must("=")
            return self.expression()._replace(name=name)
        start = self._at
        term = self.expression()
        if term.name:
            return term
        words = [token.text for token in self._tokens[start : self._at] if token.kind == "name"]
        return term._replace(name="_".join(words) or "Column1")

    def condition_of(self, what: str) -> Term:
        term = self.expression()
        if term.type not in ("bool", ANY):
            raise BadQuery(f"'{what}' operator: the predicate must be of type bool, not {term.type}", code="SEM0045")
        return term

    def expression(self) -> Term:
        parts = [self._and()]
        while self.take_word("or"):
            parts.append(self._and())
        if len(parts) == 1:
            return parts[0]
        values = [part.value for part in parts]
        return Term(lambda row: any(value(row) for value in values), "bool")

    def _and(self) -> Term:
        parts = [self._not()]
        while self.take_word("and"):
            parts.append(self._not())
        if len(parts) == 1:
            return parts[0]
        values = [part.value for part in parts]
        return Term(lambda row: all(value(row) for value in values), "bool")

    def _not(self) -> Term:
        if self.take_word("not"):
            with self.nested():
                wrong = self._not().value
            return Term(lambda row: not wrong(row), "bool")
        left = self._sum()
        operator = self.token.text.lower() if self.token.kind in ("name", "mark") else ""
        plain = operator.removeprefix("!") if operator != "!=" and operator != "!~" else operator
        if plain in ("in", "in~"):
            self._at += 1
            return negated(self._among(left, plain), plain != operator)
        if plain == "between":
            self._at += 1
            return negated(self._between(left), plain != operator)
        if plain not in COMPARE:
            return left
        self._at += 1
        right, compare = self._sum(), COMPARE[plain]
        require_alike(self.operator, plain, left, right)
        return negated(Term(lambda row: compare(left.value(row), right.value(row)), "bool"), plain != operator)

    def _among(self, left: Term, operator: str) -> Term:
        self.must("(")
        choices, equal = self.several(self._sum), COMPARE["==" if operator == "in" else "=~"]
        self.must(")")
        for choice in choices:
            require_alike(self.operator, "==", left, choice)
        return Term(lambda row: any(equal(left.value(row), choice.value(row)) for choice in choices), "bool")

    def _between(self, left: Term) -> Term:
        self.must("(")
        low = self._sum()
        self.must("..")
        high = self._sum()
        self.must(")")
        for bound in (low, high):
            require_alike(self.operator, "<=", left, bound)
        reaches, stays = COMPARE[">="], COMPARE["<="]
        return Term(
            lambda row: reaches(left.value(row), low.value(row)) and stays(left.value(row), high.value(row)), "bool"
        )

    def _sum(self) -> Term:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Term:
        return self._chain(("*", "/"), self._primary)

    def _chain(self, signs: tuple[str, str], part: Callable[[], Term]) -> Term:
        left = part()
        while self.token.kind == "mark" and self.token.text in signs:
            sign = self.token.text
            self._at += 1
            left = reckoned(self.operator, left, sign, part())
        return left

    def _primary(self) -> Term:
        kind, text, _ = self.token
        if self.take("("):
            with self.nested():
                inner = self.expression()
            self.must(")")
            return inner
        if self.take("-"):
            with self.nested():
                negative = self._primary()
            return reckoned(self.operator, Term(lambda row: 0, negative.type), "-", negative)
        literal = LITERALS.get(kind)
        if literal is not None:
            self._at += 1
            return literal(text)
        if kind != "name":
            raise self.unexpected()
        self._at += 1
        if text.lower() in ("true", "false"):
            return Term(lambda row: text.lower() == "true", "bool")
        if self.token.text == "(":
            return self._call(text)
        return self._path(text)

    def _call(self, name: str) -> Term:
        own, plain = SPECIAL.get(name.lower()), FUNCTIONS.get(name.lower())
        if own is None and plain is None:
            raise BadQuery(f"'{self.operator}' operator: Unknown function: '{name}'.", code="SEM0260")
        self.must("(")
        with self.nested():
            made = own(self) if own is not None else self._of_one(plain)
        self.must(")")
        return made

    def _of_one(self, plain: tuple[Callable[[Any], Any], str] | None) -> Term:
        assert plain is not None, "the name of a function was looked up"
        inner, (function, kind) = self.expression(), plain
        return Term(lambda row: function(inner.value(row)), kind)

    def _path(self, name: str) -> Term:
        path = [name]
        while True:
            if self.take("."):
                path.append(self.name())
            elif self.take("["):
                path.append(self.taken("text")[1:-1])
                self.must("]")
            else:
                break
        return column_term(self.operator, self.columns, path)

    # -- functions that look at more than one value

    def ago(self) -> Term:
        span, now = self.expression(), self._now
        require_type(self.operator, "ago", span, "timespan")
        return Term(lambda row: now - span.value(row), "datetime")

    def now(self) -> Term:
        now = self._now
        return Term(lambda row: now, "datetime")

    def datetime_diff(self) -> Term:
        """How many bounds of a unit lie between two moments."""
        unit = self.taken("text")[1:-1].lower()
        if unit not in _UNITS:
            raise BadQuery(f"'{self.operator}' operator: datetime_diff knows no '{unit}'", code="SEM0031")
        self.must(",")
        later = self.expression()
        self.must(",")
        earlier, size = self.expression(), _UNITS[unit]
        for moment in (later, earlier):
            require_type(self.operator, "datetime_diff", moment, "datetime")

        def value(row: Row) -> int | None:
            one, other = later.value(row), earlier.value(row)
            return None if one is None or other is None else math.floor(one / size) - math.floor(other / size)

        return Term(value, "long")

    def bin(self) -> Term:
        term = self.expression()
        self.must(",")
        size = self.expression()

        def value(row: Row) -> Any:
            given, step = term.value(row), size.value(row)
            return None if given is None or not step else math.floor(given / step) * step

        return Term(value, term.type, term.name)

    def iff(self) -> Term:
        holds = self.condition_of(self.operator)
        self.must(",")
        one = self.expression()
        self.must(",")
        other = self.expression()
        return Term(lambda row: one.value(row) if holds.value(row) else other.value(row), one.type)


SPECIAL: dict[str, Callable[[Expressions], Term]] = {
    "ago": Expressions.ago,
    "now": Expressions.now,
    "datetime_diff": Expressions.datetime_diff,
    "bin": Expressions.bin,
    "iff": Expressions.iff,
}
_UNITS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}
