"""A directory without permission, or one that answers in part: a finding and a refusal that name it, never a guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stage import Stage, pooled, spec_of

from avdtwin import faults
from avdtwin.graph import batch
from avdtwin.wire import Request
from avdtwin.world import World
from crossfade.assessment.findings import Findings
from crossfade.clock import iso
from crossfade.commands.assess import assess
from crossfade.commands.plan import make
from crossfade.commands.verify import verify
from crossfade.commands.workspace import FINDINGS, INTENT, PLAN, TARGET
from crossfade.errors import PlanConflict
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.intent import Access, Installers
from crossfade.plan.intent_template import render


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.of(spec_of(pooled(hosts=1, desktop_people=6)), tmp_path)


def fail(stage: Stage, status: int, route: str, **match: Any) -> None:
    given = {"kind": "error", "status": status, "match": {"service": "graph", "route": route, **match}}
    faults.put_in(stage.world, [given])


def decide(stage: Stage) -> None:
    stage.discover()
    intent = stage.intent(outage="when-empty", installers=Installers())
    stage.workspace.path(INTENT).write_bytes(render(intent))
    assess(stage.workspace, stage.rehearsal.clock)
    make(stage.workspace, today=iso(stage.rehearsal.clock.now())[:10])


def blocker(stage: Stage) -> Any:
    found = stage.workspace.read(FINDINGS, Findings).blockers()
    return next(one for one in found if one.rule == "people-unread")


def test_nobody_may_be_looked_up(stage: Stage) -> None:
    fail(stage, 403, "$batch")
    with pytest.raises(PlanConflict, match="not looked up"):
        decide(stage)
    assert not stage.workspace.has(PLAN)
    told = blocker(stage)
    assert len(told.evidence["people"]) == 8
    assert told.why
    assert "User.ReadBasic.All" in told.mend


def answer_some(patch: pytest.MonkeyPatch, status: int, *, times: int = 1000) -> list[str]:
    """Have the steps of batches that ask for every third person fail, `times` times; gives who was asked for."""
    whole, struck = batch._step, []

    def step(world: World, request: Request, given: dict[str, Any], *rest: Any) -> dict[str, Any]:
        answer = whole(world, request, given, *rest)
        if int(given["id"]) % 3 == 0 and len(struck) < times:
            struck.append(str(given["url"]))
            error = {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}
            return {**answer, "status": status, "body": {"error": error}}
        return answer

    patch.setattr(batch, "_step", step)
    return struck


def test_some_answers_of_a_batch_are_missing_and_those_people_are_named(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    struck = answer_some(monkeypatch, 403)
    with pytest.raises(PlanConflict, match="not looked up"):
        decide(stage)
    target = stage.workspace.read(TARGET, TargetSnapshot)
    unread = {one.upn.casefold(): one.why for one in target.identities if one.state == "unread"}
    assert len(unread) == len(struck) > 1
    assert all(unread.values())
    named = blocker(stage).evidence["people"]
    assert named
    assert set(named) <= unread.keys()


@pytest.mark.parametrize("status", [500, 504])
def test_who_cannot_be_asked_however_often_is_named_with_the_reason(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answer_some(monkeypatch, status)
    with pytest.raises(PlanConflict, match="not looked up"):
        decide(stage)
    unread = [one for one in stage.workspace.read(TARGET, TargetSnapshot).identities if one.state == "unread"]
    assert unread
    assert all(str(status) in one.why for one in unread)


@pytest.mark.parametrize("status", [429, 503, 504])
def test_one_that_is_ill_for_a_moment_is_asked_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    struck = answer_some(monkeypatch, status, times=2)
    decide(stage)
    assert len(struck) == 2
    assert stage.workspace.read(FINDINGS, Findings).blockers() == []


def test_the_people_of_a_group_that_cannot_be_read_are_in_doubt_and_not_equal(stage: Stage) -> None:
    stage.make_plan(outage="when-empty", access=Access(direct_threshold=0))
    assert stage.apply().state == "finished"
    stage.wait(900)
    fail(stage, 403, "groups/{key}/transitiveMembers/microsoft.graph.user")
    proof = stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))
    assert not proof.equivalent()
    assert any("could not be read" in one.why for one in proof.unexplained)
