"""The folder of a migration: documents whole or not at all, and errors that name the command that helps."""

import os
import stat
from pathlib import Path

import pytest

from crossfade.commands import workspace as module
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET, Workspace
from crossfade.errors import InputError
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "new" / "folder")
    assert not workspace.has(INVENTORY)
    path = workspace.write(INVENTORY, Inventory(made_at="now"))
    assert path == tmp_path / "new" / "folder" / "inventory.json"
    assert workspace.has(INVENTORY)
    assert workspace.read(INVENTORY, Inventory) == Inventory(made_at="now")
    assert [each.name for each in path.parent.iterdir()] == ["inventory.json"]


def test_a_missing_document_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        Workspace(tmp_path).read(PLAN, Inventory)
    [problem] = caught.value.problems
    assert problem.where == str(tmp_path / "plan.json")
    assert "`crossfade plan`" in problem.mend


def test_another_document_under_the_name_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(TARGET, Inventory())
    with pytest.raises(InputError, match="this version reads 'crossfade/target@1'"):
        workspace.read(TARGET, TargetSnapshot)


def test_a_write_that_fails_leaves_the_old_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(INVENTORY, Inventory(made_at="old"))

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        workspace.write(INVENTORY, Inventory(made_at="new"))
    assert workspace.read(INVENTORY, Inventory).made_at == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["inventory.json"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        Workspace(place).write(INVENTORY, Inventory())
    with pytest.raises(InputError, match=r"inventory\.json"):
        Workspace(place).read(INVENTORY, Inventory)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_document_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(INVENTORY, Inventory()).chmod(stat.S_IWUSR)
    with pytest.raises(InputError, match="Permission denied"):
        workspace.read(INVENTORY, Inventory)
