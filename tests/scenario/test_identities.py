"""Everybody whom classic lists, on the twin: each unclear one is named with the reason, none is dropped or guessed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from stage import Stage, pooled, spec_of

from avdtwin.state import User
from crossfade.assessment.findings import Findings
from crossfade.commands.assess import assess
from crossfade.commands.identities import intent_of, take_in, write_out
from crossfade.commands.workspace import FINDINGS, INTENT, TARGET
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.intent import Installers
from crossfade.plan.intent_template import render

GUEST = "kim_partner.example#EXT#@stage.example"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.of(spec_of(pooled(hosts=1, desktop_people=6, groups=())), tmp_path)


def listed(stage: Stage) -> dict[str, str]:
    return stage.pool_record("Office Pool").groups["desktop application group"].users


def user(stage: Stage, upn: str) -> User:
    return stage.world.state.directory.users[stage.world.state.directory.upns[upn.lower()]]


def rename(stage: Stage, upn: str) -> None:
    directory, found = stage.world.state.directory, user(stage, upn)
    del directory.upns[upn.lower()]
    found.upn = "new." + upn
    directory.upns[found.upn.lower()] = found.id


def delete(stage: Stage, upn: str) -> None:
    user(stage, upn).deleted = True


def disable(stage: Stage, upn: str) -> None:
    user(stage, upn).enabled = False


def invite(stage: Stage, upn: str) -> None:
    """The same person is a guest from now on."""
    directory, found = stage.world.state.directory, user(stage, upn)
    del directory.upns[upn.lower()], listed(stage)[upn.lower()]
    found.upn = GUEST
    directory.upns[GUEST.lower()] = found.id
    listed(stage)[GUEST.lower()] = GUEST


CASES: list[tuple[Callable[[Stage, str], None], str, str, bool]] = [
    (rename, "missing", "people-gone", False),
    (delete, "missing", "people-gone", False),
    (disable, "disabled", "people-gone", True),
    (invite, "found", "person-guest", True),
]


@pytest.mark.parametrize(("happens", "state", "rule", "granted"), CASES, ids=[case[0].__name__ for case in CASES])
def test_each_has_a_state_a_finding_and_a_place_in_the_plan(
    stage: Stage, happens: Callable[[Stage, str], None], state: str, rule: str, granted: bool
) -> None:
    upn = next(iter(listed(stage).values()))
    happens(stage, upn)
    name = GUEST if happens is invite else upn
    plan = stage.make_plan(outage="when-empty")
    found = stage.workspace.read(TARGET, TargetSnapshot).identity(name)
    assert found is not None
    assert found.state == state
    assert found.why or state in ("found", "disabled")
    assess(stage.workspace, stage.rehearsal.clock)
    told = [one for one in stage.workspace.read(FINDINGS, Findings).findings if one.rule == rule]
    assert [one.subject.lower() for one in told] == [name.lower()]
    (access,) = plan.access
    assert (name.lower() in access.people) == granted
    assert (name.lower() in {upn.lower() for upn in access.missing}) == (not granted)
    assert len(access.people) + len(access.missing) == 6


def test_the_table_goes_out_is_filled_in_and_comes_back(stage: Stage, tmp_path: Path) -> None:
    gone, renamed = list(listed(stage).values())[:2]
    delete(stage, gone)
    rename(stage, renamed)
    stage.discover()
    stage.workspace.path(INTENT).write_bytes(render(stage.intent(outage="when-empty", installers=Installers())))
    table = tmp_path / "people.csv"
    assert {one.upn.lower() for one in write_out(stage.workspace, table).people} == {gone.lower(), renamed.lower()}
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    maybe = {row["classic name"].lower(): row["maybe"] for row in rows}
    assert maybe == {gone.lower(): "", renamed.lower(): f"new.{renamed}"}, "who has the old name as an address"
    for row in rows:
        row["now"] = f"new.{renamed}" if row["classic name"].lower() == renamed.lower() else "leave out: retired"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    take_in(stage.workspace, table)
    decided = {upn.lower(): meant for upn, meant in intent_of(stage.workspace).people.items()}
    assert decided == {gone.lower(): "leave out: retired", renamed.lower(): f"new.{renamed}"}
