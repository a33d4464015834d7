"""Which host of a pool the next person gets: as classic has it, or as the operator decides. Pure."""

from crossfade.errors import Problem
from crossfade.model.classic import HostPool
from crossfade.plan.intent import Intent, PoolIntent
from crossfade.plan.layout import Layout

BALANCERS = {"breadth-first": "BreadthFirst", "depth-first": "DepthFirst"}
"""What crossfade.toml says -> `loadBalancerType`, and the algorithm of a scaling plan."""


def balancer(pool: HostPool, own: PoolIntent) -> str:
    """Of a pooled pool."""
    return BALANCERS[own.load_balancer] if own.load_balancer else str(pool.load_balancer)


def problems(layout: Layout, intent: Intent) -> list[Problem]:
    """On a personal pool everybody gets their own host: there is nothing to balance."""
    return [
        Problem(f"pools.{pool.key}", "load_balancer is for pooled pools, and this one is personal.", "Take it out.")
        for pool in layout.pools
        if intent.pool(pool.key).load_balancer and pool.personal
    ]
