"""What a run was planned from stays with it, whatever is written into its folder meanwhile."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from stage import Stage, pooled, spec_of

from crossfade.commands.kept import kept
from crossfade.commands.verify import verify
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET
from crossfade.errors import Refused, StalePlan
from crossfade.execution.transitions import Kind

SMALL = spec_of(pooled(hosts=2))


def test_a_discovery_after_the_run_does_not_stop_the_proof(tmp_path: Path) -> None:
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    assert stage.apply().state == "finished"
    stage.discover()
    found = stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))
    assert found.equivalent()
    assert found.inputs["inventory"] == stage.plan.inputs["inventory"]


def test_the_run_of_a_plan_is_found_by_its_file_not_by_what_this_version_makes_of_it(tmp_path: Path) -> None:
    """A version whose plans have one member more, or less, reads the same file."""
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    assert stage.interrupt(lambda point: "draining" in point)
    file = stage.workspace.path(PLAN)
    older = msgspec.json.decode(file.read_bytes())
    older["notes"] = []
    file.write_bytes(msgspec.json.encode(older))
    digest = stage.workspace.digest(PLAN)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(older), indent=4))
    assert stage.workspace.digest(PLAN) == digest, "blanks do not count"
    del older["notes"]
    file.write_bytes(msgspec.json.encode(older))
    assert stage.workspace.digest(PLAN) != digest, "a plan with other words is another plan"
    assert stage.workspace.read(PLAN, type(stage.plan)).digest() == digest, "as this version would have written it"


def test_a_plan_written_over_is_refused_with_the_way_to_the_copy(tmp_path: Path) -> None:
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    assert stage.interrupt(lambda point: "draining" in point)
    (run,) = stage.entities(Kind.RUN)
    mine = stage.workspace.read_bytes(PLAN)
    stage.workspace.write(PLAN, msgspec.structs.replace(stage.plan, notes=["another"]))
    with pytest.raises(Refused, match=run.id) as refused:
        stage.apply()
    copy = stage.workspace.path(kept(PLAN, run.id))
    assert str(copy) in refused.value.mend
    assert copy.read_bytes() == mine
    stage.workspace.write_bytes(PLAN, copy.read_bytes())
    assert stage.apply().state == "finished"
    for file in (INVENTORY, TARGET):
        assert stage.workspace.has(kept(file, run.id))


def test_an_inventory_of_another_plan_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    inventory = msgspec.json.decode(stage.workspace.read_bytes(INVENTORY))
    inventory["pools"] = []
    stage.workspace.path(INVENTORY).write_bytes(msgspec.json.encode(inventory))
    stage.calls.clear()
    with pytest.raises(StalePlan):
        stage.apply()
    assert not stage.calls
