"""`crossfade --help` and `status` are instant: neither imports what it does not need."""

import subprocess
import sys

import pytest
from runs_kit import begin_run

from crossfade.commands.workspace import Workspace

HEAVY = (
    "azure",
    "dbos",
    "rich.table",
    "rich.live",
    "rich.console",
    "avdtwin",
    "aiohttp",
    "asyncio",
    "msal",
    "sqlalchemy",
)

PROBE = """
import sys
from crossfade.cli.main import main
code = main(sys.argv[2:])
heavy = [name for name in sys.argv[1].split(",") if any(m == name or m.startswith(name + ".") for m in sys.modules)]
print("imported:", heavy)
raise SystemExit(code)
"""


def probe(heavy: tuple[str, ...], *arguments: str) -> str:
    command = [sys.executable, "-c", PROBE, ",".join(heavy), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("arguments", [("--help",), ("apply", "--help"), ("demo", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert probe((*HEAVY, "msgspec", "sqlite3"), *arguments) == "imported: []"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_status_imports_nothing_heavy(workspace: Workspace, form: tuple[str, ...]) -> None:
    begin_run(workspace).close()
    lighter = tuple(name for name in HEAVY if name != "asyncio")
    assert probe(lighter, "status", "--dir", str(workspace.folder), *form) == "imported: []"
