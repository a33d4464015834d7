"""One estate moved in parts, each by a plan and a run of its own, all planned beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from back_kit import take_back
from stage import EVENING, QUICK, Stage, pooled, short, spec_of

from avdtwin import estate
from crossfade.app import Rehearsal, twin_clock
from crossfade.clock import SimulatedClock, parse_iso
from crossfade.commands.verify import verify
from crossfade.errors import PreflightFailed
from crossfade.plan.intent import PoolIntent

PARTS = tuple(pooled(name, name.lower(), hosts=2, groups=()) for name in ("Two", "Six"))


def planned(folder: Path) -> tuple[Stage, Stage]:
    """Both parts, into the resource group and the workspace that both would make."""
    clock = SimulatedClock(parse_iso(EVENING))
    spec = spec_of(*PARTS, name="parts")
    world = estate.build(spec, 1, twin_clock(clock), people=False)
    stages = [Stage.around(Rehearsal(world, clock, seed=1), folder / pool.name, spec) for pool in PARTS]
    for stage, other in zip(stages, reversed(PARTS), strict=True):
        stage.make_plan(waves=QUICK, pools={f"Default Tenant Group/parts/{other.name}": PoolIntent(skip=True)})
    return stages[0], stages[1]


def listed(stage: Stage) -> list[str]:
    """The groups that the one workspace shows."""
    (workspace,) = stage.of_type("workspaces")
    return sorted(short(one) for one in workspace.properties["applicationGroupReferences"])


def test_what_the_run_of_one_part_does_makes_no_other_plan_stale(tmp_path: Path) -> None:
    two, six = planned(tmp_path)
    assert two.apply().state == "finished"
    assert six.apply().state == "finished"
    for stage in (two, six):
        assert set(stage.hosts().values()) == {"confirmed"}
    assert listed(two) == ["six-dag", "two-dag"]
    proof: Any = six.with_services(lambda services: verify(six.workspace, services, six.rehearsal.clock))
    assert proof.equivalent()
    assert take_back(two).state == "rolled_back"
    assert listed(six) == ["six-dag"], "the workspace that the first run made is left to the second"
    assert six.of_type("hostPools")[0].name == "Six"
    assert take_back(six).state == "rolled_back"
    assert not six.of_type("hostPools")


def test_a_change_in_its_own_part_is_refused_with_its_name(tmp_path: Path) -> None:
    two, six = planned(tmp_path)
    six.pool_record("Six").max_session_limit = 3
    with pytest.raises(PreflightFailed, match=r"pool .*/Six is another now \(max_session_limit\)"):
        six.apply()
    assert not six.workspace.has_journal()
    assert two.apply().state == "finished"
