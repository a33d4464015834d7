"""What pacing costs and keeps, on the twin with its documented buckets, under virtual time.

    PYTHONPATH=src python benchmarks/pacing.py [assignments] [hosts]

1. So many role assignments at once, beside the arithmetic of the bucket itself: the first 200 writes are free, the rest
   come at 10 a second (facts/arm-service 9.1).
2. So many hosts in flight at once (one pool, one wave): the fullest second and the fullest ten seconds of reads of the
   subscription, beside what the bucket gives in them, and how often the twin said 429.
"""

import asyncio
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from avdtwin import estate
from avdtwin.estate.specs import EstateSpec, PoolSpec
from crossfade.app import Rehearsal, in_process_engine, twin_clock
from crossfade.assessment.findings import Findings
from crossfade.clock import SimulatedClock, iso, parse_iso
from crossfade.cloud.services import Services
from crossfade.commands.apply import apply
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET, Workspace
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.intent import Azure, Intent, PoolIntent, Waves
from crossfade.plan.planner import make_plan

EVENING = "2026-06-08T20:00:00Z"
DESKTOP_USER = "1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63"
PER_SCOPE = 100
BURST, WRITES_PER_S, READS_BURST, READS_PER_S = 200, 10.0, 250, 25.0


class Tap:
    """Counts what reaches the twin, and what it answers, by virtual second."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.reads: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()
        self._clock = rehearsal.clock
        self._app = rehearsal.app
        rehearsal.app = self  # type: ignore[assignment]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET" and str(scope["path"]).startswith("/subscriptions/"):
            self.reads[int(self._clock.timestamp())] += 1

        async def noted(message: Any) -> None:
            self.statuses[message.get("status", 0)] += 1
            await send(message)

        await self._app(scope, receive, noted)

    def fullest(self, seconds: int) -> int:
        """Reads in the fullest stretch of so many seconds."""
        return max((sum(self.reads[at + k] for k in range(seconds)) for at in self.reads), default=0)


def rehearsal_of(pool: PoolSpec) -> tuple[Rehearsal, Tap]:
    spec = EstateSpec(
        name="pacing",
        tenant="pacing",
        domain="pacing.example",
        ad_domain="ad.pacing.example",
        pools=(pool,),
        provider_registered=True,
        workspace=False,
    )
    clock = SimulatedClock(parse_iso(EVENING))
    rehearsal = Rehearsal(estate.build(spec, 1, twin_clock(clock), people=False), clock, seed=1)
    return rehearsal, Tap(rehearsal)


async def grant_all(services: Services, rehearsal: Rehearsal, count: int) -> float:
    """Virtual seconds that so many role assignments took, begun all at once on a full bucket."""
    people = list(rehearsal.world.state.directory.users)[:count]
    if len(people) < count:
        raise SystemExit(f"The estate has {len(people)} people, {count} are needed.")
    root = f"/subscriptions/{rehearsal.subscription}/resourceGroups"
    groups = [f"{root}/pacing-{n}" for n in range(-(-count // PER_SCOPE))]
    for group in groups:
        await services.arm.put_group(group, "westeurope", {})
    await rehearsal.clock.sleep(120)
    began = rehearsal.clock.timestamp()
    async with asyncio.TaskGroup() as tasks:
        for n, person in enumerate(people):
            grant = services.arm.access.grant(
                groups[n // PER_SCOPE],
                str(uuid.uuid5(uuid.NAMESPACE_OID, f"{n}")),
                role=DESKTOP_USER,
                principal_id=person,
                principal_type="User",
            )
            tasks.create_task(grant)
    return rehearsal.clock.timestamp() - began


def assignments(count: int) -> bool:
    rehearsal, tap = rehearsal_of(PoolSpec(name="Office", prefix="off", hosts=2, desktop_people=count))

    async def run() -> float:
        async with rehearsal.services() as services:
            return await grant_all(services, rehearsal, count)

    real = time.perf_counter()
    took_s = rehearsal.run(run())
    bound_s = max(0.0, (count - BURST) / WRITES_PER_S)
    made = len(rehearsal.world.state.arm.role_assignments)
    refused = tap.statuses[429]
    print(
        f"{count:,} role assignments ({made:,} on the twin): {took_s:.1f} s virtual, the bucket alone {bound_s:.1f} s"
    )
    beside = took_s / bound_s - 1 if bound_s else 0.0
    print(f"  {beside:+.1%}, 429: {refused}, {time.perf_counter() - real:.1f} s real")
    return refused == 0 and took_s <= bound_s * 1.05


def hosts(count: int) -> bool:
    rehearsal, tap = rehearsal_of(PoolSpec(name="Office", prefix="off", hosts=count, desktop_people=3, limit=10))
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))

        async def run() -> Any:
            async with rehearsal.services() as services:
                inventory = await discover(services)
                target = await discover_target(services, inventory, [rehearsal.subscription])
                document(workspace, inventory, target, rehearsal, count)
                make = in_process_engine(rehearsal.clock)
                return await apply(workspace, services, rehearsal.clock, make, synchronous="OFF")

        began, real = rehearsal.clock.timestamp(), time.perf_counter()
        applied = rehearsal.run(run())
    minutes = (rehearsal.clock.timestamp() - began) / 60
    calls, refused = sum(tap.reads.values()), tap.statuses[429]
    print(f"{count} hosts in flight: {applied.state}, {minutes:.0f} min virtual, {calls:,} reads of the subscription")
    for seconds in (1, 10, 300):
        given = READS_BURST + READS_PER_S * seconds
        print(f"  fullest {seconds:>3} s: {tap.fullest(seconds):>6,} reads, the bucket gives {given:,.0f}")
    print(f"  429: {refused}, {time.perf_counter() - real:.1f} s real")
    return refused == 0


def document(
    workspace: Workspace, inventory: Inventory, target: TargetSnapshot, rehearsal: Rehearsal, count: int
) -> None:
    waves = Waves(
        last_wave_due_hours=0.2, soak_minutes=2.0, headroom=0.0, size=count, parallel_moves=count, canary_wave=4
    )
    intent = Intent(
        azure=Azure(subscription=rehearsal.subscription, location="westeurope"),
        waves=waves,
        pools={pool.key: PoolIntent(outage="never") for pool in inventory.pools},
    )
    workspace.write(INVENTORY, inventory)
    workspace.write(TARGET, target)
    workspace.write(PLAN, make_plan(inventory, target, Findings(), intent, today=iso(rehearsal.clock.now())[:10]))


if __name__ == "__main__":
    counts = [int(word) for word in sys.argv[1:]]
    kept = [assignments(counts[0] if counts else 2000), hosts(counts[1] if len(counts) > 1 else 500)]
    raise SystemExit(0 if all(kept) else 1)
