"""Roles: what they allow, how they are given and taken (facts/classic-service 1.14, 2.6, 4)."""

from __future__ import annotations

import pytest
from classic_desk import AUTOMATION, AUTOMATION_APP, DESK_GROUP, DIRECTORY, GROUP, PEOPLE, TENANT_URL, Desk

from avdtwin.state import ClassicRoleAssignment

POOL = TENANT_URL + "/HostPools/Office%20Pool"
DEFAULT = "/TenantGroups/Default%20Tenant%20Group"
ROLES = "/Rds.Authorization/roleAssignments"
OWNER_AMY = f"{TENANT_URL}{ROLES}/RDS%20Owner/Users/upn/amy@contoso.com"
SCOPE = f"/{GROUP}/contoso"

READS = (
    TENANT_URL,
    POOL,
    POOL + "/SessionHosts",
    POOL + "/Sessions",
    POOL + "/AppGroups/Desktop%20Application%20Group",
)


# ---------------------------------------------------------------- definitions


def test_four_definitions(desk: Desk) -> None:
    found = desk.get("/Rds.Authorization/roleDefinitions/", who="nobody")
    assert [role["roleDefinitionName"] for role in found] == [
        "RDS Contributor",
        "RDS Owner",
        "RDS Operator",
        "RDS Reader",
    ]
    owner = found[1]
    assert owner == {
        "roleDefinitionName": "RDS Owner",
        "id": "3b14baea-8d82-4610-f5da-08d623dd1cc4",
        "scope": "/",
        "isCustom": False,
        "description": owner["description"],
        "actions": ["*"],
        "assignableScopes": [],
    }
    assert desk.get("/Rds.Authorization/roleDefinitions/rds%20owner") == owner
    assert desk.get(f"{TENANT_URL}/Rds.Authorization/roleDefinitions/Id/{owner['id'].upper()}") == owner
    assert desk.code("GET", "/Rds.Authorization/roleDefinitions/RDS%20Cook") == (404, "RoleNotFound")


# ---------------------------------------------------------------- what roles allow


@pytest.mark.parametrize(
    "role, reads, writes, assigns",
    [
        ("RDS Owner", True, True, True),
        ("RDS Contributor", True, True, False),
        ("RDS Reader", True, False, False),
        ("RDS Operator", False, False, False),
    ],
)
def test_what_a_role_allows(desk: Desk, role: str, reads: bool, writes: bool, assigns: bool) -> None:
    desk.pool()
    desk.grant(role, SCOPE, "bob")

    def allowed(method: str, url: str) -> bool:
        return desk.call(method, url, who="bob").status != 403

    assert {url: allowed("GET", url) for url in READS} == dict.fromkeys(READS, reads)
    assert allowed("PATCH", POOL) == allowed("POST", TENANT_URL + "/HostPools/New") == writes
    assert allowed("PUT", OWNER_AMY) == assigns


@pytest.mark.parametrize(
    "scope, seen",
    [
        ("/", 5),
        (f"/{GROUP}", 5),
        (SCOPE.upper(), 5),
        (SCOPE + "/Office Pool", 4),
        (SCOPE + "/Office Pool/Desktop Application Group", 1),
        (SCOPE + "/Other Pool", 0),
    ],
)
def test_a_role_reaches_downward(desk: Desk, scope: str, seen: int) -> None:
    desk.pool()
    desk.grant("RDS Reader", scope, "reader")
    answers = [desk.call("GET", url, who="reader").status for url in READS]
    assert answers == [403] * (len(READS) - seen) + [200] * seen


def test_lists_show_what_the_caller_may_see(desk: Desk) -> None:
    desk.pool("Pool A")
    desk.pool("Pool B")
    url = TENANT_URL + "/HostPools"
    assert desk.code("GET", url, who="bob") == (403, "UnauthorizedAccess")
    desk.grant("RDS Reader", SCOPE + "/Pool B", "bob")
    assert [pool["hostPoolName"] for pool in desk.get(url, who="bob")] == ["Pool B"]


