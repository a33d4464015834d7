"""Handlers against the twin: applying twice equals applying once, and undo restores what was."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scenario"))

from stage import Stage, personal, pooled, spec_of

from avdtwin.estate.specs import EXCEL, WORD, GroupSpec
from crossfade.app import in_process_engine
from crossfade.cloud.services import Services
from crossfade.errors import Conflict
from crossfade.execution.chains import chain_of
from crossfade.execution.control import NoControl
from crossfade.execution.handlers.preconditions import Preconditions
from crossfade.execution.handlers.table import Handlers
from crossfade.execution.journal import Journal
from crossfade.execution.run import enter, make_context, worked_on
from crossfade.execution.steps import Facts
from crossfade.execution.workflows.bodies import bodies
from crossfade.plan.intent import Access, Diagnostics, PoolIntent
from crossfade.plan.operations import (
    Action,
    AnyOperation,
    GrantRole,
    PatchHostPool,
    PutResource,
    RegisterProvider,
    RetractAssignment,
    SetIcon,
    SnapshotDisk,
)

SPEC = spec_of(
    pooled(
        desktop_people=4,
        groups=(GroupSpec("Office Apps", 3, (EXCEL, WORD)),),
        desktop_title="Office",
        rdp="audiomode:i:0;",
    ),
    personal(hosts=2, automatic=True),
    name="handlers",
    provider_registered=False,
)
POOL_AND_APP = ("hostPools", "applications")
ANY_ORDER = ("applicationGroupReferences",)
DRAWN = ("objectid", "expirationtime", "lastheartbeat", "timecreated")
PASSING = ("_at", "replicating", "modified_by", "created_by", "secrets")


@pytest.fixture(params=["direct", "groups"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """With people assigned one by one, or through new Entra groups."""
    stage = Stage.of(SPEC, tmp_path)
    access = Access(direct_threshold=150 if request.param == "direct" else 2)
    group = f"/subscriptions/{stage.rehearsal.subscription}/resourceGroups/rg-logs"
    logs = Diagnostics(workspace=f"{group}/providers/Microsoft.OperationalInsights/workspaces/law")
    disks = {"Default Tenant Group/handlers/Workstations": PoolIntent(disk_snapshot=True)}
    stage.make_plan(access=access, diagnostics=logs, pools=disks)
    return stage


def held(stage: Stage) -> dict[str, Any]:
    """What the three services hold, without times and what they draw."""
    stage.world.settle()
    state = msgspec.to_builtins(stage.world.state)
    arm = {kind: state["arm"][kind] for kind in ("resources", "role_assignments")}
    return {"arm": _still(arm), "directory": _still(state["directory"]), "classic": _still(state["classic"])}


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if key.lower() not in DRAWN and not key.endswith(PASSING)}
        return {key: sorted(one) if key in ANY_ORDER else _still(one) for key, one in kept.items()}
    return [_still(one) for one in value] if isinstance(value, list) else value


def writing(stage: Stage) -> list[AnyOperation]:
    return [one for one in stage.plan.operations if one.action in (Action.CREATE, Action.UPDATE)]


async def _observed_or_applied(services: Services, stage: Stage, *, written_before: bool = False) -> int:
    """Every operation as a run does it; how many had to be written. A pool that a later operation changes for good is
    not looked at any more once that is done: its step is finished by then."""
    handlers, written = Handlers(services, stage.plan, services.clock), 0
    late = {one.subject for one in stage.plan.operations if isinstance(one, PatchHostPool)}
    for operation in writing(stage):
        if isinstance(operation, PutResource) and operation.subject in late and written_before:
            continue
        if isinstance(operation, SetIcon):  # what an app was made with is in the journal: tests/scenario/test_icons.py
            continue
        handler = handlers.of(operation)
        if await handler.observe(operation) is None:
            await handler.apply(operation)
            written += 1
    return written


async def _applied(services: Services, stage: Stage) -> None:
    handlers = Handlers(services, stage.plan, services.clock)
    for operation in writing(stage):
        await handlers.of(operation).apply(operation)


async def _undone(services: Services, stage: Stage) -> None:
    handlers = Handlers(services, stage.plan, services.clock)
    for operation in reversed(writing(stage)):
        await handlers.of(operation).undo(operation)


def test_all_kinds_of_operations_are_tried(stage: Stage) -> None:
    kinds = {type(one).__name__ for one in writing(stage)}
    assert {"RegisterProvider", "PutResource", "PatchResource", "ReferenceGroup", "GrantRole", "PatchHostPool"} <= kinds
    assert {"RetractAssignment", "SendLogs", "SetIcon", "SnapshotDisk"} <= kinds
    assert ("CreateDirectoryGroup" in kinds) == ("AddMember" in kinds)
    groups_only = {"CreateDirectoryGroup", "AddMember"}
    assert kinds | groups_only == {each.__name__ for each in get_args(AnyOperation)}, "a kind that nothing here tries"


def test_what_was_done_is_seen_and_not_done_again(stage: Stage) -> None:
    stage.with_services(lambda services: _observed_or_applied(services, stage))
    stage.wait(300)
    once = held(stage)
    stage.calls.clear()
    stage.with_services(lambda services: _observed_or_applied(services, stage, written_before=True))
    assert dict(stage.calls) == {}
    assert held(stage) == once


def test_applying_twice_equals_applying_once(stage: Stage) -> None:
    stage.with_services(lambda services: _applied(services, stage))
    stage.wait(300)
    once = held(stage)
    stage.with_services(lambda services: _applied(services, stage))
    stage.wait(300)
    assert held(stage) == once


def test_each_alone_twice_equals_once(stage: Stage) -> None:
    """As after a crash between the effect and its outcome: the same operation again, at once."""

    async def each_twice(services: Services) -> None:
        handlers = Handlers(services, stage.plan, services.clock)
        for operation in writing(stage):
            handler = handlers.of(operation)
            await handler.apply(operation)
            once = held(stage)
            await Handlers(services, stage.plan, services.clock).of(operation).apply(operation)
            assert held(stage) == once, operation.id

    stage.with_services(each_twice)


def test_undo_restores_what_was(stage: Stage) -> None:
    before = held(stage)
    stage.with_services(lambda services: _applied(services, stage))
    stage.wait(300)
    assert held(stage) != before
    stage.with_services(lambda services: _undone(services, stage))
    stage.wait(600)
    assert held(stage) == before


def test_any_way_through_comes_to_the_same(stage: Stage, seed: int) -> None:
    """Crashes anywhere: operations are done up to some point once or twice, from the start again, then taken back once
    or twice each."""
    chance, before = random.Random(seed), held(stage)

    async def to_and_fro(services: Services) -> None:
        for upto in (*sorted(chance.sample(range(len(writing(stage))), 3)), None):
            handlers = Handlers(services, stage.plan, services.clock)
            for operation in writing(stage)[:upto]:
                for _ in range(chance.choice((1, 2))):
                    await handlers.of(operation).apply(operation)

    async def back(services: Services) -> None:
        handlers = Handlers(services, stage.plan, services.clock)
        for operation in reversed(writing(stage)):
            for _ in range(chance.choice((1, 2))):
                await handlers.of(operation).undo(operation)

    stage.with_services(to_and_fro)
    stage.wait(300)
    there = held(stage)
    stage.with_services(lambda services: _applied(services, stage))
    stage.wait(300)
    assert held(stage) == there
    stage.with_services(back)
    stage.wait(600)
    assert held(stage) == before


class Shown(msgspec.Struct):
    """How far somebody has come, as the journal would tell it."""

    done: set[str] = msgspec.field(default_factory=set)
    hosts: dict[str, str] = msgspec.field(default_factory=dict)

    def is_done(self, operation_id: str) -> bool:
        return operation_id in self.done

    def host_state(self, host: str) -> str:
        return self.hosts.get(host, "on_source")


def arrived(hosts: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(hosts, "accepting")


def test_the_order_of_the_plan_keeps_every_precondition(stage: Stage) -> None:
    """But for a disk, which is copied on the way: its host has arrived afterwards."""
    conditions, shown = Preconditions(stage.plan), Shown(hosts=arrived(move.source for move in stage.plan.hosts))
    for operation in (one for one in stage.plan.operations if not isinstance(one, SnapshotDisk)):
        assert conditions.unmet(operation, shown) == []
        shown.done.add(operation.id)


def test_any_order_that_keeps_the_preconditions_ends_the_same(stage: Stage, seed: int) -> None:
    """Operations come by in any order, hosts arrive in between; none acts before what must hold before it does."""
    chance, before, shown = random.Random(seed), held(stage), Shown()
    shown.done |= {one.id for one in stage.plan.operations} - {one.id for one in writing(stage)}
    waiting: list[Any] = [*writing(stage), *(move.source for move in stage.plan.hosts)]
    order: list[AnyOperation] = []
    refused: set[str] = set()

    async def as_they_come(services: Services) -> None:
        handlers = Handlers(services, stage.plan, services.clock)
        while waiting:
            one = waiting.pop(chance.randrange(len(waiting)))
            if isinstance(one, str):
                snapshot = next(move.snapshot for move in stage.plan.hosts if move.source == one)
                on_its_way = one not in shown.hosts or (snapshot and snapshot not in shown.done)
                shown.hosts[one] = "drained" if on_its_way else "accepting"
                waiting.extend([one] if on_its_way else [])
            elif handlers.preconditions.unmet(one, shown):
                refused.add(type(one).__name__)
                waiting.append(one)
            else:
                await handlers.of(one).apply(one)
                shown.done.add(one.id)
                order.append(one)

    async def back(services: Services) -> None:
        handlers = Handlers(services, stage.plan, services.clock)
        for operation in reversed(order):
            await handlers.of(operation).undo(operation)

    stage.with_services(as_they_come)
    stage.wait(300)
    assert {"PutResource", "ReferenceGroup", "GrantRole"} <= refused, "the order was never another one"
    there = held(stage)
    stage.with_services(lambda services: _applied(services, stage))
    stage.wait(300)
    assert held(stage) == there
    stage.with_services(back)
    stage.wait(600)
    assert held(stage) == before


def test_a_snapshot_of_somebody_else_is_left_alone(stage: Stage) -> None:
    """The name is ours, the tag is not: it is neither taken for ours nor removed."""
    disk = next(one for one in writing(stage) if isinstance(one, SnapshotDisk))

    async def theirs(services: Services) -> Facts:
        handler = Handlers(services, stage.plan, services.clock).of(disk)
        taken = await handler.apply(disk)
        assert (await handler.observe(disk)) == {name: taken[name] for name in ("snapshot", "disk", "taken_at")}
        stage.world.state.arm.resources[disk.subject.lower()].tags = {"by": "somebody"}
        with pytest.raises(Conflict, match="made by somebody else"):
            await handler.observe(disk)
        return dict(await handler.undo(disk))

    assert stage.with_services(theirs) == {"left": "somebody else's"}
    assert disk.subject.lower() in stage.world.state.arm.resources


def test_an_object_that_somebody_else_made_meanwhile_is_not_deleted(stage: Stage) -> None:
    """A person took ours away and made one of that name, as the plan wants it: it bears no mark of the plan."""
    pool = next(one for one in writing(stage) if isinstance(one, PutResource) and one.type.endswith("hostPools"))

    async def theirs(services: Services) -> Facts:
        await _applied(services, stage)
        stage.world.state.arm.resources[pool.subject.lower()].tags = {"by": "somebody"}
        return dict(await Handlers(services, stage.plan, services.clock).of(pool).undo(pool))

    assert "somebody else made it" in stage.with_services(theirs)["left"]
    assert pool.subject.lower() in stage.world.state.arm.resources


def test_each_kind_waits_for_what_it_builds_on(stage: Stage) -> None:
    """What stands before an operation of each kind when nothing is done yet."""
    conditions, unmet = Preconditions(stage.plan), {}
    for one in writing(stage):
        unmet.setdefault(type(one).__name__, conditions.unmet(one, Shown()))
    free = {"RegisterProvider", "CreateDirectoryGroup"}
    assert {kind for kind, told in unmet.items() if not told} == free & unmet.keys() | {"PutResource"}
    pool, app = (next(one for one in writing(stage) if f"/{kind}/" in one.subject) for kind in POOL_AND_APP)
    assert [need.partition(":")[0] for need in conditions.needs(pool)] == ["register-provider", "put-resource"]
    group = next(one for one in writing(stage) if one.subject == app.subject.rpartition("/applications/")[0])
    assert {group.id} < set(conditions.needs(app))
    assert pool.id in conditions.needs(group)
    disk = next(one for one in writing(stage) if isinstance(one, SnapshotDisk))
    assert conditions.unmet(disk, Shown(hosts={disk.host: "drained"})) == []
    assert conditions.unmet(disk, Shown(hosts={disk.host: "staged"})) == [f"{disk.host} is staged and may be in use"]
    late = next(one for one in writing(stage) if isinstance(one, PatchHostPool))
    hosts = [move.source for move in stage.plan.hosts if move.target_pool == late.subject]
    done = Shown(done={one.id for one in stage.plan.operations}, hosts=arrived(hosts[1:]))
    assert conditions.unmet(late, done) == [f"{hosts[0]} has not arrived on the target"]


def test_nobody_leaves_classic_who_has_nothing_on_the_target(stage: Stage) -> None:
    conditions = Preconditions(stage.plan)
    for one in writing(stage):
        if isinstance(one, RetractAssignment):
            scope = next(group.target for group in stage.plan.access if group.source == one.group)
            needed = [stage.plan.operation(name) for name in conditions.needs(one)]
            assert any(isinstance(need, GrantRole) and need.scope == scope for need in needed), one.id


def test_an_operation_before_its_time_is_refused_and_told(stage: Stage) -> None:
    """Through the journal, as a run does it: nothing reaches a service, and the step says what stands before it."""
    app = next(one for one in writing(stage) if "/applications/" in one.subject)
    stage.calls.clear()

    async def alone(services: Services) -> dict[str, Any]:
        make = in_process_engine(stage.rehearsal.clock)
        with Journal.open(stage.workspace.journal, stage.rehearsal.clock) as journal:
            context = make_context(stage.plan, "digest", journal, services.clock, services, NoControl())
            enter(context)
            args: dict[str, Any] = {"subject": chain_of("pool"), "operations": [app.id]}
            ended = await worked_on(context, make, bodies(context), "chain", "alone", args)
            return dict(ended.error or {})

    told = stage.with_services(alone)
    assert (told["code"], stage.writes()) == ("not-ready", 0)
    assert f"put-resource:{app.subject.rpartition('/applications/')[0]} is not done" in told["why"]
    failed = [event for event in stage.events("step") if event.to_state == "failed"]
    assert [event.data["error"]["code"] for event in failed] == ["not-ready"]


def test_undo_of_what_was_never_done_changes_nothing(stage: Stage) -> None:
    for subscription in stage.world.state.arm.subscriptions.values():
        subscription.providers["microsoft.desktopvirtualization"] = "Registered"
    before = held(stage)
    stage.with_services(lambda services: _undone(services, stage))
    stage.wait(600)
    assert held(stage) == before


def test_what_cannot_be_taken_back_is_said_in_the_plan(stage: Stage) -> None:
    for operation in stage.plan.operations:
        assert operation.inverse(), operation.id
    assert [one for one in stage.plan.operations if isinstance(one, RegisterProvider)]
    assert [one for one in stage.plan.operations if isinstance(one, RetractAssignment)]
