"""Progress of reading: bars in a terminal, a line now and then elsewhere, on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]
LINE_EVERY_S = 5.0


@contextmanager
def showing(title: str) -> Iterator[Progress]:
    """A progress to give to a discovery: told the collection, how many lists are read, how many are known so far."""
    if sys.stderr.isatty():
        with _bars() as progress:
            yield progress
    else:
        yield _lines(title)


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:

        def progress(collection: str, done: int, known: int) -> None:
            if collection not in tasks:
                tasks[collection] = bars.add_task(collection, total=known)
            bars.update(tasks[collection], completed=done, total=known)

        yield progress


def _lines(title: str) -> Progress:
    known_of: dict[str, tuple[int, int]] = {}
    last = time.monotonic()

    def progress(collection: str, done: int, known: int) -> None:
        nonlocal last
        known_of[collection] = (done, known)
        if time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            told = ", ".join(f"{name} {some} of {all_of_it}" for name, (some, all_of_it) in known_of.items())
            print(f"{title}: {told}", file=sys.stderr, flush=True)

    return progress
