"""How fast the twin's people live: a virtual day of 2,000 people on 100 hosts, and three days of contoso.

    PYTHONPATH=src .venv/bin/python benchmarks/twin_people.py

The bound for the first is 10 s of real time.
"""

import time

from avdtwin import estate, people
from avdtwin.clock import ManualClock
from avdtwin.estate.specs import EstateSpec, PoolSpec

BOUND_S = 10.0
DAY_S = 86_400.0
CROWD = EstateSpec(
    name="crowd",
    tenant="Crowd",
    domain="crowd.example",
    ad_domain="ad.crowd.example",
    pools=tuple(
        PoolSpec(name=f"Pool number {n}", prefix=f"crowd{n}", hosts=50, desktop_people=1000, limit=16) for n in range(2)
    ),
)


def live(name_or_spec: str | EstateSpec, days: float) -> tuple[float, dict[str, object]]:
    """Real seconds for so many virtual days, and how people fared."""
    clock = ManualClock(estate.DEMO_START)
    world = estate.build(name_or_spec, 1, clock)
    began = time.perf_counter()
    clock.advance(days * DAY_S)
    world.settle()
    return time.perf_counter() - began, people.tally(world)


if __name__ == "__main__":
    took, found = live(CROWD, 1)
    print(f"2,000 people on 100 hosts, one day: {took:.2f} s (bound {BOUND_S:g} s), {found['sign_ins']} sign-ins")
    assert took < BOUND_S
    took, found = live("contoso", 3)
    print(f"contoso, three days: {took:.2f} s, {found['sign_ins']} sign-ins, peak {found['peak_sessions']} sessions")
