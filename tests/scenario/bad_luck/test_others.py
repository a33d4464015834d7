"""Somebody else, or something else, is at work in the estate while it moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stage import Stage, pooled, short, spec_of

from avdtwin import faults
from avdtwin.state import ClassicHost
from crossfade.execution.workflows.drain import REOPENED


def estate(folder: Path, hosts: int = 4, **settings: Any) -> Stage:
    stage = Stage.of(spec_of(pooled(hosts=hosts)), folder)
    stage.make_plan(**settings)
    return stage


def scaling(stage: Stage, *, of: str, times: int) -> list[str]:
    """A scaling script that opens a host again as soon as somebody has looked at its pool. Gives what it did."""
    opened: list[str] = []

    def at_work(scope: dict[str, Any]) -> None:
        record = stage.classic(of)
        looked = scope["method"] == "GET" and str(scope["path"]).lower().endswith("/sessionhosts")
        if looked and isinstance(record, ClassicHost) and not record.allow_new_session and len(opened) < times:
            record.allow_new_session = True
            opened.append(of)

    stage.taps.append(at_work)
    return opened


def test_scaling_that_is_on_again_has_its_host_closed_again_before_anybody_is_cut_off(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    opened = scaling(stage, of="off-2", times=3)
    assert stage.apply().state == "finished"
    assert len(opened) == 3
    told = [event for event in stage.events("note") if event.subject == REOPENED]
    assert [short(str(event.data["host"])) for event in told] == ["off-2"] * 3
    assert "scaling script" in told[0].reason
    assert set(stage.hosts().values()) == {"confirmed"}


def test_scaling_that_insists_gets_its_host_back_and_is_named(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    scaling(stage, of="off-2", times=1000)
    stage.apply()
    assert (stage.hosts()["off-2"], stage.history("off-2")[-2]) == ("on_source", "reverting")
    why = [event.reason for event in stage.events("host") if event.to_state == "reverting"][-1]
    assert "scaling automation" in why
    record = stage.classic("off-2")
    assert record is not None
    assert record.allow_new_session
    assert stage.arm("off-2") is None


def test_a_guest_agent_that_is_gone_is_found_before_anybody_is_disturbed(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    faults.put_in(stage.world, [{"kind": "guest_agent_missing", "match": {"host": "off-2*"}}])
    assert stage.apply().state == "finished"
    assert stage.hosts() == {"off-0": "confirmed", "off-1": "confirmed", "off-2": "quarantined", "off-3": "confirmed"}
    assert "draining" not in stage.history("off-2")
    why = next(event.reason for event in stage.events("host") if event.to_state == "quarantined")
    assert "guest agent" in why
    assert "Owner" in why
    record = stage.classic("off-2")
    assert record is not None
    assert record.allow_new_session, "people go on with it on classic"


def test_a_target_pool_that_somebody_deletes_takes_no_host_with_it(tmp_path: Path) -> None:
    stage = estate(tmp_path, hosts=6)
    deleted: list[str] = []

    def somebody(scope: dict[str, Any]) -> None:
        if scope["method"] == "POST" and "listregistrationtokens" in str(scope["path"]).lower() and not deleted:
            resources = stage.world.state.arm.resources
            (pool,) = stage.of_type("hostPools")
            deleted.extend(key for key in resources if key.startswith(pool.id.lower()))
            for key in deleted:
                del resources[key]

    stage.taps.append(somebody)
    stage.apply()
    assert deleted
    states = set(stage.hosts().values())
    assert states <= {"on_source", "staged", "returned", "quarantined"}, stage.hosts()
    working = [host for host in stage.hosts() if (record := stage.classic(host)) and record.allow_new_session]
    assert len(working) == 6, "everybody still works on classic"
