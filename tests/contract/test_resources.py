"""Subscriptions, resource groups and providers through azure-mgmt-resource, sync and async, unmodified."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from _furnished import APP_ID, SECRET, user_id
from _inprocess import (
    ORIGIN,
    SUBSCRIPTION,
    TENANT,
    InProcessAsyncTransport,
    InProcessTransport,
    StaticAsyncCredential,
    StaticCredential,
    Twin,
    add_machine,
    grant,
    token_for,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient as AsyncResourceManagementClient

from avdtwin import sessions
from avdtwin.arm import roles, store
from avdtwin.server import Endpoint
from avdtwin.state import Resource, Subscription
from avdtwin.world import World

SUB = f"/subscriptions/{SUBSCRIPTION}"
READER = roles.BY_NAME["reader"].guid
AVD = "Microsoft.DesktopVirtualization"


@pytest.fixture
def client(twin: Twin) -> ResourceManagementClient:
    return ResourceManagementClient(
        StaticCredential(twin.world), SUBSCRIPTION, base_url=ORIGIN, transport=InProcessTransport(twin.app)
    )


def as_user(twin: Twin, number: int) -> dict[str, str]:
    text = token_for(twin.world, user_id(number), f"user{number:02}@contoso.example")
    return {"authorization": f"Bearer {text}"}


def code_of(caught: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str | None]:
    error = caught.value
    return error.status_code, error.error.code if error.error else None


# ---------------------------------------------------------------- resource groups


def test_a_group_made_changed_listed(client: Any) -> None:
    groups = client.resource_groups
    made = groups.create_or_update("RG-New", {"location": "West Europe", "tags": {"a": "1"}})
    assert made.id == f"{SUB}/resourceGroups/RG-New"
    assert (made.location, made.type, made.properties.provisioning_state) == (
        "westeurope",
        "Microsoft.Resources/resourceGroups",
        "Succeeded",
    )
    assert groups.get("rg-new").name == "RG-New"
    assert groups.update("rg-new", {"tags": {"b": "2"}}).tags == {"b": "2"}
    assert {each.name for each in groups.list()} == {"rg", "RG-New"}
    assert groups.check_existence("RG-NEW") is True
    assert groups.check_existence("other") is False


def test_statuses_of_put(twin: Twin) -> None:
    url = f"{SUB}/resourcegroups/again"
    answers = [twin.call("PUT", url, {"location": "westus2"}) for _ in range(2)]
    assert [each.status for each in answers] == [201, 200]
    assert "tags" not in answers[0].json()


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("rg", {"location": "eastus"}, (409, "InvalidResourceGroupLocation")),
        ("new", {}, (400, "LocationRequired")),
        ("ends-with-a-dot.", {"location": "eastus"}, (400, "InvalidResourceGroup")),
        ("x" * 91, {"location": "eastus"}, (400, "InvalidResourceGroup")),
    ],
)
def test_groups_that_cannot_be(client: Any, name: str, body: Any, expected: tuple[int, str]) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.resource_groups.create_or_update(name, body)
    assert code_of(caught) == expected


def test_a_group_that_is_not_there(client: Any) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        client.resource_groups.get("none")
    assert code_of(caught) == (404, "ResourceGroupNotFound")
    assert caught.value.error is not None
    assert caught.value.error.message == "Resource group 'none' could not be found."


def test_deleting_a_group_takes_a_while_and_all_in_it(client: Any, twin: Twin, world: World) -> None:
    pool = f"{SUB}/resourceGroups/rg/providers/{AVD}/hostPools/p"
    store.add(world, Resource(id=pool, type=f"{AVD}/hostPools", name="p", properties={}, location="westeurope"))
    grant(world, user_id(1), READER, pool)
    machine = add_machine(world, "vm-1")
    arguments: Any = {"service": "arm", "pool": pool.lower(), "user": user_id(1), "upn": "u", "client": "new"}
    sessions.open_session(world, machine, application_type="Desktop", **arguments)
    twin.call("DELETE", f"{SUB}/resourceGroups/rg", api_version="2025-04-01")
    assert client.resource_groups.get("rg").properties.provisioning_state == "Deleting"
    with pytest.raises(HttpResponseError) as caught:
        client.resource_groups.create_or_update("rg", {"location": "westeurope"})
    assert code_of(caught) == (409, "ResourceGroupBeingDeleted")
    assert pool.lower() in world.state.arm.resources
    world.clock.advance(120)  # type: ignore[attr-defined]
    assert client.resource_groups.check_existence("rg") is False
    assert pool.lower() not in world.state.arm.resources
    assert not [each for each in world.state.arm.role_assignments if "/hostpools/p/" in each]
    assert not world.state.sessions
    assert machine.power == "deallocated"


def test_nothing_elsewhere_points_into_a_deleted_group(twin: Twin, world: World, client: Any) -> None:
    client.resource_groups.create_or_update("feeds", {"location": "westeurope"})
    here, there = f"{SUB}/resourceGroups/rg/providers/{AVD}", f"{SUB}/resourceGroups/feeds/providers/{AVD}"
    pool = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
    group = {"applicationGroupType": "Desktop", "hostPoolArmPath": f"{here}/hostPools/pool"}
    for url, properties in (
        (f"{here}/hostPools/pool", pool),
        (f"{here}/applicationGroups/desk", group),
        (f"{there}/workspaces/feed", {"applicationGroupReferences": [f"{here}/applicationGroups/desk"]}),
    ):
        assert twin.call("PUT", url, {"location": "westeurope", "properties": properties}).status == 201
    client.resource_groups.begin_delete("rg").result()
    feed = twin.call("GET", f"{there}/workspaces/feed").json()
    assert feed["properties"]["applicationGroupReferences"] == []


def test_the_client_waits_for_the_end(client: Any, world: World) -> None:
    before = world.now
    client.resource_groups.begin_delete("rg").result()
    assert 20 <= world.now - before <= 135
    assert client.resource_groups.check_existence("rg") is False


def test_deleting_twice(twin: Twin) -> None:
    first = twin.call("DELETE", f"{SUB}/resourceGroups/rg", api_version="2025-04-01")
    assert (first.status, first.content) == (202, b"")
    assert first.headers["retry-after"] == "15"
    poll = twin.call("GET", first.headers["location"])
    assert (poll.status, poll.headers["location"]) == (202, first.headers["location"])
    assert twin.call("DELETE", f"{SUB}/resourceGroups/none").status == 404
    assert twin.call("GET", f"{SUB}/operationresults/none").status == 404


def test_async_client(twin: Twin) -> None:
    async def play() -> list[str]:
        credential: Any = StaticAsyncCredential(twin.world)
        transport = InProcessAsyncTransport(twin.app)
        async with AsyncResourceManagementClient(
            credential, SUBSCRIPTION, base_url=ORIGIN, transport=transport
        ) as found:
            await found.resource_groups.create_or_update("second", {"location": "westus"})  # type: ignore[arg-type]
            await (await found.resource_groups.begin_delete("rg")).result()
            return [each.name or "" async for each in found.resource_groups.list()]

    assert asyncio.run(play()) == ["second"]


def test_over_tls(endpoint: Endpoint) -> None:
    trust: dict[str, Any] = {"connection_verify": str(endpoint.ca_file)}
    with (
        ClientSecretCredential(
            TENANT, APP_ID, SECRET, authority=endpoint.url, disable_instance_discovery=True, **trust
        ) as credential,
        ResourceManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=endpoint.url,
            credential_scopes=[f"{endpoint.url}/.default"],
            **trust,
        ) as found,
    ):
        assert [each.name for each in found.resource_groups.list()] == ["rg"]


# ---------------------------------------------------------------- what the caller may see


def test_lists_leave_out_what_the_caller_may_not_read(twin: Twin, world: World, client: Any) -> None:
    client.resource_groups.create_or_update("mine", {"location": "westus"})
    world.state.arm.subscriptions[TENANT] = Subscription(id=TENANT, display_name="Another")
    nobody = twin.call("GET", "/subscriptions", headers=as_user(twin, 5)).json()
    assert nobody["value"] == []
    grant(world, user_id(5), READER, f"{SUB}/resourceGroups/mine")
    seen = twin.call("GET", "/subscriptions", headers=as_user(twin, 5)).json()["value"]
    assert [each["subscriptionId"] for each in seen] == [SUBSCRIPTION]
    groups = twin.call("GET", f"{SUB}/resourceGroups", headers=as_user(twin, 5)).json()["value"]
    assert [each["name"] for each in groups] == ["mine"]
    assert twin.call("GET", f"{SUB}/resourceGroups/rg", headers=as_user(twin, 5)).status == 403
    assert twin.call("GET", SUB, headers=as_user(twin, 6)).status == 403
    assert twin.call("PUT", f"{SUB}/resourceGroups/x", {"location": "x"}, headers=as_user(twin, 5)).status == 403


def test_subscriptions_and_tenants(twin: Twin) -> None:
    found = twin.call("GET", SUB, api_version="2022-12-01").json()
    assert (found["displayName"], found["state"], found["tenantId"]) == ("Contoso", "Enabled", TENANT)
    locations = twin.call("GET", f"{SUB}/locations").json()["value"]
    assert ("westus2", "West US 2") in [(each["name"], each["displayName"]) for each in locations]
    assert twin.call("GET", "/tenants", api_version="2022-12-01").json()["value"][0]["tenantId"] == TENANT
    unknown = twin.call("GET", f"/subscriptions/{TENANT}")
    assert (unknown.status, unknown.json()["error"]["code"]) == (404, "SubscriptionNotFound")


# ---------------------------------------------------------------- providers


def test_a_provider_registers_after_a_while(client: Any, world: World) -> None:
    world.state.arm.subscriptions[SUBSCRIPTION].providers.clear()
    assert client.providers.get(AVD).registration_state == "NotRegistered"
    assert client.providers.register(AVD.lower()).registration_state == "Registering"
    assert client.providers.get(AVD).registration_state == "Registering"
    world.clock.advance(40)  # type: ignore[attr-defined]
    found = client.providers.get(AVD)
    assert (found.registration_state, found.namespace) == ("Registered", AVD)
    pools = next(each for each in found.resource_types if each.resource_type == "hostpools")
    assert "West US 2" in pools.locations
    assert {"2024-04-03", "2025-10-10"} <= set(pools.api_versions)


def test_the_sdk_registers_a_provider_by_itself(
    twin: Twin, world: World, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # azure-mgmt-core waits ten real seconds between two looks, past its own transport.
    monkeypatch.setattr("time.sleep", world.clock.advance)  # type: ignore[attr-defined]
    world.state.arm.subscriptions[SUBSCRIPTION].providers.clear()
    pool = {
        "location": "westeurope",
        "properties": {
            "hostPoolType": "Pooled",
            "loadBalancerType": "BreadthFirst",
            "preferredAppGroupType": "Desktop",
        },
    }
    at = f"{SUB}/resourceGroups/rg/providers/{AVD}/hostPools/pool"
    refused = twin.call("PUT", at, pool)
    assert (refused.status, refused.json()["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    # Not waited for: the relative `Location` of a 201 (recorded) would be polled without an api-version.
    client.resources.begin_create_or_update_by_id(at, pool, api_version="2024-04-03", polling=False)
    assert twin.call("GET", at).json()["name"] == "pool"
    assert world.state.arm.subscriptions[SUBSCRIPTION].providers[AVD.lower()] == "Registered"


def test_providers_listed_and_unknown(client: Any) -> None:
    states = {each.namespace: each.registration_state for each in client.providers.list()}
    assert states["Microsoft.Authorization"] == "Registered"
    assert states["Microsoft.Insights"] == "NotRegistered"
    with pytest.raises(HttpResponseError) as caught:
        client.providers.get("Microsoft.Elephants")
    assert code_of(caught) == (404, "InvalidResourceNamespace")


# ---------------------------------------------------------------- lists and tags


@pytest.fixture
def stocked(world: World) -> World:
    """A tagged machine and a storage account in `rg`, and a deployment in its history."""
    group = f"{SUB}/resourceGroups/rg"
    for kind, name, tags in (
        ("Microsoft.Compute/virtualMachines", "vm", {"team": "desk"}),
        ("Microsoft.Storage/storageAccounts", "profiles", None),
        ("Microsoft.Resources/deployments", "vmCreation", None),
    ):
        full = f"{group}/providers/{kind}/{name}"
        store.add(world, Resource(id=full, type=kind, name=name, properties={}, location="westeurope", tags=tags))
    return world


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, {"vm", "profiles"}),
        ("resourceType eq 'microsoft.compute/virtualmachines'", {"vm"}),
        ("tagName eq 'team' and tagValue eq 'desk'", {"vm"}),
        ("name eq 'profiles' and resourceGroup eq 'RG'", {"profiles"}),
    ],
)
def test_resources_in_a_group(stocked: World, client: Any, text: str | None, expected: set[str]) -> None:
    assert {each.name for each in client.resources.list_by_resource_group("rg", filter=text)} == expected
    assert {each.name for each in client.resources.list(filter=text)} == expected


def test_an_unknown_filter(stocked: World, client: Any) -> None:
    with pytest.raises(HttpResponseError) as caught:
        list(client.resources.list_by_resource_group("rg", filter="colour eq 'red'"))
    assert code_of(caught) == (400, "InvalidFilterInQueryString")


def test_deployment_history(stocked: World, twin: Twin) -> None:
    url = f"{SUB}/resourceGroups/rg/providers/Microsoft.Resources/deployments"
    assert [each["name"] for each in twin.call("GET", url).json()["value"]] == ["vmCreation"]
    assert twin.call("GET", f"{url}/VMCREATION").json()["name"] == "vmCreation"
    assert twin.call("GET", f"{url}/none").json()["error"]["code"] == "DeploymentNotFound"


def test_tags_of_a_scope(stocked: World, client: Any) -> None:
    scope = f"{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
    assert client.tags.get_at_scope(scope).properties.tags == {"team": "desk"}
    patch = {"operation": "Merge", "properties": {"tags": {"wave": "2"}}}
    client.tags.begin_update_at_scope(scope, patch).result()
    assert client.tags.get_at_scope(scope).properties.tags == {"team": "desk", "wave": "2"}
    names = {each.tag_name: each.count.value for each in client.tags.list()}
    assert names == {"team": 1, "wave": 1}


# ---------------------------------------------------------------- metadata of the cloud


def test_endpoints_in_both_shapes(twin: Twin) -> None:
    newer = twin.call("GET", "/metadata/endpoints", headers={"authorization": ""}, api_version="2022-09-01").json()
    older = twin.call(
        "GET", f"{ORIGIN}//metadata/endpoints", headers={"authorization": ""}, api_version="2019-05-01"
    ).json()
    assert newer["authentication"]["loginEndpoint"] == ORIGIN
    assert newer["resourceManager"] == f"{ORIGIN}/"
    assert [older[0]["name"], newer["name"]] == ["avdtwin", "avdtwin"]
