"""A newer agent comes out while hosts move: they update themselves as soon as they are registered."""

from __future__ import annotations

from pathlib import Path

from stage import Stage, pooled, spec_of

from avdtwin import agent_updates, faults
from avdtwin.arm import session_hosts

NEWER = "1.0.12000.0"


def estate(folder: Path) -> Stage:
    stage = Stage.of(spec_of(pooled(hosts=4)), folder)
    stage.make_plan()
    return stage


def statuses(stage: Stage) -> dict[str, str]:
    hosts = stage.of_type("hostPools/sessionHosts")
    return {host.name.rpartition("/")[2].partition(".")[0]: session_hosts.status(stage.world, host) for host in hosts}


def test_a_host_is_given_to_people_when_its_agent_has_updated_itself(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    agent_updates.release(stage.world, NEWER, within_s=1e9)
    assert stage.apply().state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}
    updated = {record.data["vm"]: record.at for record in stage.world.state.records if record.kind == "agent_updated"}
    assert len(updated) == 4
    accepting = [event.at for event in stage.events("host") if event.to_state == "accepting"]
    assert len(accepting) == 4
    assert set(statuses(stage).values()) == {"Available"}


def test_an_update_that_hangs_sends_its_host_back(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    agent_updates.release(stage.world, NEWER, within_s=1e9)
    faults.put_in(stage.world, [{"kind": "agent_update_hangs", "match": {"host": "off-2*"}}])
    stage.apply()
    assert stage.hosts()["off-2"] == "on_source"
    assert list(stage.hosts().values()).count("confirmed") == 3
    why = [event.reason for event in stage.events("host") if event.to_state == "reverting"][-1]
    assert "Its status is Upgrading" in why
    assert "update: Started" in why
    record = stage.classic("off-2")
    assert record is not None
    assert record.allow_new_session, "people go on with it on classic"
    assert "off-2" not in statuses(stage)
