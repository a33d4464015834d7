"""Snapshots of the OS disks of personal hosts: taken before a host is touched, gone with its way back or `complete`.
A host whose disk cannot be copied is not touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from back_kit import classic_of, say, take_back, target_of
from stage import QUICK, Stage, personal, short, spec_of
from test_complete import DAY, done, prove

from avdtwin import faults
from avdtwin.state import Resource
from crossfade.execution.handlers.table import Handlers
from crossfade.model.ids import last_name
from crossfade.plan.intent import PoolIntent

POOL = "Default Tenant Group/disks/Workstations"


def planned(folder: Path, *, hosts: int = 1, canary_return: bool = False) -> Stage:
    stage = Stage.of(spec_of(personal(hosts=hosts), name="disks"), folder)
    waves = msgspec.structs.replace(QUICK, canary_return=canary_return)
    stage.make_plan(pools={POOL: PoolIntent(disk_snapshot=True)}, waves=waves)
    return stage


def snapshots(stage: Stage) -> dict[str, Any]:
    """VM -> its snapshot."""
    found = (one for one in stage.world.state.arm.resources.values() if one.type == "Microsoft.Compute/snapshots")
    disks = {last_name(one.properties["creationData"]["sourceResourceId"]): one for one in found}
    return {name.removesuffix("_OsDisk"): one for name, one in disks.items()}


def taken_of(stage: Stage) -> list[Resource]:
    return [one for one in stage.world.state.arm.resources.values() if one.type == "Microsoft.Compute/snapshots"]


def left_over(stage: Stage, *, days: float) -> Resource:
    """A snapshot of ours that is there since an earlier run."""
    operation = stage.plan.operation(stage.move("own-0").snapshot)
    stage.with_services(lambda services: Handlers(services, stage.plan, services.clock).of(operation).apply(operation))
    [found] = taken_of(stage)
    found.created_at -= days * DAY
    return found


def told(stage: Stage, operation: str) -> list[dict[str, Any]]:
    """Facts of the steps that took a snapshot."""
    steps = (event for event in stage.events("step") if event.subject.endswith(f"/{operation}"))
    return [event.data["facts"] for event in steps if event.to_state in ("done", "noop")]


def named(stage: Stage, host: str) -> str:
    """How the name of a host's snapshot begins."""
    move = stage.move(host)
    return last_name(stage.plan.operation(move.snapshot).subject)


def on_vm(stage: Stage, host: str) -> list[str]:
    """What was written to a host's VM, in order."""
    vm = stage.move(host).vm.lower()
    return [call.lower().removeprefix(f"put {vm}/") for call in stage.calls if f"{vm}/" in call.lower()]


def test_moved_with_snapshots_and_taken_back(tmp_path: Path) -> None:
    stage = planned(tmp_path, hosts=2, canary_return=True)
    target, classic = target_of(stage), classic_of(stage)
    seen: dict[str, tuple[bool, str]] = {}

    def tap(scope: dict[str, Any]) -> None:
        if scope["method"] == "PUT" and "/snapshots/" in scope["path"]:
            name = last_name(scope["path"])
            host = next(host for host in map(short, stage.hosts()) if name.startswith(named(stage, host)))
            record = stage.classic(host)
            assert record is not None
            seen.setdefault(host, (record.allow_new_session, stage.hosts()[host]))

    stage.taps.append(tap)
    applied = stage.apply()
    assert (applied.state, applied.error) == ("finished", None)
    assert seen == {"own-0": (False, "drained"), "own-1": (False, "drained")}
    taken = snapshots(stage)
    assert all(one.name.startswith(f"{named(stage, host)}-") for host, one in taken.items())
    assert {one.name.rpartition("-")[2] for one in taken.values()} == {"forward"}
    assert all(one.properties["incremental"] for one in taken.values())
    [facts] = told(stage, stage.move("own-1").snapshot)
    assert (facts["replaced"], bool(facts["taken_at"])) == ("nothing", True)
    assert facts["disk"].endswith("own-1_OsDisk")
    stage.calls.clear()
    assert stage.apply().state == "finished"
    assert not stage.calls, "a finished plan again takes no snapshot anew"
    assert take_back(stage).state == "rolled_back"
    assert snapshots(stage) == {}
    assert target_of(stage) == target
    assert classic_of(stage) == classic


