"""Two workers beside one, on one PostgreSQL: sites of `fabrikam`, each a run of its own.

    PYTHONPATH=src python benchmarks/workers.py [sites] [hosts] [at once] [people]

A site is one of its pools, cut to so many hosts (4 sites of 6; `24 48` is all of them) and so many people for a host
(as many as it has). The 25th pool, of personal desktops, waits a day for its people, however many workers there are.
Nobody comes to work, so that both do the same; a run waits for people to be seen on the target before it takes the last
seats of so many from classic: hence fewer of them where all hosts of a site move. Each worker carries out so many runs
at once (1); everything is in one process under virtual time, the journals and the queue in a real server. What is
compared is how long it takes by the estate's clock, and what the twins were told: what one worker writes, two write
too, and nothing twice. It fails when anything was written twice, or no time was won.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "scenario"))

import msgspec
from fleet_kit import Tenants
from workers_kit import writes_of

from avdtwin.estate import specs
from avdtwin.estate.specs import PoolSpec
from crossfade.commands import worker
from postgres_kit import Server, made_in


def main() -> int:
    sites, hosts, at_once, people = [*map(int, sys.argv[1:]), *(4, 6, 1, 0)[len(sys.argv) - 1 :]]
    pools = cut(sites, hosts, people)
    folder = Path(tempfile.mkdtemp(prefix="crossfade-workers-"))
    server = made_in(Path(tempfile.mkdtemp(prefix="crossfade-postgres-")))
    server.start()
    try:
        one_s, one = measured(folder / "one", server, pools, at_once, workers=1)
        two_s, two = measured(folder / "two", server, pools, at_once, workers=2)
    finally:
        server.stop(crash=True)
        for each in (folder, server.folder):
            shutil.rmtree(each, ignore_errors=True)
    twice = sum((two - one).values())
    print(f"speed-up {one_s / two_s:.2f}; writes {one.total()} with one, {two.total()} with two: {twice} more")
    return 0 if one == two and two_s < one_s else 1


def cut(sites: int, hosts: int, people: int) -> list[PoolSpec]:
    """The first pools of the estate, smaller. `people` for each host, 0: as many as there are."""
    return [
        msgspec.structs.replace(
            pool,
            hosts=hosts,
            desktop_people=hosts * (1 if pool.personal else people or pool.desktop_people // pool.hosts),
            groups=(),
        )
        for pool in specs.named("fabrikam").pools[:sites]
    ]


def measured(
    folder: Path, server: Server, sites: list[PoolSpec], at_once: int, *, workers: int
) -> tuple[float, Counter[str]]:
    """Hours by the estate's clock until all is moved, and the writes of all sites."""
    begun = time.perf_counter()
    tenants = Tenants(folder, server.new_database())
    for number, pool in enumerate(sites):
        tenants.add(f"site{number:02}", pool)

    async def work() -> float:
        at = tenants.clock.now()
        shifts = [tenants.working(worker.Stops(), at_once=at_once, name=f"worker-{one}") for one in range(workers)]
        done = await asyncio.gather(*shifts)
        assert sorted(run for each in done for run in each.finished) == sorted(each.run for each in tenants.queued())
        return (tenants.clock.now() - at).total_seconds()

    took_s = tenants.clock.run(work())
    hosts = Counter(state for stage in tenants.stages.values() for state in stage.hosts().values())
    told: Counter[str] = Counter()
    for stage in tenants.stages.values():
        told.update(writes_of(stage.world.state.calls))
    took = f"{took_s / 3600:.1f} h by the estate's clock, {time.perf_counter() - begun:.0f} s real"
    print(f"{workers} x {at_once} at once: {len(sites)} sites, hosts {dict(hosts)}, {took}", flush=True)
    tenants.clock.close()
    return took_s, told


if __name__ == "__main__":
    raise SystemExit(main())
