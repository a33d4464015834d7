"""The folder of a demo: nothing real is done in it, and nothing real is emptied by the next demo."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crossfade.commands.demo import prepare
from crossfade.commands.workspace import DEMO, ENGINE, PLAN, Workspace
from crossfade.errors import InputError
from crossfade.plan.plan import Plan

Cli = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    "words",
    [("discover",), ("discover", "--from", "."), ("discover", "--from-azure", "draft"), ("apply",), ("rollback",)],
    ids=" ".join,
)
def test_nothing_real_is_done_in_it(workspace: Workspace, crossfade: Cli, words: tuple[str, ...]) -> None:
    """What was read or carried out there would be lost with the next demo."""
    prepare(workspace.folder).write(PLAN, Plan())
    before = sorted(workspace.folder.iterdir())
    code, _, errors = crossfade(*words)
    assert code == 3
    assert "holds a demo" in errors
    assert "--dir" in errors
    assert sorted(workspace.folder.iterdir()) == before


def test_a_demo_empties_what_a_demo_left_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    prepare(folder).write(PLAN, Plan())
    assert [each.name for each in prepare(folder).folder.iterdir()] == [DEMO.name]
    (folder / ENGINE.name).write_bytes(b"a run of one's own was carried out here")
    with pytest.raises(InputError, match="holds something else"):
        prepare(folder)
    assert (folder / ENGINE.name).exists()
