"""Make `docs/reference/twin-coverage.md` from the contract tests; `--check` says whether it is current."""

import sys

from _house import ROOT, timed
from setup import ready


def main(arguments: "list[str]") -> int:
    return timed("twin_coverage", [str(ready()), str(ROOT / "scripts" / "twin_coverage_impl.py"), *arguments])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
