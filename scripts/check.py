"""Read the code without running it: ruff, strict types, and who may import whom. All are run, then judged."""

from _house import ROOT, SOURCE_FOLDERS, timed
from setup import ready

if __name__ == "__main__":
    python = str(ready())
    folders = [name for name in SOURCE_FOLDERS if (ROOT / name).is_dir()]
    codes = [
        timed("ruff", [python, "-m", "ruff", "check", *folders]),
        timed("mypy --strict", [python, "-m", "mypy"]),
        timed(
            "import-linter",
            [python, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-logo"],
        ),
    ]
    raise SystemExit(1 if any(codes) else 0)