def test_a_role_through_nested_groups(desk: Desk) -> None:
    desk.pool()
    desk.grant("RDS Contributor", SCOPE, DESK_GROUP)
    assert desk.code("GET", POOL, who="cal") == (403, "UnauthorizedAccess")
    desk.world.state.directory.groups[DESK_GROUP].members[PEOPLE["cal"]] = 0.0
    desk.clock.advance(300.0)
    assert desk.call("PATCH", POOL, {"friendlyName": "x"}, who="cal").status == 200


def test_no_role_may_answer_401_and_rights_may_be_off(desk: Desk) -> None:
    desk.set(classic_no_role_status=401)
    assert desk.code("GET", TENANT_URL, who="bob") == (401, "UnauthorizedAccess")
    desk.set(rights_enforced=False)
    assert desk.call("GET", TENANT_URL, who="bob").status == 200


# ---------------------------------------------------------------- giving and taking


def test_all_three_forms_and_again(desk: Desk) -> None:
    user = desk.call("PUT", OWNER_AMY)
    assert user.status == 200
    assert user.body == {
        "roleAssignmentId": user.body["roleAssignmentId"],
        "scope": SCOPE,
        "displayName": "Amy",
        "signInName": "amy@contoso.com",
        "groupObjectId": None,
        "aadTenantId": None,
        "appId": None,
        "roleDefinitionName": "RDS Owner",
        "roleDefinitionId": "3b14baea-8d82-4610-f5da-08d623dd1cc4",
        "objectId": PEOPLE["amy"],
        "objectType": "User",
    }
    again = desk.call("PUT", OWNER_AMY.replace("Users/upn", "users/UPN"), {"TenantGroupName": "whatever"})
    assert again.body == user.body
    application = desk.call("PUT", f"{POOL}{ROLES}/RDS%20Contributor/Users/appid/{AUTOMATION_APP}")
    assert application.status == 404, "the pool must exist"
    desk.pool()
    application = desk.call("PUT", f"{POOL}{ROLES}/RDS%20Contributor/Users/appid/{AUTOMATION_APP}").body
    assert (application["objectId"], application["objectType"], application["displayName"]) == (
        AUTOMATION,
        "ServicePrincipal",
        None,
    )
    url = f"{DEFAULT}{ROLES}/RDS%20Reader/Groups/azureADObjectId/{DESK_GROUP}"
    group = desk.call("PUT", f"{url}?AADTenantId={DIRECTORY}").body
    assert (group["groupObjectId"], group["scope"], group["aadTenantId"]) == (DESK_GROUP, f"/{GROUP}", DIRECTORY)


@pytest.mark.parametrize(
    "url, status, code",
    [
        (f"{TENANT_URL}{ROLES}/RDS%20Cook/Users/upn/amy@contoso.com", 404, "RoleNotFound"),
        (f"{TENANT_URL}{ROLES}/RDS%20Owner/Users/upn/zoe@contoso.com", 404, "UserNotFoundInAAD"),
        (f"{TENANT_URL}{ROLES}/RDS%20Owner/Users/appid/{AUTOMATION}", 404, "UserNotFoundInAAD"),
        (f"{TENANT_URL}{ROLES}/RDS%20Owner/Groups/azureADObjectId/{AUTOMATION}", 404, "GroupNotFoundInAAD"),
        (f"{DEFAULT}{ROLES}/RDS%20Owner/Users/upn/amy@contoso.com", 400, "AADParameterCausesBadRequest"),
        (f"{OWNER_AMY}?aadTenantId={AUTOMATION}", 404, "UserNotFoundInAAD"),
        (f"{TENANT_URL}2{ROLES}/RDS%20Owner/Users/upn/amy@contoso.com", 404, "TenantNotFound"),
        (f"/HostPools/x{ROLES}/RDS%20Owner/Users/upn/amy@contoso.com", 400, "InvalidAuthorizationRoleScope"),
    ],
)
def test_an_assignment_that_cannot_be_made(desk: Desk, url: str, status: int, code: str) -> None:
    assert desk.code("PUT", url) == (status, code)
    assert len(desk.world.state.classic.role_assignments) == 1


