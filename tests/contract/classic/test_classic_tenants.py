"""Tenant groups, tenants (facts/classic-service 1.3, 1.4, 1.16, 2.9)."""

from __future__ import annotations

import pytest
from classic_desk import AUTOMATION, DIRECTORY, GROUP, NAMES, PEOPLE, SUBSCRIPTION, TENANT_URL, Desk

NEW = "/TenantGroups/Default%20Tenant%20Group/Tenants/fabrikam"
NEW_BODY = {"tenantGroupName": GROUP, "tenantName": "fabrikam", "aadTenantId": DIRECTORY}


def test_the_default_tenant_group_always_exists() -> None:
    desk = Desk()
    desk.world.state.classic.groups.clear()
    assert desk.get("/TenantGroups") == [{"tenantGroupName": GROUP, "description": None, "friendlyName": None}]
    assert desk.get("/TenantGroups/default tenant group")["tenantGroupName"] == GROUP
    assert desk.code("DELETE", "/TenantGroups/Default%20Tenant%20Group") == (409, "TenantGroupCannotBeRemoved")


def test_a_tenant_group_lives_and_goes(desk: Desk) -> None:
    made = desk.call("POST", "/TenantGroups/Customers", {"tenantGroupName": "Customers", "friendlyName": "All"})
    assert (made.status, made.body["friendlyName"]) == (201, "All")
    assert desk.code("POST", "/TenantGroups/customers", {}) == (409, "TenantGroupAlreadyExists")
    changed = desk.call("PATCH", "/TenantGroups/customers", {"description": "theirs"})
    assert changed.body == {"tenantGroupName": "Customers", "description": "theirs", "friendlyName": "All"}
    assert desk.call("DELETE", "/TenantGroups/Customers").status == 200
    assert desk.code("GET", "/TenantGroups/Customers") == (404, "TenantGroupNotFound")


def test_a_tenant_as_the_facts_show_it(desk: Desk) -> None:
    body = NEW_BODY | {
        "friendlyName": "Fabrikam Desktops",
        "azureSubscriptionId": SUBSCRIPTION,
        "id": "0",
        "unknown": 1,
    }
    made = desk.call("POST", NEW, body)
    assert made.status == 201
    assert (
        made.body
        == desk.get(NEW)
        == {
            "tenantGroupName": GROUP,
            "aadTenantId": DIRECTORY,
            "tenantName": "fabrikam",
            "description": None,
            "friendlyName": "Fabrikam Desktops",
            "ssoAdfsAuthority": None,
            "ssoClientId": None,
            "ssoClientSecret": None,
            "ssoSecretType": None,
            "azureSubscriptionId": SUBSCRIPTION,
            "logAnalyticsWorkspaceId": None,
            "logAnalyticsPrimaryKey": None,
        }
    )
    assert [tenant["tenantName"] for tenant in desk.get("/TenantGroups/Default%20Tenant%20Group/Tenants")] == [
        "contoso",
        "fabrikam",
    ]


def test_whoever_creates_a_tenant_owns_it(desk: Desk) -> None:
    desk.set(classic_tenant_creators=[PEOPLE["amy"]])
    assert desk.call("POST", NEW, NEW_BODY, who="amy").status == 201
    assert desk.get(NEW, who="amy")["tenantName"] == "fabrikam"
    assert desk.code("GET", TENANT_URL, who="amy") == (403, "UnauthorizedAccess")
    owned = desk.get(NEW + "/Rds.Authorization/roleAssignments", who="amy")
    assert [(entry["roleDefinitionName"], entry["signInName"]) for entry in owned] == [("RDS Owner", "amy@contoso.com")]


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"aadTenantId": "contoso.com"}, "TenantAadTenantIdNotValid"),
        ({"azureSubscriptionId": "prod"}, "SubscriptionIdNotGuid"),
        ({"logAnalyticsWorkspaceId": "logs"}, "LogAnalyticsWorkspaceIdNotGuid"),
        ({"tenantName": "contoso"}, "NameDoesNotMatchObject"),
        ({"friendlyName": "x" * 257}, "FriendlyNameNotValidLength"),
        ({"description": " padded"}, "DescriptionNotValidWhiteSpace"),
    ],
)
def test_a_bad_tenant_is_refused_and_nothing_made(desk: Desk, changes: dict[str, str], code: str) -> None:
    assert desk.code("POST", NEW, NEW_BODY | changes) == (400, code)
    assert desk.code("GET", NEW) == (404, "TenantNotFound")


