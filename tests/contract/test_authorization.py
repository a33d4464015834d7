"""Role assignments, definitions and permissions through azure-mgmt-authorization, sync and async, unmodified."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from _furnished import APP_ID, APP_OBJECT_ID, GROUP, SECRET, user_id
from _inprocess import (
    ADMIN_ID,
    ORIGIN,
    OWNER,
    SUBSCRIPTION,
    TENANT,
    InProcessAsyncTransport,
    InProcessTransport,
    StaticAsyncCredential,
    StaticCredential,
    Twin,
    grant,
    token_for,
)
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.aio import AuthorizationManagementClient as AsyncAuthorizationManagementClient
from azure.mgmt.authorization.models import RoleAssignmentCreateParameters

from avdtwin.arm import rights, roles, store
from avdtwin.server import Endpoint
from avdtwin.state import Group, Resource, RoleAssignment
from avdtwin.world import World

SUB = f"/subscriptions/{SUBSCRIPTION}"
RG = f"{SUB}/resourceGroups/rg"
AVD_USER = roles.BY_NAME["desktop virtualization user"].guid
READER = roles.BY_NAME["reader"].guid
CONTRIBUTOR = roles.BY_NAME["contributor"].guid


def definition(guid: str) -> str:
    return f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def body(principal: str, role: str = READER, kind: str | None = "User", **more: Any) -> dict[str, Any]:
    given = {"roleDefinitionId": definition(role), "principalId": principal, **more}
    return {"properties": given | ({"principalType": kind} if kind else {})}


def name(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts)))


def client(twin: Twin, **more: Any) -> AuthorizationManagementClient:
    credential = more.pop("credential", None) or StaticCredential(twin.world)
    return AuthorizationManagementClient(
        credential, SUBSCRIPTION, base_url=ORIGIN, transport=InProcessTransport(twin.app), **more
    )


def code_of(caught: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str | None]:
    error = caught.value
    return error.status_code, error.error.code if error.error else None


@pytest.fixture
def assignments(twin: Twin) -> Any:
    return client(twin).role_assignments


# ---------------------------------------------------------------- create, read, delete


def test_create_read_repeat_delete(assignments: Any) -> None:
    key = name(RG, "1")
    made = assignments.create(RG, key, body(user_id(1), description="why"))
    assert made.id == f"{RG}/providers/Microsoft.Authorization/roleAssignments/{key}"
    assert (made.scope, made.principal_id, made.principal_type) == (RG, user_id(1), "User")
    assert made.role_definition_id == definition(READER)
    assert made.created_by == ADMIN_ID
    assert (
        assignments.create(RG.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), key, body(user_id(1))).id == made.id
    )
    assert assignments.get(RG, key).principal_id == user_id(1)
    assert assignments.get_by_id(made.id).name == key
    assert assignments.delete(RG, key).name == key
    assert assignments.delete(RG, key) is None
    with pytest.raises(HttpResponseError) as caught:
        assignments.get(RG, key)
    assert code_of(caught) == (404, "RoleAssignmentNotFound")


def test_statuses_of_create_and_delete(twin: Twin) -> None:
    url = f"{RG}/providers/Microsoft.Authorization/roleAssignments/{name('s')}"
    statuses = [twin.call("PUT", url, body(user_id(1)), api_version="2022-04-01").status for _ in range(2)]
    statuses += [twin.call("DELETE", url, api_version="2022-04-01").status for _ in range(2)]
    assert statuses == [201, 200, 200, 204]


def test_async_client(twin: Twin) -> None:
    async def play() -> tuple[str, list[str]]:
        transport = InProcessAsyncTransport(twin.app)
        credential: Any = StaticAsyncCredential(twin.world)
        async with AsyncAuthorizationManagementClient(
            credential, SUBSCRIPTION, base_url=ORIGIN, transport=transport
        ) as found:
            made = await found.role_assignments.create(RG, name("a"), body(GROUP, AVD_USER, "Group"))
            listed = [each.name async for each in found.role_assignments.list_for_resource_group("rg")]
            return made.principal_type, listed

    kind, listed = asyncio.run(play())
    assert kind == "Group"
    assert name("a") in listed


def test_over_tls_as_a_service_principal(endpoint: Endpoint) -> None:
    trust = {"connection_verify": str(endpoint.ca_file)}
    with (
        ClientSecretCredential(
            TENANT, APP_ID, SECRET, authority=endpoint.url, disable_instance_discovery=True, **trust
        ) as credential,
        AuthorizationManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=endpoint.url,
            credential_scopes=[f"{endpoint.url}/.default"],
            **trust,  # type: ignore[arg-type]
        ) as found,
    ):
        made = found.role_assignments.create(RG, name("tls"), body(user_id(2)))
        assert made.created_by == APP_OBJECT_ID
        assert [each.name for each in found.role_assignments.list_for_scope(RG, filter="atScope()")][-1] == name("tls")


# ---------------------------------------------------------------- refusals


def refused(assignments: Any, scope: str, key: str, given: dict[str, Any]) -> tuple[int | None, str | None]:
    with pytest.raises(HttpResponseError) as caught:
        assignments.create(scope, key, given)
    return code_of(caught)


def test_the_same_under_another_name(assignments: Any) -> None:
    assignments.create(RG, name("x"), body(user_id(1)))
    with pytest.raises(ResourceExistsError) as caught:
        assignments.create(RG, name("y"), body(user_id(1)))
    assert code_of(caught) == (409, "RoleAssignmentExists")
    assert name("x").replace("-", "") in str(caught.value)


@pytest.mark.parametrize(
    ("scope", "given"),
    [(RG, body(user_id(2))), (RG, body(user_id(1), CONTRIBUTOR)), (SUB, body(user_id(1)))],
    ids=["principal", "role", "scope"],
)
def test_another_content_under_the_same_name(assignments: Any, scope: str, given: dict[str, Any]) -> None:
    assignments.create(RG, name("x"), body(user_id(1)))
    assert refused(assignments, scope, name("x"), given) == (400, "RoleAssignmentUpdateNotPermitted")


@pytest.mark.parametrize(
    ("scope", "key", "given", "expected"),
    [
        (RG, name("x"), body(user_id(999)), (400, "PrincipalNotFound")),
        (RG, name("x"), body(GROUP), (400, "UnmatchedPrincipalType")),
        (RG, "not-a-guid", body(user_id(1)), (400, "InvalidRoleAssignmentId")),
        (RG, name("x"), body(user_id(1), name("role")), (404, "RoleDefinitionDoesNotExist")),
        (f"{SUB}/resourceGroups/none", name("x"), body(user_id(1)), (404, "ResourceGroupNotFound")),
        (
            f"{RG}/providers/Microsoft.DesktopVirtualization/applicationgroups/none",
            name("x"),
            body(user_id(1)),
            (404, "ResourceNotFound"),
        ),
        (f"/subscriptions/{TENANT}", name("x"), body(user_id(1)), (404, "SubscriptionNotFound")),
        (RG, name("x"), {"properties": {}}, (400, "InvalidCreateRoleAssignmentRequest")),
    ],
)
def test_refusals(assignments: Any, scope: str, key: str, given: Any, expected: tuple[int, str]) -> None:
    assert refused(assignments, scope, key, given) == expected


def test_the_clients_default_type_is_user(assignments: Any) -> None:
    given = RoleAssignmentCreateParameters(role_definition_id=definition(READER), principal_id=GROUP)
    with pytest.raises(HttpResponseError) as caught:
        assignments.create(RG, name("x"), given)
    assert code_of(caught) == (400, "UnmatchedPrincipalType")
    assert "PrinciaplType 'User'" in str(caught.value)
    assert assignments.create(RG, name("x"), body(GROUP, kind=None)).principal_type == "Group"


def test_a_new_principal_is_not_found_at_first(twin: Twin, assignments: Any, world: World) -> None:
    world.state.settings["principal_replication_s"] = [15, 15]
    given = {"displayName": "New", "mailEnabled": False, "mailNickname": "new", "securityEnabled": True}
    group = twin.call("POST", "/v1.0/groups", given).json()["id"]
    assert refused(assignments, RG, name("n"), body(group, kind="Group")) == (400, "PrincipalNotFound")
    world.clock.advance(15)  # type: ignore[attr-defined]
    assert assignments.create(RG, name("n"), body(group, kind="Group")).principal_id == group


def test_the_last_owner_of_a_subscription_stays(assignments: Any, world: World) -> None:
    owners = [each for each in rights.at(world, SUB) if each.role_definition_id.endswith(OWNER)]
    last, other = sorted(owners, key=lambda each: each.principal_id)
    assert last.principal_id == ADMIN_ID
    assignments.delete(SUB, other.name)
    with pytest.raises(HttpResponseError) as caught:
        assignments.delete(SUB, last.name)
    assert code_of(caught) == (400, "CannotDeleteLastRbacAdminAssignment")


# ---------------------------------------------------------------- quotas


def test_quota_of_a_subscription_and_its_count(twin: Twin, assignments: Any, world: World) -> None:
    metrics: Any = client(twin, api_version="2019-08-01-preview").role_assignment_metrics
    before = metrics.get_metrics_for_subscription()
    assert (before.role_assignments_limit, before.role_assignments_current_count) == (4000, 2)
    for number in range(3998):
        put(world, RG, f"{number:08}-0000-4000-a000-000000000000")
    assert metrics.get_metrics_for_subscription().role_assignments_remaining_count == 0
    assert refused(assignments, RG, name("x"), body(user_id(1))) == (400, "RoleAssignmentLimitExceeded")


def test_quota_of_an_object(twin: Twin, assignments: Any, world: World) -> None:
    pool = host_pool(twin)
    for number in range(199):
        put(world, pool, f"{number:08}-0000-4000-a000-000000000000")
    assert assignments.create(pool, name("last"), body(user_id(1))).scope == pool
    assert refused(assignments, pool, name("more"), body(user_id(2))) == (400, "RoleAssignmentLimitExceeded")
    assert assignments.create(RG, name("more"), body(user_id(2))).scope == RG


def put(world: World, scope: str, principal: str) -> None:
    """An assignment straight into the state."""
    rights.put(
        world,
        RoleAssignment(
            id=f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name(scope, principal)}",
            name=name(scope, principal),
            scope=scope,
            role_definition_id=definition(AVD_USER),
            principal_id=principal,
            principal_type="Group" if principal in world.state.directory.groups else "User",
            created_at=0,
            effective_at=0,
        ),
    )


def host_pool(twin: Twin) -> str:
    pool = f"{RG}/providers/Microsoft.DesktopVirtualization/hostPools/pool"
    properties = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
    answer = twin.call("PUT", pool, {"location": "westeurope", "properties": properties})
    assert answer.status == 201, answer.json()
    return pool


# ---------------------------------------------------------------- lists


@pytest.fixture
def spread(twin: Twin, assignments: Any) -> str:
    """Assignments at the subscription, the group and a host pool; returns the host pool."""
    pool = host_pool(twin)
    assignments.create(SUB, name("sub"), body(user_id(1)))
    assignments.create(RG, name("group"), body(GROUP, kind="Group"))
    assignments.create(pool, name("pool"), body(user_id(2)))
    return pool


def names(found: Any) -> set[str]:
    known = {name(word): word for word in ("sub", "group", "pool")}
    return {known[each.name] for each in found if each.name in known}


@pytest.mark.parametrize(
    ("where", "text", "expected"),
    [
        ("rg", None, {"sub", "group", "pool"}),
        ("rg", "atScope()", {"sub", "group"}),
        ("pool", "atScope()", {"sub", "group", "pool"}),
        ("sub", None, {"sub", "group", "pool"}),
        ("sub", f"principalId eq '{user_id(2)}'", {"pool"}),
        ("pool", f"assignedTo('{user_id(2)}')", {"group", "pool"}),
        ("pool", f"atScope() and assignedTo('{user_id(1).upper()}')", {"sub", "group"}),
        ("pool", f"principalId eq '{user_id(0)}'", set()),
    ],
)
def test_filters(spread: str, assignments: Any, where: str, text: str | None, expected: set[str]) -> None:
    scope = {"rg": RG, "sub": SUB, "pool": spread}[where]
    assert names(assignments.list_for_scope(scope, filter=text)) == expected


def test_the_other_lists(spread: str, assignments: Any) -> None:
    assert names(assignments.list_for_subscription()) == {"sub", "group", "pool"}
    assert names(assignments.list_for_resource_group("rg")) == {"sub", "group", "pool"}
    at = ("rg", "Microsoft.DesktopVirtualization", "hostPools", "pool")
    assert names(assignments.list_for_resource(*at)) == {"sub", "group", "pool"}


def test_an_unknown_filter(assignments: Any) -> None:
    with pytest.raises(HttpResponseError) as caught:
        list(assignments.list_for_scope(RG, filter="colour eq 'red'"))
    assert code_of(caught) == (400, "UnsupportedQuery")


def test_long_lists_come_in_pages(twin: Twin, assignments: Any, world: World) -> None:
    for number in range(1500):
        put(world, RG, f"{number:08}-0000-4000-a000-000000000000")
    found = [each.name for each in assignments.list_for_scope(RG, filter="atScope()")]
    assert (len(found), len(set(found))) == (1502, 1502)


# ---------------------------------------------------------------- definitions and permissions


def test_definitions(twin: Twin) -> None:
    definitions = client(twin).role_definitions
    found = list(definitions.list(RG, filter="roleName eq 'Desktop Virtualization User'"))
    assert [each.name for each in found] == [AVD_USER]
    assert found[0].id == definition(AVD_USER)
    assert found[0].permissions[0].data_actions == [
        "Microsoft.DesktopVirtualization/applicationGroups/useApplications/action"
    ]
    assert {each.role_name for each in definitions.list(SUB)} == {role.name for role in roles.ROLES}
    assert definitions.get(SUB, CONTRIBUTOR).permissions[0].not_actions[0] == "Microsoft.Authorization/*/Delete"
    assert definitions.get_by_id(definition(OWNER)).role_name == "Owner"
    with pytest.raises(HttpResponseError) as caught:
        definitions.get(SUB, name("none"))
    assert code_of(caught) == (404, "RoleDefinitionDoesNotExist")


def test_ids_and_names_of_roles_are_unique() -> None:
    assert len(roles.BY_GUID) == len(roles.BY_NAME) == len(roles.ROLES)


def test_permissions(twin: Twin) -> None:
    host_pool(twin)
    permissions = client(twin).permissions
    assert [each.actions for each in permissions.list_for_resource_group("rg")] == [["*"]]
    # With an empty parent path the client sends a doubled slash.
    at = ("rg", "Microsoft.DesktopVirtualization", "", "hostPools", "pool")
    assert [each.actions for each in permissions.list_for_resource(*at)] == [["*"]]
    answer = twin.call("GET", f"{SUB}/providers/Microsoft.Authorization/permissions", api_version="2022-04-01")
    assert answer.json()["value"] == [{"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}]


# ---------------------------------------------------------------- rights


def may(world: World, action: str, scope: str = RG, who: str = user_id(1), **more: bool) -> bool:
    return rights.allows(world, who, action, scope, **more)


@pytest.mark.parametrize(
    ("role", "action", "expected"),
    [
        ("Contributor", "Microsoft.Compute/virtualMachines/runCommand/action", True),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", False),
        ("Contributor", "microsoft.authorization/roleassignments/READ", True),
        ("Reader", "Microsoft.DesktopVirtualization/hostpools/read", True),
        ("Reader", "Microsoft.DesktopVirtualization/hostpools/retrieveRegistrationToken/action", False),
        ("Desktop Virtualization Contributor", "Microsoft.DesktopVirtualization/hostpools/sessionhosts/write", True),
        ("Desktop Virtualization Contributor", "Microsoft.Compute/virtualMachines/read", False),
        ("Desktop Virtualization Session Host Operator", "Microsoft.DesktopVirtualization/hostpools/write", False),
        ("Role Based Access Control Administrator", "Microsoft.Authorization/roleAssignments/write", True),
        ("Desktop Virtualization User", "Microsoft.DesktopVirtualization/applicationgroups/read", False),
    ],
)
def test_what_a_role_allows(world: World, role: str, action: str, expected: bool) -> None:
    grant(world, user_id(1), roles.BY_NAME[role.lower()].guid, RG)
    assert may(world, action) is expected


def test_rights_add_up_over_roles(world: World) -> None:
    """One role's notActions take nothing from another role."""
    grant(world, user_id(1), CONTRIBUTOR, RG)
    grant(world, user_id(1), roles.BY_NAME["user access administrator"].guid, SUB)
    assert may(world, "Microsoft.Authorization/roleAssignments/write")
    assert may(world, "Microsoft.DesktopVirtualization/hostpools/write")


