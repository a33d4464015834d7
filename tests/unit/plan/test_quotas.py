"""Limits of the service: told before, after and what stays free; passed, the plan is refused by name."""

from __future__ import annotations

import msgspec
import pytest
from builders import SUB, TODAY, Estate, plan_of

from crossfade.errors import PlanConflict
from crossfade.inventory.target import Count
from crossfade.plan import preflight
from crossfade.plan.intent import Accepted
from crossfade.plan.quotas import passed_together, shared
from crossfade.report.plan_text import plan_text

ASSIGNMENTS = Count(what="role_assignments", scope=SUB, used=3990, limit=4000)
GROUPS = Count(what="application_groups", scope="tenant", used=490, limit=500)


def office() -> Estate:
    """Five assignments, two application groups."""
    estate = Estate()
    estate.group(estate.pool("Office", people=5), "Apps")
    return estate


def test_before_after_limit_and_what_stays_free_are_shown() -> None:
    estate = office()
    plan = plan_of(estate, estate.target(counts=[ASSIGNMENTS, GROUPS]))
    told = {quota.what: (quota.before, quota.after, quota.limit, quota.free()) for quota in plan.quotas}
    assert told == {
        "role assignments": (3990, 3995, 4000, 5),
        "application groups": (490, 492, 500, 8),
        "role assignments on one object": (0, 5, 200, 195),
    }
    text = plan_text(plan)
    assert "application groups, the tenant, as far as it was read: 490 before, 492 after, limit 500, 8 free" in text


def test_too_many_application_groups_are_refused_unless_the_limit_was_raised() -> None:
    estate = office()
    target = estate.target(counts=[msgspec.structs.replace(GROUPS, used=499)])
    with pytest.raises(PlanConflict) as caught:
        plan_of(estate, target)
    (problem,) = caught.value.problems
    assert "has 499 application groups, 2 more are needed, 500 are allowed: 1 too many." in problem.what
    assert "merge app groups that have the same people" in problem.mend
    raised = Accepted(finding="group-quota:tenant", by="Kim", reason="raised to 1,000", until=TODAY)
    assert plan_of(estate, target, accepted=[raised]).operations


@pytest.mark.parametrize("count", [ASSIGNMENTS, GROUPS])
def test_what_somebody_else_used_since_is_counted_again_before_the_first_write(count: Count) -> None:
    estate = office()
    plan = plan_of(estate, estate.target(counts=[count]))
    full = estate.target(counts=[msgspec.structs.replace(count, used=count.limit)])
    (problem,) = preflight.quotas(plan, full)
    assert f"has {count.limit} " in problem.what
    assert "It is used up already." in problem.what


def test_a_limit_that_is_passed_already_stops_nobody_who_adds_nothing() -> None:
    estate = office()
    plan = plan_of(estate)
    nothing = msgspec.structs.replace(plan, operations=[])
    over = estate.target(counts=[msgspec.structs.replace(GROUPS, used=600)])
    assert preflight.quotas(nothing, over) == []


def test_plans_of_one_queue_pass_a_limit_together() -> None:
    estate = office()
    plan = plan_of(estate, estate.target(counts=[ASSIGNMENTS, GROUPS]))
    mine = shared(plan.quotas, "d1")
    assert [one.name() for one in mine] == [
        f"role assignments, subscription {SUB}",
        "application groups, directory d1",
    ]
    assignments, groups = (one.name() for one in mine)
    assert passed_together(mine, {}) == []
    assert (
        passed_together(mine, {"b": {assignments: 5, groups: 8}, "c": {"role assignments, subscription x": 90}}) == []
    )
    (problem,) = passed_together(mine, {"b": {assignments: 3, groups: 1}, "c": {assignments: 4}})
    assert problem.where == f"subscription {SUB}"
    assert problem.what == (
        "has 3990 role assignments, 5 more are needed here and by other runs of the queue b 3, c 4; 4000 are allowed: "
        "2 too many."
    )
    assert "access.direct_threshold" in problem.mend


def test_a_raised_limit_and_one_that_was_not_read_are_nobodys_share() -> None:
    estate = office()
    plan = plan_of(estate, estate.target(counts=[GROUPS, msgspec.structs.replace(ASSIGNMENTS, limit=0)]))
    assert [one.what for one in shared(plan.quotas, "d1")] == ["application groups"]
    assert shared(plan.quotas, "d1", ["Group-Quota:Tenant"]) == []
