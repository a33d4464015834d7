"""Die at every journal write, engine write and call; resume; the end is that of a run that never died.

A sample of points per program and engine, chosen by the git commit, dies by SIGKILL, some of them twice;
CROSSFADE_CRASH=200 tries that many of each. `make crash` (CROSSFADE_EXHAUSTIVE=1) tries besides every point that there
is.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Play, Server, in_flight
from life import End

HERE = Path(__file__).parent
SAMPLES = {
    "move": {"forward": (9, 4), "rollback": (6, 3), "complete": (4, 2)},
    "synthetic": {"main": (5, 8)},
}
"""File -> program -> how many points die in every run of the tests, in process and on DBOS, which takes longer."""
PARTS = {("move", "forward"): 6, ("move", "rollback"): 3}
"""Into how many tests the points of a program are divided, for those that take minutes."""
BATCH = 100
"""So many copies lie on the disk at a time."""
LOST_EVERY = 4
"""Of the points tried with the engine's store kept, each so many-th is tried with the store lost too."""
ENGINES = ["inprocess", "dbos"]
ALL = os.environ.get("CROSSFADE_EXHAUSTIVE") == "1"
ASKED = int(os.environ.get("CROSSFADE_CRASH", "0"))

pytestmark = [pytest.mark.crash, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")]
Tell = Callable[[str, object], None]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("file", list(SAMPLES))
def test_the_end_is_that_of_a_run_that_never_died(
    file: str, engine: str, tmp_path: Path, record_property: Tell
) -> None:
    """Real SIGKILLs, some runs with two."""
    commit = _commit()
    with Server(file, tmp_path) as server:
        for program, samples in SAMPLES[file].items():
            sample = samples[ENGINES.index(engine)]
            play = server.play(program, engine)
            clean, points = play.clean()
            dice = random.Random(f"{commit} {program} {engine}")
            chosen = sorted(dice.sample(range(1, len(points) + 1), min(ASKED or sample, len(points))))
            for number, point in enumerate(chosen):
                kills = [point, dice.randint(1, len(points) // 2)] if number % 5 == 0 else [point]
                lose_store = engine == "dbos" and dice.random() < 0.5
                place = play.place(points[point - 1], lose_store=lose_store) + f", and then at {kills[1:]}"
                end, _, writes = play.killed(kills, lose_store=lose_store)
                end.compare(clean, writes, place)
            told = f"{file}:{program} on {engine}: {len(chosen)} of {len(points)} points, of commit {commit[:10]}"
            record_property("crash", f"{told}: all resumed")


@pytest.mark.skipif(not ALL, reason="half an hour: `make crash`")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("file", "program", "part"),
    [
        (file, program, part)
        for file, programs in SAMPLES.items()
        for program in programs
        for part in range(PARTS.get((file, program), 1))
    ],
)
def test_every_point_is_tried(
    file: str, program: str, part: int, engine: str, tmp_path: Path, record_property: Tell
) -> None:
    """What a kill would leave at each point, resumed; points that leave the same are resumed once."""
    lives, bad = 0, list[str]()
    with Server(file, tmp_path) as server:
        play = server.play(program, engine)
        clean, points = play.clean()
        mine = _part(len(points), part, PARTS.get((file, program), 1))
        for first in range(0, len(mine), BATCH):
            for folder, numbers in play.remains(mine[first : first + BATCH]):
                for lose_store in [False, True] if engine == "dbos" and not lives % LOST_EVERY else [False]:
                    bad += _resumed(play, folder, clean, points[numbers[0] - 1], lose_store=lose_store)
                lives += 1
                shutil.rmtree(folder)
    assert not bad, f"{len(bad)} of {lives} did not come to the same end:\n" + "\n\n".join(bad[:20])
    told = f"{file}:{program} on {engine}, part {part}: all {len(mine)} points of {len(points)} tried in {lives} lives"
    record_property("crash", told)


def _resumed(play: Play, folder: Path, clean: End, point: str, *, lose_store: bool) -> list[str]:
    """What was not as it should be."""
    place = play.place(point, lose_store=lose_store)
    try:
        play.resumed(folder, lose_store=lose_store).compare(clean, in_flight(folder), place)
    except AssertionError as error:
        return [f"{place}\n{error}"]
    return []


def _part(points: int, part: int, parts: int) -> list[int]:
    """Neighbours stay together: they may leave the same."""
    edges = [points * number // parts for number in range(parts + 1)]
    return list(range(edges[part] + 1, edges[part + 1] + 1))


def _commit() -> str:
    asked = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(asked, cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"


# -- the harness itself


def test_a_program_that_does_not_look_first_is_found_out(tmp_path: Path) -> None:
    """A step that acts again without observing must not pass, killed or copied."""
    with Server("synthetic", tmp_path) as server:
        play = server.play("careless", "inprocess")
        clean, points = play.clean()
        after = points.index(next(name for name in points if re.fullmatch(r"call:after:\d+ install h1", name))) + 1
        end, _, writes = play.killed([after], lose_store=False)
        ((folder, _),) = play.remains([after])
        copied = play.resumed(folder, lose_store=False)
    assert copied == end
    with pytest.raises(AssertionError):
        end.compare(clean, writes, points[after - 1])


@pytest.mark.parametrize(
    "writes", [{"PUT a": 1}, {"PUT a": 2, "PUT b": 3}, {"PUT a": 2, "PUT b": 1, "PUT c": 2}, {"PUT a": 3, "PUT b": 2}]
)
def test_a_write_too_few_or_too_many_is_found_out(writes: dict[str, int]) -> None:
    clean = End({}, {"PUT a": 2, "PUT b": 1})
    End({}, {"PUT a": 2, "PUT b": 2}).compare(clean, 1, "the call in flight")
    with pytest.raises(AssertionError):
        End({}, writes).compare(clean, 1, "")


def test_all_parts_are_all_points() -> None:
    assert [each for part in range(3) for each in _part(10, part, 3)] == list(range(1, 11))
