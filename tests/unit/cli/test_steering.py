"""`pause` and `resume` from another terminal."""

import asyncio
import threading
from collections.abc import Callable

from runs_kit import StepClock, begin_run, die

from crossfade.commands.steer import steer
from crossfade.commands.workspace import Workspace
from crossfade.execution.control import CommandControl

Cli = Callable[..., tuple[int, str, str]]


def test_a_living_run_answers(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    control = CommandControl(journal, StepClock(), "run1")

    async def story() -> tuple[str, str]:
        asked = asyncio.create_task(steer(workspace, "pause"))
        for _ in range(20):
            await asyncio.sleep(0.01)
            control.hear()
        return (await asked).state, (await asked).answer

    assert asyncio.run(story()) == ("done", "Steps in flight end; nothing new begins.")
    journal.close()


def test_one_that_does_not_answer_yet_is_pending(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    said = asyncio.run(steer(workspace, "pause", listen_s=0.2))
    journal.close()
    assert (said.state, said.exit_code) == ("new", 2)


def test_what_the_run_refuses_is_refused(workspace: Workspace, crossfade: Cli) -> None:
    journal = begin_run(workspace)
    control = CommandControl(journal, StepClock(), "run1")
    over = threading.Event()
    answers: list[tuple[int, str, str]] = []
    asking = threading.Thread(target=lambda: (answers.append(crossfade("resume")), over.set()))
    asking.start()
    while not over.wait(0.02):
        control.hear()
    asking.join()
    journal.close()
    code, out, _ = answers[0]
    assert code == 3, "a run that is not paused cannot go on"
    assert "may not go from running to running" in out


def test_nobody_hears_after_a_kill(workspace: Workspace, crossfade: Cli) -> None:
    die(begin_run(workspace))
    code, _, errors = crossfade("pause")
    assert code == 3
    assert "No process works on the run" in errors
    assert "crossfade resume" in errors
