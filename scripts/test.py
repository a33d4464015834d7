"""Run the tests, two at a time. Arguments go to pytest: `python3 scripts/test.py tests/unit -k waves`."""

import sys

from _house import run
from setup import ready

if __name__ == "__main__":
    python = str(ready())
    raise SystemExit(run([python, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-m", "not peers", *sys.argv[1:]]))
