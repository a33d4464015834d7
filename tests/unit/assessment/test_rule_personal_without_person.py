"""personal-without-person: a direct pool's desktop without a person, or the reverse."""

from __future__ import annotations

from asking import without_target
from builders import Estate

from crossfade.assessment.findings import Severity
from crossfade.assessment.rules.personal_without_person import RULE
from crossfade.model.classic import AssignmentType


def own(assignment: AssignmentType | None) -> Estate:
    estate = Estate()
    pool = estate.pool("Own", hosts=2, people=2, personal=True, assignment=assignment)
    estate.change(f"{pool}/own-0.corp.contoso.com", assigned_user="OWN0@contoso.com")
    return estate


def test_holds_for_a_host_and_for_a_person() -> None:
    host, person = without_target(RULE, own(AssignmentType.DIRECT))
    assert (host.severity, person.severity) == (Severity.NOTE, Severity.WARNING)
    assert host.subject.endswith("/own-1.corp.contoso.com")
    assert person.evidence["upn"] == "own1@contoso.com"


def test_does_not_hold_where_desktops_assign_themselves() -> None:
    assert without_target(RULE, own(AssignmentType.AUTOMATIC)) == without_target(RULE, own(None)) == []
    pooled = Estate()
    pooled.pool("Office")
    assert without_target(RULE, pooled) == []
