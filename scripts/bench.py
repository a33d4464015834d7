"""Run the benchmarks: all of `benchmarks/*.py`, or those named: `python3 scripts/bench.py start_up discover`."""

import sys

from _house import ROOT, fail, timed
from setup import ready


def main(names: "list[str]") -> int:
    known = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[!_]*.py"))}
    unknown = [name for name in names if name not in known]
    if unknown:
        fail(f"No benchmark is named {', '.join(unknown)}.", mend=f"one of: {', '.join(known) or 'none yet'}")
    if not known:
        fail("There is no benchmark yet: benchmarks/ holds no Python file.")
    python = str(ready())
    return max(timed(name, [python, str(known[name])]) for name in names or known)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
