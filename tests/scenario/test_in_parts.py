"""One estate moved in parts, each by a plan and a run of its own, all planned beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from back_kit import take_back
from stage import EVENING, QUICK, Stage, pooled, short, spec_of

from avdtwin import estate
from crossfade.app import Rehearsal, in_process_engine, twin_clock
from crossfade.clock import SimulatedClock, parse_iso
from crossfade.commands.rollback import rollback
from crossfade.commands.verify import verify
from crossfade.errors import PreflightFailed
from crossfade.execution.workflows.showing import LOST
from crossfade.plan.intent import PoolIntent

PARTS = tuple(pooled(name, name.lower(), hosts=2, groups=()) for name in ("Two", "Six"))


def planned(folder: Path) -> tuple[Stage, Stage]:
    """Both parts, into the resource group and the workspace that both would make."""
    clock = SimulatedClock(parse_iso(EVENING))
    spec = spec_of(*PARTS, name="parts")
    world = estate.build(spec, 1, twin_clock(clock), people=False)
    stages = [Stage.around(Rehearsal(world, clock, seed=1), folder / pool.name, spec) for pool in PARTS]
    for stage, other in zip(stages, reversed(PARTS), strict=True):
        stage.make_plan(waves=QUICK, pools={f"Default Tenant Group/parts/{other.name}": PoolIntent(skip=True)})
    return stages[0], stages[1]


def listed(stage: Stage) -> list[str]:
    """The groups that the one workspace shows."""
    (workspace,) = stage.of_type("workspaces")
    return sorted(short(one) for one in workspace.properties["applicationGroupReferences"])


def test_what_the_run_of_one_part_does_makes_no_other_plan_stale(tmp_path: Path) -> None:
    two, six = planned(tmp_path)
    assert two.apply().state == "finished"
    assert six.apply().state == "finished"
    for stage in (two, six):
        assert set(stage.hosts().values()) == {"confirmed"}
    assert listed(two) == ["six-dag", "two-dag"]
    proof: Any = six.with_services(lambda services: verify(six.workspace, services, six.rehearsal.clock))
    assert proof.equivalent()
    assert take_back(two).state == "rolled_back"
    assert listed(six) == ["six-dag"], "the workspace that the first run made is left to the second"
    assert six.of_type("hostPools")[0].name == "Six"
    assert take_back(six).state == "rolled_back"
    assert not six.of_type("hostPools")


def test_a_change_in_its_own_part_is_refused_with_its_name(tmp_path: Path) -> None:
    two, six = planned(tmp_path)
    six.pool_record("Six").max_session_limit = 3
    with pytest.raises(PreflightFailed, match=r"pool .*/Six is another now \(max_session_limit\)"):
        six.apply()
    assert not six.workspace.has_journal()
    assert two.apply().state == "finished"


class Overtaken:
    """The first list of groups that `late` writes arrives half a minute after that of `early`, whose run begins when it
    is on its way: it is made of what was read before, and takes out what `early` has put in."""

    def __init__(self, late: Stage, early: Stage) -> None:
        self._begun, self._arrived, self._early = asyncio.Event(), asyncio.Event(), early
        late.rehearsal.app = self._held(late.rehearsal)  # type: ignore[assignment]
        early.rehearsal.app = self._told(early.rehearsal.app)  # type: ignore[assignment]

    def _held(self, rehearsal: Rehearsal) -> Any:
        app = rehearsal.app

        async def held(scope: Any, receive: Any, send: Any) -> None:
            if writes_a_list(scope) and not self._begun.is_set():
                self._begun.set()
                await self._arrived.wait()
                await rehearsal.clock.sleep(30)
            await app(scope, receive, send)

        return held

    def _told(self, app: Any) -> Any:
        async def told(scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)
            if writes_a_list(scope):
                self._arrived.set()

        return told

    def together(self, late: Coroutine[Any, Any, Any]) -> list[str]:
        """How both end: what `late` does, and the run of `early` at the moment when it hurts."""

        async def early() -> Any:
            await self._begun.wait()
            return await carried_out(self._early)

        async def both() -> list[Any]:
            return await asyncio.gather(late, early())

        return [ended.state for ended in self._early.run(both())]


def writes_a_list(scope: Any) -> bool:
    return scope.get("method") == "PATCH" and "/workspaces/" in str(scope.get("path"))


async def carried_out(stage: Stage) -> Any:
    async with stage.rehearsal.services() as services:
        return await stage._applying(services, "inprocess", None)


async def taken_back(stage: Stage) -> Any:
    async with stage.rehearsal.services() as services:
        make = in_process_engine(stage.rehearsal.clock)
        return await rollback(stage.workspace, services, stage.rehearsal.clock, make, synchronous="NORMAL")


def told(stage: Stage, operation: str) -> list[tuple[str, str, str]]:
    """The steps of an operation as its journal tells them: what came after its id, state and reason."""
    events = [event for event in stage.events("step") if f"{operation}:" in event.subject]
    return [(event.subject.rpartition("/")[2], str(event.to_state), event.reason) for event in events]


def test_an_entry_that_another_run_has_overwritten_is_written_again(tmp_path: Path) -> None:
    """Two workers, one moment: what the second one had read lacks what the first one wrote."""
    two, six = planned(tmp_path)
    assert Overtaken(two, six).together(carried_out(two)) == ["finished", "finished"]
    assert listed(two) == ["six-dag", "two-dag"]
    planned_for = "shows the group to the people who will hold it"
    assert told(six, "reference-group") == [
        ("Six-DAG", "begun", planned_for),
        ("Six-DAG", "done", ""),
        ("Six-DAG (undone)", "begun", LOST),
        ("Six-DAG (undone)", "done", ""),
        ("Six-DAG (again 2)", "begun", LOST),
        ("Six-DAG (again 2)", "done", ""),
    ]
    assert told(two, "reference-group") == [("Two-DAG", "begun", planned_for), ("Two-DAG", "done", "")]
    assert take_back(six).state == "rolled_back"
    assert listed(two) == ["two-dag"]


def test_a_rollback_that_overwrites_the_list_takes_nothing_from_another_run(tmp_path: Path) -> None:
    two, six = planned(tmp_path)
    assert two.apply().state == "finished"
    assert Overtaken(two, six).together(taken_back(two)) == ["rolled_back", "finished"]
    assert listed(six) == ["six-dag"]
