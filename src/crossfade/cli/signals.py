"""SIGINT and SIGTERM while a run is carried out: the run ends what is in flight, and says how to go on."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Asked(Protocol):
    """A `Stop`, or whatever stands for several."""

    @property
    def attached(self) -> bool: ...

    def ask(self, by: str) -> str: ...


@contextmanager
def heard(stop: Asked, say: Callable[[str], None]) -> Iterator[None]:
    """Inside, both signals ask the run to end. Before a run listens they interrupt, as they always do.

    Use it in the task that carries the run out, in the main thread.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "called from a task"
    interrupted = False

    def tell(number: int) -> None:
        nonlocal interrupted
        if stop.attached:
            say(stop.ask(signal.Signals(number).name))
        else:
            interrupted = True
            task.cancel()

    def on_signal(number: int, frame: Any) -> None:
        # The loop's own way: nothing of ours runs in the middle of something else.
        loop.call_soon_threadsafe(tell, number)

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
