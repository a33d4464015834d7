"""`crossfade discover --from-azure`: what it prints, its exit code, and that it overwrites nobody's corrections."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossfade.cli import discovering
from crossfade.commands.remains import Remains
from crossfade.inventory.inventory import Inventory
from crossfade.model.provenance import Gap

Run = Callable[..., tuple[int, str, str]]
GAP = Gap(subject="host pool A", what="Its RDP properties are not known.", why="No sign says.", mend="Fill them in.")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the services give, in turn; what was asked of them is not the matter here."""
    turns: list[Any] = []
    monkeypatch.setattr(discovering, "with_services", lambda connection, work: turns.pop(0))
    return turns


def test_gaps_are_told_with_the_next_command_and_exit_code_2(found: list[Any], crossfade: Run, tmp_path: Path) -> None:
    found.append(Remains(Inventory(gaps=[GAP]), {"host-pools.json": b"[]\n"}))
    folder = tmp_path / "my draft"
    code, out, _ = crossfade("discover", "--from-azure", str(folder))
    assert code == 2
    assert "host pool A: Its RDP properties are not known. No sign says. Fill them in." in out
    assert out.rstrip().endswith(f"then read them: crossfade discover --from '{folder}'")
    assert (folder / "host-pools.json").read_bytes() == b"[]\n"
    assert (tmp_path / "inventory.json").is_file()


def test_json_names_the_draft_and_its_files(found: list[Any], crossfade: Run, tmp_path: Path) -> None:
    found.append(Remains(Inventory(), {"b.json": b"[]\n", "a.json": b"[]\n"}))
    code, out, _ = crossfade("discover", "--from-azure", str(tmp_path / "draft"), "--json")
    data = json.loads(out)
    assert code == 0
    assert (data["draft"], data["files"]) == (str(tmp_path / "draft"), ["a.json", "b.json"])


def test_a_folder_that_holds_something_is_refused_before_anything_is_read(crossfade: Run, tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    (tmp_path / "draft" / "host-pools.json").write_text("[]")
    code, _, error = crossfade("discover", "--from-azure", str(tmp_path / "draft"))
    assert code == 1
    assert "is there and holds something" in error
    assert not (tmp_path / "inventory.json").exists()


@pytest.mark.parametrize("other", [("--from", "x"), ("--live",), ("--target",)])
def test_it_is_a_way_of_its_own(crossfade: Run, tmp_path: Path, other: tuple[str, ...]) -> None:
    code, _, error = crossfade("discover", "--from-azure", str(tmp_path / "draft"), *other)
    assert code == 1
    assert f"{other[0]}: was given beside --from-azure." in error.replace("- ", "")


@pytest.mark.parametrize("other", [("--from", "x"), ("--live",), ("--tenant", "x")])
def test_the_target_is_read_by_itself(crossfade: Run, other: tuple[str, ...]) -> None:
    code, _, error = crossfade("discover", "--target", *other)
    assert code == 1
    assert f"{other[0]}: was given beside --target." in error
