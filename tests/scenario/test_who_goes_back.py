"""A host goes back by itself only while nobody has used it on the target; with people on it, a person decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from back_kit import apply_while, take_back, wait_until
from stage import QUICK, Stage, pooled, spec_of

from avdtwin import agents, faults, sessions
from avdtwin.state import Session


def set_out(folder: Path, **waves: Any) -> Stage:
    stage = Stage.of(spec_of(pooled(hosts=3)), folder)
    stage.make_plan(waves=msgspec.structs.replace(QUICK, canary_return=False, **waves), outage="when-empty")
    return stage


def silent(stage: Stage, host: str) -> None:
    faults.put_in(stage.world, [{"kind": "heartbeat_lost", "match": {"host": f"{host}*"}}])


def test_a_host_that_fails_before_anybody_could_use_it_goes_back_by_itself(tmp_path: Path) -> None:
    stage = set_out(tmp_path)

    async def operator() -> None:
        await wait_until(stage, lambda: stage.hosts().get("off-1") == "registered", every_s=5.0)
        silent(stage, "off-1")
        await wait_until(stage, lambda: stage.hosts()["off-1"] == "reverting", every_s=30.0)
        faults.put_in(stage.world, [])

    assert apply_while(stage, operator).state == "finished"
    assert stage.hosts() == {"off-0": "confirmed", "off-1": "on_source", "off-2": "confirmed"}
    assert "accepting" not in stage.history("off-1")


def test_a_host_that_fails_with_somebody_on_it_is_held_where_it_is(tmp_path: Path) -> None:
    stage = set_out(tmp_path, soak_minutes=120.0)
    used: list[Session] = []

    async def operator() -> None:
        await wait_until(stage, lambda: stage.hosts().get("off-1") == "accepting", every_s=5.0)
        used.append(stage.sign_in("off-1"))
        assert used[0].service == "arm"
        silent(stage, "off-1")

    held = apply_while(stage, operator)
    assert held.state == "holding"
    assert "off-1" in str(held.error)
    assert stage.hosts()["off-1"] == "accepting"
    assert "reverting" not in stage.history("off-1")
    assert used[0].key in stage.world.state.sessions
    assert stage.records("session_lost") == []
    faults.put_in(stage.world, [])
    stage.wait(600)
    assert stage.apply().state == "finished"
    assert stage.hosts()["off-1"] == "confirmed"
    assert used[0].key in stage.world.state.sessions


def test_somebody_who_came_while_it_was_opened_is_not_moved_when_that_fails(tmp_path: Path) -> None:
    stage = set_out(tmp_path)
    match = {"method": "PATCH", "host": "off-1*", "nth": list(range(2, 60))}
    opened = {"kind": "reset", "when": "after", "match": match}
    faults.put_in(stage.world, [opened])
    used: list[Session] = []
    patched: list[str] = []

    def somebody(scope: dict[str, Any]) -> None:
        if scope["method"] == "PATCH" and "/sessionhosts/off-1" in str(scope["path"]).lower():
            patched.append(scope["path"])
            if len(patched) == 3:
                used.append(stage.sign_in("off-1"))

    stage.taps.append(somebody)
    stage.apply()
    assert used
    assert stage.hosts()["off-1"] == "quarantined"
    why = next(event.reason for event in stage.events("host") if event.to_state == "quarantined")
    assert "1 sessions are on it there" in why or "connection was lost" in why
    assert "Owner" in why
    assert used[0].key in stage.world.state.sessions
    assert stage.records("session_lost") == []
    faults.put_in(stage.world, [])
    take_back(stage, "off-1")
    assert stage.hosts()["off-1"] == "quarantined", "somebody is still at work there"
    assert used[0].key in stage.world.state.sessions
    sessions.end(stage.world, used[0], "signed_out")
    take_back(stage, "off-1")
    assert stage.hosts()["off-1"] == "on_source"


def test_a_host_whose_vm_is_deleted_while_it_drains_is_not_opened_again(tmp_path: Path) -> None:
    stage = set_out(tmp_path)
    person = stage.sign_in("off-1", never_ends=True)

    def delete(point: str) -> None:
        if point.startswith("after host") and "/off-1" in point and point.endswith("draining"):
            machine = stage.machine("off-1")
            sessions.end(stage.world, person, "signed_out")
            agents.leave(stage.world, machine)
            del stage.world.state.machines[machine.vm]
            del stage.world.state.arm.resources[stage.move("off-1").vm.lower()]

    stage.apply(hook=delete)
    assert stage.hosts()["off-1"] == "quarantined"
    record = stage.classic("off-1")
    assert record is not None
    assert not record.allow_new_session
