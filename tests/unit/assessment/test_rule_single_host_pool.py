"""single-host-pool: a pool has one host."""

from __future__ import annotations

from asking import without_target
from builders import Estate

from crossfade.assessment.rules.single_host_pool import RULE


def test_holds() -> None:
    estate = Estate()
    pool = estate.pool("Kiosk", hosts=1, people=3)
    (found,) = without_target(RULE, estate)
    assert found.subject == pool
    assert 'outage = "when-empty"' in found.mend


def test_does_not_hold() -> None:
    estate = Estate()
    estate.pool("Office", hosts=2)
    estate.pool("Unused", hosts=1, people=0)
    estate.pool("Own", hosts=1, people=1, personal=True)
    assert without_target(RULE, estate) == []
