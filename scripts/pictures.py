"""Write the pictures of `docs/pictures`. Needs a Chromium; Playwright comes from the peers' environment."""

import sys

from _house import ROOT, fail, run
from setup import PEERS, ready

IMPLEMENTATION = ROOT / "scripts/pictures_impl.py"

if __name__ == "__main__":
    if not IMPLEMENTATION.is_file():
        fail("There are no pictures to make yet: scripts/pictures_impl.py does not exist.")
    raise SystemExit(run([str(ready(PEERS)), str(IMPLEMENTATION), *sys.argv[1:]]))
