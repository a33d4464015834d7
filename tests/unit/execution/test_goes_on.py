"""What a process says that ends before its work is done: by which command one goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossfade.clock import SimulatedClock
from crossfade.errors import CloudError, StepFailed, Unauthorized, Unreachable
from crossfade.execution.commands import give
from crossfade.execution.control import CommandControl
from crossfade.execution.journal import Journal
from crossfade.execution.rollback import words_of
from crossfade.execution.transitions import Kind

BACK = words_of("wave-02")
FORWARD = "crossfade resume"


def test_what_a_rollback_is_of_can_be_typed_again() -> None:
    assert words_of("run") == "crossfade rollback run"
    assert words_of("Default Tenant Group/A/Office/vm-1.a.b") == (
        'crossfade rollback "Default Tenant Group/A/Office/vm-1.a.b"'
    )


def held(folder: Path, goes_on: str, error: CloudError | None = None) -> StepFailed:
    """By an outage of hours, or by somebody's abort."""
    clock = SimulatedClock(datetime(2026, 6, 1, tzinfo=UTC))

    async def outlast(control: CommandControl, error: CloudError) -> None:
        while True:
            await control.outage("host/step", error)

    async def work() -> StepFailed:
        with Journal.open(folder / "journal.db", clock) as journal:
            journal.add(Kind.RUN, "r", run_id="r")
            control = CommandControl(journal, clock, "r", goes_on=goes_on)
            if error is None:
                give(folder / "journal.db", clock, "abort", actor="olivia", subject="", args={})
                control.hear()
            else:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(outlast(control, error), 9_000.0)
            assert control._held is not None
            return control._held[0]

    return clock.run(work())


SIGN_IN = Unauthorized("arm refused.", "The credential has expired.", "", service="arm")
CLASSIC = Unreachable("classic does not answer.", "refused", "", service="classic")


@pytest.mark.parametrize("error", [SIGN_IN, CLASSIC, None], ids=["sign-in", "classic", "abort"])
def test_a_rollback_that_holds_is_gone_on_with_by_itself(tmp_path: Path, error: CloudError | None) -> None:
    """`crossfade resume` would go forward."""
    found = held(tmp_path, BACK, error)
    assert f"`{BACK}` goes on" in found.mend
    assert "crossfade resume" not in str(found)


def test_a_run_that_freezes_has_two_ways(tmp_path: Path) -> None:
    mend = held(tmp_path, FORWARD, CLASSIC).mend
    assert "`crossfade resume` goes on" in mend
    assert "`crossfade resume --without-classic`" in mend


def test_what_is_in_flight_is_known_though_the_clock_was_set_back(tmp_path: Path) -> None:
    """An abort waits for its end; what an earlier process left in flight is nobody's until it is begun again."""
    clock = SimulatedClock(datetime(2026, 6, 1, tzinfo=UTC))
    with Journal.open(tmp_path / "journal.db", clock) as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        journal.begin("vm-1/left", run_id="r", parent="vm-1")
        control = CommandControl(journal, clock, "r")
        clock.start -= timedelta(hours=1)
        journal.begin("vm-2/install", run_id="r", parent="vm-2")
        assert [step.id for step in control._working()] == ["vm-2/install"]
        journal.begin("vm-1/left", run_id="r", parent="vm-1")
        assert [step.id for step in control._working()] == ["vm-1/left", "vm-2/install"]


def test_words_that_do_not_fit_are_refused_in_words_and_move_nothing(tmp_path: Path) -> None:
    """Beside a `complete`, a `resume` would have had the run that is over go on."""
    clock = SimulatedClock(datetime(2026, 6, 1, tzinfo=UTC))
    with Journal.open(tmp_path / "journal.db", clock) as journal:
        journal.add(Kind.RUN, "r", run_id="r")
        control = CommandControl(journal, clock, "r", goes_on="crossfade complete")

        def said(*verbs: str) -> list[str]:
            for verb in verbs:
                give(tmp_path / "journal.db", clock, verb, actor="olivia")
            control.hear()
            return [each.answer for each in journal.commands(state=None)][-len(verbs) :]

        journal.move(Kind.RUN, "r", "running")
        _, twice, _, again = said("pause", "pause", "resume", "resume")
        assert ("It is paused, not running." in twice, "It is running, not paused." in again) == (True, True)
        journal.move(Kind.RUN, "r", "finished")
        assert "It is finished, not paused." in said("resume")[0]
        assert "`crossfade complete` goes on once this process has ended" in said("abort", "resume")[1]
        run = journal.get(Kind.RUN, "r")
        assert run is not None
        assert run.state == "finished"
