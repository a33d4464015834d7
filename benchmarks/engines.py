"""Bookkeeping of the two engines and the journal: steps per second and CPU per step, at several lengths.

    PYTHONPATH=src python benchmarks/engines.py

The peer in the same run is the in-process engine without a journal: what the bodies themselves cost.
"""

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

            async def step(name: str = f"s{number}") -> dict[str, str]:
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
        real, cpu = clock.run(_run(engine, steps))
        if journal is not None:
            journal.close()
    told = f"journal {synchronous}" if synchronous else "no journal"
    print(f"{kind:10} {told:15} {steps:>6} steps {steps / real:>9,.0f}/s {cpu / steps * 1000:>7.3f} ms CPU/step")


async def _run(engine: Engine, steps: int) -> tuple[float, float]:
    await engine.open()
    try:
        await engine.recover()
        real, cpu = time.perf_counter(), time.process_time()
        await engine.start("main", "w", {"n": steps})
        (await engine.wait(["w"]))["w"].raise_if_failed()
        return time.perf_counter() - real, time.process_time() - cpu
    finally:
        await engine.close()


if __name__ == "__main__":
    lengths = [int(each) for each in sys.argv[1:]] or LENGTHS
    for kind in ("inprocess", "dbos"):
        for synchronous in (None, "NORMAL", "FULL"):
            for steps in lengths:
                measure(kind, synchronous, steps)
