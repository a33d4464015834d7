"""role-inherited: a grant above the desktop objects reaches all of them."""

from __future__ import annotations

from asking import asked
from builders import SUB, Estate

from crossfade.assessment.rules.role_inherited import RULE
from crossfade.model.ids import DESKTOP_USER_ROLE
from crossfade.model.target import RoleGrant

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def grant(name: str, scope: str, role: str) -> RoleGrant:
    return RoleGrant(id=name, scope=scope, role=role, principal_id=f"p-{name}", principal_type="User")


def test_holds_once_for_a_scope_and_role_with_who_holds_it() -> None:
    estate = Estate()
    scope = f"/subscriptions/{SUB}"
    powerful = [grant("1", scope, OWNER), grant("2", scope, OWNER)]
    everything = grant("3", f"{scope}/resourceGroups/rg", DESKTOP_USER_ROLE)
    found = asked(RULE, estate, estate.target(powerful=powerful, grants=[everything]))
    assert [finding.evidence["role"] for finding in found] == ["Owner", "Desktop Virtualization User"]
    assert found[0].evidence["principals"] == ["User p-1", "User p-2"]
    assert "would gain access" in found[1].why


def test_does_not_hold_for_a_grant_on_an_application_group() -> None:
    estate = Estate()
    scope = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/applicationGroups/a"
    assert asked(RULE, estate, estate.target(grants=[grant("1", scope, DESKTOP_USER_ROLE)])) == []
