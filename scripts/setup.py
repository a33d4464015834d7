"""Make `.venv` ready: the locked, hashed packages and the project itself. A second call takes no time.

python3 scripts/setup.py                 what demo, test and check need
python3 scripts/setup.py --peers         the independent clients, in .venv-peers
python3 scripts/setup.py --azure-cli     the Azure CLI, in .venv-azure-cli
python3 scripts/setup.py --force         even if nothing has changed
"""

import argparse
import contextlib
import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections import namedtuple
from pathlib import Path

from _house import ROOT, fail, python_of, run

LEAST_PYTHON = (3, 11)

Environment = namedtuple("Environment", "folder lock with_project")  # typing.NamedTuple would do no more here

HOUSE = Environment(".venv", "requirements-dev.txt", True)
PEERS = Environment(".venv-peers", "requirements-peers.txt", True)
AZURE_CLI = Environment(".venv-azure-cli", "requirements-azure-cli.txt", False)


def ready(environment: Environment = HOUSE, *, force: bool = False) -> Path:
    """Set the environment up unless its stamp says that it is; its interpreter."""
    check_python()
    folder = ROOT / environment.folder
    stamp, digest = folder / "crossfade-setup.sha256", digest_of(environment)
    if not force and is_stamped(stamp, digest, folder):
        return python_of(folder)
    with one_at_a_time(environment):
        if force or not is_stamped(stamp, digest, folder):
            install(environment, folder)
            stamp.write_text(digest, encoding="ascii")
    return python_of(folder)


def check_python() -> None:
    """Refuse a Python that is too old, or one from which no environment can be made."""
    if sys.version_info < LEAST_PYTHON:
        fail(
            f"Crossfade needs Python 3.11 or later; this is {platform.python_version()} ({sys.executable}).",
            mend="install a newer Python and call this script with it, for example `python3.12 scripts/setup.py`.",
        )


def check_venv() -> None:
    """Some distributions ship Python without what makes environments; name the missing package."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        fail(
            f"This Python ({sys.executable}) lacks {' and '.join(missing)}, so it cannot make a virtual environment.",
            mend="on Debian or Ubuntu `apt install python3-venv`; elsewhere use a Python from python.org or pyenv.",
        )


def digest_of(environment: Environment) -> str:
    """Changes when the lock file, the project's own declaration, the place or the interpreter does."""
    digest = hashlib.sha256()
    for name in (environment.lock, "pyproject.toml"):
        digest.update((ROOT / name).read_bytes().replace(b"\r\n", b"\n"))
    digest.update(f"{ROOT} {platform.python_implementation()} {sys.version_info[:2]}".encode())
    return digest.hexdigest()


def is_stamped(stamp: Path, digest: str, folder: Path) -> bool:
    """Whether the last set-up was finished for the same inputs."""
    return python_of(folder).exists() and stamp.is_file() and stamp.read_text(encoding="ascii") == digest


def install(environment: Environment, folder: Path) -> None:
    """Create the environment if it is missing or broken, then install the lock file and the project."""
    started = time.monotonic()
    python = str(python_of(folder))
    if not python_of(folder).exists() or run([python, "-c", "import pip"]) != 0:
        check_venv()
        print(f"Creating {environment.folder} …")
        if run([sys.executable, "-m", "venv", "--clear", str(folder)]) != 0:
            shutil.rmtree(folder, ignore_errors=True)
            fail(f"{environment.folder} could not be created.", mend="see the lines above; is the disk full?")
    print(f"Installing {environment.lock} into {environment.folder} (once; some minutes at most) …")
    # Not compiled beforehand: most of the Azure packages' modules are never imported, and a third of the time was that.
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps", "--no-compile"]
    if run([*pip, "--require-hashes", "--requirement", environment.lock]) != 0:
        fail(
            f"The packages of {environment.lock} could not be installed.",
            mend="see pip's lines above. Behind a proxy or mirror, set it in pip's own configuration "
            "(`pip config set global.index-url …`); the lock file names no address.",
        )
    if environment.with_project and run([*pip, "--no-build-isolation", "--editable", str(ROOT)]) != 0:
        fail("The project itself could not be installed.", mend="see pip's lines above.")
    print(f"{environment.folder} is ready ({time.monotonic() - started:.0f} s).")


@contextlib.contextmanager
def one_at_a_time(environment: Environment):
    """Hold a file lock, so that two terminals do not install into one environment at once."""
    with open(ROOT / f"{environment.folder}.lock", "a+b") as handle:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            while True:  # LK_LOCK itself tries for ten seconds
                with contextlib.suppress(OSError):
                    msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield  # closing the file lets go of the lock


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="set up the independent clients too")
    parser.add_argument("--azure-cli", action="store_true", help="set up the Azure CLI too")
    parser.add_argument("--force", action="store_true", help="install again even if nothing has changed")
    arguments = parser.parse_args()
    chosen = [HOUSE] + [PEERS] * arguments.peers + [AZURE_CLI] * arguments.azure_cli
    for environment in chosen:
        ready(environment, force=arguments.force)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
