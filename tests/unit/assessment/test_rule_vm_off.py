"""vm-off: the VM of a session host is off."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate

from crossfade.assessment.rules.vm_off import RULE


def test_holds() -> None:
    estate = Estate()
    asleep = estate.host(estate.pool("Office"), "asleep", power="deallocated")
    (found,) = asked(RULE, estate)
    assert (found.subject, found.evidence["power"]) == (asleep, "deallocated")


def test_does_not_hold() -> None:
    estate = Estate()
    pool = estate.pool("Office")
    estate.host(pool, "unknown", power="unknown")
    estate.host(pool, "lost", vm=False)
    assert asked(RULE, estate) == without_target(RULE, estate) == []
