"""The interpreter of the query language: it answers what plain Python answers, and nothing makes it fall over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdtwin import kql
from avdtwin.kql.aggregates import AGGREGATES
from avdtwin.kql.expressions import SPECIAL
from avdtwin.kql.pipeline import STEPS
from avdtwin.kql.values import FUNCTIONS

COLUMNS = {"At": "datetime", "Who": "string", "Size": "long", "Share": "real", "Good": "bool", "More": "dynamic"}
WORDS = st.sampled_from(["ada", "Bob", "", "cyd", "bob"])
ROW = st.fixed_dictionaries(
    {
        "At": st.none() | st.integers(0, 10_000).map(float),
        "Who": WORDS,
        "Size": st.none() | st.integers(-5, 5),
        "Share": st.none() | st.floats(-1, 1),
        "Good": st.booleans(),
        "More": st.none() | st.fixed_dictionaries({"x": st.integers(0, 3) | WORDS}),
    }
)
ROWS = st.lists(ROW, max_size=12)
PIECES = [
    *COLUMNS, *STEPS, *AGGREGATES, *FUNCTIONS, *SPECIAL, "T", "by", "and", "or", "not", "asc", "in",
    "between", "!in~", "has", "!has", "1d", "5", "2.5", "'ada'", '"x"', "datetime(2026-06-08)", "datetime(x)", "'",
    "//", *"|(),.=<>*/+-[]", "==", "=~", "..", "\n", "\\", "é", "true", "join kind=inner (T) on Who",
]  # fmt: skip
QUERY = st.lists(st.sampled_from(PIECES), max_size=25).map(lambda pieces: "T | " + " ".join(pieces))


def run(query: str, rows: list[dict[str, Any]], columns: dict[str, str] | None = COLUMNS) -> kql.Table:
    table = kql.Table(columns, rows)
    return kql.run(query, lambda name: table if name == "T" else None, now=20_000.0, joins=columns is None)


@settings(max_examples=150, deadline=None)
@given(QUERY, ROWS, st.booleans())
def test_whatever_is_asked_is_answered_or_refused(query: str, rows: list[dict[str, Any]], typed: bool) -> None:
    try:
        found = run(query, rows, COLUMNS if typed else None)
    except (kql.BadQuery, TypeError, ArithmeticError):
        return
    if typed:
        assert found.columns is not None
        assert all(row.keys() <= found.columns.keys() for row in found.rows), query


@settings(max_examples=150, deadline=None)
@given(QUERY, ROWS)
def test_types_are_told_before_a_row_is_looked_at(query: str, rows: list[dict[str, Any]]) -> None:
    """A query that is refused is refused on an empty table too; one that is not has the same columns there."""
    if "More" in query:
        return  # of a dynamic value nobody knows the type

    def said(given: list[dict[str, Any]]) -> Any:
        try:
            return run(query, given).columns
        except kql.BadQuery as error:
            return str(error)

    assert said(rows) == said([])


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_groups_as_python_counts_them(rows: list[dict[str, Any]]) -> None:
    query = "T | summarize N = count(), Big = max(Size), Few = countif(Size < 0), Kinds = dcount(Share) by Who"
    expected: dict[str, Any] = {}
    for row in rows:
        group = expected.setdefault(row["Who"], [])
        group.append(row)
    found = {row["Who"]: row for row in run(query, rows).rows}
    assert found.keys() == expected.keys()
    for who, group in expected.items():
        sizes = [row["Size"] for row in group if row["Size"] is not None]
        shares = {repr(row["Share"]) for row in group if row["Share"] is not None}
        few = sum(1 for size in sizes if size < 0)
        assert found[who] == {
            "Who": who, "N": len(group), "Big": max(sizes, default=None), "Few": few, "Kinds": len(shares)
        }  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(ROWS, st.integers(0, 5))
def test_the_top_rows_are_the_first_of_the_sorted_ones(rows: list[dict[str, Any]], count: int) -> None:
    found = run(f"T | top {count} by Size desc, Who asc | project Size, Who", rows).rows
    ranked = sorted(rows, key=lambda row: row["Who"].lower())
    ranked.sort(key=lambda row: (row["Size"] is not None, row["Size"] or 0), reverse=True)
    assert found == [{"Size": row["Size"], "Who": row["Who"]} for row in ranked[:count]]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00"), (7.5, "00:00:07.5000000"), (93_784, "1.02:03:04"), (-60, "-00:01:00"), (86_400, "1.00:00:00")],
)
def test_timespans_as_they_are_written(seconds: float, text: str) -> None:
    assert kql.span(seconds) == text


def test_where_a_query_ends_being_one_is_told_by_line_and_column() -> None:
    with pytest.raises(kql.BadQuery) as caught:
        run("T\n| where Size == ,", [])
    assert str(caught.value) == "Query could not be parsed at ',' on line [2,16]"
    assert (caught.value.kind, caught.value.code, caught.value.token) == ("SyntaxError", "SYN0002", ",")


def test_numbers_do_not_grow_without_bound() -> None:
    (row,) = run(
        "T | extend a = Size * 9999999999999999 * 9999999999999999, b = More.x * 99", [{"Size": 9, "More": {"x": "a"}}]
    ).rows
    assert (isinstance(row["a"], float), row["b"]) == (True, None)
