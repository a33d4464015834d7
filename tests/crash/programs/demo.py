"""The demo in small: an estate with its people at work, moved by the real command, in a folder that a second process
finds as the first one left it. `CROSSFADE_DEMO_ESTATE=contoso` plays the real one.

Each life after a death asks `status` before it goes on, and compares what that says with the twin's truth.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import dbos  # noqa: F401 - the server imports it once for all lives
import msgspec
from life import End, Life

from avdtwin import estate
from avdtwin.estate import specs
from avdtwin.estate.specs import EXCEL, EstateSpec, GroupSpec, PoolSpec
from avdtwin.world import World
from crossfade.app import Rehearsal, twin_clock
from crossfade.assessment.findings import Findings
from crossfade.clock import SimulatedClock
from crossfade.commands.apply import apply
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.status import UNKNOWN, Status, status
from crossfade.commands.workspace import INVENTORY, JOURNAL, PLAN, TARGET, Workspace
from crossfade.plan.intent import Azure, Intent, Waves
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan

SEED = 3
OFFICE = PoolSpec(
    name="Office Pool",
    prefix="off",
    hosts=3,
    desktop_people=12,
    groups=(GroupSpec("Office Apps", 3, (EXCEL,)),),
    limit=10,
)
OWN = PoolSpec(name="Workstations", prefix="own", hosts=1, desktop_people=1, personal=True, assigned=1)
SMALL = EstateSpec(
    name="demo", tenant="demo", domain="demo.example", ad_domain="ad.demo.example", workspace=False, pools=(OFFICE, OWN)
)
ON_SOURCE = ("on_source", "staged")
ON_TARGET = ("accepting", "confirmed")
DRAWN = ("objectid", "expirationtime", "lastheartbeat", "statustimestamp", "lastupdatetime", "vmid", "timecreated")


def main(life: Life) -> End:
    rehearsal = _rehearsal(life)
    workspace = Workspace(life.folder)
    if not workspace.has(PLAN):
        life.clock.run(_documents(rehearsal, workspace))
    elif workspace.has(JOURNAL):
        with suppress(NotBegun):
            _compare_with_truth(_status(workspace, life.clock), rehearsal.world)
    life.keep(rehearsal.world.snapshot)
    rehearsal.app = life.calls(rehearsal.app)
    applied = life.clock.run(_apply(life, rehearsal, workspace))
    rehearsal.world.settle()
    found = _status(workspace, life.clock)
    _compare_with_truth(found, rehearsal.world)
    same = {"state": applied.state, "error": applied.error, "hosts": _hosts(found), **_end(rehearsal.world, workspace)}
    return End(json.loads(msgspec.json.encode(same)))


class NotBegun(Exception):
    """Died before the run was in the journal."""


def _rehearsal(life: Life) -> Rehearsal:
    clock = twin_clock(life.clock)
    if life.snapshot is not None:
        return Rehearsal(World.restore(life.snapshot, clock), life.clock, seed=SEED)
    name = os.environ.get("CROSSFADE_DEMO_ESTATE", "")
    spec = specs.named(name) if name else SMALL
    return Rehearsal(estate.build(spec, SEED, clock), life.clock, seed=SEED)


async def _documents(rehearsal: Rehearsal, workspace: Workspace) -> None:
    async with rehearsal.services() as services:
        inventory = await discover(services)
        target = await discover_target(services, inventory, [rehearsal.subscription])
    azure = Azure(subscription=rehearsal.subscription, location="westeurope")
    waves = Waves(last_wave_due_hours=2.0, soak_minutes=2.0, canary_return=False, headroom=0.0)
    plan = make_plan(inventory, target, Findings(), Intent(azure=azure, waves=waves), today="2026-06-01")
    workspace.write(INVENTORY, inventory)
    workspace.write(TARGET, target)
    workspace.write(PLAN, plan)


async def _apply(life: Life, rehearsal: Rehearsal, workspace: Workspace) -> Any:
    async with rehearsal.services() as services:
        return await apply(workspace, services, life.clock, life.open_engine, synchronous="NORMAL", hook=life.point)


# -- what status says, and what is so


def _status(workspace: Workspace, clock: SimulatedClock) -> Status:
    try:
        return status(workspace, clock)
    except Exception as error:
        raise NotBegun from error


def _hosts(found: Status) -> dict[str, str]:
    return {host.host: host.state for host in found.hosts}


def _compare_with_truth(found: Status, world: World) -> None:
    """Raises AssertionError for a host that is said to be where it is not."""
    for host in found.hosts:
        if host.state == UNKNOWN or host.state not in (*ON_SOURCE, *ON_TARGET):
            continue
        name = host.host.rpartition("/")[2].lower()
        machine = next(one for one in world.state.machines.values() if one.fqdn.lower() == name)
        wanted = "classic" if host.state in ON_SOURCE else "arm"
        assert machine.agent.service == wanted, f"{name} is said to be {host.state}, its agent is {machine.agent}"
        if host.state in ON_TARGET:
            there = [
                one for one in world.state.arm.resources.values() if one.vm == machine.vm and "sessionHosts" in one.type
            ]
            assert [one.properties["allowNewSession"] for one in there] == [True], f"{name}: {there}"


def _end(world: World, workspace: Workspace) -> dict[str, Any]:
    users = world.state.directory.users
    plan = workspace.read(PLAN, Plan)
    return {
        "agents": {key: [one.agent.service, one.agent.pool] for key, one in sorted(world.state.machines.items())},
        "arm": {key: _still(one.properties) for key, one in sorted(world.state.arm.resources.items())},
        "grants": sorted(
            [one.scope, one.role_definition_id, users[one.principal_id].upn if one.principal_id in users else ""]
            for one in world.state.arm.role_assignments.values()
        ),
        "classic": sorted(
            [pool.name, group.name, sorted(group.users)]
            for tenants in world.state.classic.groups.values()
            for tenant in tenants.tenants.values()
            for pool in tenant.pools.values()
            for group in pool.groups.values()
        ),
        "plan": plan.digest(),
    }


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _still(one) for key, one in value.items() if key.lower() not in DRAWN}
    return [_still(one) for one in value] if isinstance(value, list) else value


PROGRAMS = {"main": (main, "")}
__all__ = ["PROGRAMS", "Path"]
