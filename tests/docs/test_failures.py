"""The page of failures tells every folder, and there is a folder for everything that the twin is to put in the way."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ROOT / "tests/scenario/failures"
PROMISED = {
    "429",
    "5xx",
    "timeouts before the effect",
    "timeouts after the effect",
    "resets before the effect",
    "resets after the effect",
    "slow long-running operations",
    "role assignments that take minutes to act",
    "principals not replicated yet",
    "expired tokens",
    "VMs off",
    "guest agents missing",
    "agents that never return",
    "installers blocked",
    "hosts that register under the wrong name",
    "sessions that never end",
    "a second operator",
    "classic disappearing",
    "process death",
}
"""The faults that a rehearsal must know, as the design lists them."""


def said(folder: Path) -> str:
    return str(json.loads((folder / "trouble.json").read_text(encoding="utf-8"))["what"])


def test_every_promised_failure_has_a_folder_with_its_end() -> None:
    folders = [folder for folder in FOLDERS.iterdir() if folder.is_dir()]
    assert {said(folder) for folder in folders} >= PROMISED
    for folder in folders:
        end = json.loads((folder / "end.json").read_text(encoding="utf-8"))
        assert end["run"], folder.name
        assert end["hosts"], folder.name


def test_the_page_tells_each_of_them() -> None:
    page = (ROOT / "docs/reference/failures.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| .+? \| `tests/scenario/failures/([\w-]+)` \|$", page, re.MULTILINE)
    assert {(folder.name, said(folder)) for folder in FOLDERS.iterdir()} == {(name, what) for what, name in rows}
