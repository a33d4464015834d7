"""Two worker processes on one PostgreSQL move a whole estate; kill -9 takes one of them in the middle.

    PYTHONPATH=src python benchmarks/workers_killed.py [estate] [parts] [factor] [at once]

The estate (`fabrikam`) is moved in so many parts (5), each a run of some of its pools, so many at once (3) by each
worker. The twin is a process too, over HTTPS, and its clock `factor` (120) times as fast as life. Nobody comes to work,
and few are expected at once: a run waits for people to be seen on the target before it takes their seats from classic.
First nobody is killed; what the twin was told then is what it should be told with a kill, but for the calls in flight.
It fails when a run did not finish, when more was written than that, or when the dead worker's runs were adopted late.
"""

import contextlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "scenario"))

import msgspec
from stage import QUICK
from workers_kit import WorkerProcess, Yard, writes_of

from crossfade.commands.workspace import INVENTORY, Workspace
from crossfade.errors import MigrationError
from crossfade.execution.transitions import HostState, Kind
from crossfade.inventory.inventory import Inventory
from crossfade.plan.intent import Access
from postgres_kit import made_in

WAVES = msgspec.structs.replace(QUICK, size=40, canary_wave=10, parallel_moves=20, expected_share=0.05)
ACCESS = Access(direct_threshold=20)
"""As in the demo: one grant for each person would be more than a subscription takes."""
SILENCE_S = 2400.0
"""Of the twin's time."""
LONGEST_S = 3600.0


def main() -> int:
    estate, *numbers = [*sys.argv[1:], *("fabrikam", "5", "120", "3")[len(sys.argv) - 1 :]]
    parts, factor, at_once = map(int, numbers)
    folder = Path(tempfile.mkdtemp(prefix="crossfade-killed-"))
    server = made_in(Path(tempfile.mkdtemp(prefix="crossfade-postgres-")))
    server.start()
    try:
        calm, killed = (
            moved(Yard(estate, folder / name, server.new_database(), factor, SILENCE_S), parts, at_once, name)
            for name in ("calm", "killed")
        )
    finally:
        server.stop(crash=True)
        for each in (folder, server.folder):
            shutil.rmtree(each, ignore_errors=True)
    differ = {call: (calm[call], killed[call]) for call in sorted(calm | killed) if calm[call] != killed[call]}
    print(f"writes {calm.total()} without a kill, {killed.total()} with one; other counts: {differ or 'none'}")
    return 0 if 0 <= killed.total() - calm.total() <= at_once * WAVES.parallel_moves else 1


def moved(yard: Yard, parts: int, at_once: int, name: str) -> Counter[str]:
    """What the twin was told until all is moved."""
    with yard:
        yard.discover()
        pools = [pool.key for pool in Workspace(yard.folder).read(INVENTORY, Inventory).pools]
        for part in range(parts):
            yard.queue(f"part-{part}", pools=pools[part::parts], share=100 // parts, waves=WAVES, access=ACCESS)
        begun = time.monotonic()
        workers = {worker: yard.worker(name=worker, at_once=at_once) for worker in ("first", "second")}
        if name == "killed":
            kill(yard, workers)
        done = {worker: process.ended(LONGEST_S) for worker, process in workers.items()}
        took_s = time.monotonic() - begun
        print(f"{name}: {took_s * yard.factor / 3600:.1f} h by the estate's clock, {took_s:.0f} s real")
        print(f"  finished {[(worker, one['finished'], one['adopted']) for worker, one in done.items()]}")
        for way, hosts in ways(yard).most_common():
            print(f"  {hosts} hosts: {way}", flush=True)
        assert {entry.state for entry in yard.runs().values()} == {"finished"}, yard.runs()
        told = Counter(writes_of(yard.ask("calls")))
        print(f"  {told.total()} writes: {dict(sorted(told.items()))}", flush=True)
        return told


def kill(yard: Yard, workers: dict[str, WorkerProcess]) -> None:
    """As soon as a third of the hosts have arrived, take the worker that has most of the runs."""
    yard.until(lambda: confirmed(yard) > 0.3, LONGEST_S)
    holders = Counter(entry.worker for entry in yard.runs().values() if entry.state == "working")
    victim = holders.most_common(1)[0][0]
    had = [run for run, entry in yard.runs().items() if entry.state == "working" and entry.worker == victim]
    at = yard.clock.now()
    workers.pop(victim).kill()
    yard.until(lambda: all(yard.runs()[run].adopted for run in had), 120)
    late = (yard.clock.now() - at).total_seconds()
    print(f"killed: worker {victim}, which had {had}; adopted {late:.0f} s later by the estate's clock", flush=True)
    assert late <= SILENCE_S + 60.0


def confirmed(yard: Yard) -> float:
    """The share of all hosts that have arrived for good; those of parts that nobody has begun have not."""
    time.sleep(1.0)
    states: Counter[str] = Counter()
    for run, entry in yard.runs().items():
        if entry.state != "waiting":
            with contextlib.suppress(MigrationError), yard.journal(run) as reader:  # one just begun has none yet
                states.update(host.state for host in reader.all(Kind.HOST))
    hosts = len(Workspace(yard.folder).read(INVENTORY, Inventory).hosts)
    return states[HostState.CONFIRMED] / hosts


def ways(yard: Yard) -> Counter[str]:
    """The ways that hosts went through their states -> how many went so. Reads every journal's chain."""
    found: Counter[str] = Counter()
    for run in yard.runs():
        with yard.journal(run) as reader:
            reader.verify()
            went: dict[str, list[str]] = {}
            for event in reader.events(kind="host"):
                went.setdefault(event.subject, []).append(str(event.to_state))
            found.update(" ".join(way) for way in went.values())
    return found


if __name__ == "__main__":
    raise SystemExit(main())
