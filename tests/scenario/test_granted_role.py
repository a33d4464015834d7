"""An Azure role in the place of a classic one: granted on the twin after a yes, taken back with the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage, pooled, spec_of

from crossfade.plan.role_proposal import RoleProposal


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.of(spec_of(pooled()), tmp_path)


def grantable(stage: Stage) -> list[RoleProposal]:
    return [one for one in stage.make_plan().roles if not one.needs]


def held(stage: Stage) -> set[tuple[str, str, str]]:
    found = stage.world.state.arm.role_assignments.values()
    return {(one.scope.lower(), one.role_definition_id.lower()[-36:], one.principal_id.lower()) for one in found}


def test_after_a_yes_it_is_granted_and_without_one_it_is_not(stage: Stage) -> None:
    proposals = grantable(stage)
    assert proposals, "the estate has somebody with a classic role"
    chosen = proposals[0].id
    stage.make_plan(roles={chosen: "grant"})
    assert stage.apply().state == "finished"
    for one in proposals:
        wanted = (one.scope.lower(), one.role.lower(), one.principal.lower())
        assert (wanted in held(stage)) == (one.id == chosen), one
