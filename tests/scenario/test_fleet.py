"""Many runs of several tenants in one queue, under virtual time: shared limits, a tenant that fails, losses, a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import msgspec
import pytest
from fleet_kit import POOL, Tenants
from stage import QUICK, Stage, spec_of

from crossfade.cli.fleeting import as_text
from crossfade.cloud.services import Services
from crossfade.commands import fleet, worker
from crossfade.commands.workspace import DATABASE_VARIABLE, Workspace
from crossfade.errors import InputError, PreflightFailed
from crossfade.execution.fleet import Fleet
from crossfade.execution.places import PostgresPlace
from crossfade.plan.intent import Names
from postgres_kit import PASSWORD, Server


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


def test_parts_that_pass_a_limit_together_are_not_queued_together(tenants: Tenants) -> None:
    """Each plan by itself keeps to the subscription's limit of role assignments; the second is told of the first."""
    with pytest.raises(PreflightFailed) as caught:
        tenants.split({"Two": 50, "Six": 50}, settings={"role_assignments_per_subscription": 7})
    (problem,) = caught.value.problems
    assert problem.what == (
        "has 2 role assignments, 3 more are needed here and by other runs of the queue Two 3; 7 are allowed: "
        "1 too many."
    )
    (first,) = tenants.queued()
    assert (first.name, sorted(first.wants.values())) == ("Two", [1, 3])
    with Fleet.open(PostgresPlace(tenants.database, "public"), tenants.clock) as queue:
        queue.enter("one", at_once=1, silence_s=60)
        assert queue.claim("one") is not None
        queue.end("one", first.run, "finished")
    tenants.queue("Six", 50)
    assert tenants.states() == {"Two": "finished", "Six": "waiting"}, "what a finished one wanted is counted live"


@pytest.mark.parametrize(("shares", "throttled"), [((0.5, 0.5), False), ((1.0, 1.0), True)])
def test_shares_keep_two_programs_inside(tmp_path: Path, shares: tuple[float, float], throttled: bool) -> None:
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


def test_no_call_goes_out_before_it_is_permitted(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(POOL), tmp_path)
    group = f"/subscriptions/{stage.rehearsal.subscription}/resourceGroups/rg-nothing"

    async def story(services: Services) -> list[int]:
        may = asyncio.Event()
        services.only_while(lambda: until(may))
        asking = asyncio.ensure_future(services.arm.group(group))
        await stage.rehearsal.clock.sleep(60.0)
        before = sum(stage.world.state.calls.values())
        may.set()
        await asking
        return [before, sum(stage.world.state.calls.values())]

    async def until(may: asyncio.Event) -> None:
        await may.wait()

    before, after = stage.with_services(story)
    assert (before, after > 0) == (0, True)


