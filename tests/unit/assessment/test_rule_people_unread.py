"""people-unread: assigned people whom nobody looked up."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate, identity

from crossfade.assessment.rules.people_unread import RULE


def office() -> Estate:
    estate = Estate()
    estate.pool("Office", people=8)
    return estate


def test_holds_once_for_all_of_them() -> None:
    people = [identity("office0@contoso.com"), identity("office1@contoso.com", state="unread", why="Forbidden.")]
    (found,) = asked(RULE, office(), office().target(identities=people))
    assert found.evidence["people"] == [f"office{n}@contoso.com" for n in range(1, 8)]
    assert "and 2 more" in found.what
    assert found.why == "Forbidden."


def test_does_not_hold() -> None:
    gone = [identity(f"office{n}@contoso.com", object_id=None, state="missing") for n in range(8)]
    assert asked(RULE, office()) == asked(RULE, office(), office().target(identities=gone)) == []
    assert without_target(RULE, office()) == []
