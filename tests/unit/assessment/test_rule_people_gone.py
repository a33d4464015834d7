"""people-gone: assigned people whom the directory does not know, or has disabled."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate, identity

from crossfade.assessment.findings import Severity
from crossfade.assessment.rules.people_gone import RULE


def office() -> Estate:
    estate = Estate()
    estate.pool("Office", people=2)
    return estate


def test_holds_for_who_left_and_who_is_disabled() -> None:
    people = [
        identity("office0@contoso.com", object_id=None, state="missing", why="Deleted."),
        identity("OFFICE1@contoso.com", state="disabled"),
    ]
    missing, disabled = asked(RULE, office(), office().target(identities=people))
    assert (missing.severity, disabled.severity) == (Severity.WARNING, Severity.NOTE)
    assert missing.subject == "office0@contoso.com"
    assert missing.evidence["assigned_to"] == ["Default Tenant Group/Contoso/Office/Desktop Application Group"]


def test_holds_for_the_owner_of_a_personal_desktop() -> None:
    estate = Estate()
    pool = estate.pool("Own", hosts=1, people=0, personal=True)
    estate.change(f"{pool}/own-0.corp.contoso.com", assigned_user="gone@contoso.com")
    target = estate.target(identities=[identity("gone@contoso.com", object_id=None, state="missing")])
    assert [found.subject for found in asked(RULE, estate, target)] == ["gone@contoso.com"]


def test_does_not_hold() -> None:
    assert asked(RULE, office()) == []
    assert without_target(RULE, office()) == []
