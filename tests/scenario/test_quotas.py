"""Limits of the service are counted live: what somebody else uses between plan and apply stops the run by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage, pooled, spec_of

from crossfade.errors import PlanConflict, PreflightFailed


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.of(spec_of(pooled(hosts=1)), tmp_path)


def used(stage: Stage, what: str) -> int:
    (found,) = [quota.before for quota in stage.plan.quotas if quota.what == what]
    return found


def test_what_is_used_up_since_the_plan_refuses_the_run(stage: Stage) -> None:
    stage.make_plan(outage="when-empty")
    limit = used(stage, "role assignments")
    stage.world.state.settings["role_assignments_per_subscription"] = limit
    with pytest.raises(PreflightFailed) as caught:
        stage.apply()
    (problem,) = caught.value.problems
    assert problem.where == f"subscription {stage.rehearsal.subscription}"
    assert f"has {limit} role assignments" in problem.what
    assert f"{limit} are allowed" in problem.what
    assert "It is used up already." in problem.what
    assert not stage.of_type("hostPools")
    with pytest.raises(PlanConflict, match="It is used up already"):
        stage.make_plan(outage="when-empty")
