"""Several tenants, each with a world of its own, on one clock, and workers for their runs in this process."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from stage import EVENING, QUICK, Stage, pooled, spec_of

from avdtwin import estate
from avdtwin.estate.specs import EstateSpec, PoolSpec
from avdtwin.world import World
from crossfade.app import Rehearsal, in_process_engine, twin_clock
from crossfade.clock import SimulatedClock, parse_iso
from crossfade.cloud.services import Services
from crossfade.commands import fleet, worker
from crossfade.commands.workspace import Workspace
from crossfade.execution.fleet import Entry
from crossfade.plan.intent import Azure, Names, PoolIntent

POOL = pooled(hosts=2, groups=())
PARTS = tuple(pooled(name, name.lower(), hosts=2, groups=()) for name in ("Two", "Six"))


class Tenants:
    """Stages of several tenants, each with a world of its own, on one clock."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.database = database
        self.clock = SimulatedClock(parse_iso(EVENING))
        self.stages: dict[str, Stage] = {}
        self.said: list[str] = []
        self.opened: dict[str, Services] = {}

    def add(self, name: str, *pools: PoolSpec) -> Stage:
        """A planned and queued run in a world of its own."""
        spec = spec_of(*(pools or (POOL,)), name=name)
        world = estate.build(spec, 1, twin_clock(self.clock), people=False)
        return self._planned(name, Rehearsal(world, self.clock, seed=1), spec, 100)

    def split(self, shares: dict[str, int], settings: dict[str, Any] | None = None) -> World:
        """One estate of two pools, moved in a run for each of them. `settings` of its twin."""
        spec = spec_of(*PARTS, name="parts")
        world = estate.build(spec, 1, twin_clock(self.clock), people=False)
        world.state.settings.update(settings or {})
        keys = {pool.name: f"Default Tenant Group/parts/{pool.name}" for pool in PARTS}
        for name, share in shares.items():
            others = {key: PoolIntent(skip=True) for pool, key in keys.items() if pool != name}
            names = Names(workspace=name)
            rehearsal = Rehearsal(world, self.clock, seed=1)
            where = {"subscription": rehearsal.subscription, "location": "westeurope"}
            azure = Azure(**where, resource_group=f"rg-{name}")
            self._planned(name, rehearsal, spec, share, pools=others, names=names, azure=azure)
        return world

    def _planned(self, name: str, rehearsal: Rehearsal, spec: EstateSpec, share: int, **choices: Any) -> Stage:
        stage = self.stages[name] = Stage.around(rehearsal, self.folder / name, spec)
        stage.workspace = Workspace(self.folder / name, self.database)
        stage.make_plan(waves=QUICK, **choices)
        self.queue(name, share)
        return stage

    def queue(self, name: str, share: int = 100) -> None:
        fleet.queue(self.stages[name].workspace, self.database, {}, name=name, share=share, clock=self.clock)

    def services(self, entry: Entry) -> Services:
        rehearsal = self.stages[entry.name].rehearsal
        made = self.opened[entry.name] = rehearsal.services(share=entry.share / 100)
        return made

    def working(self, stops: worker.Stops, **options: Any) -> Coroutine[Any, Any, worker.Worked]:
        make_engine = in_process_engine(self.clock)
        terms = worker.Terms(**{"until_done": True, "at_once": 9, **options})
        means = worker.Means(self.database, self.clock, self.services, make_engine, stops, self.said.append)
        return worker.work(means, terms)

    def work(self, *, meanwhile: Callable[[worker.Stops], None] | None = None, **options: Any) -> worker.Worked:
        async def story() -> worker.Worked:
            stops = worker.Stops()
            if meanwhile:
                meanwhile(stops)
            return await self.working(stops, **options)

        return self.clock.run(story())

    def queued(self) -> list[Entry]:
        return fleet.fleet(self.database, self.clock).runs

    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in self.queued()}

    def reasons(self) -> dict[str, str]:
        return {each.name: each.reason for each in self.queued()}
