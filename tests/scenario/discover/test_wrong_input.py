"""Paths and folders that cannot be used: everything at once, with file and line, and nothing written."""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from discover_kit import EVERYTHING, Bench

from avdtwin.estate.export import export_folder
from crossfade.clock import SimulatedClock
from crossfade.cloud.services import Services
from crossfade.commands.discover import discover, discover_exports
from crossfade.errors import InputError

CLOCK = SimulatedClock(datetime(2026, 6, 8, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good export."""
    export_folder(Bench("tiny", **EVERYTHING).world, tmp_path)
    return tmp_path


def problems(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        discover_exports(path, CLOCK)
    assert all(problem.mend for problem in caught.value.problems)
    return [(problem.where, problem.what) for problem in caught.value.problems]


def test_wrong_paths(tmp_path: Path) -> None:
    assert problems(tmp_path / "nowhere") == [(str(tmp_path / "nowhere"), "is not there.")]
    assert problems(tmp_path) == [(str(tmp_path), "holds no files.")]
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    assert problems(tmp_path) == [(str(tmp_path), "holds no files.")]


def test_one_file_is_an_export_too_and_subfolders_are_read(folder: Path) -> None:
    whole = discover_exports(folder, CLOCK)
    below = folder / "pools" / "one"
    below.mkdir(parents=True)
    for path in folder.glob("users *.json"):
        path.rename(below / path.name)
    moved = discover_exports(folder, CLOCK)
    assert moved.substance() == whole.substance()
    assert any(origin.place.startswith("pools/one/users ") for origin in moved.origins)
    hosts = next(folder.glob("session hosts *.json"))
    assert len(discover_exports(hosts, CLOCK).hosts) == len(whole.hosts)


def test_nothing_of_a_folder_is_left_out_unseen(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """People who stand in a part that nobody read would lose what they had."""
    whole = discover_exports(folder, CLOCK)
    elsewhere = tmp_path_factory.mktemp("share")
    for path in folder.glob("users *.json"):
        path.rename(elsewhere / path.name)
    (folder / "users").symlink_to(elsewhere)
    (folder / "around").symlink_to(folder)
    assert discover_exports(folder, CLOCK).substance() == whole.substance()
    (folder / "itself").symlink_to(folder / "itself")
    (folder / "gone.json").symlink_to(elsewhere / "gone.json")
    with open(folder / "disk.vhd", "wb") as disk:
        disk.truncate(2**31)
    found = dict(problems(folder))
    assert found.pop("disk.vhd").startswith("cannot be read: it has 2,048 MB")
    assert found == dict.fromkeys(("gone.json", "itself"), "is a link that leads nowhere.")


def test_a_folder_that_may_not_be_opened_is_a_problem(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "locked").mkdir()
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert problems(folder) == [("locked", "cannot be read: Permission denied.")]


def test_every_problem_of_every_file_at_once(folder: Path) -> None:
    [hosts] = folder.glob("session hosts *.json")
    hosts.write_bytes(hosts.read_bytes()[:-40])
    [pools] = folder.glob("host pools *.json")
    raw = json.loads(pools.read_text("utf-16"))
    (folder / "pools again.json").write_text(json.dumps(raw | {"MaxSessionLimit": 1}))
    (folder / "notes.txt").write_bytes("Schlüssel".encode("cp1252"))
    (folder / "odd.json").write_text('[\n{"Colour": "red"}\n]')
    found = problems(folder)
    places = {where.partition(":")[0]: what for where, what in found}
    assert set(places) == {hosts.name, "notes.txt", "odd.json", "pools again.json"}
    assert "cut off" in places[hosts.name]
    assert "is not UTF-8" in places["notes.txt"]
    assert "no known type" in places["odd.json"]
    assert "max_session_limit" in places["pools again.json"]
    assert found == sorted(found)


def test_bad_exports_stop_a_live_discovery_before_it_calls_anybody(tmp_path: Path) -> None:
    bench = Bench("tiny")
    (tmp_path / "odd.json").write_text('{"Colour": "red"}')

    async def story(services: Services) -> None:
        for path in (tmp_path / "nowhere", tmp_path):
            with pytest.raises(InputError):
                await discover(services, exports=path)

    bench.run(story)
    assert bench.calls == {}


def test_unknown_properties_are_kept_and_missing_ones_told(folder: Path) -> None:
    [pools] = folder.glob("host pools *.json")
    raw = json.loads(pools.read_text("utf-16"))
    del raw["CustomRdpProperty"]
    pools.write_text(json.dumps(raw | {"BrokerRegion": "WestEurope"}))
    found = discover_exports(folder, CLOCK)
    assert found.pools[0].extra == {"brokerRegion": "WestEurope"}
    assert any(gap.subject == pools.name and "custom_rdp_property" in gap.what for gap in found.gaps)
