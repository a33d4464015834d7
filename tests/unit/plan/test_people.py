"""People under their names of today: in the plan, on their desktops and in the proof; and those who are left out."""

from __future__ import annotations

import pytest
from builders import Estate, grants, identity, oid, plan_of

from crossfade.errors import PlanConflict
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.operations import RetractAssignment
from crossfade.plan.plan import Plan
from crossfade.plan.selfcheck import check_plan
from crossfade.verification.verify import sides

OLD, NEW, LEFT = "office1@contoso.com", "married@contoso.com", "office2@contoso.com"


def missing(upn: str) -> object:
    return identity(upn, object_id=None, state="missing", why="nobody of this name")


def office() -> tuple[Estate, TargetSnapshot]:
    estate = Estate()
    estate.pool("Office", people=3)
    people = [identity("office0@contoso.com"), missing(OLD), missing(LEFT), identity(NEW)]
    return estate, estate.target(identities=people)


def retracted(plan: Plan) -> set[str]:
    return {one.upn for one in plan.operations if isinstance(one, RetractAssignment)}


@pytest.mark.parametrize("meant", [NEW, NEW.upper(), oid(NEW)])
def test_who_was_renamed_gets_what_they_had_and_classic_is_left_alone(meant: str) -> None:
    estate, target = office()
    plan = plan_of(estate, target, people={OLD.upper(): meant})
    assert {grant.principal_label for grant in grants(plan)} == {"office0@contoso.com", NEW}
    assert retracted(plan) == {"office0@contoso.com"}, "classic refuses a name that the directory does not know"
    assert plan.renamed == {OLD: NEW}
    assert plan.looked_up == [meant]
    assert set(plan.access[0].missing) == {LEFT}
    assert not check_plan(plan)
    before, _ = sides(plan, estate.inventory(), target)
    assert NEW in next(iter(before.access().people.values()))
    assert set(before.absent()) == {LEFT}


def test_two_names_of_one_person_are_one_grant_and_the_known_one_leaves_classic() -> None:
    estate, target = office()
    plan = plan_of(estate, target, people={OLD: "office0@contoso.com"})
    assert [grant.principal_label for grant in grants(plan)] == ["office0@contoso.com"]
    assert retracted(plan) == {"office0@contoso.com"}


def test_who_is_left_out_keeps_a_named_place_with_the_reason() -> None:
    estate, target = office()
    plan = plan_of(estate, target, people={LEFT: "leave out: retired in May"})
    assert plan.access[0].missing[LEFT] == "left out: retired in May"
    assert not [note for note in plan.notes if "[people]" in note]
    misspelled = plan_of(estate, target, people={"ofice2@contoso.com": "leave out: retired in May"})
    (note,) = [note for note in misspelled.notes if "[people]" in note]
    assert "ofice2@contoso.com, whom classic does not list" in note


def test_a_personal_desktop_goes_to_the_name_of_today() -> None:
    estate = Estate()
    pool = estate.pool("Own", people=1, hosts=0, personal=True)
    estate.host(pool, "own-0", assigned_user="own0@contoso.com")
    plan = plan_of(
        estate, estate.target(identities=[missing("own0@contoso.com"), identity(NEW)]), people={"own0@contoso.com": NEW}
    )
    assert [host.assigned_user for host in plan.hosts] == [NEW]
    assert plan.waves[0].publish_by_host


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ({"office0@contoso.com": NEW}, "under this very name"),
        ({OLD: "nobody@contoso.com"}, "was not looked up"),
        ({OLD: LEFT}, "is not in the directory"),
    ],
)
def test_what_cannot_be_followed_makes_no_plan(people: dict[str, str], told: str) -> None:
    estate, target = office()
    with pytest.raises(PlanConflict, match=told):
        plan_of(estate, target, people=people)
