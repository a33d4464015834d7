"""What keeps people working, broken on purpose: one thing each, and somebody is refused or loses a session.

The healthy run of the same estate, people and days has none of either. So these numbers can be trusted to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from stage import MORNING, Stage, personal, pooled, spec_of

from avdtwin.estate.specs import EXCEL, EstateSpec, GroupSpec
from crossfade.clock import parse_iso
from crossfade.execution.context import Context
from crossfade.execution.seats import Seats, Verdict
from crossfade.execution.target import Target
from crossfade.execution.transitions import HostState
from crossfade.execution.workflows import drain as draining
from crossfade.execution.workflows import host as moving
from crossfade.execution.workflows import wave as publishing
from crossfade.plan.intent import Waves
from crossfade.plan.plan import Wave


def busy(seats: int) -> EstateSpec:
    """48 people who come to five hosts, and two with a machine of their own."""
    groups = (GroupSpec("Office Apps", 8, (EXCEL,)),)
    return spec_of(pooled(hosts=5, desktop_people=40, limit=seats, groups=groups), personal(), name="busy")


UNTIL = parse_iso("2026-06-09T18:00:00Z")
"""The end of the second working day; nobody has been taken out of classic by then when all is well."""
Break = Callable[[pytest.MonkeyPatch], None]


def harm_of(
    folder: Path, *, seats: int = 6, due_hours: float = 24.0, until: datetime = UNTIL
) -> tuple[int, int, dict[str, Any]]:
    """Refused sign-ins and sessions lost without notice while the estate moves, up to a moment."""
    stage = Stage.of(busy(seats), folder, people=True, start=MORNING, seed=1)
    stage.make_plan(waves=Waves(last_wave_due_hours=due_hours, canary_return=False, soak_minutes=2.0))
    clock = stage.rehearsal.clock
    stage.interrupt(lambda _: clock.now() >= until)
    stage.wait(max(0.0, (until - clock.now()).total_seconds()))
    told = stage.tally()
    return told["refused_sign_ins"], told["sessions_lost_without_notice"], told


def test_nobody_is_refused_and_nothing_is_lost_when_all_is_well(tmp_path: Path) -> None:
    refused, lost, told = harm_of(tmp_path)
    assert (refused, lost) == (0, 0), told["refused_by_cause"]
    assert told["sign_ins"] > 3 * told["people"]
    assert told["sign_ins_arm"] > 10


def test_nobody_is_refused_and_nothing_is_lost_to_the_end_of_the_run(tmp_path: Path) -> None:
    """With a due date by which everybody has been at work: who has not been seen by then leaves classic."""
    end = parse_iso("2026-06-12T20:00:00Z")
    refused, lost, told = harm_of(tmp_path, seats=9, due_hours=72.0, until=end)
    assert (refused, lost) == (0, 0), told["refused_by_cause"]
    assert told["people_seen_on_arm"] > 0.9 * told["people"]


def no_drain(patch: pytest.MonkeyPatch) -> None:
    """Hosts neither close nor wait for anybody."""

    async def nothing(context: Context, port: Any, steps: Any, move: Any, wave: Any) -> None:
        for state in (HostState.DRAINING, HostState.DRAINED):
            context.advance(move.source, state)

    patch.setattr(moving, "drain", nothing)


def no_waiting(patch: pytest.MonkeyPatch) -> None:
    """Hosts close, and people have no time to end their work."""

    async def empty(context: Context, steps: Any, move: Any) -> dict[str, Any]:
        return {"sessions": 0}

    patch.setattr(draining, "_empty", empty)
    patch.setattr(draining, "_tell_all", empty)


def no_seat_check(patch: pytest.MonkeyPatch) -> None:
    """Every host may leave at once, in the middle of the day, and nobody waits for anybody to be seen."""

    async def always(self: Seats, move: Any) -> Verdict:
        return Verdict(True, "who counts?")

    patch.setattr(Seats, "look", always)
    patch.setattr(Seats, "still_free", lambda self, move: True)
    patch.setattr(Seats, "unseen", lambda self, pools: set())


def person_last(patch: pytest.MonkeyPatch) -> None:
    """A personal host is opened, and its person published, before it is given to that person."""

    async def later(self: Target, move: Any) -> dict[str, Any]:
        return {"assigned_user": "in a while"}

    patch.setattr(Target, "is_assigned", later)


def publish_first(patch: pytest.MonkeyPatch) -> None:
    """Everybody is published with the first wave, whatever seats there are, and out of classic at once."""
    whole = publishing._publish

    async def everybody(context: Context, port: Any, steps: Any, wave: Wave, name: str, *, all_of_it: bool) -> None:
        await whole(context, port, steps, wave, name, all_of_it=all_of_it)
        await publishing._retract(context, port, steps, context.plan.waves[-1], publishing.pools_of(context, wave), 0)

    def admit(self: Seats, wave: Wave, *, all_of_it: bool = False) -> dict[str, Any]:
        names = [name for each in self._plan.waves for name in each.publish]
        return {"operations": [name for name in names if name not in self.written()], "deferred": 0}

    patch.setattr(Seats, "admit", admit)
    patch.setattr(publishing, "_publish", everybody)


@pytest.mark.parametrize("break_it", [no_drain, no_waiting, no_seat_check, person_last, publish_first])
def test_breaking_it_is_felt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it: Break) -> None:
    break_it(monkeypatch)
    refused, lost, told = harm_of(tmp_path)
    assert refused + lost > 0, told
    print(f"{break_it.__name__}: {refused} refused, {lost} lost without notice, {told['refused_by_cause']}")
