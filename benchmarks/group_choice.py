"""The choice of existing Entra groups on a large estate: seconds and memory, beside plain greedy and a lower bound.

    PYTHONPATH=src python benchmarks/group_choice.py [people] [app groups] [directory groups] [seed]

Bounds: 60 s and 2 GiB for 100,000 people, 2,000 app groups and 20,000 directory groups of 50 to 60 members on average,
some of them nested. Teams, departments and free-form groups overlap; an app group has some of each, and single people.
"""

import random
import resource
import sys
import time

from crossfade.model.target import CandidateGroup
from crossfade.plan.group_choice import fitting_groups, propose
from crossfade.plan.set_cover import assignments, greedy

BOUND_S = 60.0
BOUND_MIB = 2048.0


def directory(rng: random.Random, people: list[str], count: int) -> list[CandidateGroup]:
    """Teams of neighbours, departments that nest them, and groups across; 50 members on average."""
    groups: list[set[str]] = []
    while len(groups) < count:
        kind = rng.random()
        if kind < 0.6:
            start, size = rng.randrange(len(people)), rng.randint(5, 40)
            groups.append({people[(start + n) % len(people)] for n in range(size)})
        elif kind < 0.8 and len(groups) > 10:
            nested = rng.sample(range(max(0, len(groups) - 400), len(groups)), 3)
            groups.append({person for at in nested for person in groups[at]})
        else:
            start, size = rng.randrange(len(people)), rng.randint(20, 80)
            near = [people[(start + n) % len(people)] for n in range(3 * size)]
            groups.append(set(rng.sample(near, size)))
    return [
        CandidateGroup(id=f"g{at:05d}", display_name=f"group {at}", owners=["o"], members=sorted(members))
        for at, members in enumerate(groups)
    ]


def app_groups(rng: random.Random, people: list[str], groups: list[CandidateGroup], count: int) -> dict[str, set[str]]:
    """From a dozen people to thousands: a stretch of the organisation, some groups from anywhere, and single people."""
    found = {}
    for number in range(count):
        start, size = rng.randrange(len(people)), rng.choice([20, 100, 300, 800, 2_000])
        members = {people[(start + n) % len(people)] for n in range(size)}
        for group in rng.sample(groups, rng.randint(0, 20)):
            members |= set(group.members)
        members |= set(rng.sample(people, 10))
        found[f"tenant/pool{number}/apps"] = members
    return found


def main() -> int:
    sizes = [int(text) for text in sys.argv[1:]] or [100_000, 2_000, 20_000]
    seed = sizes[3] if len(sizes) > 3 else 1
    rng = random.Random(seed)
    people = [f"{at:08x}-0000-4000-8000-{at:012x}" for at in range(sizes[0])]
    groups = directory(rng, people, sizes[2])
    wanted = app_groups(rng, people, groups, sizes[1])
    began = time.perf_counter()
    chosen = propose(wanted, groups)
    taken_s = time.perf_counter() - began
    memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = sum(map(len, wanted.values()))
    after = sum(chosen[key].assignments if key in chosen else len(one) for key, one in wanted.items())
    members = [group.members for group in groups]
    plain = total
    for key, fitting in fitting_groups(wanted, groups).items():
        mine = [members[at] for at in fitting]
        plain += assignments(wanted[key], mine, greedy(wanted[key], mine)) - len(wanted[key])
    exact = sum(choice.exact for choice in chosen.values())
    average = sum(map(len, members)) / len(members)
    print(f"{len(people):,} people, {len(wanted):,} app groups, {len(groups):,} groups of {average:.0f}, seed {seed}")
    print(f"assignments one by one {total:,}; with plain greedy {plain:,}; chosen {after:,}")
    print(f"app groups that a group helps: {len(chosen):,}, of these proven smallest: {exact:,}")
    print(f"{taken_s:.1f} s of {BOUND_S:.0f}, {memory_mib:,.0f} MiB of {BOUND_MIB:,.0f} at the peak, all told")
    return 0 if taken_s < BOUND_S and memory_mib < BOUND_MIB and after <= plain else 1


if __name__ == "__main__":
    sys.exit(main())