def test_data_actions_are_a_world_of_their_own(world: World) -> None:
    grant(world, user_id(1), OWNER, RG)
    action = "Microsoft.DesktopVirtualization/applicationGroups/useApplications/action"
    assert may(world, action)
    assert not may(world, action, data=True)
    grant(world, user_id(1), AVD_USER, RG)
    assert may(world, action, data=True)


def test_scopes_reach_down_and_not_sideways(world: World) -> None:
    grant(world, user_id(1), READER, RG)
    inside = f"{RG}/providers/Microsoft.DesktopVirtualization/hostPools/p/sessionHosts/h"
    assert may(world, "X/read", inside.upper())
    assert not may(world, "X/read", f"{RG}2/providers/X/y/z")
    assert not may(world, "X/read", SUB)


def test_rights_through_nested_groups_from_their_moment_on(world: World) -> None:
    world.state.directory.groups["outer"] = Group(id="outer", display_name="Outer", members={GROUP: world.now + 50})
    grant(world, "outer", READER, RG)
    assert not may(world, "X/read")
    world.settle_until(world.now + 50)
    assert may(world, "X/read")
    assert not may(world, "X/read", who=user_id(20))


def test_an_assignment_takes_effect_later(twin: Twin, assignments: Any, world: World) -> None:
    world.state.settings["role_effective_s"] = [100, 100]
    assignments.create(RG, name("late"), body(user_id(20)))
    token = {"authorization": f"Bearer {token_for(world, user_id(20), 'user20@contoso.example')}"}
    early = twin.call("GET", RG, headers=token)
    assert early.status == 403
    error = early.json()["error"]
    assert error["code"] == "AuthorizationFailed"
    assert error["message"].startswith(
        f"The client 'user20@contoso.example' with object id '{user_id(20)}' does not have authorization to perform "
        f"action 'Microsoft.Resources/subscriptions/resourceGroups/read' over scope '{RG}' or the scope is invalid."
    )
    world.clock.advance(100)  # type: ignore[attr-defined]
    assert twin.call("GET", RG, headers=token).status == 200


