"""Compare with the independent clients: run `tests/peers` in an environment of its own. Arguments go to pytest.

That environment is heavy, which is why the other targets do without it. The Azure CLI pins its libraries exactly and
lives in a third one; tests find its command in CROSSFADE_AZ.
"""

import os
import sys

from _house import ROOT, fail, run
from setup import AZURE_CLI, PEERS, ready

if __name__ == "__main__":
    if not any((ROOT / "tests/peers").glob("**/test_*.py")):
        fail("There is nothing to compare yet: tests/peers holds no test.")
    python, azure = ready(PEERS), ready(AZURE_CLI)
    az = azure.with_name("az.bat" if os.name == "nt" else "az")
    raise SystemExit(run([str(python), "-m", "pytest", "tests/peers", *sys.argv[1:]], CROSSFADE_AZ=str(az)))