@pytest.mark.parametrize("trouble", ["refused", "no managed disk"])
def test_a_host_whose_disk_cannot_be_copied_is_not_touched(tmp_path: Path, trouble: str) -> None:
    stage = planned(tmp_path)
    if trouble == "refused":
        match = {"service": "compute", "method": "PUT", "route": "snapshots/{snapshot}"}
        message = "The disk cannot be copied now."
        faults.put_in(
            stage.world, [{"kind": "error", "status": 409, "code": "Conflict", "message": message, "match": match}]
        )
    else:
        vm = stage.world.state.arm.resources[stage.move("own-0").vm.lower()]
        vm.properties["storageProfile"] = {"osDisk": {"name": "own-0", "diffDiskSettings": {"option": "Local"}}}
        message = "ephemeral or no managed disk"
    before = stage.machine("own-0").products
    assert stage.apply().state == "finished"
    assert stage.hosts() == {"own-0": "on_source"}
    assert stage.machine("own-0").products == before
    assert [call.split("/")[-1] for call in on_vm(stage, "own-0")] == ["crossfade-stage"] * 2, "looked at, not touched"
    record = stage.classic("own-0")
    assert record is not None
    assert record.allow_new_session
    assert snapshots(stage) == {}
    given_up = [event for event in stage.events("host") if short(event.subject) == "own-0"][-1]
    assert message in given_up.reason


def test_complete_removes_what_this_run_took_and_no_disk(tmp_path: Path) -> None:
    """One from an earlier run is not taken for a copy from just before: a restore from it would put a disk of weeks ago
    into a VM. It stays and is named at the end. What this run took before it was killed is not taken again."""
    stage = planned(tmp_path)
    old, begun = left_over(stage, days=40.0), stage.world.now
    assert stage.interrupt(lambda point: "snapshot-disk" in point and point.endswith(" done"))
    assert stage.apply().state == "finished"
    [new] = [one for one in taken_of(stage) if one.id != old.id]
    assert new.created_at > begun
    assert stage.calls[f"PUT {new.id}"] == 1
    [facts] = told(stage, stage.move("own-0").snapshot)
    assert facts["snapshot"] == new.id
    prove(stage)
    stage.wait(8 * DAY)
    machines = set(stage.world.state.machines)
    ended = done(stage, dry_run=True)
    assert ended.counts["os-disk-snapshot"] == 1
    assert [one.partition(": ")[0] for one in ended.stays] == [old.id]
    assert done(stage).state == "completed"
    assert [one.id for one in taken_of(stage)] == [old.id]
    assert set(stage.world.state.machines) == machines


def test_one_that_cannot_be_removed_keeps_no_host_from_going_back(tmp_path: Path) -> None:
    """The next try has a copy of its own. The rollback of the run holds for both at its end, and removes them when it
    is said again."""
    stage = planned(tmp_path)
    target = target_of(stage)
    assert stage.apply().state == "finished"
    match = {"service": "compute", "method": "DELETE", "route": "snapshots/{snapshot}"}
    faults.put_in(stage.world, [{"kind": "error", "status": 409, "code": "Conflict", "match": match}])
    take_back(stage, "own-0")
    assert stage.hosts() == {"own-0": "on_source"}
    [old] = taken_of(stage)
    stage.wait(5 * DAY)
    begun = stage.world.now
    say(stage, "retry", "own-0")
    assert stage.apply().state == "finished"
    [new] = [one for one in taken_of(stage) if one.id != old.id]
    assert new.created_at > begun
    assert told(stage, stage.move("own-0").snapshot)[-1]["snapshot"] == new.id
    held = take_back(stage)
    assert held.state == "holding"
    assert "disk snapshot" in str(held.error)
    assert len(taken_of(stage)) == 2
    faults.put_in(stage.world, [])
    assert take_back(stage).state == "rolled_back"
    assert target_of(stage) == target
