"""The table of people whom the directory does not know: safe for a spreadsheet, and read back as it was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.errors import InputError
from crossfade.plan.people import Unresolved
from crossfade.report.identities import as_csv, from_csv

FORMULAS = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "'=x"]


def somebody(upn: str, decided: str = "") -> Unresolved:
    return Unresolved(upn=upn, state="missing", why="=HYPERLINK(1)", groups=2, decided=decided)


@pytest.mark.parametrize("upn", FORMULAS)
def test_no_cell_is_a_formula_and_names_come_back(upn: str) -> None:
    data = as_csv([somebody(upn, "new@contoso.com")])
    cells = [cell.strip('"') for cell in data.decode("utf-8-sig").split("\r\n")[1].split(",")]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)
    assert from_csv(data, [upn], place="f.csv") == {upn: "new@contoso.com"}


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1), unique_by=str.casefold))
def test_whatever_names_hold(names: list[str]) -> None:
    data = as_csv([somebody(name, "a@b.c") for name in names])
    assert from_csv(data, names, place="f.csv") == dict.fromkeys(names, "a@b.c")


def test_semicolons_and_other_casings_are_read() -> None:
    data = b"classic name;state;why;has;now\r\nOLD@contoso.com;;;;leave out: retired\r\n;;;;\r\n"
    assert from_csv(data, ["old@contoso.com"], place="f.csv") == {"old@contoso.com": "leave out: retired"}


def test_every_problem_is_told_with_its_line() -> None:
    rows = ["classic name,now", "a@c,who?", "x@c,y@c", "b@c,leave out:", "c@c,d@c", "C@c,e@c"]
    with pytest.raises(InputError) as caught:
        from_csv("\n".join(rows).encode(), ["a@c", "b@c", "c@c"], place="f.csv")
    assert [str(problem).partition(" ")[0].rstrip(":") for problem in caught.value.problems] == [
        "f.csv:2",
        "f.csv:3",
        "f.csv:4",
        "f.csv:6",
    ]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"upn,now\nx,y", b'classic name,now\n"x'])
def test_what_is_no_such_table_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        from_csv(data, ["x"], place="f.csv")