def test_without_the_right_nothing_is_assigned(twin: Twin, world: World) -> None:
    grant(world, user_id(20), CONTRIBUTOR, SUB)
    token = {"authorization": f"Bearer {token_for(world, user_id(20), 'user20@contoso.example')}"}
    url = f"{RG}/providers/Microsoft.Authorization/roleAssignments/{name('x')}"
    answer = twin.call("PUT", url, body(user_id(1)), headers=token)
    assert (answer.status, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")
    world.state.settings["rights_enforced"] = False
    assert twin.call("PUT", url, body(user_id(1)), headers=token).status == 201


def test_locks_are_listed_where_they_hold(twin: Twin, world: World) -> None:
    pool = host_pool(twin)
    for scope, key in ((RG, "group-lock"), (pool, "pool-lock")):
        full = f"{scope}/providers/Microsoft.Authorization/locks/{key}"
        properties = {"level": "CanNotDelete", "notes": "no"}
        store.add(world, Resource(id=full, type="Microsoft.Authorization/locks", name=key, properties=properties))

    def listed(scope: str) -> list[str]:
        found = twin.call("GET", f"{scope}/providers/Microsoft.Authorization/locks", api_version="2020-05-01").json()
        return sorted(each["name"] for each in found["value"])

    assert listed(RG) == listed(pool) == ["group-lock", "pool-lock"]
