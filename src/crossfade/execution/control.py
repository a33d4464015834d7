"""What the operator says from another terminal, as the running process hears it."""

from collections.abc import Callable

from crossfade.clock import Clock
from crossfade.errors import MigrationError
from crossfade.execution.journal import Journal
from crossfade.execution.records import Command
from crossfade.execution.transitions import Kind, RunState

LISTEN_S = 5.0


class CommandControl:
    """Hears the journal's command table. `pause`: nothing new begins; what is in flight ends. `resume` lifts it."""

    def __init__(self, journal: Journal, clock: Clock, run_id: str) -> None:
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._paused = False
        self._verbs: dict[str, Callable[[Command], str]] = {"pause": self._pause, "resume": self._resume}

    async def checkpoint(self) -> None:
        """Returns when work may begin."""
        while self._paused:
            await self._clock.sleep(LISTEN_S)

    async def gate(self) -> None:
        """Returns when a step may begin."""

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

    def _pause(self, command: Command) -> str:
        self._journal.move(Kind.RUN, self._run_id, RunState.PAUSED, reason=f"{command.actor} asked for it")
        self._paused = True
        return "Steps in flight end; nothing new begins."

    def _resume(self, command: Command) -> str:
        self._journal.move(Kind.RUN, self._run_id, RunState.RUNNING, reason=f"{command.actor} asked for it")
        self._paused = False
        return "The run goes on."


class NoControl:
    """Nobody steers: rehearsals and tests."""

    async def checkpoint(self) -> None:
        return

    async def gate(self) -> None:
        return
