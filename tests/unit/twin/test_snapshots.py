"""A world saved to a file and loaded from it, without its text being held as a whole."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from avdtwin import estate
from avdtwin.clock import ManualClock
from avdtwin.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return estate.build("contoso", 1, ManualClock(estate.DEMO_START))


def test_a_file_is_the_snapshot_and_loads_as_the_same_world(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    world.save(path)
    assert path.read_bytes() == world.snapshot()
    assert World.load(path, ManualClock(world.now)).snapshot() == world.snapshot()
    assert World.restore(world.snapshot(), ManualClock(world.now)).snapshot() == world.snapshot()


def test_saving_holds_less_than_the_whole_text(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    tracemalloc.start()
    try:
        world.save(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.75 * path.stat().st_size


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field"),
        (b'{"directory": {"tenant_id": 7}}', "Expected `str`"),
        (b'{"directory": {"tenant_id": "t"}, "seed": "one"}', "Expected `int`"),
        (b'{"directory": {"tenant_id": "t"}, "seed": 1} more', "malformed"),
        (b'{"directory": {"tenant_id": "t"}, "settings": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "deeply"),
    ],
)
def test_what_is_no_snapshot_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "world.json"
    path.write_bytes(content)
    with pytest.raises((msgspec.DecodeError, msgspec.ValidationError), match=problem):
        World.load(path, ManualClock(0.0))


def test_members_of_another_version_are_passed_over(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps(json.loads(world.snapshot()) | {"later": 1}), "utf-8")
    assert World.load(path, ManualClock(world.now)).snapshot() == world.snapshot()
