"""What is written side by side before the first wave: nothing before what it hangs on, nothing on people."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scenario"))

from stage import Stage

from crossfade.execution.chains import setup_chains
from crossfade.plan.operations import PutResource, ReferenceGroup, RegisterProvider, RetractAssignment, SetIcon


@pytest.mark.parametrize("number", range(8))
def test_every_operation_is_in_one_chain_or_belongs_to_a_wave(tmp_path: Path, number: int) -> None:
    plan = Stage.of(f"small-{number}", tmp_path, seed=number).make_plan(outage="when-empty")
    chains = setup_chains(plan)
    chained = [*chains.frame, *(name for names in chains.pools.values() for name in names), *chains.joint]
    assert len(chained) == len(set(chained))
    later = {name for wave in plan.waves for name in wave.publish}
    later |= {name for wave in plan.waves for names in wave.publish_by_host.values() for name in names}
    later |= {name for pool in plan.pools for name in pool.late}
    later |= {operation.id for operation in plan.operations if isinstance(operation, RetractAssignment | SetIcon)}
    assert set(chained).isdisjoint(later)
    assert set(chained) | later == {operation.id for operation in plan.operations}


@pytest.mark.parametrize("number", range(8))
def test_a_chain_writes_the_pool_before_its_groups_and_a_group_before_its_apps(tmp_path: Path, number: int) -> None:
    plan = Stage.of(f"small-{number}", tmp_path, seed=number).make_plan(outage="when-empty")
    chains = setup_chains(plan)
    for operation in map(plan.operation, chains.frame):
        assert isinstance(operation, RegisterProvider | PutResource)
    for names in chains.pools.values():
        subjects = [plan.operation(name).subject.lower() for name in names]
        for place, subject in enumerate(subjects):
            parent = subject.rsplit("/", 2)[0]
            assert parent not in subjects[place:], f"{subject} comes before {parent}"
    joint = [type(plan.operation(name)).__name__ for name in chains.joint]
    if ReferenceGroup.__name__ in joint:
        assert joint.index("PutResource") < joint.index(ReferenceGroup.__name__) if "PutResource" in joint else True
