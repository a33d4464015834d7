"""A world saved to a file and loaded from it, without its text being held as a whole."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from avdtwin import cli, control, estate
from avdtwin.clock import ManualClock
from avdtwin.wire import Request
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


def changed(world: World, **parts: Any) -> bytes:
    return json.dumps(json.loads(world.snapshot()) | parts).encode()


LATER = {
    "a newer version": ({"version": 2}, "version 2, and this twin reads up to 1"),
    "a version that is none": ({"version": "new"}, "Expected `int`"),
    "an event of another twin": ({"events": [[1.0, 1, "moon rises", {}]]}, "nobody plays the event 'moon rises'"),
    "an event that lacks a word": ({"events": [[1.0, 1, "provider registered", {}]]}, "provider registered.*missing"),
    "an event with a word too many": (
        {"events": [[1.0, 1, "provider registered", {"subscription": "s", "namespace": "n", "at_night": True}]]},
        "at_night",
    ),
    "an event at no time": ({"events": [["soon", 1, "provider registered", {}]]}, "Expected `float`"),
    "a setting of another twin": ({"settings": {"colour": "red"}}, "there is no setting colour"),
    "a setting of the wrong type": ({"settings": {"boot_s": 3}}, "does not fit: boot_s"),
    "a machine that is none": ({"machines": {"vm": 7}}, "Expected `object`"),
    "a record without a kind": ({"records": [{"at": 1.0}]}, "missing required field `kind`"),
}


@pytest.mark.parametrize(("parts", "reason"), LATER.values(), ids=LATER)
def test_what_this_twin_cannot_play_is_refused_everywhere(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], parts: dict[str, Any], reason: str
) -> None:
    """By the Python API, by the control API without a change to the world, and by the command with the file's name."""
    content = changed(world, **parts)
    with pytest.raises(msgspec.DecodeError, match=reason):
        World.restore(content, ManualClock(0.0))
    served = estate.build("tiny", 2, ManualClock(estate.DEMO_START))
    before = served.snapshot()
    query: dict[str, str] = {}
    asked = Request(method="POST", path="/_twin/restore", query=query, headers={}, body=content, origin="")
    answer = control.handle(served, asked)
    assert answer.status == 400
    assert re.search(reason, answer.body["error"])
    assert served.snapshot() == before
    path = tmp_path / "world.json"
    path.write_bytes(content)
    assert cli.main(["serve", "--state", str(path)]) == cli.EXIT_INPUT
    said = capsys.readouterr().err
    assert str(path) in said
    assert re.search(reason, said)
    assert path.read_bytes() == content


def test_members_of_another_version_are_passed_over(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps(json.loads(world.snapshot()) | {"later": 1}), "utf-8")
    assert World.load(path, ManualClock(world.now)).snapshot() == world.snapshot()
