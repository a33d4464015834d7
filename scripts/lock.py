"""Write the lock files again from `pyproject.toml`: newest versions with --upgrade. Needs uv (`pip install uv`).

The form is pip's own, with hashes and without any address: a lock file that names an index belongs to one network.
"""

import shutil
import sys

from _house import ROOT, fail, python_of, run

LOCKS = (
    ("requirements.txt", ["pyproject.toml"]),
    ("requirements-dev.txt", ["pyproject.toml", "--extra", "dev", "--constraints", "requirements.txt"]),
    ("requirements-peers.txt", ["pyproject.toml", "--extra", "dev", "--extra", "peers"]),
    ("requirements-azure-cli.txt", ["requirements-azure-cli.in"]),
)
COMMAND = ["pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
COMMAND += ["--no-emit-index-url", "--no-emit-find-links"]


def main(extra: "list[str]") -> int:
    beside = shutil.which("uv", path=str(python_of(ROOT / ".venv").parent))
    uv = beside or shutil.which("uv")
    if uv is None:
        fail("uv was not found.", mend="`.venv/bin/pip install uv`, or install it for yourself, then try again.")
    for name, arguments in LOCKS:
        code = run([uv, *COMMAND, *extra, *arguments, "--output-file", name])
        if code:
            return code
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
