"""group-quota: application groups may not fit the tenant."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate

from crossfade.assessment.rules.group_quota import RULE
from crossfade.inventory.target import Count


def office(used: int) -> list:
    estate = Estate()
    estate.group(estate.pool("Office"), "Apps")
    return asked(
        RULE, estate, estate.target(counts=[Count(what="application_groups", scope="tenant", used=used, limit=500)])
    )


def test_holds_and_does_not() -> None:
    (found,) = office(499)
    assert found.evidence["needed"] == 2
    assert office(498) == []
    assert without_target(RULE, Estate()) == []
