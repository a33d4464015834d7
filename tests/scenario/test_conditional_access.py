"""A sign-in policy that covers classic only stops everything, until somebody answers for it by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from stage import Stage, pooled, spec_of

from avdtwin import faults
from avdtwin.estate.access import ARM_CLIENT_APP, ARM_SERVER_APP, CLASSIC_CLIENT_APP, CLASSIC_SERVER_APP
from crossfade.assessment.findings import Findings
from crossfade.clock import iso
from crossfade.commands.apply import ACCEPTED
from crossfade.commands.assess import assess
from crossfade.commands.plan import make
from crossfade.commands.workspace import FINDINGS, INTENT
from crossfade.errors import PlanConflict, PreflightFailed
from crossfade.plan.intent import Accepted, Installers
from crossfade.plan.intent_template import render

CLASSIC = [CLASSIC_SERVER_APP, CLASSIC_CLIENT_APP]
BOTH = [*CLASSIC, ARM_SERVER_APP, ARM_CLIENT_APP]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.of(spec_of(pooled(hosts=1)), tmp_path)


def policy(stage: Stage) -> dict[str, Any]:
    return stage.world.state.directory.conditional_access[0]


def covers(stage: Stage, apps: list[str]) -> None:
    policy(stage)["conditions"]["applications"]["includeApplications"] = apps


def plan(stage: Stage, **choices: Any) -> None:
    """All of it as on the command line: discover, assess, plan."""
    stage.discover()
    intent = stage.intent(outage="when-empty", installers=Installers(), **choices)
    stage.workspace.path(INTENT).write_bytes(render(intent))
    assess(stage.workspace, stage.rehearsal.clock)
    stage.plan = make(stage.workspace, today=iso(stage.rehearsal.clock.now())[:10])


def blockers(stage: Stage) -> list[str]:
    return [one.id for one in stage.workspace.read(FINDINGS, Findings).blockers()]


def answer(finding: str, until: str = "2026-12-31") -> list[Accepted]:
    return [Accepted(finding=finding, by="Kim Diaz", reason="the policy goes on Friday", until=until)]


def test_a_blocker_that_only_a_named_acceptance_lifts(stage: Stage) -> None:
    covers(stage, [*CLASSIC, ARM_SERVER_APP])
    finding = f"conditional-access:{policy(stage)['id']}"
    with pytest.raises(PlanConflict, match=ARM_CLIENT_APP):
        plan(stage)
    assert blockers(stage) == [finding]
    with pytest.raises(PlanConflict, match="ran out"):
        plan(stage, accepted=answer(finding, "2026-01-01"))
    plan(stage, accepted=answer(finding))
    assert [msgspec.to_builtins(one)["by"] for one in stage.plan.answered] == ["Kim Diaz"]
    assert stage.apply().state == "finished"
    (note,) = [event for event in stage.events("note") if event.subject == ACCEPTED]
    assert "Kim Diaz answers for" in note.reason
    assert "the policy goes on Friday" in note.reason
    assert note.at.startswith("2026-06-08")


def test_both_ids_are_needed_and_then_nothing_is_in_the_way(stage: Stage) -> None:
    covers(stage, BOTH)
    plan(stage)
    assert blockers(stage) == []
    assert any(ARM_CLIENT_APP in note and "feeddiscovery" in note for note in stage.plan.notes)
    assert stage.apply().state == "finished"


def test_a_policy_changed_since_the_plan_is_seen_before_the_first_write(stage: Stage) -> None:
    plan(stage)
    covers(stage, CLASSIC)
    with pytest.raises(PreflightFailed) as caught:
        stage.apply()
    assert any("covers the classic service and not" in problem.what for problem in caught.value.problems)
    assert stage.of_type("hostPools") == []


def test_an_acceptance_that_runs_out_before_the_run_lifts_nothing(stage: Stage) -> None:
    covers(stage, CLASSIC)
    plan(stage, accepted=answer(f"conditional-access:{policy(stage)['id']}", "2026-06-09"))
    stage.wait(3 * 86_400)
    with pytest.raises(PreflightFailed, match="covers the classic"):
        stage.apply()


@pytest.mark.parametrize("status", [403, 500])
def test_a_directory_that_tells_nothing_or_breaks_off_is_a_finding(stage: Stage, status: int) -> None:
    fault = {"kind": "error", "status": status, "match": {"service": "graph", "route": "conditionalAccess/policies"}}
    faults.put_in(stage.world, [fault])
    with pytest.raises(PlanConflict, match="could not be read"):
        plan(stage)
    assert blockers(stage) == ["conditional-access:unread"]
    plan(stage, accepted=answer("conditional-access:unread"))
    assert stage.apply().state == "finished"
