"""Random kill -9 during the demo: what `status` says of each host is so, or it says that it does not know; and whoever
goes on comes to the same end. Six kills by default, twenty with `make crash`."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from harness import Server

KILLS = 20 if os.environ.get("CROSSFADE_EXHAUSTIVE") == "1" else 6

pytestmark = [
    pytest.mark.crash,
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL"),
]


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_status_tells_the_truth_after_a_kill_and_resume_reaches_the_same_end(
    engine: str, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    with Server("demo", tmp_path) as server:
        play = server.play("main", engine)
        clean, points = play.clean()
        assert clean.same["state"] == "finished", clean.same["error"]
        for _ in range(KILLS // 2):
            kill = dice.randint(1, len(points))
            end, _, _ = play.killed([kill], lose_store=dice.random() < 0.5)
            assert end.same == clean.same, f"killed at {kill}: {points[kill - 1]}"
