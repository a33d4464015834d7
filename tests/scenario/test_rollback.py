"""The way back: a host, a wave or the whole run, with the care of the way there."""

from __future__ import annotations

from pathlib import Path

import pytest
from back_kit import classic_of, take_back, target_of
from stage import Stage, personal, pooled, spec_of

SMALL = spec_of(pooled(hosts=3), personal(hosts=1))


def moved(folder: Path, engine: str = "inprocess", **options: object) -> tuple[Stage, dict[str, object], object]:
    """A finished migration, and target and classic as they were before it."""
    stage = Stage.of(SMALL, folder, **options)  # type: ignore[arg-type]
    stage.make_plan()
    before = target_of(stage), classic_of(stage)
    assert stage.apply(engine).state == "finished"
    return stage, *before


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_a_whole_run_leaves_the_target_as_it_was(tmp_path: Path, engine: str) -> None:
    stage, target, classic = moved(tmp_path, engine)
    assert target_of(stage) != target
    assert classic_of(stage) != classic
    done = take_back(stage, engine=engine)
    assert (done.state, done.error) == ("rolled_back", None)
    assert set(stage.hosts().values()) == {"on_source"}
    assert target_of(stage) == target
    assert classic_of(stage) == classic
    with stage.journal() as journal:
        journal.verify()