def test_the_last_owner_stays(desk: Desk) -> None:
    desk.call("PUT", OWNER_AMY)
    assert desk.code("DELETE", OWNER_AMY) == (409, "LastOwnerCannotBeRemoved")
    desk.call("PUT", OWNER_AMY.replace("amy", "bob"))
    assert desk.call("DELETE", OWNER_AMY).status == 200
    assert desk.code("DELETE", OWNER_AMY) == (404, "RoleRemovalFailed")
    assert desk.code("PATCH", TENANT_URL, {}, who="amy") == (403, "UnauthorizedAccess")
    assert desk.call("PATCH", TENANT_URL, {}, who="bob").status == 200


def test_assignments_at_a_scope_and_all_that_one_sees(desk: Desk) -> None:
    desk.pool()
    desk.call("PUT", OWNER_AMY)
    desk.call("PUT", f"{POOL}{ROLES}/RDS%20Reader/Users/upn/bob@contoso.com")

    def who(url: str, caller: str = "admin") -> list[str]:
        return sorted(entry["signInName"].partition("@")[0] for entry in desk.get(url, who=caller))

    assert who(ROLES) == ["admin", "amy", "bob"]
    assert who(ROLES, "amy") == ["amy", "bob"]
    assert who(ROLES, "nobody") == []
    assert who(ROLES + "?upn=BOB@contoso.com") == ["bob"]
    assert who(ROLES + "?unp=bob@contoso.com") == ["admin", "amy", "bob"]
    assert who(ROLES + f"?azureADObjectId={DESK_GROUP}") == []
    assert who(TENANT_URL + ROLES) == ["amy"]
    assert who(POOL + ROLES) == ["bob"]
    desk.set(classic_role_list_below=True)
    assert who(TENANT_URL + ROLES) == ["amy", "bob"]
    assert desk.code("GET", TENANT_URL + ROLES, who="bob") == (403, "UnauthorizedAccess")


def test_assignments_go_with_what_they_are_on(desk: Desk) -> None:
    desk.pool()
    desk.grant("RDS Reader", SCOPE + "/Office Pool", "bob")
    desk.grant("RDS Reader", SCOPE + "/Office Pool 2", "bob")
    desk.call("DELETE", POOL + "/AppGroups/Desktop%20Application%20Group")
    desk.call("DELETE", POOL)
    desk.pool()
    assert desk.code("GET", POOL, who="bob") == (403, "UnauthorizedAccess")
    assert [entry["scope"] for entry in desk.get(ROLES + "?upn=bob@contoso.com")] == [SCOPE + "/Office Pool 2"]


def test_somebody_deleted_has_no_names(desk: Desk) -> None:
    gone = ClassicRoleAssignment(id="g", scope=SCOPE, role="RDS Reader", object_id=AUTOMATION, object_type="User")
    desk.world.state.classic.role_assignments["g"] = gone
    [row] = desk.get(TENANT_URL + ROLES)
    assert (row["displayName"], row["signInName"], row["objectId"]) == (None, None, AUTOMATION)


def test_what_belongs_to_operators(desk: Desk) -> None:
    assert desk.code("GET", "/Deployments", who="bob") == (403, "UnauthorizedAccess")
    assert desk.code("GET", "/Deployments") == (501, "NotImplemented")
    desk.grant("RDS Operator", SCOPE, "bob")
    diagnostics = "/DiagnosticActivities" + TENANT_URL
    assert desk.code("GET", diagnostics + "?ActivityType=1", who="bob") == (501, "NotImplemented")
    assert desk.code("GET", diagnostics, who="cal") == (403, "UnauthorizedAccess")
