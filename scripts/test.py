"""Run the tests, as many at a time as there are processors, two at least.

Arguments go to pytest: `python3 scripts/test.py tests/unit -k waves`.

What takes half a minute or more is left to `make soak`; the slowest of the others are named at the end.
"""

import os
import sys

from _house import run
from setup import ready

if __name__ == "__main__":
    python = str(ready())
    at_once = str(min(8, max(2, os.cpu_count() or 2)))
    chosen = ["-m", "not peers and not long", "--durations=20", "--durations-min=5"]
    raise SystemExit(run([python, "-m", "pytest", "-n", at_once, "--dist", "worksteal", *chosen, *sys.argv[1:]]))
