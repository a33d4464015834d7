"""Write the pictures of `docs/pictures`: a run in the terminal, the end of a demo, the report. Needs a Chromium.

Arguments go on: `python3 scripts/pictures.py --estate tiny` takes seconds, and looks it.
"""

import shutil
import sys

from _house import ROOT, fail, run
from setup import ready

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")

if __name__ == "__main__":
    browser = next((found for found in map(shutil.which, BROWSERS) if found), None)
    if browser is None:
        fail(f"No browser was found: {', '.join(BROWSERS)}.", mend="on Debian or Ubuntu `apt install chromium`.")
    raise SystemExit(run([str(ready()), str(ROOT / "scripts/pictures_impl.py"), str(browser), *sys.argv[1:]]))
