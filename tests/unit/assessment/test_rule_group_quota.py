"""group-quota: application groups may not fit the tenant."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate

from crossfade.assessment.rules.group_quota import RULE
from crossfade.inventory.target import Count
from crossfade.model.target import ArmObject


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


def test_it_names_the_groups_that_could_be_merged() -> None:
    estate = Estate()
    pool = estate.pool("Office")
    for name in ("Word", "Excel", "Visio"):
        estate.group(pool, name, people=["kim@contoso.com"])
    full = estate.target(counts=[Count(what="application_groups", scope="tenant", used=499, limit=500)])
    (found,) = asked(RULE, estate, full)
    assert found.evidence["merges_save"] == 2
    assert "which would save 2: Office: Excel + Visio + Word (1 people each" in found.mend


def test_groups_that_an_earlier_run_has_made_do_not_come_again() -> None:
    estate = Estate()
    key = estate.group(estate.pool("Office"), "Apps")
    made = ArmObject(id="/a", type="t", name="a", tags={"crossfade-source": key.upper()})
    counts = [Count(what="application_groups", scope="tenant", used=499, limit=500)]
    assert asked(RULE, estate, estate.target(counts=counts, objects=[made])) == []
