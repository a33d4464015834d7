"""remoteapp-store: a RemoteApp is a Store app."""

from __future__ import annotations

from asking import without_target
from builders import Estate

from crossfade.assessment.rules.remoteapp_store import RULE


def test_holds_and_does_not() -> None:
    estate = Estate()
    group = estate.group(estate.pool("Office"), "Apps")
    store = estate.app(group, "Calculator", file_path=r"shell:AppsFolder\Microsoft.WindowsCalculator_8wekyb3d8bbwe!App")
    estate.app(group, "Excel")
    estate.app(group, "Alias", file_path=None)
    assert [found.subject for found in without_target(RULE, estate)] == [store]
