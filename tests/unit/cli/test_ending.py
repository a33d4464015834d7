"""What `complete` says."""

from __future__ import annotations

from crossfade.cli.ending import _told
from crossfade.commands.complete import Completed


def test_where_classic_has_gone_no_backup_is_claimed() -> None:
    counts = {"os-disk-snapshot": 2}
    ended = Completed(run_id="r1", state="completed", counts=counts, without_classic=True)
    assert _told(ended).splitlines() == [
        "Run r1 is completed.",
        "Removed: 2 os-disk-snapshot.",
        "Classic has gone: nothing of it is removed.",
    ]
    usual = Completed(run_id="r1", state="completed", counts={"host-pool": 1})
    assert "classic-backup.json" in _told(usual)
    assert _told(Completed(run_id="r1", state="completed")) == "Run r1 is completed.", "asked again, it is over"
