"""person-everywhere: somebody is assigned to very many app groups; the plan still gives them each, once."""

from __future__ import annotations

from asking import without_target
from builders import Estate, grants, plan_of

from crossfade.assessment.rules.person_everywhere import MANY, RULE

KIM = "Kim@contoso.com"


def estate(groups: int) -> Estate:
    made = Estate()
    for pool in range(3):
        key = made.pool(f"Pool {pool}", people=1)
        for number in range(pool, groups, 3):
            made.group(key, f"Group {number}", people=[KIM if number % 2 else KIM.lower()])
    return made


def test_holds_at_many_and_not_below() -> None:
    (found,) = without_target(RULE, estate(300))
    assert found.subject == "kim@contoso.com"
    assert found.evidence == {"app_groups": 300, "pools": 3}
    assert "300 app groups of 3 pools" in found.what
    assert without_target(RULE, estate(MANY))
    assert without_target(RULE, estate(MANY - 1)) == []


def test_they_are_planned_once_for_each() -> None:
    given = [one for one in grants(plan_of(estate(300))) if one.principal_label.lower() == KIM.lower()]
    assert len(given) == len({one.scope for one in given}) == 300
