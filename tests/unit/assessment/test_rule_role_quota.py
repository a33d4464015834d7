"""role-quota: role assignments may not fit the subscription."""

from __future__ import annotations

from asking import asked, without_target
from builders import SUB, Estate

from crossfade.assessment.rules.role_quota import RULE
from crossfade.inventory.target import Count


def office(used: int, people: int = 150, limit: int = 4000) -> list:
    estate = Estate()
    estate.pool("Office", people=people)
    count = Count(what="role_assignments", scope=SUB, used=used, limit=limit)
    return asked(RULE, estate, estate.target(counts=[count]))


def test_holds() -> None:
    (found,) = office(3851)
    assert found.evidence["needed"] == 150


def test_does_not_hold_where_they_fit_or_come_through_a_group_or_nobody_knows_the_limit() -> None:
    assert office(3850) == office(3999, people=151) == office(10, limit=0) == []
    assert without_target(RULE, Estate()) == []
