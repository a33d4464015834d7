"""A whole small migration by the product's own commands, its rollback, and the end of classic after it.

Two pools, one of them personal; the canary goes forward, back, and forward for good; two people are at their desks when
the move begins, one when it is taken back. The official SDKs over the in-process transport; every outgoing call is a
place to die, besides every commit. `rollback` and `complete` begin with what `forward` left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import dbos  # noqa: F401 - the server imports it once for all lives
from end_state import end_state, known_ids, of_people
from life import TIDYING, End, Life

from avdtwin import estate, sessions
from avdtwin.estate.specs import EXCEL, EstateSpec, GroupSpec, PoolSpec
from avdtwin.state import Machine
from avdtwin.world import World, on
from crossfade.app import Rehearsal, twin_clock
from crossfade.assessment.findings import Findings
from crossfade.cloud.services import Services
from crossfade.commands.apply import apply
from crossfade.commands.complete import COMPLETE_ENGINE, complete
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.rollback import ROLLBACK_ENGINE, rollback
from crossfade.commands.verify import verify
from crossfade.commands.workspace import ENGINE, INVENTORY, JOURNAL, PLAN, TARGET, Workspace
from crossfade.execution import presence, run
from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import FINISHED_STEPS, Kind
from crossfade.plan.intent import Access, Azure, Intent, Waves
from crossfade.plan.planner import make_plan

SEED = 7
OFFICE = PoolSpec(
    name="Office Pool",
    prefix="off",
    hosts=2,
    desktop_people=2,
    desktop_title="Office Desktop",
    groups=(GroupSpec("Office Apps", 1, (EXCEL,)),),
    limit=10,
)
OWN = PoolSpec(name="Own", prefix="own", hosts=1, desktop_people=1, personal=True, automatic=True, assigned=1)
SPEC = EstateSpec(
    name="crash",
    tenant="crash",
    domain="crash.example",
    ad_domain="ad.crash.example",
    workspace=False,
    pools=(OFFICE, OWN),
)
WAVES = Waves(last_wave_due_hours=0.2, soak_minutes=2.0, headroom=0.0, completion_wait_days=0.1)
BRISK = {
    "run_command_overhead_s": (2.0, 5.0),
    "msi_install_s": (5.0, 10.0),
    "msi_uninstall_s": (2.0, 5.0),
    "boot_s": (10.0, 20.0),
    "agent_register_s": (10.0, 20.0),
    "agent_healthy_s": (10.0, 20.0),
}
"""Machines that need seconds where real ones need minutes: fewer of the points are just another look."""
run.HEARTBEAT_S = 300.0
presence.NEVER_SEEN = timedelta(minutes=1)  # the personal desktop moves without a day of heartbeats before it
WRITES = ("PUT", "PATCH", "POST", "DELETE")
CLASSIC = ("AssignedUsers", "SessionHosts", "RegistrationInfos", "Sessions", "HostPools")
LOOKS = (
    "/crossfade-observe",
    "/token",
    "/retrieveRegistrationToken",
    "/listRegistrationTokens",
    "/$batch",
    "/getByIds",
)
LOOK = re.compile(r" \(look \d+\)$")
"""How often something was looked at is a matter of time."""
Command = Callable[[Life, Workspace, Services], Coroutine[Any, Any, Any]]
Begin = Callable[[Life, Workspace, Rehearsal], None]


# -- the programs


def _forward(life: Life) -> End:
    life.store = ENGINE.name
    return _played(life, "move", _before_the_move, _apply)


def _back(life: Life) -> End:
    life.store = ROLLBACK_ENGINE.name
    return _played(life, "rollback", _before_the_rollback, _rollback)


def _done(life: Life) -> End:
    life.store = COMPLETE_ENGINE.name
    return _played(life, "complete", _before_the_end, _complete)


PROGRAMS = {"forward": (_forward, ""), "rollback": (_back, "forward"), "complete": (_done, "forward")}


def _before_the_move(life: Life, workspace: Workspace, rehearsal: Rehearsal) -> None:
    life.clock.run(_documents(rehearsal, workspace))
    _at_desk(rehearsal.world, "off-0", "classic", 0, 300.0)
    _at_desk(rehearsal.world, "off-1", "classic", 1, 3_300.0)


def _before_the_rollback(life: Life, workspace: Workspace, rehearsal: Rehearsal) -> None:
    _at_desk(rehearsal.world, "off-1", "arm", 0, 1_500.0)


def _before_the_end(life: Life, workspace: Workspace, rehearsal: Rehearsal) -> None:
    async def proved() -> None:
        async with rehearsal.services() as services:
            await verify(workspace, services, life.clock)
            await life.clock.sleep(WAVES.completion_wait_days * 86_400.0)
            await complete(workspace, services, life.clock, life.open_engine, dry_run=True)

    life.clock.run(proved())


def _apply(life: Life, workspace: Workspace, services: Services) -> Coroutine[Any, Any, Any]:
    return apply(workspace, services, life.clock, life.open_engine, synchronous="NORMAL", hook=life.point)


def _rollback(life: Life, workspace: Workspace, services: Services) -> Coroutine[Any, Any, Any]:
    return rollback(workspace, services, life.clock, life.open_engine, synchronous="NORMAL", hook=life.point)


def _complete(life: Life, workspace: Workspace, services: Services) -> Coroutine[Any, Any, Any]:
    return complete(workspace, services, life.clock, life.open_engine, synchronous="NORMAL", hook=life.point)


# -- how one is played


def _played(life: Life, name: str, begin: Begin, command: Command) -> End:
    rehearsal, workspace = _rehearsal(life), Workspace(life.folder)
    world, ids = rehearsal.world, life.folder / f"{name}.ids"
    if not ids.exists():
        begin(life, workspace, rehearsal)
    known = known_ids(ids, world.snapshot().decode() + workspace.path(PLAN).read_text())
    rehearsal.app = life.calls(_counted(rehearsal.app, world))  # type: ignore[assignment]
    life.keep(world.snapshot)
    ended = life.clock.run(_commanded(life, workspace, rehearsal.services(), command))
    same = {"state": ended.state, "error": ended.error, **_journal(workspace), "twin": end_state(world, known)}
    writes = {name: int(count) for name, count in world.state.tallies.items() if name.startswith(("write ", TIDYING))}
    messages = {f"message {told}": times for told, times in of_people(world, "message", "title").items()}
    return End(same, writes=writes | messages)


def _rehearsal(life: Life) -> Rehearsal:
    clock = twin_clock(life.clock)
    if life.snapshot is not None:
        return Rehearsal(World.restore(life.snapshot, clock), life.clock, seed=SEED)
    world = estate.build(SPEC, SEED, clock, people=False)
    world.state.settings.update(BRISK)
    return Rehearsal(world, life.clock, seed=SEED)


async def _commanded(life: Life, workspace: Workspace, services: Services, command: Command) -> Any:
    async with services:
        return await command(life, workspace, services)


async def _documents(rehearsal: Rehearsal, workspace: Workspace) -> None:
    async with rehearsal.services() as services:
        inventory = await discover(services)
        target = await discover_target(services, inventory, [rehearsal.subscription])
    azure = Azure(subscription=rehearsal.subscription, location="westeurope")
    intent = Intent(azure=azure, access=Access(direct_threshold=1), waves=WAVES)
    workspace.write(INVENTORY, inventory)
    workspace.write(TARGET, target)
    workspace.write(PLAN, make_plan(inventory, target, Findings(), intent, today="2026-06-01"))


def _journal(workspace: Workspace) -> dict[str, Any]:
    """How everything in the journal ended, once its chain is proved."""
    with JournalReader.look(workspace.path(JOURNAL)) as reader:
        reader.verify()
        states = {kind.value: {each.id: each.state for each in reader.all(kind)} for kind in Kind}
    done = [name for name, state in states["step"].items() if state in FINISHED_STEPS]
    states["step"] = {LOOK.sub("", name): "finished" for name in done}
    return {"journal": states}


# -- people and their sessions


def _at_desk(world: World, host: str, service: str, person: int, stays_s: float) -> None:
    """The nth person of the Office Pool is signed in there, and goes when they are done, message or not."""
    machine: Machine = next(one for one in world.state.machines.values() if one.computer_name.lower() == host)
    user = list(world.state.people.values())[person]
    user.simulated = False  # nobody who heeds a message at a drawn moment
    assert machine.agent.service == service, machine.agent
    session = sessions.open_session(
        world,
        machine,
        service=service,
        pool=str(machine.agent.pool),
        user=user.user,
        upn=user.upn,
        application_type="Desktop",
        client="new",
    )
    world.schedule(stays_s, "crash-leaves", session=session.key)


@on("crash-leaves")
def _leaves(world: World, at: float, session: str) -> None:
    found = world.state.sessions.get(session)
    if found is not None:
        sessions.end(world, found, "signed_out")


# -- writes


def _counted(app: Any, world: World) -> Any:
    """Counts writes by what they write, into the twin's own tallies: they survive a death. Looking does not count."""

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if scope.get("method") in WRITES and not path.endswith(LOOKS):
            tidies = scope["method"] == "DELETE" and _collection(path) == "runCommands"
            name = f"{TIDYING if tidies else 'write '}{scope['method']} {_collection(path)}"
            world.state.tallies[name] = world.state.tallies.get(name, 0) + 1
        await app(scope, receive, send)

    return counted


def _collection(path: str) -> str:
    return next((part for part in reversed(path.split("/")[:-1]) if part[:1].islower() or part in CLASSIC), path)
