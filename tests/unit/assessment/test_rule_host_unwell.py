"""host-unwell: a running session host is not Available."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate

from crossfade.assessment.rules.host_unwell import RULE


def test_holds() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=2)
    ill = estate.host(pool, "ill", status="NoHeartbeat", health={"DomainTrustCheck": "HealthCheckFailed", "x": "ok"})
    (found,) = asked(RULE, estate)
    assert found.subject == ill
    assert found.evidence["failed_checks"] == ["DomainTrustCheck"]


def test_does_not_hold_for_hosts_that_are_well_unknown_or_off() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=2)
    estate.host(pool, "unknown", status=None)
    estate.host(pool, "asleep", status="Unavailable", power="deallocated")
    assert asked(RULE, estate) == []
    assert len(without_target(RULE, estate)) == 1
