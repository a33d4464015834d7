"""What the engines need of the virtual loop: threads run inline, and time can be made to stand still."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from crossfade.clock import SimulatedClock, VirtualLoop

START = datetime(2026, 6, 1, tzinfo=UTC)


def test_work_for_a_thread_runs_inline_as_if_in_one() -> None:
    def work() -> threading.Thread:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return threading.current_thread()

    async def main() -> threading.Thread:
        thread = await asyncio.to_thread(work)
        asyncio.get_running_loop()
        return thread

    assert SimulatedClock(START).run(main()) is threading.current_thread()


def test_no_time_passes_while_another_thread_is_awaited() -> None:
    clock = SimulatedClock(START)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        nights_rest = asyncio.ensure_future(clock.sleep(8 * 3600))
        told = asyncio.Event()
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(told.set)).start()
        with loop.held():
            await told.wait()
        assert clock.now() == START
        await nights_rest
        assert (clock.now() - START).total_seconds() == 8 * 3600

    clock.run(main())
