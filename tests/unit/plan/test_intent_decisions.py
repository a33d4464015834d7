"""Decisions on groups, roles and people in crossfade.toml: read as they are meant, refused where they say nothing."""

from __future__ import annotations

import pytest

from crossfade.errors import InputError
from crossfade.plan.intent_reader import read_intent


def test_groups_roles_and_people_are_read() -> None:
    text = '[groups]\n"a/b" = ["1", "2"]\n[roles]\n"x" = "grant"\n[people]\n"old@c" = "leave out: left in May"\n'
    found = read_intent(text.encode())
    assert (found.groups, found.roles) == ({"a/b": ["1", "2"]}, {"x": "grant"})
    assert found.people == {"old@c": "leave out: left in May"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[groups]\n"a" = "1"', "groups"),
        ('[roles]\n"x" = "yes"', "grant or skip"),
        ('[people]\n"old@c" = " "', "says nothing"),
        ('[people]\n"old@c" = "leave out:"', "says nothing"),
        ('[access]\ndynamic_groups = "maybe"', "must be one of"),
    ],
)
def test_what_says_nothing_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_intent(text.encode())
    (problem,) = caught.value.problems
    assert told in f"{problem.what}" or told in str(problem)
    assert "crossfade.toml" in str(problem)
