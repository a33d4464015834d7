"""`verify` after random single changes of access made in the twin, and after rewrites that change nothing.

    PYTHONPATH=src python benchmarks/access_changes.py [how many of each] [first seed]

One estate is migrated on the twin; then, each time from there, one change or rewrite and the verb itself.
Bounds: all of 1,000 changes found, with exactly the people and resources that the twin's own feed lost or gained; no
false alarm on 1,000 rewrites. To see one again: 1 and its seed.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "property"))
from planted import Planted, change, rewrite


def main() -> int:
    count, first = [*map(int, sys.argv[1:]), *(1_000, 0)[len(sys.argv) - 1 :]]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        planted = Planted(Path(folder))
        for judge in (change, rewrite):
            begun, kinds, missed = time.perf_counter(), Counter[str](), 0
            for seed in range(first, first + count):
                name, problem = judge(planted, seed)
                kinds.update(name.split(" + "))
                if problem:
                    missed += 1
                    print(f"{judge.__name__} {seed}, {name}: {problem}", flush=True)
            print(f"{count} times {judge.__name__}: {missed} wrong; {time.perf_counter() - begun:.0f} s")
            print("  " + ", ".join(f"{name} {times}" for name, times in kinds.most_common()))
            wrong += missed
    print("Bound: 0 wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
