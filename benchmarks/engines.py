"""Bookkeeping of the two engines and the journal: steps per second, CPU per step and memory, at several lengths.

    PYTHONPATH=src python benchmarks/engines.py [lengths]

The peer in the same run is the in-process engine without a journal: what the bodies themselves cost. Each row is
measured in a process of its own; memory is the most that it held beyond what it held before the first step.
Bounds: 6 ms CPU a step with DBOS on SQLite, and both it and memory flat from 100 to 10,000 steps.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from crossfade.clock import SimulatedClock
from crossfade.execution.dbos_engine import DbosEngine
from crossfade.execution.engine import Bodies, Engine, Workflow
from crossfade.execution.inprocess import InProcessEngine
from crossfade.execution.journal import Journal
from crossfade.execution.transitions import Kind

START = datetime(2026, 6, 1, tzinfo=UTC)
LENGTHS = (100, 1_000, 10_000)


def bodies(journal: Journal | None) -> Bodies:
    """One workflow of `n` steps, each with its intent and outcome in the journal where there is one."""

    async def main(port: Workflow, args: dict[str, Any]) -> Any:
        for number in range(args["n"]):

            async def step(name: str = f"{args['name']}{number}") -> dict[str, str]:
                if journal is not None:
                    journal.begin(name, run_id="r", parent="r")
                    journal.finish(name, data={"id": name})
                return {"id": name}

            await port.step(f"s{number}", step)

    return {"main": main}


def measure(kind: str, synchronous: Literal["FULL", "NORMAL"] | None, steps: int) -> None:
    clock = SimulatedClock(START)
    with tempfile.TemporaryDirectory() as folder:
        journal = None
        if synchronous is not None:
            journal = Journal.open(Path(folder) / "journal.db", clock, synchronous=synchronous)
            journal.add(Kind.RUN, "r", run_id="r")
        made = bodies(journal)
        store = Path(folder) / "engine.db"
        engine: Engine = InProcessEngine(made, clock) if kind == "inprocess" else DbosEngine(made, clock, store)
        real, cpu, memory_mib = clock.run(_run(engine, steps))
        if journal is not None:
            journal.close()
    told = f"journal {synchronous}" if synchronous else "no journal"
    print(
        f"{kind:10} {told:15} {steps:>6} steps {steps / real:>9,.0f}/s {cpu / steps * 1000:>7.3f} ms CPU/step"
        f" {memory_mib:>6.1f} MiB",
        flush=True,
    )


async def _run(engine: Engine, steps: int) -> tuple[float, float, float]:
    await engine.open()
    try:
        await engine.recover()
        await engine.start("main", "before", {"n": 10, "name": "b"})
        (await engine.wait(["before"]))["before"].raise_if_failed()
        real, cpu, memory = time.perf_counter(), time.process_time(), _peak_mib()
        await engine.start("main", "w", {"n": steps, "name": "s"})
        (await engine.wait(["w"]))["w"].raise_if_failed()
        return time.perf_counter() - real, time.process_time() - cpu, _peak_mib() - memory
    finally:
        await engine.close()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    fresh = multiprocessing.get_context("spawn")
    lengths = [int(each) for each in sys.argv[1:]] or LENGTHS
    for kind in ("inprocess", "dbos"):
        for synchronous in (None, "NORMAL", "FULL"):
            for steps in lengths:
                each = fresh.Process(target=measure, args=(kind, synchronous, steps))
                each.start()
                each.join()
                if each.exitcode:
                    raise SystemExit(each.exitcode)
