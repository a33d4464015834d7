"""role-inherited: a grant above the desktop objects reaches all of them."""

from __future__ import annotations

import msgspec
from asking import asked
from builders import SUB, Estate

from crossfade.assessment.rules.role_inherited import RULE
from crossfade.model.ids import DESKTOP_USER_ROLE
from crossfade.model.rights import Power, opens, powers
from crossfade.model.target import RoleDefinition, RoleGrant, RolePermission

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def grant(name: str, scope: str, role: str) -> RoleGrant:
    return RoleGrant(id=name, scope=scope, role=role, principal_id=f"p-{name}", principal_type="User")


def test_holds_once_for_a_scope_and_role_with_who_holds_it() -> None:
    estate = Estate()
    scope = f"/subscriptions/{SUB}"
    powerful = [grant("1", scope, OWNER), grant("2", scope, OWNER)]
    everything = grant("3", f"{scope}/resourceGroups/rg", DESKTOP_USER_ROLE)
    names = {"p-2": "Backup Runbook"}
    found = asked(RULE, estate, estate.target(powerful=powerful, grants=[everything], principals=names))
    assert [finding.evidence["role"] for finding in found] == ["Owner", "Desktop Virtualization User"]
    assert found[0].evidence["principals"] == ["User Backup Runbook", "User p-1"]
    assert "would gain access" in found[1].why


def test_does_not_hold_for_a_grant_on_an_application_group() -> None:
    estate = Estate()
    scope = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/applicationGroups/a"
    assert asked(RULE, estate, estate.target(grants=[grant("1", scope, DESKTOP_USER_ROLE)])) == []


def custom(name: str, **members: list[str]) -> RoleDefinition:
    return RoleDefinition(id=f"role-{name}", name=name, custom=True, permissions=[RolePermission(**members)])


def test_a_role_is_judged_by_its_actions_and_not_by_its_name() -> None:
    estate = Estate()
    scope = f"/subscriptions/{SUB}"
    roles = [
        custom("everything", actions=["*"]),
        custom("no access", actions=["*"], not_actions=["Microsoft.Authorization/*"]),
        custom("giver", actions=["Microsoft.Authorization/roleAssignments/*"]),
        custom("opener", data_actions=["Microsoft.DesktopVirtualization/*"]),
    ]
    held = [grant(role.name, scope, role.id) for role in roles]
    target = estate.target(powerful=held[:3], grants=held[3:], roles=roles)
    found = {finding.evidence["role"]: finding for finding in asked(RULE, estate, target)}
    assert found.keys() == {role.name for role in roles}
    assert "give anybody" in found["everything"].why
    assert "delete every host pool" in found["everything"].why
    assert "give anybody" not in found["no access"].why
    assert "delete every host pool" not in found["giver"].why
    assert found["opener"].why.startswith("It publishes")
    assert found["everything"].what.startswith("The custom role everything")
    assert found["everything"].evidence["actions"] == ["*"]


def test_power_over_desktops_alone_is_what_classic_gave_too() -> None:
    assert powers(custom("desks", actions=["Microsoft.DesktopVirtualization/*"]), "x") == set()
    assert powers(custom("vms", actions=["Microsoft.Compute/*"]), "x") == set()
    assert powers(None, OWNER.upper()) == {Power.GIVES_ACCESS, Power.CHANGES_EVERYTHING}
    assert powers(None, "unknown") == set()
    assert not opens(custom("not", data_actions=["*"], not_data_actions=["*/useApplications/action"]), "x")


def test_a_grant_with_a_condition_says_so() -> None:
    estate = Estate()
    giver = custom("giver", actions=["Microsoft.Authorization/*"])
    one = msgspec.structs.replace(grant("1", f"/subscriptions/{SUB}", giver.id), condition="@Resource[x] = 1")
    (found,) = asked(RULE, estate, estate.target(powerful=[one], roles=[giver]))
    assert "as far as the condition" in found.why
