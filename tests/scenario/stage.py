"""A small migration on the in-process twin, for tests: build an estate, make the documents, apply, look at what came.

    stage = Stage.of(SPEC, folder)        # or Stage.of("tiny", folder)
    stage.make_plan()
    stage.machine(0).msi_exit_codes = [1603]
    applied = stage.apply()
    assert stage.hosts() == {"off-0": "quarantined", ...}

Everything runs under virtual time in this process; `people=True` has the estate's people come to work all the while.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from avdtwin import estate, people, sessions
from avdtwin.estate import specs
from avdtwin.estate.specs import EXCEL, EstateSpec, GroupSpec, PoolSpec
from avdtwin.state import ClassicHost, ClassicHostPool, Machine, Record, Resource, Session
from avdtwin.world import World
from crossfade.app import Rehearsal, durable_engine, in_process_engine, twin_clock
from crossfade.assessment.findings import Findings
from crossfade.clock import SimulatedClock, iso, parse_iso
from crossfade.cloud.services import Services
from crossfade.commands.apply import Applied, Hook, apply
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.workspace import ENGINE, INVENTORY, PLAN, TARGET, Workspace
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import Entity, Event
from crossfade.execution.transitions import Kind
from crossfade.inventory.inventory import Inventory
from crossfade.plan.intent import Azure, Installers, Intent, Names, PoolIntent, Sessions, Waves
from crossfade.plan.plan import HostMove, Plan
from crossfade.plan.planner import make_plan

T = TypeVar("T")

EVENING = "2026-06-08T20:00:00Z"
"""A Monday evening: nobody is about to come, personal hosts may move."""
MORNING = "2026-06-08T07:00:00Z"
WRITES = ("PUT", "PATCH", "POST", "DELETE")
READING_POSTS = (
    *("/crossfade-observe", "/token", "/retrieveRegistrationToken", "/$batch", "/getByIds", "/oauth2/v2.0/token"),
)


def pooled(
    name: str = "Office Pool", prefix: str = "off", hosts: int = 2, desktop_people: int = 3, **more: Any
) -> PoolSpec:
    more.setdefault("groups", (GroupSpec("Office Apps", 2, (EXCEL,)),))
    more.setdefault("limit", 10)
    return PoolSpec(name=name, prefix=prefix, hosts=hosts, desktop_people=desktop_people, **more)


def personal(name: str = "Workstations", prefix: str = "own", hosts: int = 2, **more: Any) -> PoolSpec:
    more.setdefault("assigned", hosts)
    return PoolSpec(name=name, prefix=prefix, hosts=hosts, desktop_people=hosts, personal=True, **more)


def spec_of(*pools: PoolSpec, name: str = "stage", **more: Any) -> EstateSpec:
    more = {"provider_registered": True, "workspace": False, **more}
    return EstateSpec(
        name=name, tenant=name, domain=f"{name}.example", ad_domain=f"ad.{name}.example", pools=pools, **more
    )


QUICK = Waves(last_wave_due_hours=0.2, soak_minutes=2.0, headroom=0.0)
"""Nobody comes to work: no reason to wait for anybody."""


@dataclass
class Stage:
    """`calls` counts what reached the twin by `METHOD collection`; writes are those that change something."""

    rehearsal: Rehearsal
    workspace: Workspace
    spec: EstateSpec
    calls: Counter[str] = field(default_factory=Counter)
    taps: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)
    """Told of each call's ASGI scope before it arrives."""
    plan: Plan = field(default_factory=Plan)
    error: Exception | None = None
    logs: str = ""
    """Id of the workspace of the logs, for `discover`."""
    without_classic: str = ""
    """Who says, with the next apply, that classic has gone."""

    @classmethod
    def of(
        cls,
        estate_: str | EstateSpec,
        folder: Path,
        *,
        seed: int = 1,
        people: bool = False,
        start: str = EVENING,
        settings: dict[str, Any] | None = None,
    ) -> Stage:
        spec = specs.named(estate_) if isinstance(estate_, str) else estate_
        clock = SimulatedClock(parse_iso(start))
        world = estate.build(spec, seed, twin_clock(clock), people=people)
        world.state.settings.update(settings or {})
        return cls.around(Rehearsal(world, clock, seed=seed), folder, spec)

    @classmethod
    def around(cls, rehearsal: Rehearsal, folder: Path, spec: EstateSpec) -> Stage:
        stage = cls(rehearsal, Workspace(folder), spec)
        rehearsal.app = stage._counted(rehearsal.app)  # type: ignore[assignment]
        return stage

    def _counted(self, app: Any) -> Any:
        async def counted(scope: Any, receive: Any, send: Any) -> None:
            path, method = str(scope.get("path")), str(scope.get("method"))
            if method in WRITES and not path.endswith(READING_POSTS):
                self.calls[f"{method} {path}"] += 1
            for tap in self.taps:
                tap(scope)
            await app(scope, receive, send)

        return counted

    # -- composing

    @property
    def world(self) -> World:
        return self.rehearsal.world

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.rehearsal.clock.run(work)

    def with_services(self, work: Callable[[Services], Coroutine[Any, Any, T]]) -> T:
        async def inside() -> T:
            async with self.rehearsal.services() as services:
                return await work(services)

        return self.run(inside())

    def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.run(self.rehearsal.clock.sleep(seconds))
        self.world.settle()

    def intent(self, *, waves: Waves = QUICK, outage: str = "never", **more: Any) -> Intent:
        inventory = self.workspace.read(INVENTORY, Inventory)
        pools = {pool.key: PoolIntent(outage=outage) for pool in inventory.pools}
        azure = Azure(subscription=self.rehearsal.subscription, location="westeurope")
        return msgspec.structs.replace(Intent(azure=azure, waves=waves, pools=pools), **more)

    def discover(self) -> None:
        """Both inventories into the workspace, as they are now."""

        async def both(services: Services) -> None:
            inventory = await discover(services)
            self.workspace.write(INVENTORY, inventory)
            target = await discover_target(services, inventory, [self.rehearsal.subscription], logs=self.logs)
            self.workspace.write(TARGET, target)

        self.with_services(both)

    def make_plan(self, **choices: Any) -> Plan:
        """Discover, then plan. `choices` as for `intent`."""
        from crossfade.inventory.target import TargetSnapshot

        self.discover()
        inventory = self.workspace.read(INVENTORY, Inventory)
        target = self.workspace.read(TARGET, TargetSnapshot)
        today = iso(self.rehearsal.clock.now())[:10]
        self.plan = make_plan(inventory, target, Findings(), self.intent(**choices), today=today)
        self.workspace.write(PLAN, self.plan)
        return self.plan

    def apply(self, engine: str = "inprocess", *, hook: Hook | None = None) -> Applied:
        """Carry the plan out, or go on with it. Each call is another process as far as the product can tell."""
        return self.with_services(lambda services: self._applying(services, engine, hook))

    def _applying(self, services: Services, engine: str, hook: Hook | None) -> Coroutine[Any, Any, Applied]:
        clock = self.rehearsal.clock
        make = (
            in_process_engine(clock) if engine == "inprocess" else durable_engine(clock, self.workspace.engine(ENGINE))
        )
        options: dict[str, Any] = {"hook": hook} if hook else {}
        options["without_classic"], self.without_classic = self.without_classic, ""
        return apply(self.workspace, services, clock, make, synchronous="NORMAL", **options)

    def interrupt(self, at: Callable[[str], bool], engine: str = "inprocess") -> str:
        """Begin or go on, and be gone at the first point of the journal that `at` accepts: nothing is written from
        then on, what is in flight is dropped. Gives that point; `""` when the run ended before."""
        found: list[str] = []

        def hook(point: str) -> None:
            if found or at(point):
                found.append(point)
                gone.set()
                if engine == "inprocess":  # the durable one would remember that it was cancelled, as after no kill
                    raise asyncio.CancelledError

        async def until_gone(services: Services) -> None:
            running = asyncio.ensure_future(self._applying(services, engine, hook))
            waiting = asyncio.ensure_future(gone.wait())
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            for task in (running, waiting):
                task.cancel()
            await asyncio.gather(running, waiting, return_exceptions=True)

        gone = asyncio.Event()
        self.with_services(until_gone)
        return found[0] if found else ""

    # -- looking: the journal

    def journal(self) -> JournalReader:
        return JournalReader.look(self.workspace.journal)

    def entities(self, kind: Kind) -> list[Entity]:
        with closing(self.journal()) as reader:
            return list(reader.all(kind))

    def hosts(self) -> dict[str, str]:
        """Host name without its domain -> state."""
        return {short(host.id): host.state for host in self.entities(Kind.HOST)}

    def history(self, host: str) -> list[str]:
        """The states that a host went through, in order."""
        return [str(event.to_state) for event in self.events("host") if short(event.subject) == host]

    def events(self, kind: str) -> list[Event]:
        with closing(self.journal()) as reader:
            return list(reader.events(kind=kind))

    def steps_of(self, host: str) -> list[str]:
        """Finished steps of a host in the order of their end, as `way/step`."""
        done = [event for event in self.events("step") if event.to_state in ("done", "noop")]
        return [event.subject.rpartition("#")[2] for event in done if short(event.subject.partition("#")[0]) == host]

    # -- looking: the twin

    def move(self, host: str) -> HostMove:
        return next(move for move in self.plan.hosts if short(move.source) == host)

    def machine(self, host: str) -> Machine:
        return next(one for one in self.world.state.machines.values() if one.computer_name.lower() == host)

    def pool_record(self, name: str) -> ClassicHostPool:
        return next(
            pool
            for group in self.world.state.classic.groups.values()
            for tenant in group.tenants.values()
            for pool in tenant.pools.values()
            if pool.name == name
        )

    def classic(self, host: str) -> ClassicHost | None:
        """The host's record in the classic service."""
        pools = (
            pool
            for group in self.world.state.classic.groups.values()
            for tenant in group.tenants.values()
            for pool in tenant.pools.values()
        )
        records = (record for pool in pools for record in pool.hosts.values())
        return next((record for record in records if short(record.name) == host), None)

    def arm(self, host: str) -> Resource | None:
        """The host's session host object in ARM."""
        found = (one for one in self.of_type("hostPools/sessionHosts") if short(one.name) == host)
        return next(found, None)

    def of_type(self, kind: str) -> list[Resource]:
        wanted = f"microsoft.desktopvirtualization/{kind}".lower()
        return [one for one in self.world.state.arm.resources.values() if one.type.lower() == wanted]

    def records(self, kind: str) -> list[Record]:
        return [record for record in self.world.state.records if record.kind == kind]

    def tally(self) -> dict[str, Any]:
        self.world.settle()
        return people.tally(self.world)

    def writes(self) -> int:
        return sum(self.calls.values())

    # -- people by hand

    def sign_in(
        self, host: str, *, state: str = "Active", never_ends: bool = False, person: str | None = None
    ) -> Session:
        """Have somebody be signed in on a host through classic, whoever that is."""
        machine, world = self.machine(host), self.world
        assert machine.agent.service is not None
        assert machine.agent.pool is not None
        record = self.classic(host)
        upn = person or (record.assigned_user if record else None) or self.somebody(machine.agent.pool)
        session = sessions.open_session(
            world,
            machine,
            service=machine.agent.service,
            pool=machine.agent.pool,
            user=world.state.directory.upns[upn.lower()],
            upn=upn,
            application_type="Desktop",
            client="new",
        )
        session.never_ends = never_ends
        if state == "Disconnected":
            sessions.disconnect(world, session)
        return session

    def somebody(self, pool: str) -> str:
        """UPN of somebody without a session, who may use this classic pool if there is one."""
        name = next(one.name for one in self.spec.pools if pool.endswith("/" + one.name.lower()))
        users = self.pool_record(name).groups["desktop application group"].users
        busy = {session.upn.lower() for session in self.world.state.sessions.values()}
        known = self.world.state.directory.upns
        return next(upn for upn in [*sorted(users.values()), *sorted(known)] if upn.lower() in known.keys() - busy)


def short(name: str) -> str:
    """`.../off-0.ad.tiny.example` as `off-0`."""
    return name.rpartition("/")[2].partition(".")[0].lower()


__all__ = ["EVENING", "MORNING", "Installers", "Names", "Sessions", "Stage", "personal", "pooled", "short", "spec_of"]
