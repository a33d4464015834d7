"""How long `crossfade --help` and `crossfade status` take, beside `python -c pass`. The bound: help at most 10 times.

    PYTHONPATH=src python benchmarks/startup.py

The best and the median of several runs, turn by turn, so that a busy machine disturbs all alike.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROUNDS = 15
BOUND = 10.0


def commands(folder: str) -> dict[str, list[str]]:
    run = [sys.executable, "-c", "import sys; from crossfade.cli.main import main; sys.exit(main())"]
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import typer": [sys.executable, "-c", "import typer"],
        "crossfade --help": [*run, "--help"],
        "crossfade status": [*run, "status", "--dir", folder],
    }


class Minutes:
    """A clock for the journal: it stands."""

    def now(self) -> datetime:
        return datetime(2026, 6, 26, 18, 0, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def a_run(folder: Path, hosts: int = 1_200) -> None:
    """A journal of `hosts` hosts in 120 waves, each host a few steps on its way."""
    from crossfade.execution.journal import Journal
    from crossfade.execution.transitions import Kind

    journal = Journal.open(folder / "journal.db", Minutes(), synchronous="NORMAL")
    journal.add(Kind.RUN, "run", run_id="run")
    journal.move(Kind.RUN, "run", "running")
    for wave in range(hosts // 10):
        journal.add(Kind.WAVE, f"wave-{wave:03}", run_id="run", parent="run")
    for host in range(hosts):
        name = f"Default Tenant Group/Fabrikam/Pool {host % 25}/vm-{host}.fabrikam.com"
        journal.add(Kind.HOST, name, run_id="run", parent=f"wave-{host // 10:03}")
        for step in ("stage", "seat", "drain", "notice"):
            journal.begin(f"{name}#forward/{step}", run_id="run", parent=f"{name}#forward")
            journal.finish(f"{name}#forward/{step}")
        journal.move(Kind.HOST, name, "staged")
    journal.close()


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        a_run(Path(folder))
        taken = measured(commands(folder))
    pass_s = statistics.median(taken["python -c pass"])
    print(f"{'command':<20}{'best ms':>10}{'median ms':>12}{'times pass':>12}")
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"{name:<20}{min(seconds) * 1e3:>10.0f}{median * 1e3:>12.0f}{median / pass_s:>12.1f}")
    ratio = statistics.median(taken["crossfade --help"]) / pass_s
    print(f"crossfade --help takes {ratio:.1f} times python -c pass; the bound is {BOUND:.0f}.")
    return 0 if ratio <= BOUND else 1


def measured(todo: dict[str, list[str]]) -> dict[str, list[float]]:
    """Name -> seconds of each round, after one that only warms the caches."""
    taken: dict[str, list[float]] = {name: [] for name in todo}
    for turn in range(ROUNDS + 1):
        for name, command in todo.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if turn:
                taken[name].append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
