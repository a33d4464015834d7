"""Two people at one folder: both start the plan, or one changes it while the other's run is paused."""

from __future__ import annotations

import asyncio
import getpass
import os
import platform
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from back_kit import apply_while, say, take_back, wait_until
from stage import Stage, pooled, spec_of

from crossfade.app import in_process_engine
from crossfade.commands.apply import Applied, apply
from crossfade.commands.kept import kept
from crossfade.commands.workspace import PLAN
from crossfade.errors import Occupied, Refused
from crossfade.execution.transitions import Kind


def estate(folder: Path) -> Stage:
    stage = Stage.of(spec_of(pooled(hosts=2)), folder)
    stage.make_plan()
    return stage


def applying(stage: Stage, services: Any) -> Any:
    clock = stage.rehearsal.clock
    return apply(stage.workspace, services, clock, in_process_engine(clock), synchronous="NORMAL")


def assert_it_says_who_where_and_since_when(refused: Occupied, folder: Path) -> None:
    assert refused.exit_code == 3
    assert str(folder) in refused.what
    who = f"{getpass.getuser()} on {platform.node()}, process {os.getpid()}"
    assert re.fullmatch(rf"{re.escape(who)}, since 2026-06-08 \d\d:\d\d:\d\d UTC, last there at .* UTC\.", refused.why)
    assert "crossfade status" in refused.mend


def test_of_two_who_start_at_once_one_is_refused(tmp_path: Path) -> None:
    stage, calm = estate(tmp_path / "both"), estate(tmp_path / "calm")
    assert calm.apply().state == "finished"

    async def both(services: Any) -> list[Applied | BaseException]:
        return await asyncio.gather(applying(stage, services), applying(stage, services), return_exceptions=True)

    ended = stage.with_services(both)
    (refused,) = [each for each in ended if isinstance(each, Occupied)]
    (done,) = [each for each in ended if isinstance(each, Applied)]
    assert done.state == "finished"
    assert_it_says_who_where_and_since_when(refused, stage.workspace.folder)
    assert stage.writes() == calm.writes()


def test_whoever_comes_later_is_told_who_is_there(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    told: list[Occupied] = []

    async def second() -> None:
        await wait_until(stage, lambda: "moving" in stage.hosts().values())
        async with stage.rehearsal.services() as services:
            with pytest.raises(Occupied) as refused:
                await applying(stage, services)
        told.append(refused.value)

    assert apply_while(stage, second).state == "finished"
    assert_it_says_who_where_and_since_when(told[0], tmp_path)


def test_a_plan_changed_under_a_paused_run_is_refused_until_the_old_one_is_back(tmp_path: Path) -> None:
    stage = estate(tmp_path)
    old = stage.workspace.read_bytes(PLAN)

    said: list[int] = []

    def at(point: str) -> bool:
        if point.startswith("after host") and point.endswith("confirmed") and not said:
            said.append(say(stage, "pause"))
        return point.startswith("after run") and point.endswith("paused")

    assert stage.interrupt(at)
    (run,) = stage.entities(Kind.RUN)
    assert run.state == "paused"
    changed = msgspec.structs.replace(stage.plan, settings=msgspec.structs.replace(stage.plan.settings, soak_s=420.0))
    stage.workspace.write(PLAN, changed)
    before = stage.writes()
    for attempt in (stage.apply, lambda: take_back(stage)):
        with pytest.raises(Refused, match=rf"is not the plan of run {run.id}, which is paused.*is a copy") as refused:
            attempt()
        assert refused.value.exit_code == 3
    copy = stage.workspace.path(kept(PLAN, run.id))
    assert str(copy) in refused.value.mend
    assert stage.writes() == before
    assert copy.read_bytes() == old
    stage.workspace.path(PLAN).write_bytes(copy.read_bytes())
    assert stage.apply().state == "finished"
    assert set(stage.hosts().values()) == {"confirmed"}
