"""Die at every journal write, engine write and call; resume; the end is that of a run that never died.

CROSSFADE_CRASH=all (or `make crash`) tries every point, with the engine's store kept and lost; otherwise a sample of
points per program and engine, chosen by the git commit. Some runs die twice. CROSSFADE_CRASH=200 tries that many.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import End, Server

HERE = Path(__file__).parent
SAMPLES = {"move": 20, "synthetic": 20}
ENGINES = ["inprocess", "dbos"]
ASKED = os.environ.get("CROSSFADE_CRASH", "all" if os.environ.get("CROSSFADE_EXHAUSTIVE") == "1" else "")
ALL = ASKED == "all"

pytestmark = [pytest.mark.crash, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")]
Case = tuple[list[int], bool]
"""Where to kill, and whether the engine's store is lost at each death."""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("program", list(SAMPLES))
def test_the_end_is_that_of_a_run_that_never_died(
    program: str, engine: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with Server(f"{HERE}/programs/{program}.py:main", engine, tmp_path) as server:
        clean, points = server.clean()
        cases = _cases(len(points), engine, int(ASKED) if ASKED.isdigit() else SAMPLES[program])
        for kills, lose_store in cases:
            end, _, deaths = server.killed(kills, lose_store=lose_store)
            place = f"killed at {kills} ({points[kills[0] - 1]}), store {'lost' if lose_store else 'kept'}"
            _compare(clean, end, deaths, place)
    record_property("crash", f"{program} on {engine}: {len(cases)} cases at {len(points)} points, all resumed")


def test_a_program_that_does_not_look_first_is_found_out(tmp_path: Path) -> None:
    """The harness itself: a step that acts again without observing must not pass."""
    with Server(f"{HERE}/programs/synthetic.py:careless", "inprocess", tmp_path) as server:
        clean, points = server.clean()
        after = points.index("after install h1") + 1
        end, _, deaths = server.killed([after], lose_store=False)
    assert deaths == 1
    with pytest.raises(AssertionError):
        _compare(clean, end, deaths, points[after - 1])


def _compare(clean: End, end: End, deaths: int, place: str) -> None:
    assert end.same == clean.same, place
    for name, count in end.at_most.items():
        assert count <= clean.at_most.get(name, 0) + deaths, f"{place}: {name}"


def _cases(points: int, engine: str, sample: int) -> list[Case]:
    dice = random.Random(_commit())
    losing = [False, True] if engine == "dbos" else [False]
    if ALL:
        once: list[Case] = [([point], lose) for lose in losing for point in range(1, points + 1)]
        return once + [([point, dice.randint(1, points)], dice.choice(losing)) for point in range(1, points + 1, 7)]
    chosen = sorted(dice.sample(range(1, points + 1), min(sample, points)))
    return [
        ([point, dice.randint(1, points // 2)] if number % 5 == 0 else [point], dice.choice(losing))
        for number, point in enumerate(chosen)
    ]


def _commit() -> str:
    asked = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(asked, cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"
