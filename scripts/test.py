"""Run the tests, two at a time. Arguments go to pytest: `python3 scripts/test.py tests/unit -k waves`.

What takes half a minute or more is left to `make soak`; the slowest of the others are named at the end.
"""

import sys

from _house import run
from setup import ready

if __name__ == "__main__":
    python = str(ready())
    chosen = ["-m", "not peers and not long", "--durations=20", "--durations-min=5"]
    raise SystemExit(run([python, "-m", "pytest", "-n", "2", "--dist", "worksteal", *chosen, *sys.argv[1:]]))
