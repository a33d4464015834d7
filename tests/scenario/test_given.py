"""What people were given on the target goes away before they are taken out of classic: nobody is left with nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from back_kit import classic_of
from stage import Stage, pooled, spec_of

from crossfade.plan.intent import Access


def a_group(stage: Stage) -> None:
    """The Entra group that the run has made, and with it what it was granted."""
    state = stage.world.state
    (made,) = [key for key, group in state.directory.groups.items() if group.display_name.startswith("AVD ")]
    del state.directory.groups[made]
    grants = state.arm.role_assignments
    for key in [key for key, one in grants.items() if one.principal_id == made]:
        del grants[key]


def a_workspace(stage: Stage) -> None:
    resources = stage.world.state.arm.resources
    (workspace,) = stage.of_type("workspaces")
    del resources[workspace.id.lower()]


def a_grant(stage: Stage) -> None:
    grants = stage.world.state.arm.role_assignments
    del grants[next(key for key in grants if "/applicationgroups/" in key)]


@pytest.mark.parametrize("deleted", [a_group, a_workspace, a_grant])
def test_nobody_leaves_classic_whose_target_somebody_deleted(tmp_path: Path, deleted: Callable[[Stage], None]) -> None:
    stage = Stage.of(spec_of(pooled(hosts=2, groups=())), tmp_path)
    stage.make_plan(access=Access(direct_threshold=2 if deleted is a_group else 150))
    acted: list[str] = []

    def hook(point: str) -> None:
        if "/retract" in point and not acted:
            acted.append(point)
            deleted(stage)

    held = stage.apply(hook=hook)
    assert held.error is not None
    assert (held.state, "they would be left with nothing" in held.error["what"]) == ("holding", True)
    kept = classic_of(stage)["people"]["office pool", "desktop application group"]
    assert len(kept) == (1 if deleted is a_grant else 3)
