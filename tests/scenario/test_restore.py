"""Classic has gone: an estate known from its exports is put to work on the new service, and a run that was under way
goes on without classic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from back_kit import say, take_back
from stage import Stage, personal, pooled, short, spec_of
from test_complete import DAY
from test_complete import done as complete

from avdtwin import faults
from avdtwin.estate.export import export_folder
from crossfade.assessment.assess import assess
from crossfade.assessment.findings import Findings
from crossfade.clock import iso
from crossfade.commands.apply import Applied
from crossfade.commands.complete import BACKUP
from crossfade.commands.discover import discover_exports, discover_target
from crossfade.commands.doctor import look_there
from crossfade.commands.verify import verify
from crossfade.commands.workspace import INTENT, INVENTORY, PLAN, TARGET
from crossfade.errors import CannotRollBack, InputError, PreflightFailed, Refused
from crossfade.execution.transitions import Kind
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.growth import Growth
from crossfade.model.modes import RESTORE
from crossfade.plan.intent import Accepted, PoolIntent
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan

ENGINES = ("inprocess", "dbos")
TWO_POOLS = (pooled(hosts=3, desktop_people=9), personal(hosts=2))
OFF = {"kind": "classic_gone"}


def late(folder: Path, *pools: Any) -> Stage:
    """An estate whose classic service is off, known from exports that somebody made in time, and its plan."""
    stage = Stage.of(spec_of(*(pools or TWO_POOLS)), folder / "run")
    exported = folder / "exports"
    export_folder(stage.world, exported)
    stage.workspace.write(INVENTORY, discover_exports(exported, stage.rehearsal.clock))
    faults.put_in(stage.world, [OFF])
    return stage


def plan(stage: Stage, **choices: Any) -> Plan:
    inventory = stage.workspace.read(INVENTORY, Inventory)

    async def target(services: Any) -> TargetSnapshot:
        return await discover_target(services, inventory, [stage.rehearsal.subscription])

    found = stage.with_services(target)
    stage.workspace.write(TARGET, found)
    now = iso(stage.rehearsal.clock.now())
    findings = assess(inventory, found, Growth(), made_at=now)
    findings = Findings(inputs=findings.inputs, mode=findings.mode)  # what they warn of is not the matter here
    stage.plan = make_plan(inventory, found, findings, stage.intent(**choices), today=now[:10])
    stage.workspace.write(PLAN, stage.plan)
    return stage.plan


def go_on(stage: Stage, engine: str = "inprocess") -> Applied:
    stage.without_classic = "dana"
    return stage.apply(engine)


def proof(stage: Stage) -> Any:
    return stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))


def states(stage: Stage, kind: Kind) -> set[str]:
    return {one.state for one in stage.entities(kind)}


# ---------------------------------------------------------------- from exports


@pytest.mark.parametrize("engine", ENGINES)
def test_an_estate_known_from_exports_is_put_to_work_though_classic_has_gone(tmp_path: Path, engine: str) -> None:
    stage = late(tmp_path)
    assert plan(stage).mode == RESTORE
    done = stage.apply(engine)
    assert done.state == "finished", done.error
    assert set(stage.hosts().values()) == {"confirmed"}
    assert stage.history("off-0") == [
        "on_source",
        *["staged", "moving", "registered", "healthy", "accepting", "confirmed"],
    ]
    assert proof(stage).equivalent()


@pytest.mark.parametrize("status", [404, 410, 503])
def test_a_service_that_answers_with_an_error_has_gone_too(tmp_path: Path, status: int) -> None:
    stage = late(tmp_path)
    stage.world.state.settings["classic_gone"] = status
    plan(stage)
    assert stage.apply().state == "finished"


def test_a_service_that_may_not_be_asked_is_not_taken_for_gone_until_somebody_answers_for_it(tmp_path: Path) -> None:
    stage = late(tmp_path)
    stage.world.state.settings["classic_gone"] = 403
    plan(stage)
    with pytest.raises(PreflightFailed, match="may still serve people"):
        stage.apply()
    plan(
        stage,
        accepted=[Accepted(finding="classic:gone", by="dana", reason="switched off on Friday", until="2026-12-31")],
    )
    assert stage.apply().state == "finished"


def test_hosts_are_moved_side_by_side_and_nobody_waits_for_the_night(tmp_path: Path) -> None:
    """Half an hour a host is what it takes; five of them one after another would take more than two."""
    stage = late(tmp_path)
    plan(stage)
    began = stage.rehearsal.clock.timestamp()
    assert stage.apply().state == "finished"
    assert stage.rehearsal.clock.timestamp() - began < 75 * 60
    accepting = [event.at for event in stage.events("host") if event.to_state == "accepting"]
    moving = [event.at for event in stage.events("host") if event.to_state == "moving"]
    assert max(moving) < min(accepting)


def test_people_have_the_target_before_the_first_host_is_there(tmp_path: Path) -> None:
    stage = late(tmp_path)
    plan(stage)
    stage.apply()
    first = min(event.at for event in stage.events("host") if event.to_state == "accepting")
    written = [event.at for event in stage.events("step") if event.subject.startswith("people/")]
    shared = [name for wave in stage.plan.waves for name in wave.publish]
    assert shared
    assert sum(1 for at in written if at < first) >= len(shared)


def test_so_many_as_may_be_are_on_their_way_at_once(tmp_path: Path) -> None:
    stage = late(tmp_path, pooled(hosts=5, desktop_people=3))
    plan(stage)
    stage.workspace.write(PLAN, with_parallel(stage.plan, 2))
    stage.plan = stage.workspace.read(PLAN, Plan)
    assert stage.apply().state == "finished"
    on_their_way, most = set[str](), 0
    for event in stage.events("host"):
        on_their_way |= {event.subject} if event.to_state == "moving" else set()
        on_their_way -= {event.subject} if event.to_state == "accepting" else set()
        most = max(most, len(on_their_way))
    assert most == 2


def with_parallel(plan: Plan, count: int) -> Plan:
    return msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, parallel_moves=count))


def test_the_pool_with_most_people_goes_first(tmp_path: Path) -> None:
    small, large = pooled("A Few", "few", hosts=2, desktop_people=2), pooled("Many", "many", hosts=2, desktop_people=9)
    made = plan(late(tmp_path, small, large))
    assert [[short(host)[:3] for host in wave.hosts] for wave in made.waves] == [["man", "man"], ["few", "few"]]
    assert {wave.kind for wave in made.waves} == {"restore-wave"}
    assert not any(wave.retract or wave.retract_by_host for wave in made.waves)
    assert not any(operation.id.startswith("retract") for operation in made.operations)


def test_a_pool_of_one_host_needs_no_permission_for_an_outage_it_has_already(tmp_path: Path) -> None:
    stage = late(tmp_path, pooled(hosts=1, desktop_people=3))
    plan(stage, outage="never")
    assert stage.apply().state == "finished"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_host_that_fails_is_quarantined_where_it_is_and_arrives_with_the_next_try(
    tmp_path: Path, engine: str
) -> None:
    stage = late(tmp_path)
    plan(stage)
    stage.machine("off-1").msi_exit_codes = [0, 0, 0, 0, 1603, 1603, 1603]
    stage.apply(engine)
    assert stage.hosts()["off-1"] == "quarantined"
    assert {state for host, state in stage.hosts().items() if host != "off-1"} == {"confirmed"}
    known = next(one for one in stage.entities(Kind.HOST) if short(one.id) == "off-1")
    assert "Classic has gone" in known.reason
    retried(stage, "off-1", engine)
    assert stage.hosts()["off-1"] == "confirmed"
    assert proof(stage).equivalent()


def retried(stage: Stage, host: str, engine: str) -> None:
    say(stage, "retry", host)
    again = stage.apply(engine)
    assert again.state == "finished", again.error


def test_classic_that_answers_after_all_refuses_the_plan(tmp_path: Path) -> None:
    stage = late(tmp_path)
    plan(stage)
    faults.put_in(stage.world, [])
    before = stage.writes()
    with pytest.raises(PreflightFailed) as refused:
        stage.apply()
    assert "classic" in str(refused.value)
    assert "`crossfade discover`" in str(refused.value)
    assert stage.writes() == before


@pytest.mark.parametrize("point", ["moving", "healthy", "accepting"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_restore_that_was_killed_goes_on(tmp_path: Path, engine: str, point: str) -> None:
    stage = late(tmp_path)
    plan(stage)
    assert stage.interrupt(lambda at: point in at and "host" in at, engine)
    assert stage.apply(engine).state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}
    assert proof(stage).equivalent()


def test_nothing_can_go_back_and_nothing_is_there_to_be_removed(tmp_path: Path) -> None:
    stage = late(tmp_path)
    plan(stage)
    stage.apply()
    with pytest.raises(CannotRollBack, match="nothing to go back to"):
        take_back(stage)
    for dry_run in (True, False):
        with pytest.raises(Refused, match="Classic has gone, and the run left no snapshot") as refused:
            complete(stage, dry_run=dry_run)
        assert refused.value.mend == "There is nothing to do."


def snapshots(stage: Stage) -> list[str]:
    found = (one for one in stage.world.state.arm.resources.values() if one.type == "Microsoft.Compute/snapshots")
    return sorted(one.name for one in found)


def test_complete_removes_the_snapshots_of_disks_and_asks_classic_for_nothing(tmp_path: Path) -> None:
    """Refused without a proof and before the waiting period is over, as anywhere."""
    stage = late(tmp_path, personal(hosts=2))
    [source] = [pool.key for pool in stage.workspace.read(INVENTORY, Inventory).pools]
    plan(stage, pools={source: PoolIntent(disk_snapshot=True)})
    assert stage.apply().state == "finished"
    assert len(snapshots(stage)) == 2
    with pytest.raises(InputError, match="crossfade verify"):
        complete(stage)
    assert proof(stage).passed()
    with pytest.raises(Refused, match="everything is kept until"):
        complete(stage, dry_run=True)
    stage.wait(8 * DAY)
    with pytest.raises(InputError, match="complete --dry-run"):
        complete(stage)
    machines, before = set(stage.world.state.machines), dict(stage.calls)
    planned = complete(stage, dry_run=True)
    assert (planned.exit_code, planned.counts, planned.stays) == (2, {"os-disk-snapshot": 2}, [])
    asked: list[str] = []
    stage.taps.append(lambda scope: asked.append(str(scope["path"])))
    ended = complete(stage)
    assert (ended.state, ended.error, ended.without_classic) == ("completed", None, True)
    assert snapshots(stage) == []
    assert set(stage.world.state.machines) == machines
    new = {call for call, count in stage.calls.items() if count != before.get(call)}
    assert {call.split("/")[-2] for call in new} == {"snapshots"}
    assert not [path for path in asked if "RdsManagement" in path]
    assert not stage.workspace.has(BACKUP), "nothing of classic went"


# ---------------------------------------------------------------- classic goes in the middle


def frozen(folder: Path, engine: str = "inprocess") -> Stage:
    """A run whose canary is confirmed, and whose next hosts wait for a classic service that is not there."""
    stage = Stage.of(spec_of(pooled(hosts=4, desktop_people=9), personal(hosts=2)), folder)
    stage.make_plan()
    met: list[str] = []

    def at(point: str) -> bool:
        met.extend([point] if "confirmed" in point else [])
        return len(met) >= 2

    assert stage.interrupt(at, engine)
    faults.put_in(stage.world, [OFF])
    held = stage.apply(engine)
    assert held.state == "frozen", held.error
    return stage


@pytest.mark.parametrize("engine", ENGINES)
def test_a_frozen_run_goes_on_without_classic(tmp_path: Path, engine: str) -> None:
    stage = frozen(tmp_path, engine)
    done = go_on(stage, engine)
    assert done.state == "finished", done.error
    assert set(stage.hosts().values()) == {"confirmed"}
    assert proof(stage).equivalent()
    order = next(event for event in stage.events("note") if event.subject == "order")
    assert order.actor == "dana"
    with pytest.raises(CannotRollBack, match="nothing to go back to"):
        take_back(stage)
    with pytest.raises(Refused, match="Classic has gone"):
        complete(stage, dry_run=True)
    faults.put_in(stage.world, [])
    stage.wait(8 * DAY)
    proof(stage)
    assert complete(stage, dry_run=True).counts["host-pool"] == 2, "it is there again, so it goes"


def test_a_frozen_run_tells_both_ways_out(tmp_path: Path) -> None:
    stage = frozen(tmp_path)
    reason = next(one.reason for one in stage.entities(Kind.RUN))
    assert "`crossfade resume --without-classic`" in reason
    assert "rollback is impossible" in reason


def test_classic_that_answers_again_is_gone_on_with(tmp_path: Path) -> None:
    stage = frozen(tmp_path)
    faults.put_in(stage.world, [])
    with pytest.raises(PreflightFailed, match="without classic"):
        go_on(stage)
    assert states(stage, Kind.RUN) == {"frozen"}
    assert stage.apply().state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}


def test_classic_that_only_refuses_to_say_is_not_left_until_somebody_answers_for_it(tmp_path: Path) -> None:
    stage = frozen(tmp_path)
    for status in (403, 429, 401):
        faults.put_in(stage.world, [{"kind": "error", "status": status, "match": {"service": "classic"}}])
        with pytest.raises(PreflightFailed, match=r"may still serve people.*classic:gone.*say this again"):
            go_on(stage)
    assert states(stage, Kind.RUN) == {"frozen"}
    azure = f'[azure]\nsubscription = "{stage.rehearsal.subscription}"\nlocation = "westeurope"\n'
    answer = 'finding = "classic:gone"\nby = "dana"\nreason = "it was switched off"\nuntil = "2099-01-01"\n'
    stage.workspace.path(INTENT).write_text(f"{azure}\n[[accepted]]\n{answer}", encoding="utf-8")
    assert go_on(stage).state == "finished"


def test_a_run_that_has_not_begun_is_not_gone_on_with(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=2)), tmp_path)
    stage.make_plan()
    faults.put_in(stage.world, [OFF])
    with pytest.raises(Refused, match="exports"):
        go_on(stage)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_without_classic_that_was_killed_needs_the_word_only_once(tmp_path: Path, engine: str) -> None:
    stage = frozen(tmp_path, engine)
    stage.without_classic = "dana"
    assert stage.interrupt(lambda at: "healthy" in at and "host" in at, engine)
    assert stage.apply(engine).state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}


def test_doctor_misses_no_classic_service_where_the_estate_was_read_without_it(tmp_path: Path) -> None:
    stage = late(tmp_path)
    checks = {
        check.name: check for check in stage.with_services(lambda services: look_there(stage.workspace, services))
    }
    assert checks["classic service"].mend == ""
    assert checks["classic service"].found.endswith("inventory.json was made without it")
    stage.workspace.path(INVENTORY).unlink()
    checks = {
        check.name: check for check in stage.with_services(lambda services: look_there(stage.workspace, services))
    }
    assert checks["classic service"].mend
