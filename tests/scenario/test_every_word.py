"""Every word that steers, said to a living run from another terminal and through the library, with its answer."""

from __future__ import annotations

import asyncio
import getpass
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import PIPE
from typing import Any

import msgspec
import pytest
from back_kit import take_back, wait_until
from stage import QUICK, Stage, personal, pooled, spec_of

from crossfade.app import in_process_engine
from crossfade.commands.apply import Applied, apply
from crossfade.commands.status import status
from crossfade.commands.steer import steer
from crossfade.execution.transitions import Kind

Answer = tuple[int, dict[str, Any]]
Say = Callable[..., Awaitable[Answer]]


def terminal(stage: Stage) -> Say:
    """`crossfade …` as a process of its own; a second of the run passes now and then while it is asked."""

    async def say(*words: str) -> Answer:
        command = [sys.executable, "-m", "crossfade", *words, "--json", "--dir", str(stage.workspace.folder)]
        process = subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True)
        while process.poll() is None:
            time.sleep(0.02)
            await stage.rehearsal.clock.sleep(1.0)
        out, _ = process.communicate()
        return process.returncode, json.loads(out)

    return say


def library(stage: Stage) -> Say:
    async def say(verb: str, *words: str) -> Answer:
        if verb == "status":
            return 0, msgspec.to_builtins(status(stage.workspace))
        args = {"name": words[0], "value": words[1]} if verb == "set" else {}
        subject = words[0] if words and verb != "set" else ""
        said = await steer(stage.workspace, verb, stage.rehearsal.clock, subject=subject, args=args)
        return said.exit_code, msgspec.to_builtins(said)

    return say


@pytest.mark.parametrize("through", [pytest.param(terminal, marks=pytest.mark.long), library])
def test_each_is_heard_and_answered(tmp_path: Path, through: Callable[[Stage], Say]) -> None:
    stage = Stage.of(spec_of(pooled(hosts=3), personal(hosts=1)), tmp_path)
    stage.make_plan(waves=msgspec.structs.replace(QUICK, canary_return=False, people_gate="waves"))
    say, clock = through(stage), stage.rehearsal.clock

    def gates() -> list[str]:
        with stage.journal() as journal:
            return [step.id for step in journal.unknown_steps() if "/yes" in step.id]

    async def operator() -> None:
        await wait_until(stage, lambda: bool(gates()))
        code, told = await say("status")
        (waits,) = [one for one in told["waiting"] if "somebody's yes" in one["what"]]
        assert (code, told["alive"], told["state"]) == (0, True, "running")
        assert "crossfade approve wave-01" in waits["what"]
        assert waits["since"] < waits["until"]
        assert waits["subjects"]

        code, told = await say("set", "parallel-moves", "1")
        assert (code, told["state"]) == (0, "done")
        code, told = await say("set", "headroom", "7")
        assert code == 3, told

        code, told = await say("pause")
        assert (code, told["answer"]) == (0, "Steps in flight end; nothing new begins.")
        assert (await say("status"))[1]["state"] == "paused"
        assert (await say("pause"))[0] == 3, "it is paused already"
        code, told = await say("resume")
        assert (code, told["state"]) == (0, "done")

        code, told = await say("skip", "off-2")
        assert (code, told["state"]) == (0, "done")
        assert (await say("skip", "nobody-9"))[0] in (1, 3)
        code, told = await say("retry", "off-2")
        assert (code, told["state"]) == (0, "done")
        code, told = await say("skip", "off-1")
        assert code == 0

        code, told = await say("rollback", "off-0") if through is library else (3, {})
        assert code == 3, "a run that goes forward is stopped first"

        code, told = await say("approve", "wave-01")
        assert (code, told["state"]) == (0, "done")
        await wait_until(stage, lambda: not gates(), every_s=60.0)
        code, told = await say("abort")
        assert (code, told["state"]) == (0, "done")

    async def both(services: Any) -> Applied:
        running = asyncio.ensure_future(
            apply(stage.workspace, services, clock, in_process_engine(clock), synchronous="NORMAL")
        )
        await operator()
        return await running

    held = stage.with_services(both)
    assert held.state == "holding"
    assert held.error is not None
    assert getpass.getuser() in held.error["why"]
    assert [host.state for host in stage.entities(Kind.HOST) if "/off-1." in host.id] == ["on_source"], "left alone"
    assert take_back(stage).state == "rolled_back"
    assert set(stage.hosts().values()) == {"on_source"}
