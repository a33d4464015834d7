"""`crossfade report`: which documents tell the story."""

from pathlib import Path

import pytest

from crossfade.clock import SystemClock
from crossfade.commands.report import documents
from crossfade.commands.workspace import INVENTORY, PLAN, VERIFICATION, Workspace
from crossfade.execution.journal import Journal
from crossfade.execution.transitions import Kind
from crossfade.inventory.inventory import Inventory
from crossfade.plan.plan import Plan
from crossfade.report.html import html
from crossfade.report.verdict import verdict
from crossfade.verification.verification import AccessChange, Verification

LOST = [AccessChange(person="amy@contoso.com", resource="g/t/p/a/Excel", why="the target has no such item")]


@pytest.mark.parametrize(
    ("states", "told", "lost"),
    [
        (["running"], "under way, and not everybody can open everything", True),
        (["running", "rolling_back", "rolled_back"], "rolled back: people work on classic, as before", False),
    ],
    ids=["under way", "rolled back"],
)
def test_what_was_rolled_back_is_no_loss(tmp_path: Path, states: list[str], told: str, lost: bool) -> None:
    """Once all is taken back nobody is to open anything on the target, so a proof of that names no victims."""
    workspace, plan = Workspace(tmp_path), Plan()
    workspace.write(INVENTORY, Inventory(made_at="now"))
    workspace.write(PLAN, plan)
    workspace.write(VERIFICATION, Verification(inputs={"plan": plan.digest()}, lost=LOST))
    with Journal.open(workspace.journal, SystemClock()) as journal:
        journal.add(Kind.RUN, "r", run_id="r", data={"plan": workspace.digest(PLAN)})
        for state in states:
            journal.move(Kind.RUN, "r", state)
    found = documents(workspace)
    assert told in verdict(found).sentence
    assert ("amy@contoso.com" in html(found)) == lost
