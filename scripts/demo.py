"""Set up, then `crossfade demo`. Arguments go to it: `python3 scripts/demo.py --estate fabrikam --json`."""

import sys

from _house import run
from setup import ready

if __name__ == "__main__":
    raise SystemExit(run([str(ready()), "-m", "crossfade.cli.main", "demo", *sys.argv[1:]]))
