"""`crossfade rollback` beside a process that works on the run."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from crossfade.clock import SystemClock
from crossfade.commands.rollback import rollback
from crossfade.commands.workspace import PLAN, Workspace
from crossfade.errors import CannotRollBack, MigrationError, Occupied
from crossfade.execution.journal import Journal
from crossfade.execution.run import run_id_of
from crossfade.execution.transitions import Kind
from crossfade.model.modes import CROSSFADE, RESTORE
from crossfade.plan.plan import Plan


class Unasked:
    """Services and clients that are handed on and never called."""

    def __getattr__(self, name: str) -> "Unasked":
        return self


@pytest.mark.parametrize(
    ("mode", "expected", "told"),
    [
        (CROSSFADE, Occupied, "`crossfade abort`"),
        (RESTORE, CannotRollBack, "there is nothing to go back to"),
    ],
)
def test_nobody_is_told_to_stop_a_run_that_cannot_go_back_anyway(
    tmp_path: Path, mode: str, expected: type[MigrationError], told: str
) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(PLAN, Plan(mode=mode))
    run = run_id_of(workspace.digest(PLAN))
    services = cast(Any, Unasked())
    with Journal.open(workspace.journal, SystemClock(), holder="kim") as journal:
        journal.add(Kind.RUN, run, run_id=run)
        journal.move(Kind.RUN, run, "running")
        with pytest.raises(expected, match=told) as caught:
            asyncio.run(rollback(workspace, services, SystemClock(), cast(Any, None)))
    assert caught.value.exit_code == 3, "nothing was written"


def test_a_plan_that_was_never_applied_leaves_no_journal_behind(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(PLAN, Plan())
    with pytest.raises(CannotRollBack, match="never applied"):
        asyncio.run(rollback(workspace, cast(Any, None), SystemClock(), cast(Any, None)))
    assert not workspace.has_journal()
