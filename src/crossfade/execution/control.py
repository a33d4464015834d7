"""What the operator says from another terminal, as the running process hears it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crossfade.clock import Clock, iso
from crossfade.errors import CloudError, MigrationError, Refused, StepFailed, Stopped
from crossfade.execution.engine import Outcome, WorkflowState
from crossfade.execution.journal import NOBODY, Journal
from crossfade.execution.journal import Context as Who
from crossfade.execution.outages import Frozen, Outages
from crossfade.execution.records import Command, Entity
from crossfade.execution.stopping import RESUME, Stop
from crossfade.execution.transitions import Kind, RunState, sources

if TYPE_CHECKING:
    from crossfade.execution.context import Context

LISTEN_S = 5.0
ABORT_WITHIN_S = 1_800.0
STOPPED = "process-stopped"
PATIENT = ("waiting for ", "watching ")
"""Steps that only look may be dropped at any moment."""


class CommandControl:
    """Hears the journal's command table. `attach` a run to it before anybody listens.

    `pause`: nothing new begins; hosts on their way go on. `abort`: no step begins any more, those in flight end, the
    run holds. Other verbs are orders, see `orders` and `steering`.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        run_id: str,
        stop: Stop | None = None,
        *,
        goes_on: str = RESUME,
    ) -> None:
        """`goes_on`: the command that goes on with what this process does, when it has ended before its end."""
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._left_behind = {step.id: step.attempt for step in journal.unknown_steps()}
        self._paused = False
        self._held: tuple[StepFailed, Who] | None = None
        self._hold_asked = asyncio.Event()
        self._outages = Outages(journal, clock, run_id, self._hold_for, goes_on)
        self._stop = stop or Stop()
        self._stop.attach(self._in_flight, goes_on)
        self._goes_on = goes_on
        self._verbs: dict[str, Callable[[Command], str]] = {
            "pause": self._pause,
            "resume": self._resume,
            "abort": self._abort,
            "rollback": self._rollback,
        }

    def attach(self, context: "Context") -> None:
        """From now on commands may name the hosts and waves of this run."""
        from crossfade.execution.steering import verbs

        self._verbs |= verbs(context)

    # -- asked by the run

    async def checkpoint(self) -> None:
        """Returns when work may begin."""
        while self._paused or self.is_ending():
            await self._clock.sleep(LISTEN_S)

    async def gate(self) -> None:
        """Returns when a step may begin; not any more once the run is to stop."""
        while self.is_ending():
            await self._clock.sleep(LISTEN_S)

    async def outage(self, step_id: str, error: CloudError) -> bool:
        """Whether a step is to be tried again after this error; see `Outages.met`."""
        return await self._outages.met(step_id, error)

    def outage_over(self, step_id: str, error: CloudError) -> None:
        """A step got through that had met this error."""
        self._outages.over(step_id, error)

    # -- listening

    async def listen(self) -> None:
        """Answer commands until cancelled."""
        while True:
            self.hear()
            await self._clock.sleep(LISTEN_S)

    def hear(self) -> None:
        """Answer every command that waits, in order."""
        for command in self._journal.commands():
            act = self._verbs.get(command.verb)
            if act is None:
                text = f"This version knows no {command.verb}."
                self._journal.answer(command, refused=True, text=text, run_id=self._run_id)
                continue
            try:
                text = act(command)
            except MigrationError as error:
                self._journal.answer(command, refused=True, text=str(error), run_id=self._run_id)
            else:
                self._journal.answer(command, text=text, run_id=self._run_id)

    # -- stopping

    async def stopped(self) -> Outcome:
        """When somebody has said `abort`, an outage lasts too long, or somebody has asked this process to end, and the
        last step in flight has ended. The first two make the run hold; the other leaves it as it is, for whoever goes
        on."""
        await _first(self._hold_asked.wait(), self._stop.asked.wait())
        until = self._clock.now() + timedelta(seconds=ABORT_WITHIN_S)
        while self._working() and self._clock.now() < until and not self._stop.at_once.is_set():
            await self._clock.sleep(1.0)
        return self._hold(*self._held) if self._held is not None else self._left()

    def is_ending(self) -> bool:
        """Whether nothing new begins any more."""
        return self._held is not None or self._stop.asked.is_set()

    def _working(self) -> list[Entity]:
        """The steps that this process began and that are doing something, not only looking. Told by their tries and not
        by the time: a clock may be set back."""
        return [
            step
            for step in self._journal.unknown_steps()
            if self._left_behind.get(step.id) != step.attempt and not step.reason.startswith(PATIENT)
        ]

    def _in_flight(self) -> list[str]:
        return [f"{step.id}, since {step.moved_at[:19].replace('T', ' ')} UTC" for step in self._working()]

    def _left(self) -> Outcome:
        left = self._in_flight()
        why = f"{self._stop.by} asked for it. " + (
            f"Left in flight: {'; '.join(left)}." if left else "What was in flight has ended and is in the journal."
        )
        self._journal.note(STOPPED, why, run_id=self._run_id)
        error = Stopped("This process was stopped; nothing is lost.", why, f"`{self._goes_on}` goes on.")
        return Outcome(WorkflowState.CANCELLED, iso(self._clock.now()), error=error.as_data())

    def _hold(self, error: StepFailed, who: Who) -> Outcome:
        run = self._journal.get(Kind.RUN, self._run_id)
        to = RunState.FROZEN if isinstance(error, Frozen) else RunState.HOLDING
        if run is not None and run.state in sources(Kind.RUN, to):
            self._journal.move(Kind.RUN, self._run_id, to, reason=str(error), context=who)
        return Outcome(WorkflowState.FAILED, iso(self._clock.now()), error=error.as_data())

    def _hold_for(self, error: StepFailed, who: Who = NOBODY) -> None:
        if self._held is None:
            self._held = (error, who)
            self._hold_asked.set()

    # -- verbs of the process itself

    def _pause(self, command: Command) -> str:
        self._refuse_unless(RunState.RUNNING, "The run cannot be paused.")
        self._journal.move(Kind.RUN, self._run_id, RunState.PAUSED, reason=f"{command.actor} asked for it")
        self._paused = True
        return "Steps in flight end; nothing new begins."

    def _resume(self, command: Command) -> str:
        self._refuse_unless(RunState.PAUSED, "There is nothing to resume.")
        self._journal.move(Kind.RUN, self._run_id, RunState.RUNNING, reason=f"{command.actor} asked for it")
        self._paused = False
        return "The run goes on."

    def _refuse_unless(self, state: RunState, what: str) -> None:
        """Raises Refused while this process is being stopped, and when the run is not in this state."""
        if self.is_ending():
            mend = f"`{self._goes_on}` goes on once this process has ended."
            raise Refused(what, "This process is being stopped: no step begins any more.", mend)
        run = self._journal.get(Kind.RUN, self._run_id)
        if run is None or run.state != state:
            raise Refused(what, f"It is {run.state if run else 'unknown'}, not {state}.", "See `crossfade status`.")

    def _abort(self, command: Command) -> str:
        back = ", `crossfade rollback` goes back" if self._goes_on == RESUME else ""
        mend = f"`{self._goes_on}` goes on{back}."
        error = StepFailed("The run holds.", f"{command.actor} stopped it.", mend)
        self._hold_for(error, Who(actor=command.actor))
        return "Steps in flight end, none begins; then the run holds. Hosts stay where they are by then."

    def _rollback(self, command: Command) -> str:
        mend = "`crossfade abort` first; then `crossfade rollback` works from the terminal it is given in."
        why = "This process works on the run."
        raise Refused("Nothing was taken back.", why, mend)


async def _first(*waiting: Coroutine[Any, Any, Any]) -> None:
    """Returns when one of these has."""
    tasks = [asyncio.ensure_future(each) for each in waiting]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


class NoControl:
    """Nobody steers: rehearsals and tests."""

    async def checkpoint(self) -> None:
        return

    async def gate(self) -> None:
        return

    async def outage(self, step_id: str, error: CloudError) -> bool:
        return False

    def outage_over(self, step_id: str, error: CloudError) -> None:
        return