def test_who_may_not_create_tenants(desk: Desk) -> None:
    assert desk.code("POST", NEW, NEW_BODY, who="amy") == (403, "UnauthorizedAccess")
    desk.grant("RDS Owner", "/", AUTOMATION)
    refused = desk.code("POST", NEW, NEW_BODY, who="automation")
    assert refused == (400, "TenantCreationWithServicePrincipalsNotSupported")


def test_no_new_tenants_after_the_stop(desk: Desk) -> None:
    desk.clock.advance(5 * 366 * 86_400.0)
    assert desk.code("POST", NEW, NEW_BODY) == (400, "TenantCannotBeCreated")
    desk.set(classic_new_tenants_until=None)
    assert desk.call("POST", NEW, NEW_BODY).status == 201


def test_patch_merges_and_null_leaves(desk: Desk) -> None:
    body = {"aadTenantId": DIRECTORY, "friendlyName": "A", "description": "B"}
    desk.call("PATCH", TENANT_URL, NAMES | body)
    changed = desk.call("PATCH", TENANT_URL, NAMES | {"friendlyName": None, "description": "C"}).body
    assert (changed["friendlyName"], changed["description"]) == ("A", "C")
    desk.set(classic_patch_null="clear")
    assert desk.call("PATCH", TENANT_URL, NAMES | {"friendlyName": None}).body["friendlyName"] is None


def test_a_tenant_keeps_its_directory(desk: Desk) -> None:
    assert desk.code("PATCH", TENANT_URL, NAMES | {"aadTenantId": SUBSCRIPTION}) == (400, "TenantCannotUpdate")


def test_secrets_never_come_back(desk: Desk) -> None:
    secrets = {"ssoClientSecret": "PLANTED-1", "logAnalyticsPrimaryKey": "PLANTED-2", "ssoSecretType": "0"}
    changed = desk.call("PATCH", TENANT_URL, NAMES | secrets)
    assert "PLANTED" not in str(changed.body)
    assert changed.body["ssoSecretType"] == 0
    desk.set(classic_secrets="asterisks")
    assert set(desk.get(TENANT_URL)["ssoClientSecret"]) == {"*"}
    assert desk.tenant.sso_client_secret == "PLANTED-1"


def test_a_workspace_is_switched_off_by_an_empty_text(desk: Desk) -> None:
    desk.tenant.log_analytics_workspace_id = SUBSCRIPTION
    assert desk.call("PATCH", TENANT_URL, {"logAnalyticsWorkspaceId": ""}).body["logAnalyticsWorkspaceId"] is None


def test_a_tenant_goes_only_when_empty(desk: Desk) -> None:
    pool = desk.pool()
    assert desk.code("DELETE", TENANT_URL) == (409, "TenantCannotBeRemovedHasSessionHostPools")
    desk.call("DELETE", pool + "/AppGroups/Desktop%20Application%20Group")
    desk.call("DELETE", pool)
    assert desk.call("DELETE", TENANT_URL).status == 200
    assert desk.code("DELETE", TENANT_URL) == (404, "TenantNotFound")


def test_create_may_answer_without_a_body(desk: Desk) -> None:
    desk.set(classic_create_answer="empty")
    made = desk.call("POST", NEW, NEW_BODY)
    assert (made.status, made.body) == (200, None)
    assert desk.get(NEW)["tenantName"] == "fabrikam"
