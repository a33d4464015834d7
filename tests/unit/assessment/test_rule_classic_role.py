"""classic-role: a classic role is proposed as Azure roles, and granted after a yes only."""

from __future__ import annotations

from asking import without_target
from builders import Estate

from crossfade.assessment.rules.classic_role import RULE
from crossfade.model.classic import RoleAssignment


def test_holds_with_what_to_grant_instead() -> None:
    estate = Estate()
    estate.roles += [
        RoleAssignment(key="Default Tenant Group/Contoso", role="RDS Reader", sign_in_name="kim@contoso.com"),
        RoleAssignment(key="", role="Custom", object_id="o-1"),
    ]
    custom, reader = without_target(RULE, estate)
    assert "kim@contoso.com is RDS Reader" in reader.what
    assert "proposes Desktop Virtualization Reader" in reader.mend
    assert "[roles]" in reader.mend
    assert "No counterpart" in custom.mend
    assert custom.subject == "the deployment#Custom#o-1"


def test_does_not_hold() -> None:
    assert without_target(RULE, Estate()) == []
