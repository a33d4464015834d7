"""`crossfade resume`: which way it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossfade.cli import running
from crossfade.cli.answers import Answer, Here
from crossfade.clock import SystemClock
from crossfade.commands.apply import Applied
from crossfade.commands.rollback import RolledBack
from crossfade.commands.workspace import JOURNAL, PLAN, Workspace
from crossfade.errors import InputError, Refused
from crossfade.execution.journal import Journal
from crossfade.execution.rollback import scope_of
from crossfade.execution.run import run_id_of
from crossfade.execution.transitions import Kind, RunState
from crossfade.plan.plan import Plan

BACK = [RunState.RUNNING, RunState.ROLLING_BACK, RunState.ROLLED_BACK]


@pytest.mark.parametrize(
    ("states", "way"),
    [(BACK[:1], "forward"), (BACK[:2], "back: wave-01"), (BACK, "back: run")],
    ids=["running", "rolling back", "rolled back"],
)
def test_it_goes_the_way_that_was_interrupted(
    states: list[RunState], way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback that died just behind its last write stays one: nobody is moved forward by it."""
    workspace = Workspace(tmp_path)
    workspace.write(PLAN, Plan())
    run = run_id_of(workspace.digest(PLAN))
    with Journal.open(workspace.path(JOURNAL), SystemClock()) as journal:
        journal.add(Kind.RUN, run, run_id=run)
        for state in states:
            data = {"rollback": {"number": 1, "of": "wave-01"}} if state == RunState.ROLLING_BACK else {}
            journal.move(Kind.RUN, run, state, data=data)
    monkeypatch.setattr(running, "apply", lambda here, *, dry_run: Answer("forward"))
    monkeypatch.setattr(running, "rollback", lambda here, *, of, dry_run: Answer(f"back: {of}"))
    assert running.go_on(Here(tmp_path, as_json=False)).data == way


def test_a_plan_that_was_never_applied_is_not_gone_on_with(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(PLAN, Plan())
    Journal.open(workspace.path(JOURNAL), SystemClock()).close()
    with pytest.raises(Refused, match=r"nothing to go on with.*crossfade apply"):
        running.go_on(Here(tmp_path, as_json=False))


def test_a_plan_that_was_changed_since_names_the_run_that_has_begun(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(PLAN, Plan())
    with Journal.open(workspace.path(JOURNAL), SystemClock()) as journal:
        journal.add(Kind.RUN, "another", run_id="another")
    with pytest.raises(Refused, match="is not the plan of run another"):
        running.go_on(Here(tmp_path, as_json=False))


def test_a_rollback_that_is_only_asked_about_counts_in_words() -> None:
    done = RolledBack(
        run_id="r", of="run", state="dry-run", summary={"hosts": 1, "operations": 10, "by_kind": {"PutResource": 10}}
    )
    assert running._rolled_back(done).startswith("It would be taken back: 1 host, 10 operations (10 PutResource).")


def test_what_is_neither_host_nor_wave_is_told_so() -> None:
    with pytest.raises(InputError, match="wave-77: is no host and no wave of this plan"):
        scope_of(Plan(), "wave-77")


@pytest.mark.parametrize("gone", [False, True])
def test_the_end_of_a_run_tells_of_classic_records_where_there_are_any(gone: bool) -> None:
    told = running._applied(Applied(run_id="r", state="finished"), gone=gone)
    assert "Next: `crossfade verify`" in told
    assert ("The classic records stay, drained." in told) != gone
