"""The house itself: locks that belong to no network, a tree that names no machine, targets that exist."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-peers.txt", "requirements-azure-cli.txt")

# Built from pieces, so that this file does not hold what it looks for.
REGISTRIES = ("pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "deb." + "debian", "proxy." + "golang")
MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/opt/" + "pypi", "/opt/" + "wheels")


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    """The files that git tracks."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git work tree")
    paths = (ROOT / name for name in listing.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def pins(lock: str) -> dict[str, str]:
    """Each pinned requirement (name, version and marker) with the text that follows it, its hashes among that."""
    parts = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {part.split("\\")[0].strip(): part for part in parts if not part.startswith("#") and part.strip()}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_with_hashes(lock: str) -> None:
    found = pins(lock)
    assert len(found) > 20
    assert [pin for pin in found if "==" not in pin] == []
    assert [pin for pin, text in found.items() if "--hash=sha256:" not in text] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    for pattern in (r"https?://", r"file:", r"--(extra-)?index-url", r"--find-links", r" @ ", r"\.whl"):
        assert re.findall(rf".*{pattern}.*", text) == []


def test_development_lock_holds_the_versions_that_users_get() -> None:
    assert pins("requirements.txt").keys() <= pins("requirements-dev.txt").keys()


def test_no_committed_file_names_a_registry_or_a_machine(committed: list[Path]) -> None:
    hits = []
    for path in committed:
        text = path.read_bytes().decode("utf-8", "replace")
        found = [word for word in REGISTRIES if word in text.lower()]
        found += [word for word in MACHINE_PATHS if re.search(rf"(?<![\w.}}>-]){re.escape(word)}", text)]
        hits += [f"{path.relative_to(ROOT).as_posix()}: {word}" for word in found]
    assert hits == []


@pytest.mark.parametrize("place", ["see /wo" + "rk/main", "'/ro" + "ot/.cache'", "file:///opt/" + "wheels"])
def test_machine_paths_are_recognised(place: str) -> None:
    assert any(re.search(rf"(?<![\w.}}>-]){re.escape(word)}", place) for word in MACHINE_PATHS)


def test_every_make_target_is_a_script() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^TARGETS := (.*)$", text, flags=re.MULTILINE)[0].split()
    assert {"demo", "test", "check", "peers", "bench", "pictures", "crash", "soak", "setup", "clean"} <= set(targets)
    assert [name for name in targets if not (ROOT / "scripts" / f"{name}.py").is_file()] == []
    described = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in targets if name != "lock" and f"`make {name}`" not in described] == []


def test_every_package_has_a_contract_of_who_may_import_it() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    protected = {module for contract in contracts for module in contract.get("protected_modules", [])}
    packages = {path.parent.name for path in (ROOT / "src/crossfade").glob("*/__init__.py")} - {"model"}
    assert {name for name in packages if f"*.{name}" not in protected} == set()


@pytest.mark.parametrize(
    ("program", "place", "banned"),
    [
        ("import time\n\ntime.sleep(1)\n", "src/crossfade/plan/waves.py", True),
        ("from time import time\n\ntime()\n", "src/avdtwin/arm/routes.py", True),
        ("import asyncio\n\nasyncio.sleep(1)\n", "src/crossfade/cloud/pacing.py", True),
        ("from datetime import UTC, datetime\n\ndatetime.now(UTC)\n", "src/crossfade/report/page.py", True),
        ("import time\n\ntime.sleep(1)\n", "src/crossfade/clock.py", False),
        ("import time\n\ntime.time()\n", "src/avdtwin/clock.py", False),
        ("import time\n\ntime.time()\n", "scripts/setup.py", False),
    ],
)
def test_time_is_read_and_waited_for_in_one_place_only(program: str, place: str, banned: bool) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", str(ROOT / place), "-"]
    result = subprocess.run(command, cwd=ROOT, input=program, capture_output=True, text=True, check=False)
    assert ("TID251" in result.stdout) is banned, result.stdout + result.stderr


def test_scripts_need_the_standard_library_only(committed: list[Path]) -> None:
    here = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    allowed = sys.stdlib_module_names | here
    wrong = []
    for path in committed:
        if path.parent == ROOT / "scripts" and path.suffix == ".py" and not path.stem.endswith("_impl"):
            imported = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            wrong += [f"{path.name}: {name}" for name in imported if name not in allowed]
    assert wrong == []


def test_set_up_names_what_python_lacks_and_the_mend(tmp_path: Path) -> None:
    """A Python without ensurepip, as some distributions ship it, gets one sentence and the package's name."""
    program = (
        "import importlib.util as u, sys; sys.path.insert(0, sys.argv[1]); find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'ensurepip' else find(name, *rest)\n"
        "import setup; setup.check_venv()"
    )
    command = [sys.executable, "-c", program, str(ROOT / "scripts")]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "lacks ensurepip" in result.stderr
    assert "apt install python3-venv" in result.stderr
    assert "Traceback" not in result.stderr


def test_wheel_holds_the_data_of_the_packages(tmp_path: Path, committed: list[Path]) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        commands = wheel.read(entry_points).decode()
    wanted = {path.relative_to(ROOT / "src").as_posix() for path in committed if ROOT / "src" in path.parents}
    assert wanted - names == set()
    for name, place in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"].items():
        assert f"{name} = {place}" in commands
