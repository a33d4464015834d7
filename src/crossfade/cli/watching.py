"""Following a run while it is carried out in this process: a live view in a terminal, lines in a log.

Both are fed by the journal, through a reader of their own in a thread of their own; the run does not know of them.
All of it goes to standard error: standard output is for the answer.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossfade.commands.workspace import Workspace

LOOK_EVERY_S = 1.0
Calls = Callable[[], int | None]
Say = Callable[[str], None]


def nobody_counts() -> int | None:
    """Where calls are not known."""
    return None


@contextmanager
def watching(workspace: "Workspace", calls: Calls = nobody_counts, *, lines: bool = True) -> Iterator[Say]:
    """Show the run of this folder until the end of the `with`. Gives a way to say a line beside it.

    `lines`: outside of a terminal, print a line for whatever moves.
    """
    if sys.stderr.isatty():
        with _live(workspace, calls) as say:
            yield say
    elif lines:
        with _lines(workspace) as say:
            yield say
    else:
        yield say_line


def say_line(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- in a terminal


@contextmanager
def _live(workspace: "Workspace", calls: Calls) -> Iterator[Say]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    screen = _Screen(workspace, calls)
    with Live(console=console, get_renderable=screen.draw, refresh_per_second=1 / LOOK_EVERY_S) as live:
        try:
            yield lambda text: console.print(text, markup=False, highlight=False)
        finally:
            live.transient = not screen.has_drawn  # no empty line before a refusal


class _Screen:
    """Draws the run as it stands, and the last picture again while the journal cannot be read."""

    def __init__(self, workspace: "Workspace", calls: Calls) -> None:
        self._workspace = workspace
        self._calls = calls
        self._began = time.monotonic()
        self._capacity: dict[str, int] = {}
        self._last: Any = ""

    @property
    def has_drawn(self) -> bool:
        return bool(self._last)

    def draw(self) -> Any:
        from crossfade.cli.live import Figures, view
        from crossfade.commands.status import capacities, live_status, seats

        found = live_status(self._workspace)
        if found is None:
            return self._last
        self._capacity = self._capacity or capacities(self._workspace)
        figures = Figures(seats(found, self._capacity), self._calls(), time.monotonic() - self._began)
        self._last = view(found, figures)
        return self._last


# ---------------------------------------------------------------- in a log


@contextmanager
def _lines(workspace: "Workspace") -> Iterator[Say]:
    """Print a line for each run, wave and host that moves, and for each step that failed."""
    over = threading.Event()
    follower = _Follower(workspace)
    thread = threading.Thread(target=follower.follow, args=(over,), daemon=True)
    thread.start()
    try:
        yield say_line
    finally:
        over.set()
        thread.join(timeout=10.0)
        follower.print_new()


class _Follower:
    """Where it stands in the journal's events. One that begins in the middle tells only what is new."""

    def __init__(self, workspace: "Workspace") -> None:
        from crossfade.commands.status import last_seq

        self._workspace = workspace
        self._seq = last_seq(workspace)

    def follow(self, over: threading.Event) -> None:
        while not over.wait(LOOK_EVERY_S):
            self.print_new()

    def print_new(self) -> None:
        from crossfade.cli.status_text import line
        from crossfade.commands.status import since

        for event in since(self._workspace, self._seq):
            self._seq = event.seq
            say_line(line(event))
