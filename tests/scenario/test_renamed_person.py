"""Somebody renamed since classic listed them: decided about, moved under their name of today, and proven."""

from __future__ import annotations

from pathlib import Path

from stage import Stage, pooled, spec_of

from crossfade.assessment.findings import Findings
from crossfade.cloud.services import Services
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.verify import verify
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET
from crossfade.plan.people import unresolved
from crossfade.plan.planner import make_plan
from crossfade.verification.verification import Verification

NEW = "married.name@elsewhere.example"


def test_who_was_renamed_gets_what_they_had(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled()), tmp_path)
    first = stage.make_plan()
    old, object_id = next(iter(first.access[0].people.items()))
    directory = stage.world.state.directory
    directory.users[object_id].upn = NEW
    directory.upns[NEW] = directory.upns.pop(old)
    decided = {old: NEW}

    async def read(services: Services) -> None:
        inventory = await discover(services)
        target = await discover_target(services, inventory, [stage.rehearsal.subscription], people=[NEW])
        assert [one.upn.lower() for one in unresolved(inventory, target, {})] == [old]
        stage.workspace.write(INVENTORY, inventory)
        stage.workspace.write(TARGET, target)
        stage.plan = make_plan(inventory, target, Findings(), stage.intent(people=decided), today="2026-01-01")
        stage.workspace.write(PLAN, stage.plan)

    stage.with_services(read)
    assert stage.plan.access[0].people[NEW] == object_id
    applied = stage.apply()
    assert applied.state == "finished", (
        applied.error,
        [(e.subject, e.to_state, e.reason) for e in stage.events("step") if e.to_state == "failed"][-5:],
    )
    stage.wait(1_200)

    async def prove(services: Services) -> Verification:
        return await verify(stage.workspace, services, services.clock)

    proof = stage.with_services(prove)
    assert (proof.lost, proof.gained, proof.unexplained) == ([], [], [])
