"""`identities`: out as a table, back into crossfade.toml, and from there into the plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Estate, identity, intent, oid

from crossfade.commands.identities import listed, take_in, write_out
from crossfade.commands.workspace import INTENT, INVENTORY, TARGET, Workspace
from crossfade.errors import InputError
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.intent_template import render


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    estate = Estate()
    estate.pool("Office", people=3)
    people = [
        identity("office0@contoso.com"),
        identity("office1@contoso.com", object_id=None, state="missing", why="renamed"),
        identity("office2@contoso.com", object_id=None, state="missing", why="left"),
        identity("married@contoso.com"),
    ]
    found = Workspace(tmp_path)
    found.write(INVENTORY, estate.inventory())
    found.write(TARGET, estate.target(identities=people))
    found.write_bytes(INTENT, render(intent()) + b"\n# a note of mine\n")
    return found


def filled(workspace: Workspace, *pairs: tuple[str, str]) -> Path:
    path = workspace.folder / "f.csv"
    path.write_text("classic name,now\n" + "".join(f"{name},{now}\n" for name, now in pairs), encoding="utf-8")
    return path


def test_who_is_not_known_is_listed_with_why(workspace: Workspace) -> None:
    found = write_out(workspace, workspace.folder / "out.csv")
    assert [(one.upn, one.why) for one in found.people] == [
        ("office1@contoso.com", "renamed"),
        ("office2@contoso.com", "left"),
    ]
    assert found.exit_code == 2
    assert "office1@contoso.com" in (workspace.folder / "out.csv").read_text(encoding="utf-8-sig")


def test_decisions_go_into_crossfade_toml_and_everything_else_stays(workspace: Workspace) -> None:
    before = workspace.read_bytes(INTENT)
    rows = [("office1@contoso.com", "married@contoso.com"), ("office2@contoso.com", "leave out: retired")]
    assert take_in(workspace, filled(workspace, *rows)).exit_code == 0
    assert read_intent(workspace.read_bytes(INTENT)).people == dict(rows)
    assert b"# a note of mine" in workspace.read_bytes(INTENT)
    take_in(workspace, filled(workspace, *((name, "") for name, _ in rows)))
    assert read_intent(workspace.read_bytes(INTENT)) == read_intent(before)
    assert listed(workspace).exit_code == 2


def test_a_wrong_table_changes_nothing(workspace: Workspace) -> None:
    before = workspace.read_bytes(INTENT)
    with pytest.raises(InputError):
        take_in(workspace, filled(workspace, ("office1@contoso.com", oid("x")), ("office2@contoso.com", "?")))
    assert workspace.read_bytes(INTENT) == before
