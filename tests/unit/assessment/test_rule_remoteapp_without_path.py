"""remoteapp-without-path: a RemoteApp has no file path."""

from __future__ import annotations

from asking import without_target
from builders import Estate

from crossfade.assessment.rules.remoteapp_without_path import RULE


def test_holds() -> None:
    estate = Estate()
    group = estate.group(estate.pool("Office"), "Apps")
    keys = [estate.app(group, "A", file_path=None, app_alias="excel"), estate.app(group, "B", file_path="")]
    alias, neither = without_target(RULE, estate)
    assert [alias.subject, neither.subject] == keys
    assert "only the alias excel" in alias.what
    assert "neither path nor alias" in neither.what


def test_does_not_hold() -> None:
    estate = Estate()
    estate.app(estate.group(estate.pool("Office"), "Apps"), "A", app_alias="excel")
    assert without_target(RULE, estate) == []
