"""person-guest: a guest of the directory is assigned."""

from __future__ import annotations

from asking import without_target
from builders import Estate

from crossfade.assessment.rules.person_guest import RULE

GUEST = "kim_partner.com#EXT#@contoso.com"


def test_holds_once_for_each_guest_in_whatever_casing() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=1)
    for name in ("Apps", "More"):
        estate.group(pool, name, people=[GUEST if name == "Apps" else GUEST.lower()])
    (found,) = without_target(RULE, estate)
    assert found.subject == GUEST.lower()
    assert len(found.evidence["assigned_to"]) == 2
    assert "not confirmed" in found.why


def test_does_not_hold() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    assert without_target(RULE, estate) == []
