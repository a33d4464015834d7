"""Calls of `discover` beside the calls that are necessary, on a large estate of the twin.

    PYTHONPATH=src python benchmarks/discover.py [estate] [seed]

The bound: one call per page of 1,000 rows per collection, by the twin's own count of what it holds; the classic service
has no other way to give them. Allowed is that plus one. The export of the same estate is read beside it.
"""

import asyncio
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from avdtwin import estate
from avdtwin.asgi import TwinApp
from avdtwin.classic import hosts
from avdtwin.estate.export import export_folder
from avdtwin.world import World
from crossfade.clock import SimulatedClock
from crossfade.cloud import clouds
from crossfade.cloud.credentials import SignIn
from crossfade.cloud.services import Services
from crossfade.cloud.transport import AsgiTransport
from crossfade.commands.discover import discover, discover_exports, discover_target
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot

PAGE = 1000


class TwinClock:
    """The twin on our virtual time."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def necessary(world: World) -> Counter[str]:
    """Pages of each collection, by what the twin holds. An empty list takes a call too."""
    calls: Counter[str] = Counter()

    def pages(collection: str, rows: int) -> None:
        calls[f"classic GET {collection}"] += max(1, -(-rows // PAGE))

    groups = world.state.classic.groups.values()
    pages("TenantGroups", len(groups))
    pages("roleAssignments", 1)  # the service lists them in one answer
    for group in groups:
        pages("Tenants", len(group.tenants))
        for tenant in group.tenants.values():
            pages("HostPools", len(tenant.pools))
            for pool in tenant.pools.values():
                pages("AppGroups", len(pool.groups))
                pages("SessionHosts", len(pool.hosts))
                key = f"{group.name}/{tenant.name}/{pool.name}".lower()
                pages("Sessions", sum(len(hosts.sessions_of(world, key, host)) for host in pool.hosts.values()))
                for app_group in pool.groups.values():
                    pages("AssignedUsers", len(app_group.users))
                    if app_group.resource_type == 0:
                        pages("RemoteApps", len(app_group.apps))
                    else:
                        pages("Desktop", 1)
    return calls


async def live(services: Services) -> tuple[Inventory, Counter[str], TargetSnapshot, Counter[str]]:
    inventory = await discover(services)
    classic = Counter(services.calls)
    services.calls.clear()
    target = await discover_target(services, inventory)
    return inventory, classic, target, Counter(services.calls)


def table(title: str, made: Counter[str], bound: Counter[str] | None = None) -> None:
    print(f"\n{title:32} {'made':>7}" + (f" {'necessary':>10} {'beside':>7}" if bound is not None else ""))
    for name in sorted(made | (bound or Counter())):
        beside = f" {bound[name]:>10} {made[name] - bound[name]:>7}" if bound is not None else ""
        print(f"{name:32} {made[name]:>7}{beside}")


def main(name: str, seed: int) -> int:
    clock = SimulatedClock(datetime.fromtimestamp(estate.DEMO_START, UTC))
    world = estate.build(name, seed, TwinClock(clock))
    world.state.settings["rights_enforced"] = False
    spec = estate.named(name)
    sign_in = SignIn(choice="service-principal", tenant_id=estate.tenant_id_of(spec), client_id=estate.OPERATOR_APP_ID)

    async def run() -> tuple[Inventory, Counter[str], TargetSnapshot, Counter[str]]:
        transport, secret = AsgiTransport(TwinApp(world), clock), {"CROSSFADE_CLIENT_SECRET": estate.OPERATOR_SECRET}
        cloud = clouds.custom("https://twin.test")
        async with Services(cloud, sign_in, transport, clock, random.Random(seed), environ=secret) as services:
            return await live(services)

    bound = necessary(world)
    began, virtual = time.perf_counter(), clock.now()
    inventory, classic, target, arm = clock.run(run())
    print(f"{name}, seed {seed}: {len(inventory.pools)} pools, {len(inventory.hosts)} hosts,")
    print(
        f"{len(inventory.assignments)} assignments, {len(inventory.sessions)} sessions, {len(target.machines)} machines"
    )
    took_s, passed_s = time.perf_counter() - began, (clock.now() - virtual).total_seconds()
    print(f"live and target: {took_s:.1f} s real, {passed_s:.0f} s virtual")
    beside = sum(count for call, count in classic.items() if call.startswith("classic ")) - sum(bound.values())
    table("classic", Counter({call: n for call, n in classic.items() if call.startswith("classic ")}), bound)
    table("target", arm)
    with tempfile.TemporaryDirectory() as folder:
        export_folder(world, Path(folder))
        began = time.perf_counter()
        exported = discover_exports(Path(folder), clock)
        print(f"\nexported folder: {time.perf_counter() - began:.1f} s real")
        print(
            f"substance of live and export: {'equal' if exported.substance() == inventory.substance() else 'DIFFERS'}"
        )
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, the twin included")
    print(f"calls beside the necessary ones: {beside} (allowed: 1)")
    return 0 if beside <= 1 else 1


if __name__ == "__main__":
    arguments = sys.argv[1:]
    raise SystemExit(main(arguments[0] if arguments else "fabrikam", int(arguments[1]) if arguments[1:] else 7))
