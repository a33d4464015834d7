"""A very large estate for the benchmarks: pools of 100 hosts and 2,000 assignments each, held by 1,300 people."""

from avdtwin import estate
from avdtwin.clock import ManualClock
from avdtwin.estate.specs import AppSpec, EstateSpec, GroupSpec, PoolSpec
from avdtwin.world import World

HOSTS, DESKTOP = 100, 500
GROUPS = ((300, 0), (400, 300), (100, 400))
"""Of each RemoteApp group: people of its own, and people of the group before."""
_APP = AppSpec(name="Paint", path="C:\\Windows\\System32\\mspaint.exe")


def spec(pools: int) -> EstateSpec:
    """So many pools: `100 * pools` hosts, `2,000 * pools` assignments."""
    groups = tuple(
        GroupSpec(name=f"Apps {n}", people=own, apps=(_APP,), shared=shared) for n, (own, shared) in enumerate(GROUPS)
    )
    return EstateSpec(
        name="big",
        tenant="Big",
        domain="big.example",
        ad_domain="ad.big.example",
        pools=tuple(
            PoolSpec(
                name=f"Pool {n:03}",
                prefix=f"b{n}",
                hosts=HOSTS,
                desktop_people=DESKTOP,
                groups=groups,
                resource_group=f"rg-{n // 10}",
            )
            for n in range(pools)
        ),
    )


def build(pools: int) -> World:
    """The world, without comings and goings and without latency, limits and rights, so that they are not measured."""
    world = estate.build(spec(pools), 1, ManualClock(estate.DEMO_START), people=False)
    off = {"latency_s": (0.0, 0.0), "limits_enforced": False, "access_token_s": 10**8}
    world.state.settings |= off
    return world


def counts(world: World) -> tuple[int, int, int]:
    """(pools, hosts, assignments) of its classic tenants."""
    pools = [p for g in world.state.classic.groups.values() for t in g.tenants.values() for p in t.pools.values()]
    assigned = sum(len(group.users) for pool in pools for group in pool.groups.values())
    return len(pools), sum(len(pool.hosts) for pool in pools), assigned
