"""A process that is asked to end while it works on a run: what is in flight ends first."""

import asyncio
from collections.abc import Callable

RESUME = "crossfade resume"
"""What goes on with a run that goes forward. A rollback or a removal is gone on with by saying it again."""
InFlight = Callable[[], list[str]]
"""What is still waited for, in words."""


class Stop:
    """Asks the run of this process to end. Asked once, nothing new begins and what is in flight ends; asked twice, it
    says what is still waited for; asked three times, it waits no longer. One for each run, made where its loop runs."""

    def __init__(self) -> None:
        self.by = ""
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()
        self._times = 0
        self._in_flight: InFlight | None = None
        self._goes_on = RESUME

    def attach(self, in_flight: InFlight, goes_on: str = RESUME) -> None:
        """A run listens from now on. `goes_on`: the command that goes on with what it does."""
        self._in_flight = in_flight
        self._goes_on = goes_on

    @property
    def attached(self) -> bool:
        """Whether a run listens: before that nothing was written, and the process may simply go."""
        return self._in_flight is not None

    def ask(self, by: str) -> str:
        """Ask once more. What happens, in words."""
        self._times += 1
        self.by = self.by or by
        self.asked.set()
        waited_for = self._in_flight() if self._in_flight else []
        listed = "".join(f"\n  {each}" for each in waited_for) or " nothing."
        if self._times == 1:
            return f"{by}: nothing new begins. What is in flight ends first:{listed}"
        if self._times == 2:
            return (
                f"{by}: still waited for:{listed}\nOnce more, and it is left as it is: `{self._goes_on}` looks first."
            )
        self.at_once.set()
        return f"{by}: left as it is. Whoever goes on looks first what became of it."
