"""A run applied again: finished ones write nothing, broken ones go on from where they were."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from stage import Stage, personal, pooled, spec_of

from crossfade.execution.transitions import Kind

SMALL = spec_of(pooled(), personal(hosts=1))


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
@pytest.mark.parametrize("store", ["kept", "lost"])
def test_a_finished_plan_applied_again_writes_nothing(tmp_path: Path, engine: str, store: str) -> None:
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    assert stage.apply(engine).state == "finished"
    stage.calls.clear()
    if store == "lost":
        for file in tmp_path.glob("engine.db*"):
            file.unlink()
    again = stage.apply(engine)
    assert (again.state, again.resumed, again.error) == ("finished", True, None)
    assert stage.calls == Counter()
    assert [entity.state for entity in stage.entities(Kind.RUN)] == ["finished"]


class Abandoned(BaseException):
    """The process is gone."""


def _abandon_at(number: int) -> tuple[list[str], object]:
    points: list[str] = []

    def hook(point: str) -> None:
        points.append(point)
        if len(points) == number:
            raise Abandoned(point)

    return points, hook
