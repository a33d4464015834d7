"""A worker as a process of its own, whose clock is that of a twin that is faster than life.

    python worker_process.py '{"database": …, "factor": 240, "epoch": …, "monotonic": …, "options": {…}}'

`epoch` is the twin's time at the moment `monotonic` of the machine's clock, which all processes share. Network
time-outs stay real. What the worker says goes to standard error, what it did to standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from crossfade.app import in_process_engine, services_for
from crossfade.cli.answers import Connection
from crossfade.cli.fleeting import environ_of
from crossfade.cli.services import endpoints, silence
from crossfade.cli.signals import heard
from crossfade.cloud.services import Services
from crossfade.commands import worker
from crossfade.execution.fleet import Entry


class FastClock:
    """The twin's time, `factor` times as fast as ours."""

    def __init__(self, factor: float, epoch: float, monotonic: float) -> None:
        self.factor = factor
        self._epoch = epoch
        self._monotonic = monotonic

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._epoch + (time.monotonic() - self._monotonic) * self.factor, UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.factor)


def open_services(entry: Entry, clock: FastClock) -> Services:
    connection = endpoints(Connection(**entry.connection))
    return services_for(connection, clock, environ=environ_of(entry.name), share=entry.share / 100)


async def work(told: dict[str, Any]) -> worker.Worked:
    clock, stops = FastClock(told["factor"], told["epoch"], told["monotonic"]), worker.Stops()

    def say(text: str) -> None:
        print(f"{clock.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)

    engine, database = in_process_engine(clock), told["database"]
    means = worker.Means(database, clock, lambda entry: open_services(entry, clock), engine, stops, say)
    with heard(stops, say):
        return await worker.work(means, worker.Terms(**told["options"]))


if __name__ == "__main__":
    silence()
    print(msgspec.json.encode(asyncio.run(work(json.loads(sys.argv[1])))).decode())
