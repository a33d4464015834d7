"""Kill and resume at every point there is, not at a sample of them: `tests/crash`, exhaustively."""

import sys

from _house import ROOT, fail, run
from setup import ready

if __name__ == "__main__":
    if not any((ROOT / "tests/crash").glob("**/test_*.py")):
        fail("There is nothing to kill yet: tests/crash holds no test.")
    python = str(ready())
    raise SystemExit(run([python, "-m", "pytest", "-n", "2", "tests/crash", *sys.argv[1:]], CROSSFADE_EXHAUSTIVE="1"))
