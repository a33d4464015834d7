"""Shared lists: one read for many, and never one that a change has overtaken."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from crossfade.clock import SimulatedClock
from crossfade.execution.recent import Recent

START = datetime(2026, 6, 1, tzinfo=UTC)


class Service:
    """Answers after a second with what was so when it was asked."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.value = "before"
        self.reads = 0

    async def read(self) -> str:
        self.reads += 1
        answer = self.value
        await self.clock.sleep(1)
        return answer


def test_many_askers_cause_one_read() -> None:
    clock = SimulatedClock(START)
    service, recent = Service(clock), Recent[str](clock, 30)

    async def ask() -> list[str]:
        return list(await asyncio.gather(*(recent.get("pool", service.read) for _ in range(10))))

    assert clock.run(ask()) == ["before"] * 10
    assert service.reads == 1


def test_an_old_answer_is_read_again() -> None:
    clock = SimulatedClock(START)
    service, recent = Service(clock), Recent[str](clock, 30)

    async def twice() -> None:
        await recent.get("pool", service.read)
        await clock.sleep(31)
        await recent.get("pool", service.read)

    clock.run(twice())
    assert service.reads == 2


def test_a_read_under_way_during_a_change_is_not_used_by_who_made_the_change() -> None:
    clock = SimulatedClock(START)
    service, recent = Service(clock), Recent[str](clock, 30)

    async def change_meanwhile() -> str:
        other = asyncio.ensure_future(recent.get("pool", service.read))
        await clock.sleep(0.5)
        service.value = "after"
        recent.forget("pool")
        mine = await recent.get("pool", service.read)
        await other
        return mine

    assert clock.run(change_meanwhile()) == "after"


def test_a_clock_that_is_set_back_makes_no_answer_young_again() -> None:
    clock = SimulatedClock(START)
    service, recent = Service(clock), Recent[str](clock, 5)
    clock.run(recent.get("pool", service.read))
    service.value = "somebody has signed in"
    clock.start -= timedelta(hours=1)
    assert clock.run(recent.get("pool", service.read)) == "somebody has signed in"
