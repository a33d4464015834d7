"""Set up, then `crossfade demo`. Arguments go to it: `python3 scripts/demo.py --estate fabrikam --json`."""

import os
import sys

from _house import run
from setup import ready

if __name__ == "__main__":
    crossfade = ready().with_name("crossfade.exe" if os.name == "nt" else "crossfade")
    raise SystemExit(run([str(crossfade), "demo", *sys.argv[1:]]))
