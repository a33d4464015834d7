"""What every script here shares: where things are, and how a command is run in the project's own environment.

Standard library only, for Linux, macOS and Windows; made to run with whatever Python finds it, so that even a wrong
one gets a sentence and a mend instead of a traceback.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE_FOLDERS = ("src", "tests", "scripts", "benchmarks")


def fail(what: str, *, mend: str = "", code: int = 1) -> "None":
    """Say what is wrong and how to mend it, and stop."""
    sys.stdout.flush()
    print(what, file=sys.stderr)
    if mend:
        print("Mend: " + mend, file=sys.stderr)
    raise SystemExit(code)


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment, whether it exists or not."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(command: "list[str]", **changes: str) -> int:
    """Run a command in the project's folder, with `changes` to its environment; its exit code."""
    sys.stdout.flush()
    try:
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **changes}, check=False).returncode
    except KeyboardInterrupt:
        return 130


def timed(name: str, command: "list[str]") -> int:
    """Run a command with a line before it and its duration after it; its exit code."""
    print(f"== {name}")
    started = time.monotonic()
    code = run(command)
    print(f"== {name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.1f} s")
    return code
