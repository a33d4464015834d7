"""Read the code without running it: ruff, strict types, and who may import whom. All are run, then judged."""

from _house import ROOT, SOURCE_FOLDERS, timed
from setup import ready

if __name__ == "__main__":
    python = str(ready())
    folders = [name for name in SOURCE_FOLDERS if (ROOT / name).is_dir()]
    linter = [python, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-logo"]
    checks = {
        "ruff": [python, "-m", "ruff", "check", *folders],
        "mypy --strict": [python, "-m", "mypy"],
        "import-linter": linter,
    }
    failed = [name for name, command in checks.items() if timed(name, command)]
    print(f"== check: {', '.join(failed)} FAILED" if failed else "== check: all passed")
    raise SystemExit(1 if failed else 0)
