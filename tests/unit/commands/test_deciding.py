"""init, assess and plan over a folder: what they write, and what they refuse with nothing written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import SUB, Estate

from crossfade.assessment.findings import Findings
from crossfade.clock import SimulatedClock
from crossfade.commands.apply import read_plan
from crossfade.commands.assess import assess
from crossfade.commands.init import init, initial_intent
from crossfade.commands.plan import plan
from crossfade.commands.workspace import FINDINGS, INTENT, INVENTORY, PLAN, TARGET, Workspace
from crossfade.errors import InputError, PlanConflict, Refused
from crossfade.model.growth import Growth
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.plan import Plan

CLOCK = SimulatedClock(datetime(2026, 6, 1, 8, tzinfo=UTC))


def office() -> Estate:
    estate = Estate()
    estate.pool("Office")
    return estate


@pytest.fixture
def folder(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "migration")
    workspace.write(INVENTORY, office().inventory())
    workspace.write(TARGET, office().target())
    return workspace


def test_from_documents_to_a_plan(folder: Workspace) -> None:
    init(folder, location="West Europe", growth=Growth(hosts_percent=10))
    found = assess(folder, CLOCK)
    assert found.with_target
    assert found.findings.made_at.startswith("2026-06-01T08:00:00")
    made = plan(folder, CLOCK)
    assert made.exit_code == 2
    assert not made.conflicts
    assert made.plan.subscription == SUB
    assert read_plan(folder) == made.plan
    before = folder.read_bytes(PLAN)
    plan(folder, CLOCK)
    assert folder.read_bytes(PLAN) == before


def test_init_begins_without_a_discovery_and_never_overwrites(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    init(workspace, subscription=SUB, active="log-off-after-grace", disconnected="wait")
    intent = read_intent(workspace.read_bytes(INTENT))
    assert (intent.azure.subscription, intent.sessions.active, intent.sessions.disconnected) == (
        SUB,
        "log-off-after-grace",
        "wait",
    )
    before = workspace.read_bytes(INTENT)
    with pytest.raises(Refused) as caught:
        init(workspace, subscription="other")
    assert caught.value.exit_code == 3
    assert workspace.read_bytes(INTENT) == before
    init(workspace, subscription="other", force=True)
    assert b'"other"' in workspace.read_bytes(INTENT)


def test_an_answer_that_is_none_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be one of"):
        init(Workspace(tmp_path), active="shoot")
    assert list(tmp_path.iterdir()) == []


def test_the_target_answers_what_nobody_asked() -> None:
    intent = read_intent(initial_intent(None, office().target()))
    assert (intent.azure.subscription, intent.azure.tenant_id) == (SUB, office().target().tenant_id)
    several = office().target(subscriptions=[SUB, "other"])
    assert read_intent(initial_intent(None, several)).azure.subscription == ""


def test_assess_without_a_target_says_so(folder: Workspace) -> None:
    folder.path(TARGET).unlink()
    found = assess(folder, CLOCK)
    assert not found.with_target
    assert found.findings.inputs.keys() == {"inventory"}
    assert folder.read(FINDINGS, Findings) == found.findings


def test_exit_codes_of_assess(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(INVENTORY, office().inventory())
    assert assess(workspace, CLOCK).exit_code == 0
    estate = office()
    estate.pool("Kiosk", hosts=1)
    workspace.write(INVENTORY, estate.inventory())
    assert assess(workspace, CLOCK).exit_code == 2
    assert assess(workspace, CLOCK).counts == {"blocker": 0, "warning": 1, "note": 0}


def test_plan_tells_of_every_document_that_is_missing_or_wrong(folder: Workspace) -> None:
    folder.write_bytes(INTENT, b"[azure\n")
    folder.write_bytes(TARGET, b"{}")
    with pytest.raises(InputError) as caught:
        plan(folder, CLOCK)
    assert len(caught.value.problems) == 3
    assert not folder.has(PLAN)


def test_no_plan_is_written_where_none_holds(folder: Workspace) -> None:
    init(folder)
    assess(folder, CLOCK)
    with pytest.raises(PlanConflict, match="location is not set") as caught:
        plan(folder, CLOCK)
    assert caught.value.exit_code == 3
    assert not folder.has(PLAN)


def test_findings_of_yesterday_s_estate_are_refused(folder: Workspace) -> None:
    init(folder, location="westeurope")
    assess(folder, CLOCK)
    estate = office()
    estate.pool("New")
    folder.write(INVENTORY, estate.inventory())
    folder.write(TARGET, estate.target())
    with pytest.raises(PlanConflict, match="crossfade assess"):
        plan(folder, CLOCK)


def test_a_plan_edited_into_nonsense_is_told_all_at_once(folder: Workspace) -> None:
    init(folder, location="westeurope")
    assess(folder, CLOCK)
    plan(folder, CLOCK)
    text = folder.read_bytes(PLAN).replace(b'"capacity": 10', b'"capacity": 0').replace(b'"wave"', b'"wawe"')
    folder.write_bytes(PLAN, text.replace(b'"canary-host"', b'"bird"'))
    with pytest.raises(InputError) as caught:
        read_plan(folder)
    assert len(caught.value.problems) >= 4
    folder.write_bytes(PLAN, text[:-20])
    with pytest.raises(InputError, match="not JSON"):
        read_plan(folder)
    assert isinstance(Plan().digest(), str)
