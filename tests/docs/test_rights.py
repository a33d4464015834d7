"""Every right that is asked for before the first write is described, and none that is not."""

import re
from pathlib import Path

from crossfade.model import rights

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/rights.md"
ASKED = (
    rights.NEEDED,
    rights.MACHINES,
    rights.POWER,
    rights.SNAPSHOTS,
    rights.SCALING,
    rights.LOGS,
    rights.LINKS,
    rights.READERS,
)


def test_every_action_is_described_and_no_other() -> None:
    described = re.findall(r"^\| `(Microsoft\.[^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(described) == {action for table in ASKED for action in table}
