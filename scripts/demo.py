"""Set up, then `crossfade demo`. Arguments go to it: `python3 scripts/demo.py --estate fabrikam --json`.

At the end it says how to call `crossfade` by hand: it is in the environment that was set up, on no path.
"""

import os
import sys

from _house import run
from setup import ready

if __name__ == "__main__":
    crossfade = ready().with_name("crossfade.exe" if os.name == "nt" else "crossfade")
    code = run([str(crossfade), "demo", *sys.argv[1:]])
    if code == 0 and sys.stderr.isatty():
        activate = r".venv\Scripts\activate" if os.name == "nt" else ". .venv/bin/activate"
        print(f"\nBy hand: `{activate}`, then `crossfade status` and the like.", file=sys.stderr)
    raise SystemExit(code)
