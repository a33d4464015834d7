"""Remove what the other scripts made: environments, caches and builds. Documents of runs are left alone."""

import shutil

from _house import ROOT, SOURCE_FOLDERS

MADE = (".venv", ".venv-peers", ".venv-azure-cli", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
MADE += (".import_linter_cache", "build", "dist")

if __name__ == "__main__":
    for name in MADE:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in SOURCE_FOLDERS:
        for cache in list((ROOT / folder).glob("**/__pycache__")):
            shutil.rmtree(cache, ignore_errors=True)
    for lock in ROOT.glob(".venv*.lock"):
        lock.unlink()
