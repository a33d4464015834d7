"""Many runs of several tenants in one queue, under virtual time: shared limits, a tenant that fails, losses, a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from stage import EVENING, QUICK, Stage, pooled, spec_of

from avdtwin import estate
from avdtwin.estate.specs import EstateSpec
from avdtwin.world import World
from crossfade.app import Rehearsal, in_process_engine, twin_clock
from crossfade.clock import SimulatedClock, parse_iso
from crossfade.cloud.services import Services
from crossfade.commands import fleet, worker
from crossfade.commands.workspace import DATABASE_VARIABLE, Workspace
from crossfade.execution.fleet import Entry
from crossfade.plan.intent import Azure, Names, PoolIntent
from postgres_kit import PASSWORD, Server

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

    def add(self, name: str) -> Stage:
        """A planned and queued run in a world of its own."""
        spec = spec_of(POOL, name=name)
        world = estate.build(spec, 1, twin_clock(self.clock), people=False)
        return self._planned(name, Rehearsal(world, self.clock, seed=1), spec, 100)

    def split(self, shares: dict[str, int]) -> World:
        """One estate of two pools, moved in a run for each of them."""
        spec = spec_of(*PARTS, name="parts")
        world = estate.build(spec, 1, twin_clock(self.clock), people=False)
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
        options = {"until_done": True, "at_once": 9, **options}
        return worker.work(self.database, self.clock, self.services, make_engine, stops, self.said.append, **options)

    def work(self, *, meanwhile: Callable[[worker.Stops], None] | None = None, **options: Any) -> worker.Worked:
        async def story() -> worker.Worked:
            stops = worker.Stops()
            if meanwhile:
                meanwhile(stops)
            return await self.working(stops, **options)

        return self.clock.run(story())

    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in fleet.fleet(self.database, self.clock).runs}

    def reasons(self) -> dict[str, str]:
        return {each.name: each.reason for each in fleet.fleet(self.database, self.clock).runs}


@pytest.fixture
def tenants(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenants]:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    made = Tenants(tmp_path, postgres)
    yield made
    made.clock.close()


def test_a_failing_tenant_disturbs_no_other(tenants: Tenants) -> None:
    for name in ("adatum", "fabrikam", "gone"):
        tenants.add(name)
    for host in ("off-0", "off-1"):
        tenants.stages["fabrikam"].machine(host).msi_exit_codes = [1603] * 20
    (tenants.folder / "gone" / "plan.json").unlink()
    worked = tenants.work()
    assert tenants.states() == {"adatum": "finished", "fabrikam": "held", "gone": "held"}
    assert "plan.json" in tenants.reasons()["gone"]
    assert set(tenants.stages["adatum"].hosts().values()) == {"confirmed"}
    assert (len(worked.finished), len(worked.held), worked.exit_code) == (1, 2, 1)
    assert PASSWORD not in repr((tenants.said, tenants.reasons(), worked))


def test_runs_of_one_subscription_share_its_limits(tenants: Tenants) -> None:
    """Two halves of an estate, each a run with half of the limits, move side by side."""
    world = tenants.split({"Two": 50, "Six": 50})
    together: set[tuple[str, ...]] = set()

    def watch(stops: worker.Stops) -> None:
        together.add(tuple(sorted(name for name, state in tenants.states().items() if state == "working")))
        asyncio.get_running_loop().call_later(60, watch, stops)

    worked = tenants.work(meanwhile=watch)
    assert ("Six", "Two") in together
    assert len(worked.finished) == 2
    shares = {name: made._wiring.pacing._share for name, made in tenants.opened.items()}
    assert shares == {"Two": 0.5, "Six": 0.5}
    assert not [call for call in world.state.calls if call.endswith(" 429")]
    for stage in tenants.stages.values():
        assert set(stage.hosts().values()) == {"confirmed"}


@pytest.mark.parametrize(("shares", "throttled"), [((0.5, 0.5), False), ((1.0, 1.0), True)])
def test_shares_are_what_keeps_two_programs_inside(
    tmp_path: Path, shares: tuple[float, float], throttled: bool
) -> None:
    stage = Stage.of(spec_of(POOL), tmp_path)
    group = f"/subscriptions/{stage.rehearsal.subscription}/resourceGroups/rg-nothing"

    async def read(services: Services) -> None:
        async with services:
            await asyncio.gather(*(services.arm.group(group) for _ in range(300)))

    async def both() -> None:
        await asyncio.gather(*(read(stage.rehearsal.services(share=share)) for share in shares))

    stage.run(both())
    found = [call for call in stage.world.state.calls if call.endswith(" 429")]
    assert bool(found) is throttled


def test_a_worker_that_is_asked_to_end_leaves_its_run_to_the_next(tenants: Tenants) -> None:
    tenants.add("adatum")

    def ask_soon(stops: worker.Stops) -> None:
        asyncio.get_running_loop().call_later(900, lambda: tenants.said.append(stops.ask("SIGTERM")))

    left = tenants.work(meanwhile=ask_soon)
    assert (len(left.left), left.exit_code) == (1, 0)
    assert set(tenants.states().values()) == {"waiting"}
    assert "nothing new begins" in "".join(tenants.said)
    assert len(tenants.work().finished) == 1
    for stage in tenants.stages.values():
        assert set(stage.hosts().values()) == {"confirmed"}
    first, second = fleet.fleet(tenants.database, tenants.clock).workers
    assert (first.why, second.why) == ("SIGTERM asked for it", "nothing is left to do")


def test_a_database_that_goes_away_and_comes_back(tenants: Tenants, postgres_server: Server) -> None:
    tenants.add("adatum")

    def away(stops: worker.Stops) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(900, postgres_server.stop)
        loop.call_later(960, postgres_server.start)

    worked = tenants.work(meanwhile=away)
    assert tenants.states() == {"adatum": "finished"}
    assert len(worked.finished) == 1
    assert any("does not answer any more. Asking again in 5 s" in text for text in tenants.said)
    for stage in tenants.stages.values():
        assert set(stage.hosts().values()) == {"confirmed"}
        for host in stage.hosts():
            assert stage.history(host).count("accepting") == 1
        with stage.journal() as reader:
            reader.verify()
