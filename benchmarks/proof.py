"""The proof of equal access on a large estate: seconds and memory.

    PYTHONPATH=src python benchmarks/proof.py [people] [app groups]

Bound: 10 s for 10,000 people and 500 application groups, the two documents already in memory. The estate is that of
`tests/unit/verification/test_scale.py`: 200 people in each group, four apps in each, published through one directory
group each; one member is missing, and has to be found.
"""

import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "verification"))
from test_scale import large

from crossfade.verification.verify import verify

BOUND_S = 10.0
APPS = 4


def main() -> int:
    people, groups = [*map(int, sys.argv[1:]), *(10_000, 500)[len(sys.argv) - 1 :]]
    inventory, target, plan = large(people=people, groups=groups, apps=APPS)
    held_mib = _mib()
    begun = time.perf_counter()
    found = verify(plan, inventory, target, made_at="2026-06-08T12:00:00Z")
    took_s = time.perf_counter() - begun
    right = (len(found.lost), len(found.gained)) == (APPS, 0)
    print(f"{people} people, {groups} app groups: {found.pairs_before} pairs before, {found.pairs_after} after,")
    print(
        f"lost {len(found.lost)} ({APPS} taken away), gained {len(found.gained)}; {took_s:.2f} s (bound {BOUND_S:.0f});"
    )
    print(f"memory {held_mib} MiB with the documents, {_mib()} MiB at most")
    return 0 if right and took_s < BOUND_S else 1


def _mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    raise SystemExit(main())
