"""Keep a run as this version leaves it when it is killed in the middle: `python tests/journals/make.py`.

Said once for each released version, before the next one changes anything; what lies there is never written anew.
"""

from __future__ import annotations

import gzip
import sqlite3
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))

from back_kit import say
from stage import QUICK, Stage, personal, pooled, spec_of

from crossfade import __version__
from crossfade.commands.workspace import INVENTORY, JOURNAL, PLAN, TARGET

HERE = Path(__file__).resolve().parent
SPEC = spec_of(pooled(hosts=3), personal(hosts=1), name="kept")
SEED = 11


def killed_in_the_middle(folder: Path) -> Stage:
    """A run whose canary host went forward and back, with one host in quarantine, two words from another terminal, and
    a second wave on its way when its process was killed."""
    stage = Stage.of(SPEC, folder, seed=SEED)
    stage.make_plan(waves=QUICK)
    stage.machine("own-0").files.clear()
    assert stage.interrupt(lambda point: point == "after wave wave-01 confirmed")
    say(stage, "set", name="headroom", value="0.1")
    say(stage, "set", name="headroom", value="-1")
    assert stage.interrupt(lambda point: "off-1" in point and point.endswith("/restart-clean done"))
    return stage


def text_of(journal: Path) -> str:
    """The journal as SQL, so that a reader of a change sees what it holds."""
    connection = sqlite3.connect(journal)
    try:
        return "\n".join(connection.iterdump()) + "\n"
    finally:
        connection.close()


def main() -> None:
    kept = HERE / __version__
    if kept.exists():
        sys.exit(f"{kept} is there already: a released version does not change.")
    kept.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        stage = killed_in_the_middle(Path(folder))
        for file in (INVENTORY, TARGET, PLAN):
            (kept / file.name).write_bytes(stage.workspace.read_bytes(file))
        (kept / "journal.sql").write_text(text_of(stage.workspace.path(JOURNAL)), encoding="utf-8")
        (kept / "twin.json.gz").write_bytes(gzip.compress(stage.world.snapshot(), mtime=0))


if __name__ == "__main__":
    main()
