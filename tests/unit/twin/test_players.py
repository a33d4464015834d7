"""A snapshot read in a fresh process must find whoever plays its events."""

from __future__ import annotations

import re
from pathlib import Path

import avdtwin
from avdtwin.world import PLAYERS


def test_whoever_plays_events_is_there_when_a_snapshot_is_read() -> None:
    root = Path(avdtwin.__file__).parent
    playing = {
        ".".join(("avdtwin", *file.relative_to(root).with_suffix("").parts))
        for file in root.rglob("*.py")
        if re.search(r"^@on\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert playing == set(PLAYERS)
