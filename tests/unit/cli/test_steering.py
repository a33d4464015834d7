"""`pause` and `resume` from another terminal."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from runs_kit import StepClock, begin_run, die

from crossfade.commands.steer import steer
from crossfade.commands.workspace import JOURNAL, Workspace
from crossfade.execution.control import CommandControl
from crossfade.execution.journal import Journal
from crossfade.execution.reader import JournalReader

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
    assert "It is running, not paused" in out


def test_nobody_hears_after_a_kill(workspace: Workspace, crossfade: Cli) -> None:
    die(begin_run(workspace))
    code, _, errors = crossfade("pause")
    assert code == 3
    assert "No process works on the run" in errors
    assert "crossfade resume" in errors


@pytest.mark.parametrize("words", [("approve",), ("skip", "vm-5"), ("retry", "vm-5"), ("set", "parallel_moves", "3")])
def test_before_any_run_nothing_is_noted(workspace: Workspace, crossfade: Cli, words: tuple[str, ...]) -> None:
    Journal.open(workspace.journal, StepClock()).close()
    code, _, errors = crossfade(*words)
    assert code == 3
    assert "No run has begun" in errors
    assert "`crossfade apply`" in errors


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("approve", "wave-2"), ("approve", "wave-2", {})),
        (("approve",), ("approve", "", {})),
        (("skip", "vm-5"), ("skip", "vm-5", {})),
        (("retry", "vm-5"), ("retry", "vm-5", {})),
        (("set", "headroom", "0.3"), ("set", "", {"name": "headroom", "value": "0.3"})),
    ],
)
def test_what_waits_for_whoever_resumes(
    workspace: Workspace, crossfade: Cli, words: tuple[str, ...], kept: tuple[str, str, dict[str, str]]
) -> None:
    begin_run(workspace).close()
    code, out, _ = crossfade(*words)
    assert (code, out.strip()) == (2, "Noted: `crossfade resume` hears it first.")
    with JournalReader.look(workspace.path(JOURNAL)) as reader:
        assert [(each.verb, each.subject, each.args) for each in reader.commands()] == [kept]


def test_abort_needs_somebody_to_hear_it(workspace: Workspace, crossfade: Cli) -> None:
    begin_run(workspace).close()
    code, _, errors = crossfade("abort")
    assert code == 3
    assert "There is nothing to abort" in errors


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("headroom", "-1", "'-1' is not a number from 0 to 2."),
        ("headroom", "-.5", "'-.5' is not a number from 0 to 2."),
        ("grace-s", "-60", "'-60' is not a number from 60 to 86400."),
        ("parallel-moves", "1.5", "'1.5' is not a whole number from 1 to 100."),
        ("soak-s", "3", "These can be: grace_s, headroom, parallel_moves."),
    ],
)
def test_a_value_out_of_bounds_is_answered_with_them_and_never_waits(
    workspace: Workspace, crossfade: Cli, name: str, value: str, bounds: str
) -> None:
    begin_run(workspace).close()
    code, out, _ = crossfade("set", name, value)
    assert code == 3
    assert bounds in out
    with JournalReader.look(workspace.path(JOURNAL)) as reader:
        assert not reader.commands()


def test_a_word_that_set_does_not_know_is_no_value(workspace: Workspace, crossfade: Cli) -> None:
    begin_run(workspace).close()
    code, _, errors = crossfade("set", "headroom", "0.3", "--nonsense")
    assert code == 1
    assert "--nonsense" in errors
