"""Programs of the operator's own, before and after the run, a wave and a host, on the way back and before classic goes,
at gates and notices."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from back_kit import apply_while, classic_of, say, take_back, target_of, wait_until
from stage import QUICK, Stage, personal, pooled, spec_of
from test_complete import DAY, done, prove

from crossfade.commands.complete import Completed
from crossfade.errors import InputError
from crossfade.execution.transitions import Kind
from crossfade.plan.intent import Hooks

SMALL = spec_of(pooled(hosts=2), personal(hosts=1))
EVERY = dict.fromkeys(Hooks().paths(), "tell.sh")
TELL = 'echo "$CROSSFADE_HOOK|$CROSSFADE_WAVE|$CROSSFADE_HOST|$CROSSFADE_OUTCOME|$CROSSFADE_NOTICE" >> told'
ENGINES = ["inprocess", "dbos"]


def planned(folder: Path, hooks: dict[str, str], *lines: str, **waves: Any) -> Stage:
    stage = Stage.of(SMALL, folder)
    choices = msgspec.structs.replace(QUICK, canary_return=False, **waves)
    stage.make_plan(waves=choices, hooks=Hooks(**hooks, deadline_seconds=5))  # type: ignore[arg-type]
    write(folder, "tell.sh", *(lines or (TELL,)))
    return stage


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("\n".join(["#!/bin/sh", *lines, ""]))
    (folder / name).chmod(0o755)


def told(folder: Path) -> list[list[str]]:
    path = folder / "told"
    return [line.split("|") for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("engine", ENGINES)
def test_each_moment_is_told_once_and_in_order(tmp_path: Path, engine: str) -> None:
    stage = planned(tmp_path, EVERY)
    assert stage.apply(engine).state == "finished"
    rows = told(tmp_path)
    assert rows[0][0] == "before_run"
    assert rows[-1] == ["after_run", "", "", "finished", ""]
    counts = Counter(row[0] for row in rows)
    waves, hosts = len(stage.plan.waves), len(stage.plan.hosts)
    assert counts["before_wave"] == counts["after_wave"] == waves
    assert counts["before_host"] == counts["after_host"] == hosts
    assert counts["at_notice"] == len([e for e in stage.events("note") if e.subject == "notice"]) > 0
    for wave in stage.plan.waves:
        mine = [row for row in rows if row[1] == wave.id]
        assert mine[0][0] == "before_wave"
        assert mine[-1] == ["after_wave", wave.id, "", "confirmed", ""]
        assert {row[2] for row in mine if row[0] == "after_host"} == {h.rpartition("/")[2] for h in wave.hosts}
    assert {row[3] for row in rows if row[0] == "after_host"} == {"moved"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_no_before_the_run_lets_it_hold_with_nothing_written_and_is_asked_again(tmp_path: Path, engine: str) -> None:
    stage = planned(tmp_path, {"before_run": "no.sh"})
    write(tmp_path, "no.sh", "echo change freeze until Monday; exit 9")
    before = stage.writes()
    held = stage.apply(engine)
    assert held.state == "holding"
    assert held.error is not None
    assert "before_run (no.sh) says no" in held.error["what"]
    assert "ended with 9" in held.error["why"]
    assert "change freeze until Monday" in held.error["why"]
    assert stage.writes() == before
    write(tmp_path, "no.sh", "exit 0")
    assert stage.apply(engine).state == "finished"


def test_a_no_before_a_wave_lets_that_wave_hold(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_wave": "no.sh"})
    write(tmp_path, "no.sh", '[ "$CROSSFADE_WAVE" != wave-02 ]')
    assert stage.apply().state == "holding"
    states = {wave.id: wave.state for wave in stage.entities(Kind.WAVE)}
    assert states["wave-01"] == "confirmed"
    assert states["wave-02"] in ("holding", "planned")
    write(tmp_path, "no.sh", "exit 0")
    assert stage.apply().state == "finished"


def test_a_no_before_a_host_leaves_that_host_on_classic(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_host": "no.sh"})
    write(tmp_path, "no.sh", 'case "$CROSSFADE_HOST" in off-1.*) echo being repaired; exit 1;; esac')
    assert stage.apply().state == "finished"
    assert stage.hosts()["off-1"] == "quarantined"
    assert {state for host, state in stage.hosts().items() if host != "off-1"} == {"confirmed"}
    record = stage.classic("off-1")
    assert record is not None
    assert record.allow_new_session, "nothing was done to it"
    reasons = [e.reason for e in stage.entities(Kind.HOST) if e.state == "quarantined"]
    assert "being repaired" in reasons[0]


def test_a_hook_that_hangs_is_a_no_and_one_that_fails_afterwards_is_a_line_in_the_journal(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_run": "hang.sh", "after_host": "bad.sh"})
    write(tmp_path, "hang.sh", "sleep 60")
    write(tmp_path, "bad.sh", "echo oh dear; exit 7")
    held = stage.apply()
    assert held.error is not None
    assert "had not ended after 5 s and was killed" in held.error["why"]
    write(tmp_path, "hang.sh", "exit 0")
    assert stage.apply().state == "finished"
    notes = [event for event in stage.events("note") if event.subject == "hook"]
    assert {(note.data["code"], note.data["output"]) for note in notes} == {(7, "oh dear")}


@pytest.mark.parametrize("engine", ENGINES)
def test_each_moment_of_the_way_back_is_told_once_and_in_order(tmp_path: Path, engine: str) -> None:
    stage = planned(tmp_path, {name: path for name, path in EVERY.items() if "back" in name})
    assert stage.apply(engine).state == "finished"
    assert told(tmp_path) == []
    assert take_back(stage, engine=engine).state == "rolled_back"
    rows = told(tmp_path)
    hosts = {move.host_name for move in stage.plan.hosts}
    assert rows[0] == ["before_rollback", "", "", "", ""]
    assert rows[-1] == ["after_rollback", "", "", "rolled_back", ""]
    assert {(row[0], row[2], row[3]) for row in rows[1:-1]} == {
        *(("before_host_back", host, "") for host in hosts),
        *(("after_host_back", host, "returned") for host in hosts),
    }
    assert len(rows) == 2 + 2 * len(hosts)


def test_a_no_before_a_rollback_takes_nothing_back(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_rollback": "no.sh", "after_rollback": "tell.sh"})
    write(tmp_path, "no.sh", 'echo "$CROSSFADE_OF $CROSSFADE_HOSTS hosts: not in working hours"; exit 1')
    assert stage.apply().state == "finished"
    before = target_of(stage), classic_of(stage)
    held = take_back(stage)
    assert held.error is not None
    assert "run 3 hosts: not in working hours" in held.error["why"]
    assert (held.state, held.exit_code) == ("holding", 1)
    assert (target_of(stage), classic_of(stage)) == before
    assert [row[3] for row in told(tmp_path)] == ["holding"]
    write(tmp_path, "no.sh", "exit 0")
    assert take_back(stage).state == "rolled_back"


def test_a_no_before_a_host_goes_back_leaves_it_in_service_on_the_target(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_host_back": "no.sh", "after_host_back": "tell.sh"})
    write(tmp_path, "no.sh", 'case "$CROSSFADE_PERSON" in ?*) echo "ask them first"; exit 1;; esac')
    assert stage.apply().state == "finished"
    held = take_back(stage)
    assert held.state == "holding"
    assert held.error is not None
    assert "ask them first" in held.error["why"]
    assert stage.hosts()["own-0"] == "confirmed"
    outcomes = {row[2].partition(".")[0]: row[3] for row in told(tmp_path)}
    assert outcomes["own-0"] == "held"
    write(tmp_path, "no.sh", "exit 0")
    assert take_back(stage).state == "rolled_back"
    assert set(stage.hosts().values()) == {"on_source"}


def completed(stage: Stage) -> Completed:
    done(stage, dry_run=True)
    return done(stage)


def test_a_no_before_classic_is_removed_removes_nothing_and_is_asked_again(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_complete": "no.sh", "after_complete": "tell.sh"})
    write(tmp_path, "no.sh", "echo the auditor has not signed; exit 1")
    assert stage.apply().state == "finished"
    prove(stage)
    stage.wait(8 * DAY)
    before = classic_of(stage)
    held = completed(stage)
    assert held.error is not None
    assert "the auditor has not signed" in held.error["why"]
    assert (held.state, held.exit_code) == ("finished", 1)
    assert classic_of(stage) == before
    write(tmp_path, "no.sh", "exit 0")
    assert completed(stage).state == "completed"
    assert [row[3] for row in told(tmp_path)] == ["stopped", "completed"]


def test_hooks_that_cannot_be_run_are_all_named_before_anything_is_written(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_run": "gone.sh", "after_run": "plain.txt", "at_gate": "folder"})
    (tmp_path / "plain.txt").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as caught:
        stage.apply()
    found = {problem.where.rpartition("/")[2]: problem.what.partition(":")[0] for problem in caught.value.problems}
    assert found == {"gone.sh": "is not there", "plain.txt": "cannot be run", "folder": "is no file"}
    assert not (tmp_path / "journal.db").exists()


def test_a_hook_that_goes_while_the_run_works_is_a_no(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"before_wave": "tell.sh"}, 'rm -- "$0"')
    held = stage.apply()
    assert held.state == "holding"
    assert held.error is not None
    assert "could not be run: No such file" in held.error["why"]


def test_what_looks_like_a_token_in_the_output_is_not_journalled(tmp_path: Path) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.PLANTEDPLANTED.sig"
    stage = planned(tmp_path, {"before_run": "tell.sh", "after_run": "tell.sh"}, f"echo {token}")
    assert stage.apply().state == "finished"
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "tell.sh":
            assert b"PLANTED" not in path.read_bytes(), path


def test_a_gate_that_waits_calls_somebody_by_mail_and_chat(tmp_path: Path) -> None:
    stage = planned(
        tmp_path, {"at_gate": "tell.sh"}, 'echo "$CROSSFADE_COMMAND|$CROSSFADE_ALERT" >> told', people_gate="waves"
    )

    async def script() -> None:
        for number, _ in enumerate(stage.plan.waves, 1):
            await wait_until(stage, lambda number=number: len(told(tmp_path)) == number)  # type: ignore[misc]
            say(stage, "approve")

    assert apply_while(stage, script).state == "finished"
    assert [row[0] for row in told(tmp_path)] == [f"crossfade approve {wave.id}" for wave in stage.plan.waves]
    (run,) = (tmp_path / "runs").iterdir()
    folder = run / "alerts" / "alert-001"
    assert "crossfade approve wave-01" in (folder / "mail.txt").read_text()
    card = json.loads((folder / "teams.json").read_text())
    assert card["attachments"][0]["content"]["type"] == "AdaptiveCard"
    assert "wave-01" in json.dumps(card)
    assert "crossfade approve wave-01" in json.loads((folder / "slack.json").read_text())["text"]


def test_a_run_that_holds_calls_somebody(tmp_path: Path) -> None:
    stage = planned(tmp_path, {"at_gate": "tell.sh"}, 'echo "$CROSSFADE_WHAT|$CROSSFADE_WHY" >> told')
    stage.machine("own-0").msi_exit_codes = [1603] * 20
    stage.machine("off-0").msi_exit_codes = [1603] * 20
    stage.machine("off-1").msi_exit_codes = [1603] * 20
    held = stage.apply()
    assert held.state == "holding"
    assert [row[0] for row in told(tmp_path)] == ["holds"]
