"""Kill and resume at every point there is, not at a sample of them: `tests/crash`, exhaustively.

What is written lies in memory where the system has a place for that: nothing of it is wanted when the power goes.
"""

import sys
import tempfile
from pathlib import Path

from _house import ROOT, fail, run
from setup import ready

MEMORY = Path("/dev/shm")

if __name__ == "__main__":
    if not any((ROOT / "tests/crash").glob("**/test_*.py")):
        fail("There is nothing to kill yet: tests/crash holds no test.")
    python = str(ready())
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        tests = [python, "-m", "pytest", "-n", "2", "--basetemp", f"{scratch}/tests", "tests/crash", *sys.argv[1:]]
        code = run(tests, CROSSFADE_EXHAUSTIVE="1")
    raise SystemExit(code)
