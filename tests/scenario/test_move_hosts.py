"""One host's life when something is in the way: staging, installers, agents, endless sessions, VMs that are off."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from stage import QUICK, Sessions, Stage, personal, pooled, short, spec_of

from avdtwin import sessions
from avdtwin.products import set_quirk
from crossfade.commands.discover import discover_target
from crossfade.commands.status import status
from crossfade.commands.workspace import INVENTORY, JOURNAL
from crossfade.execution.commands import give
from crossfade.execution.transitions import Kind
from crossfade.inventory.inventory import Inventory
from crossfade.plan.intent import PoolIntent
from crossfade.verification.facts import RunFacts
from crossfade.verification.hosts import check_hosts

POOLED = spec_of(pooled(hosts=3, desktop_people=4))
PERSONAL = spec_of(pooled(hosts=1), personal(hosts=2))


def waves(**more: Any) -> Any:
    return msgspec.structs.replace(QUICK, **more)


def set_out(spec: Any, folder: Path, *, settings: dict[str, Any] | None = None, **intent: Any) -> Stage:
    stage = Stage.of(spec, folder, settings=settings)
    stage.make_plan(**{"waves": waves(canary_return=False), "outage": "when-empty", **intent})
    return stage


def others(stage: Stage, host: str) -> set[str]:
    return {state for name, state in stage.hosts().items() if name != host}


# -- staging


def test_a_host_that_fails_staging_is_never_drained_and_has_an_owner(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path)
    stage.machine("off-1").files.clear()
    applied = stage.apply()
    assert applied.state == "finished"
    assert stage.hosts()["off-1"] == "quarantined"
    assert others(stage, "off-1") == {"confirmed"}
    assert stage.history("off-1") == ["on_source", "quarantined"]
    record = stage.classic("off-1")
    assert record is not None
    assert record.allow_new_session is True
    assert not [call for call in stage.calls if call.startswith("PATCH") and "off-1" in call]
    (host,) = [one for one in stage.entities(Kind.HOST) if "off-1" in one.id]
    assert "Owner: the operator" in host.reason
    assert "installer" in host.reason


# -- the two ways back


def test_a_failing_installer_sends_the_host_back_by_the_kept_registry(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path)
    stage.machine("off-1").msi_exit_codes = [0] * 4 + [1603] * 3
    assert stage.apply().state == "finished"
    assert stage.hosts()["off-1"] == "on_source"
    back_on_classic(stage, "off-1")
    assert "restored" in " ".join(stage.steps_of("off-1"))
    assert not [name for name in stage.steps_of("off-1") if "again-" in name]


def test_an_agent_that_never_registers_sends_the_host_back(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path)
    mute(stage, "off-1", "install")
    assert stage.apply().state == "finished"
    assert stage.hosts()["off-1"] == "on_source"
    back_on_classic(stage, "off-1")


def test_without_way_a_the_host_is_registered_anew(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path)
    mute(stage, "off-1", "install", "restore")
    assert stage.apply().state == "finished"
    assert [name for name in stage.steps_of("off-1") if "again-" in name]
    assert stage.hosts()["off-1"] == "on_source"
    back_on_classic(stage, "off-1")


@pytest.mark.parametrize("way", ["a", "b"])
def test_a_personal_host_keeps_its_person_on_the_way_back(tmp_path: Path, way: str) -> None:
    stage = set_out(PERSONAL, tmp_path)
    person = stage.move("own-1").assigned_user
    mute(stage, "own-1", "install", *(["restore"] if way == "b" else []))
    assert stage.apply().state == "finished"
    assert bool([name for name in stage.steps_of("own-1") if "again-" in name]) == (way == "b")
    record = back_on_classic(stage, "own-1")
    assert record.assigned_user == person
    assert stage.hosts()["own-0"] == "confirmed"


def test_a_host_that_cannot_come_back_either_is_quarantined_with_an_owner(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path)
    mute(stage, "off-1", "install", "restore", "install 2")
    stage.apply()
    assert stage.hosts()["off-1"] == "quarantined"
    (host,) = [one for one in stage.entities(Kind.HOST) if "off-1" in one.id]
    assert "Owner: the operator" in host.reason
    assert others(stage, "off-1") == {"confirmed"}


def test_more_failures_than_the_budget_hold_the_run_and_a_later_resume_moves_the_mended_hosts(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path, waves=waves(canary_return=False, failure_budget=0))
    stage.machine("off-1").msi_exit_codes = [0] * 4 + [1603] * 3
    held = stage.apply()
    assert (held.state, held.exit_code) == ("holding", 1)
    assert stage.hosts()["off-1"] == "on_source"
    (holding,) = [wave for wave in stage.entities(Kind.WAVE) if wave.state == "holding"]
    assert stage.move("off-1").source in next(wave.hosts for wave in stage.plan.waves if wave.id == holding.id)
    again = stage.apply()
    assert again.state == "finished", again
    assert set(stage.hosts().values()) == {"confirmed"}


FIVE = spec_of(pooled(hosts=5, desktop_people=4))
ONE_EACH = {"canary_return": False, "canary_wave": 1, "size": 1, "failure_budget": 1}


def test_failures_of_several_waves_together_hold_the_run_too(tmp_path: Path) -> None:
    stage = set_out(FIVE, tmp_path, waves=waves(**ONE_EACH, run_failure_budget=1))
    early = [stage.plan.waves[0].hosts[0], stage.plan.waves[1].hosts[0]]
    kept = {host: dict(stage.machine(short(host)).files) for host in early}
    for host in early:
        stage.machine(short(host)).files.clear()
    held = stage.apply()
    assert held.state == "holding"
    assert held.error is not None
    assert "2 hosts of the run could not be moved, 1 may" in held.error["what"]
    assert early[0] in held.error["why"]
    assert stage.apply().state == "holding", "nothing was mended"
    stage.machine(short(early[1])).files = kept[early[1]]
    assert stage.apply().state == "finished"
    assert [host for host, state in stage.hosts().items() if state == "quarantined"] == [short(early[0])]


def test_as_many_failures_as_the_run_may_have_stop_nothing(tmp_path: Path) -> None:
    stage = set_out(FIVE, tmp_path, waves=waves(**ONE_EACH, run_failure_budget=2))
    for wave in stage.plan.waves[:2]:
        stage.machine(short(wave.hosts[0])).files.clear()
    assert stage.apply().state == "finished"


def test_a_host_that_somebody_left_alone_is_no_failure_of_the_run(tmp_path: Path) -> None:
    stage = set_out(FIVE, tmp_path, waves=waves(**ONE_EACH, run_failure_budget=1))
    first, second = (short(wave.hosts[0]) for wave in stage.plan.waves[:2])
    for host in (first, second):
        stage.machine(host).files.clear()
    assert stage.apply().state == "holding"
    give(stage.workspace.path(JOURNAL), stage.rehearsal.clock, "skip", actor="olivia", subject=first)
    assert stage.apply().state == "finished"


def test_the_owner_of_a_stuck_host_is_the_one_named_for_its_pool(tmp_path: Path) -> None:
    key = "Default Tenant Group/stage/Office Pool"
    pools = {key: PoolIntent(outage="when-empty", owner="Jo of the desktop team")}
    stage = set_out(POOLED, tmp_path, waves=waves(canary_return=False, owner="The service desk"), pools=pools)
    stage.machine("off-1").files.clear()
    stage.apply()
    found = next(host for host in status(stage.workspace).hosts if "off-1" in host.host)
    assert (found.last_known, found.owner) == ("quarantined", "Jo of the desktop team")
    assert "Owner: Jo of the desktop team." in found.reason


def test_staging_that_failed_is_tried_again_by_resume(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path, waves=waves(canary_return=False, failure_budget=0))
    kept = dict(stage.machine("off-1").files)
    stage.machine("off-1").files.clear()
    assert stage.apply().state == "holding"
    assert stage.apply().state == "holding", "nothing was mended"
    stage.machine("off-1").files = kept
    assert stage.apply().state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_a_host_that_was_returned_is_left_alone_by_whoever_goes_on_with_the_run(tmp_path: Path, engine: str) -> None:
    """The step that failed must not be tried on a host that serves people on classic again."""
    stage = set_out(POOLED, tmp_path)
    stage.machine("off-1").msi_exit_codes = [1603] * 3
    wave = next(wave.id for wave in stage.plan.waves if stage.move("off-1").source in wave.hosts)
    assert stage.interrupt(lambda point: point == f"after wave {wave} soaking", engine)
    back_on_classic(stage, "off-1")
    stage.calls.clear()
    applied = stage.apply(engine)
    assert applied.state == "finished"
    touched = [call for call in stage.calls if "off-1" in call and "runCommands" in call]
    assert touched == []
    back_on_classic(stage, "off-1")


# -- sessions


def test_a_session_that_never_ends_is_warned_and_logged_off_only_after_the_grace(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path)
    session = stage.sign_in("off-1", state="Disconnected", never_ends=True)
    assert stage.apply().state == "finished"
    (told,) = stage.records("message")
    (lost,) = stage.records("session_lost")
    assert told.data["session"] == lost.data["session"] == session.key
    assert lost.data["cause"] == "logged_off"
    assert lost.data["noticed"] is True
    assert lost.at - told.at >= stage.plan.settings.grace_s


def test_a_disconnected_session_is_left_alone_where_the_policy_says_wait(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path, sessions=Sessions(disconnected="wait", drain_timeout_hours=6.0))
    stage.sign_in("off-1", state="Disconnected", never_ends=True)
    assert stage.apply().state == "finished"
    assert stage.records("session_lost") == []
    assert stage.hosts()["off-1"] == "on_source", "the host goes back into service and is listed"
    record = stage.classic("off-1")
    assert record is not None
    assert record.allow_new_session is True


def test_active_sessions_are_never_ended_by_default(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path, sessions=Sessions(drain_timeout_hours=6.0), settings={"heed_chance": 0.0})
    stage.sign_in("off-1")
    assert stage.apply().state == "finished"
    assert stage.records("session_lost") == []
    assert len(stage.records("message")) == 2, "told when the host drains, and once more before the pool is handed over"
    assert stage.hosts()["off-1"] == "on_source"


def test_somebody_who_signs_out_lets_the_host_go(tmp_path: Path) -> None:
    stage = set_out(POOLED, tmp_path)
    session = stage.sign_in("off-1")
    stage.world.state.settings["heed_chance"] = 0.0
    left_at = stage.world.now + 5 * 3600

    def tap(scope: dict[str, Any]) -> None:
        if stage.world.now >= left_at and session.key in stage.world.state.sessions:
            sessions.end(stage.world, session, "signed_out")

    stage.taps.append(tap)
    assert stage.apply().state == "finished"
    assert stage.hosts()["off-1"] == "confirmed"
    assert stage.records("session_lost") == []


# -- power


def test_a_vm_that_was_off_is_started_and_deallocated_again(tmp_path: Path) -> None:
    stage = set_out(spec_of(pooled(hosts=3, off=(1,))), tmp_path)
    assert stage.move("off-1").start
    assert stage.apply().state == "finished"
    assert stage.hosts() == {"off-0": "confirmed", "off-1": "confirmed", "off-2": "confirmed"}
    stage.wait(300)
    assert stage.machine("off-1").power == "deallocated"
    assert {stage.machine(name).power for name in ("off-0", "off-2")} == {"running"}


def test_a_vm_that_was_off_and_cannot_be_moved_is_off_again(tmp_path: Path) -> None:
    stage = set_out(spec_of(pooled(hosts=3, off=(1,))), tmp_path)
    stage.machine("off-1").files.clear()
    assert stage.apply().state == "finished"
    assert stage.hosts()["off-1"] == "quarantined"
    stage.wait(300)
    assert stage.machine("off-1").power == "deallocated"


# -- a pool of one host


def test_people_of_a_pool_of_one_host_keep_classic_when_it_comes_back(tmp_path: Path) -> None:
    stage = set_out(spec_of(pooled(hosts=1)), tmp_path)
    mute(stage, "off-0", "install")
    before = dict(stage.pool_record("Office Pool").groups["desktop application group"].users)
    stage.apply()
    back_on_classic(stage, "off-0")
    assert stage.pool_record("Office Pool").groups["desktop application group"].users == before


# -- helpers


def mute(stage: Stage, host: str, *after: str) -> None:
    """The agent never speaks after these runs of the move script: `install`, `restore`, `install 2` …"""
    machine, runs = stage.machine(host), Counter[str]()

    def tap(scope: dict[str, Any]) -> None:
        path = str(scope.get("path"))
        step = path.rpartition("crossfade-")[2]
        if scope.get("method") == "PUT" and path.lower().startswith(machine.vm) and step in ("install", "restore"):
            runs[step] += 1
            name = step if runs[step] == 1 else f"{step} {runs[step]}"
            set_quirk(machine, "never-registers", name in after)

    stage.taps.append(tap)


def back_on_classic(stage: Stage, host: str) -> Any:
    """In service on classic as before: registered, heartbeats, open, able to take somebody; gone from ARM."""
    stage.wait(600)
    record, machine = stage.classic(host), stage.machine(host)
    assert record is not None
    assert (machine.agent.service, machine.agent.connected_at is not None) == ("classic", True)
    assert record.allow_new_session is True
    assert stage.arm(host) is None
    session = stage.sign_in(host)
    sessions.end(stage.world, session, "signed_out")
    return record


def test_a_host_that_was_drained_stays_closed(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=3, drained=(2,))), tmp_path)
    stage.make_plan()
    assert stage.apply().state == "finished"
    assert stage.hosts() == {"off-0": "confirmed", "off-1": "confirmed", "off-2": "confirmed"}
    found = {host: stage.arm(host) for host in stage.hosts()}
    assert {host: one.properties["allowNewSession"] for host, one in found.items() if one} == {
        "off-0": True,
        "off-1": True,
        "off-2": False,
    }
    inventory = stage.workspace.read(INVENTORY, Inventory)
    target = stage.with_services(lambda services: discover_target(services, inventory, [stage.rehearsal.subscription]))
    checks = check_hosts(stage.plan, target, RunFacts(), made_at=target.made_at)
    assert [check.problems for check in checks] == [[], [], []]
