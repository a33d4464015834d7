"""Limits of the service are counted live: what somebody else uses between plan and apply stops the run by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage, pooled, spec_of

from crossfade.app import in_process_engine
from crossfade.commands.apply import apply
from crossfade.errors import PlanConflict, PreflightFailed


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.of(spec_of(pooled(hosts=1)), tmp_path)


def used(stage: Stage, what: str) -> int:
    (found,) = [quota.before for quota in stage.plan.quotas if quota.what == what]
    return found


def test_a_dry_run_shows_the_limits_as_they_are_now(stage: Stage) -> None:
    stage.make_plan(outage="when-empty")
    clock, was = stage.rehearsal.clock, {quota.what: quota for quota in stage.plan.quotas}
    stage.world.state.settings["role_assignments_per_subscription"] = 1_000
    looked = stage.with_services(
        lambda services: apply(stage.workspace, services, clock, in_process_engine(clock), dry_run=True)
    )
    now = {quota.what: quota for quota in looked.limits}
    assert now.keys() == was.keys()
    assert now["role assignments"].limit == 1_000
    assert now["role assignments"].free() == was["role assignments"].free() - was["role assignments"].limit + 1_000
    assert f"limit 1000, {now['role assignments'].free()} free afterwards" in now["role assignments"].told()


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
