"""The end of classic: when it is refused, what is removed and in which order, what stays, who is stuck."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from back_kit import take_back, target_of
from kept_stages import kept
from stage import QUICK, Stage, personal, pooled, spec_of

from crossfade.app import durable_engine, in_process_engine
from crossfade.commands.apply import Hook
from crossfade.commands.complete import BACKUP, COMPLETE_ENGINE, COMPLETION, Backup, Completed, complete
from crossfade.commands.verify import verify
from crossfade.commands.workspace import INVENTORY, VERIFICATION
from crossfade.errors import CannotRollBack, InputError, Refused, StalePlan
from crossfade.execution.transitions import Kind
from crossfade.inventory.inventory import Inventory
from crossfade.model.classic import Tenant
from crossfade.model.ids import fold
from crossfade.model.provenance import Gap
from crossfade.plan.completion import Completion, make_completion

DAY = 86_400.0
SMALL = spec_of(pooled(leavers=1), personal(hosts=1))


def done(stage: Stage, *, dry_run: bool = False, engine: str = "inprocess", hook: Hook | None = None) -> Completed:
    clock, store = stage.rehearsal.clock, stage.workspace.path(COMPLETE_ENGINE)
    make = in_process_engine(clock) if engine == "inprocess" else durable_engine(clock, store)
    options: dict[str, Any] = {"hook": hook} if hook else {}
    return stage.with_services(
        lambda services: complete(
            stage.workspace, services, clock, make, dry_run=dry_run, synchronous="NORMAL", **options
        )
    )


def prove(stage: Stage) -> None:
    stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))


def finished(folder: Path, spec: Any = SMALL, *, rest_days: float = 8.0, **intent: Any) -> Stage:
    """Moved, proven, rested."""

    def make(place: Path) -> Stage:
        stage = Stage.of(spec, place)
        stage.make_plan(**intent)
        assert stage.apply().state == "finished"
        prove(stage)
        return stage

    stage = kept(f"finished {spec} {intent}", folder, make)
    stage.wait(rest_days * DAY)
    return stage


def tenants_of(stage: Stage) -> list[str]:
    return [name for group in stage.world.state.classic.groups.values() for name in group.tenants]


def test_everything_of_the_plan_goes_and_nothing_else(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    there, machines = target_of(stage), dict(stage.world.state.machines)
    stage.calls.clear()
    planned = done(stage, dry_run=True)
    assert planned.exit_code == 2
    assert planned.counts["host-pool"] == 2
    assert not stage.calls, "a dry run removes nothing"
    ended = done(stage)
    assert (ended.state, ended.error, ended.exit_code) == ("completed", None, 0)
    assert tenants_of(stage) == []
    assert target_of(stage) == there
    assert stage.world.state.machines.keys() == machines.keys()
    assert all("/RdsManagement/" in call for call in stage.calls), [c for c in stage.calls if "Rds" not in c]
    assert done(stage).state == "completed", "asked again, it is over"


def test_the_order_is_the_documented_one(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    done(stage, dry_run=True)
    kinds = ["registration", "assignment", "remote-app", "app-group", "session-host", "host-pool"]
    for removals in stage.workspace.read(COMPLETION, Completion).pools.values():
        places = [kinds.index(removal.kind) for removal in removals]
        assert places == sorted(places)
        assert removals[-1].kind == "host-pool"


def test_the_definitions_can_be_read_again(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    done(stage, dry_run=True)
    done(stage)
    backup = stage.workspace.read(BACKUP, Backup)
    assert len(backup.before_the_removal.pools) == 2
    assert len(backup.before_the_removal.hosts) == 3
    assert len(backup.before_the_run.assignments) > len(backup.before_the_removal.assignments)
    assert {app.file_path for app in backup.before_the_removal.apps}


def test_assignments_of_people_who_are_gone_are_listed_and_stop_nothing(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    done(stage, dry_run=True)
    ended = done(stage)
    assert ended.state == "completed"
    assert len(ended.stuck) == 1
    assert "Desktop Application Group" in ended.stuck[0]


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    done(stage, dry_run=True)
    kept = ""
    for number in (3, 8, 13, 1_000):
        with contextlib.suppress(Gone):
            done(stage, hook=dies_at(number))
        kept = kept or stage.workspace.path(BACKUP).read_text()
    assert [run.state for run in stage.entities(Kind.RUN)] == ["completed"]
    assert tenants_of(stage) == []
    assert stage.workspace.path(BACKUP).read_text() == kept, "the backup is of what was there before the first removal"


@pytest.mark.parametrize("right", ["stays", "goes"])
def test_it_ends_though_the_answer_to_its_last_removal_was_lost(tmp_path: Path, right: str) -> None:
    """The tenant takes the rights on it along: whoever asks again may not even look."""
    stage = finished(tmp_path)
    if right == "stays":
        for assignment in stage.world.state.classic.role_assignments.values():
            assignment.scope = "/Default Tenant Group"
    done(stage, dry_run=True)
    with contextlib.suppress(Gone):
        done(stage, hook=dies_before("remove tenant"))
    assert tenants_of(stage) == []
    ended = done(stage)
    assert (ended.state, ended.error) == ("completed", None)


def test_a_tenant_that_may_not_be_removed_is_not_called_removed(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    done(stage, dry_run=True)
    with contextlib.suppress(Gone):
        done(stage, hook=dies_before("remove tenant", " begun"))
    stage.world.state.classic.role_assignments.clear()
    for _ in range(2):
        ended = done(stage)
        assert ended.error is not None
        assert (ended.state, ended.error["code"]) == ("finished", "forbidden")
    assert len(tenants_of(stage)) == 1


def test_on_the_durable_engine_too(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    done(stage, dry_run=True)
    assert done(stage, engine="dbos").state == "completed"


class Gone(BaseException):
    """The process is gone."""


def dies_at(number: int) -> Hook:
    count = iter(range(1, 1_000_000))

    def hook(point: str) -> None:
        if next(count) == number:
            raise Gone(point)

    return hook


def dies_before(step: str, outcome: str = " done") -> Hook:
    """Before the journal has this outcome of a step."""

    def hook(point: str) -> None:
        if point.startswith("before ") and f"complete/{step}" in point and point.endswith(outcome):
            raise Gone(point)

    return hook


# -- refused


def refused(stage: Stage, match: str) -> None:
    stage.calls.clear()
    for dry_run in (True, False):
        with pytest.raises(Refused, match=match):
            done(stage, dry_run=dry_run)
    assert not stage.calls


def test_it_waits_until_the_migration_has_rested(tmp_path: Path) -> None:
    stage = finished(tmp_path, rest_days=6.9)
    refused(stage, "the way back stays open until")
    stage.wait(0.2 * DAY)
    assert done(stage, dry_run=True).exit_code == 2


def test_the_waiting_period_is_a_setting(tmp_path: Path) -> None:
    stage = finished(tmp_path, rest_days=0.0, waves=msgspec.structs.replace(QUICK, completion_wait_days=0.0))
    assert done(stage, dry_run=True).exit_code == 2


def test_without_a_proof_nothing_is_removed(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    proof = stage.workspace.path(VERIFICATION)
    whole = proof.read_bytes()
    proof.unlink()
    with pytest.raises(InputError, match="crossfade verify"):
        done(stage)
    proof.write_bytes(whole)
    grants = stage.world.state.arm.role_assignments
    del grants[next(key for key, one in grants.items() if "applicationgroups" in one.scope.lower())]
    prove(stage)
    refused(stage, "did not pass")


def test_a_proof_older_than_the_end_of_the_run_is_none(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    raw = stage.workspace.path(VERIFICATION).read_text()
    made_at = next(line for line in raw.splitlines() if '"made_at"' in line)
    stage.workspace.path(VERIFICATION).write_text(raw.replace(made_at, '  "made_at": "2026-06-01T00:00:00.000Z",'))
    refused(stage, "older than the end")


def test_a_run_that_is_not_finished_completes_nothing(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    take_back(stage, "off-1")
    refused(stage, "is holding")


def test_only_what_was_looked_at_is_removed(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    with pytest.raises(InputError, match="complete --dry-run"):
        done(stage)
    done(stage, dry_run=True)
    stage.pool_record("Office Pool").groups["desktop application group"].users["new@stage.example"] = (
        "new@stage.example"
    )
    with pytest.raises(StalePlan):
        done(stage)
    assert tenants_of(stage)


def test_once_it_has_begun_there_is_no_way_back(tmp_path: Path) -> None:
    stage = finished(tmp_path)
    done(stage, dry_run=True)
    with contextlib.suppress(Gone):
        done(stage, hook=dies_at(8))
    with pytest.raises(CannotRollBack, match="complete"):
        take_back(stage)


def test_a_pool_that_classic_still_needs_stays_with_its_tenant(tmp_path: Path) -> None:
    stage = Stage.of(SMALL, tmp_path)
    plan = stage.make_plan()
    inventory = stage.workspace.read(INVENTORY, Inventory)
    states = {fold(move.source): "confirmed" for move in plan.hosts}
    pool = stage.move("off-1").source_pool
    tenant = pool.rpartition("/")[0]
    assert make_completion(inventory, plan, states).stays == []
    other = msgspec.structs.replace(inventory, tenants=[*inventory.tenants, Tenant(key="Default Tenant Group/empty")])
    (kept,) = make_completion(other, plan, states).stays
    assert (kept.key, "none of its pools" in kept.why) == ("Default Tenant Group/empty", True)
    for subject, missing, kept in (
        (f"the SessionHosts of {pool}", "hosts", [pool, tenant]),
        (f"{pool}/AppGroups", "groups", [pool, tenant]),
        (f"the SessionHosts of {pool} 2", "sessions", [tenant]),
        (f"the HostPools of {tenant}", "pools", [tenant]),
        (f"the StartMenuApps of {pool}/Office Apps", "sessions", []),
    ):
        gap = Gap(subject=subject, what="It could not be read.", why="The service is ill.", mend="")
        unread = make_completion(msgspec.structs.replace(inventory, gaps=[gap], **{missing: []}), plan, states)
        assert [one.key for one in unread.stays] == kept
        assert pool not in kept or "is ill" in unread.stays[0].why
    states[fold(stage.move("off-1").source)] = "quarantined"
    found = make_completion(inventory, plan, states)
    (one, all_of_them) = found.stays
    assert "off-1" in one.why
    assert "1 of its pools" in all_of_them.why
    assert [key.rpartition("/")[2] for key in found.pools] == ["Workstations"]
    assert found.tenants == []
    without = msgspec.structs.replace(plan, pools=[one for one in plan.pools if one.personal])
    assert "not in the plan" in make_completion(inventory, without, states).stays[0].why
