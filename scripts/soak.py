"""Run the random tests again and again, each time with another seed, until the time is up or one fails.

python3 scripts/soak.py --minutes 60 --first-seed 1000
"""

import argparse
import time

from _house import ROOT, fail, run
from setup import ready

FOLDERS = ("tests/contract", "tests/crash", "tests/property", "tests/scenario")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    folders = [name for name in FOLDERS if any((ROOT / name).glob("**/test_*.py"))]
    if not folders:
        fail(f"There is nothing to soak yet: none of {', '.join(FOLDERS)} holds a test.")
    python, until, seed = str(ready()), time.monotonic() + 60 * arguments.minutes, arguments.first_seed
    while True:
        print(f"== seed {seed}")
        command = [python, "-m", "pytest", "-n", "2", "-x", f"--hypothesis-seed={seed}", *folders]
        if run(command, CROSSFADE_SEED=str(seed)) != 0:
            fail(f"Seed {seed} failed.", mend=f"replay it: python3 scripts/soak.py --first-seed {seed} --minutes 0")
        seed += 1
        if time.monotonic() >= until:
            print(f"== {seed - arguments.first_seed} seeds passed, {arguments.first_seed} to {seed - 1}")
            return 0


if __name__ == "__main__":
    raise SystemExit(main())
