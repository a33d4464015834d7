"""What the operator says from another terminal, as the running process hears it."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from crossfade.clock import Clock, iso
from crossfade.errors import MigrationError, Refused, StepFailed
from crossfade.execution.engine import Outcome, WorkflowState
from crossfade.execution.journal import Context as Who
from crossfade.execution.journal import Journal
from crossfade.execution.records import Command
from crossfade.execution.transitions import Kind, RunState, sources

if TYPE_CHECKING:
    from crossfade.execution.context import Context

LISTEN_S = 5.0
ABORT_WITHIN_S = 1_800.0
PATIENT = ("waiting for ", "watching ")
"""Steps that only look may be dropped at any moment."""


class CommandControl:
    """Hears the journal's command table. `attach` a run to it before anybody listens.

    `pause`: nothing new begins; hosts on their way go on. `abort`: no step begins any more, those in flight end, the
    run holds. Other verbs are orders, see `orders` and `steering`.
    """

    def __init__(self, journal: Journal, clock: Clock, run_id: str) -> None:
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._since = iso(clock.now())
        self._paused = False
        self._aborted: Command | None = None
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
        while self._paused:
            await self._clock.sleep(LISTEN_S)

    async def gate(self) -> None:
        """Returns when a step may begin; not any more once the run is to stop."""
        while self._aborted is not None:
            await self._clock.sleep(LISTEN_S)

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
        """When somebody has said `abort` and the last step in flight has ended: the run holds."""
        while self._aborted is None:
            await self._clock.sleep(LISTEN_S)
        until = self._clock.now() + timedelta(seconds=ABORT_WITHIN_S)
        while self._working() and self._clock.now() < until:
            await self._clock.sleep(1.0)
        return self._hold(self._aborted)

    def _working(self) -> bool:
        """Whether a step that this process began is doing something, not only looking."""
        return any(
            step.moved_at >= self._since and not step.reason.startswith(PATIENT)
            for step in self._journal.unknown_steps()
        )

    def _hold(self, command: Command) -> Outcome:
        why = f"{command.actor} stopped it."
        who = Who(actor=command.actor)
        run = self._journal.get(Kind.RUN, self._run_id)
        if run is not None and run.state in sources(Kind.RUN, RunState.HOLDING):
            self._journal.move(Kind.RUN, self._run_id, RunState.HOLDING, reason=why, context=who)
        error = StepFailed("The run holds.", why, "`crossfade resume` goes on, `crossfade rollback` goes back.")
        return Outcome(WorkflowState.FAILED, iso(self._clock.now()), error=error.as_data())

    # -- verbs of the process itself

    def _pause(self, command: Command) -> str:
        self._journal.move(Kind.RUN, self._run_id, RunState.PAUSED, reason=f"{command.actor} asked for it")
        self._paused = True
        return "Steps in flight end; nothing new begins."

    def _resume(self, command: Command) -> str:
        self._journal.move(Kind.RUN, self._run_id, RunState.RUNNING, reason=f"{command.actor} asked for it")
        self._paused = False
        return "The run goes on."

    def _abort(self, command: Command) -> str:
        self._aborted = command
        return "Steps in flight end, none begins; then the run holds. Hosts stay where they are by then."

    def _rollback(self, command: Command) -> str:
        mend = "`crossfade abort` first; then `crossfade rollback` works from the terminal it is given in."
        raise Refused("Nothing was taken back.", "The run is going forward in this process.", mend)


class NoControl:
    """Nobody steers: rehearsals and tests."""

    async def checkpoint(self) -> None:
        return

    async def gate(self) -> None:
        return
