"""A pool of several hosts with too few seats for both sides, whose people may be without it for a while."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from back_kit import take_back
from stage import EVENING, QUICK, Stage, pooled, short, spec_of

from avdtwin import sessions
from crossfade.clock import parse_iso
from crossfade.execution.seats import PEOPLE
from crossfade.execution.transitions import Kind

TIGHT = spec_of(pooled(hosts=3, desktop_people=8, limit=1, groups=()))
BEFORE = "2026-06-08T19:00:00Z"
"""An hour before quiet hours begin."""
ALL_DONE = {"off-0": "confirmed", "off-1": "confirmed", "off-2": "confirmed"}


def staged(folder: Path, *, start: str = EVENING, **waves: Any) -> Stage:
    stage = Stage.of(TIGHT, folder, start=start)
    plan = stage.make_plan(waves=msgspec.structs.replace(QUICK, **waves), outage="when-empty")
    assert [(wave.kind, len(wave.hosts)) for wave in plan.waves] == [("last-wave", 3)]
    return stage


def begun(stage: Stage, state: str = "draining") -> dict[str, str]:
    """When each host came into this state, in order."""
    return {short(one.subject): one.at for one in stage.events("host") if one.to_state == state}


def open_hosts(stage: Stage) -> set[str]:
    return {short(one.name) for one in stage.pool_record("Office Pool").hosts.values() if one.allow_new_session}


def when(stage: Stage, due: Callable[[], bool], act: Callable[[], None]) -> None:
    """Do something once, with the first call after something has come about."""
    waiting = [act]

    def tap(scope: dict[str, Any]) -> None:
        if waiting and due():
            waiting.pop()()

    stage.taps.append(tap)


def everybody_signs_out_at(stage: Stage, at: str) -> None:
    def leave() -> None:
        for session in list(stage.world.state.sessions.values()):
            sessions.end(stage.world, session, "signed_out")

    moment = parse_iso(at).timestamp()
    when(stage, lambda: stage.world.now >= moment, leave)


def granted(stage: Stage) -> list[str]:
    return [one.at for one in stage.events("step") if one.parent == PEOPLE and one.to_state == "done"]


def test_all_its_hosts_move_in_quiet_hours_once_nobody_is_signed_in_and_its_people_change_over_together(
    tmp_path: Path,
) -> None:
    stage = staged(tmp_path, start=BEFORE)
    stage.sign_in("off-1")
    everybody_signs_out_at(stage, "2026-06-08T21:00:00Z")
    applied = stage.apply()
    assert applied.state == "finished", applied.error
    assert stage.hosts() == ALL_DONE
    left, there = begun(stage), begun(stage, "accepting")
    assert min(left.values()) > "2026-06-08T21:00:00Z"
    assert max(left.values()) < min(there.values())
    assert len(stage.pool_record("Office Pool").groups["desktop application group"].users) == 0


def test_whoever_comes_in_between_keeps_their_host_and_holds_up_nobody(tmp_path: Path) -> None:
    stage = staged(tmp_path, parallel_moves=1)
    when(stage, lambda: len(open_hosts(stage)) < 3, lambda: stage.sign_in(min(open_hosts(stage))) and None)
    everybody_signs_out_at(stage, "2026-06-09T06:00:00Z")
    assert stage.apply().state == "finished"
    assert stage.hosts() == ALL_DONE
    *_, before, last = sorted(begun(stage).values())
    assert before < "2026-06-09T00:00:00Z" < "2026-06-09T06:00:00Z" < last
    assert sum(at < last for at in granted(stage)) == 5


def test_where_the_hosts_that_arrived_are_too_few_the_rest_keep_classic_and_it_holds(tmp_path: Path) -> None:
    stage = staged(tmp_path)
    stage.machine("off-1").msi_exit_codes = [0] * 4 + [1603] * 3
    held = stage.apply()
    assert held.state == "holding"
    assert held.error is not None
    assert "people of" in held.error["what"]
    assert stage.hosts()["off-1"] == "on_source"
    assert len(stage.pool_record("Office Pool").groups["desktop application group"].users) == 8
    assert stage.apply().state == "finished"
    assert stage.hosts() == ALL_DONE


def test_it_goes_back_as_well(tmp_path: Path) -> None:
    stage = staged(tmp_path)
    assert stage.apply().state == "finished"
    take_back(stage)
    assert set(stage.hosts().values()) == {"on_source"}
    assert len(stage.pool_record("Office Pool").groups["desktop application group"].users) == 8
    assert [wave.state for wave in stage.entities(Kind.WAVE)] == ["reverted"]