@pytest.mark.long
def test_a_worker_that_is_silent_for_too_long_calls_nobody_until_it_is_heard_again(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It promised 60 seconds and beats every 120: each time a minute passes without a single call."""
    stage = tenants.add("adatum")
    calls: list[float] = []
    stage.taps.append(lambda scope: calls.append(stage.world.now))
    monkeypatch.setattr(worker, "BEATS", 0.5)
    begun = tenants.clock.timestamp()
    worked = tenants.work(silence_s=60.0)
    assert len(worked.finished) == 1
    assert {int(at - begun) // 60 % 2 for at in calls} == {0}
    assert max(calls) - begun > 600.0


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


def test_a_run_says_what_it_waits_for(tenants: Tenants) -> None:
    tenants.split({"Two": 60, "Six": 50})
    place = PostgresPlace(tenants.database, "public")

    def told() -> list[str]:
        found = fleet.fleet(tenants.database, tenants.clock)
        assert set(found.waiting) == {each.run for each in found.runs if each.state == "waiting"}
        return list(found.waiting.values())

    assert set(told()) == {"a worker: none is there, start one with `crossfade worker`"}
    with Fleet.open(place, tenants.clock) as one:
        one.enter("one", at_once=2, silence_s=60)
        assert set(told()) == {"a worker that has room"}
        assert one.claim("one") is not None
        (waits,) = told()
    assert waits.startswith("its 50% of subscription ")
    assert waits.endswith(": Two has 60%")
    assert f"waiting for {waits}" in as_text(fleet.fleet(tenants.database, tenants.clock))


def test_a_run_that_is_queued_again_keeps_what_is_not_said_anew(tenants: Tenants) -> None:
    """Whoever puts a held run back has perhaps another terminal, where nothing says how its services are reached."""
    workspace = tenants.add("adatum").workspace

    def queued(connection: dict[str, str], **said: Any) -> tuple[str, int, dict[str, str]]:
        entry = fleet.queue(workspace, tenants.database, connection, clock=tenants.clock, **said)
        assert tenants.queued() == [msgspec.structs.replace(entry, added_at=ANY, moved_at=ANY)]
        return entry.name, entry.share, entry.connection

    reached = {"tenant_id": "t", "client_id": "c"}
    assert queued(reached, name="Adatum", share=40) == ("Adatum", 40, reached)
    assert queued({}) == ("Adatum", 40, reached)
    for name in ("n" * 101, "two\nlines"):
        with pytest.raises(InputError, match="--name"):
            queued({}, name=name)
    assert queued({"tenant_id": "u"}, share=100) == ("Adatum", 100, {"tenant_id": "u"})


def left_by_apply(tenants: Tenants, stage: Stage) -> None:
    """`crossfade apply` on the durable engine, dead in mid-move; its engine's store is still there."""
    assert stage.interrupt(lambda point: point.startswith("after host") and point.endswith("moving"), "dbos")


def left_by_a_worker(tenants: Tenants, stage: Stage) -> None:
    tenants.work(meanwhile=lambda stops: asyncio.get_running_loop().call_later(900, stops.ask, "SIGTERM"))
    assert "confirmed" not in stage.hosts().values()


@pytest.mark.long
@pytest.mark.parametrize(("leave", "go_on"), [(left_by_apply, "worker"), (left_by_a_worker, "dbos")])
def test_what_one_engine_began_the_other_ends(
    tenants: Tenants, leave: Callable[[Tenants, Stage], None], go_on: str
) -> None:
    stage = tenants.add("adatum")
    leave(tenants, stage)
    if go_on == "worker":
        assert len(tenants.work().finished) == 1
    else:
        assert stage.apply("dbos").state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}
    for host in stage.hosts():
        assert stage.history(host).count("accepting") == 1
    with stage.journal() as reader:
        reader.verify()


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


def test_only_what_was_queued_is_carried_out(tenants: Tenants) -> None:
    stage = tenants.add("adatum")
    stage.make_plan(waves=QUICK, names=Names(workspace="another"))
    assert tenants.work().held == [each.run for each in tenants.queued()]
    assert "is another one than that which was queued. Queue the folder again" in tenants.reasons()["adatum"]
    tenants.queue("adatum", 40)
    (entry,) = tenants.queued()
    assert entry.state == "waiting", "the one that was planned over is gone"
    moved = stage.workspace.folder.rename(tenants.folder / "elsewhere")
    assert tenants.work().held == [entry.run]
    assert "adatum is not there, or cannot be seen from this machine." in tenants.reasons()["adatum"]
    again = fleet.queue(Workspace(moved, tenants.database), tenants.database, {}, clock=tenants.clock)
    assert (again.name, again.share, again.folder) == ("adatum", 40, str(moved))


def test_a_worker_that_was_declared_dead_begins_under_another_name(tenants: Tenants) -> None:
    """What it had waits again; its process goes on as a new worker, and the run reaches the same end."""
    stage = tenants.add("adatum")
    adopted: list[list[str]] = []

    def declare_dead(stops: worker.Stops) -> None:
        with Fleet.open(PostgresPlace(tenants.database, "public"), tenants.clock) as other:
            adopted.append(other.adopt(other.workers()[0]))

    worked = tenants.work(
        meanwhile=lambda stops: asyncio.get_running_loop().call_later(900, declare_dead, stops), name="stood-still"
    )
    (entry,) = tenants.queued()
    assert adopted == [[entry.run]]
    assert any("Worker stood-still was silent for too long" in text for text in tenants.said)
    assert worked.worker != "stood-still"
    assert (worked.finished, worked.adopted, entry.adopted) == ([entry.run], [entry.run], 1)
    assert set(stage.hosts().values()) == {"confirmed"}
    for host in stage.hosts():
        assert stage.history(host).count("accepting") == 1
