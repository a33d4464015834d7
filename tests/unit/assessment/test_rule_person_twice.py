"""person-twice: one person has several names in classic."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate, identity, oid

from crossfade.assessment.rules.person_twice import RULE

OLD, NEW = "maiden@contoso.com", "Married@contoso.com"


def test_holds_for_two_names_of_one_object_only() -> None:
    estate = Estate()
    estate.group(estate.pool("Office", people=0), "Apps", people=[OLD, NEW, "lee@contoso.com"])
    one = oid(NEW)
    people = [identity(OLD, object_id=one), identity(NEW, object_id=one.upper()), identity("lee@contoso.com")]
    (found,) = asked(RULE, estate, estate.target(identities=people))
    assert found.evidence["names"] == [OLD, NEW]
    assert "2 names in classic" in found.what
    assert without_target(RULE, estate) == []


def test_does_not_hold() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    assert asked(RULE, estate) == []
