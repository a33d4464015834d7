"""Every failure path of the design: one folder of `failures/` each, with what goes wrong and how it must end.

`trouble.json`: `what`, and of these: `faults` of the twin, its `settings`, `machines` (members set on one), `sessions`
(hosts on which somebody is signed in), `groups` (people through new directory groups), `killed_at` (points of the
journal where the process dies, one after the other).
`end.json`: state of the `run` and of its `hosts`, `why` (words that must have been said), and what comes `then`, once
the trouble is over and somebody says resume, or what a way `back` comes to.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from back_kit import take_back
from stage import QUICK, Sessions, Stage, personal, pooled, spec_of

from avdtwin import faults
from crossfade.commands.apply import Applied
from crossfade.errors import MigrationError
from crossfade.execution.transitions import Kind
from crossfade.plan.intent import Access

FOLDERS = sorted((Path(__file__).parent / "failures").iterdir())
SPEC = spec_of(pooled(hosts=3), personal(hosts=1))


def begun(trouble: dict[str, Any], folder: Path) -> Stage:
    stage = Stage.of(SPEC, folder, settings={"heed_chance": 0.0, **trouble.get("settings", {})})
    access = Access(direct_threshold=2) if trouble.get("groups") else Access()
    stage.make_plan(waves=QUICK, outage="when-empty", access=access, sessions=Sessions(drain_timeout_hours=6.0))
    for name, members in trouble.get("machines", {}).items():
        for member, value in members.items():
            setattr(stage.machine(name), member, value)
    for host in trouble.get("sessions", []):
        stage.sign_in(host)
    faults.put_in(stage.world, trouble.get("faults", []))
    return stage


def applied(stage: Stage, killed_at: list[str]) -> Applied:
    for part in killed_at:
        assert stage.interrupt(lambda point, part=part: point.endswith(part)), part  # type: ignore[misc]
    return stage.apply()


def said(stage: Stage, ended: Applied) -> str:
    with stage.journal() as journal:
        told = [event.reason for event in journal.events()]
    return "\n".join([*told, str(ended.error)])


def assert_nobody_is_left_without(stage: Stage) -> None:
    """A host serves on one side, or has an owner; nobody was cut off; the journal is whole."""
    for host in stage.entities(Kind.HOST):
        record = stage.classic(next(name for name in stage.hosts() if f"/{name}." in host.id))
        if host.state == "on_source":
            assert record is not None, host.id
            assert record.allow_new_session, host.id
        if host.state == "quarantined":
            assert host.data["owner"], host.id
    assert stage.records("session_lost") == []
    with stage.journal() as journal:
        journal.verify()


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_it_ends_as_its_folder_says(case: Path, tmp_path: Path) -> None:
    trouble, end = (json.loads((case / name).read_text(encoding="utf-8")) for name in ("trouble.json", "end.json"))
    stage = begun(trouble, tmp_path)
    try:
        ended = applied(stage, trouble.get("killed_at", []))
    except MigrationError as error:
        raise AssertionError(f"it did not even begin: {error}") from error
    told = said(stage, ended)
    assert (ended.state, stage.hosts()) == (end["run"], end["hosts"])
    assert [words for words in end["why"] if words not in told] == []
    struck = {fault.kind: fault.struck for fault in stage.world.state.faults}
    assert all(struck.values()), struck
    assert_nobody_is_left_without(stage)
    if "back" in end:
        assert take_back(stage).state == end["back"]
        assert_nobody_is_left_without(stage)
    if "then" in end:
        faults.put_in(stage.world, [])
        assert stage.apply().state == end["then"]["run"]
        assert stage.hosts() == end["then"]["hosts"]
        assert_nobody_is_left_without(stage)
