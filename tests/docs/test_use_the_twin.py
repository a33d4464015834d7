"""`docs/how-to/use-the-twin.md`, followed: its shell blocks, one after the other, against `avdtwin serve`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "use-the-twin.md"


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("sh"), reason="needs curl and a shell")
def test_a_newcomer_makes_a_host_pool(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-m", "avdtwin.cli", "serve", "--estate", "tiny", "--time", "virtual"]
    command += ["--port", "0", "--certificates", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert served.stdout is not None
    try:
        exports = ""
        for line in served.stdout:
            exports += line if line.strip().startswith("export ") else ""
            if line.startswith("Stop it"):
                break
        script = "set -eu\n" + exports + "\necho\necho ---\n".join(blocks)
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    finally:
        served.terminate()
        served.wait(20)
        served.stdout.close()
    assert done.returncode == 0, done.stderr
    token, group, made, read, behind = done.stdout.split("---\n")
    assert int(re.findall(r"\d+", token)[0]) > 500
    assert '"provisioningState":"Succeeded"' in group
    assert '"maxSessionLimit":999999' in made
    assert read.count('"name":"first"') == 2
    assert "429" in behind
    assert "retry-after: 7" in behind.lower()
    assert '"what":"throttled"' in behind
