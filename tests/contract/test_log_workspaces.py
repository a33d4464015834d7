"""Log Analytics workspaces through azure-mgmt-loganalytics 14.0.0, unmodified, sync and async."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.loganalytics import LogAnalyticsManagementClient, models
from azure.mgmt.loganalytics.aio import LogAnalyticsManagementClient as AsyncClient

sys.path.insert(0, str(Path(__file__).parent))

from _furnished import user_id
from _inprocess import (
    ORIGIN,
    SUBSCRIPTION,
    InProcessAsyncTransport,
    InProcessTransport,
    StaticAsyncCredential,
    StaticCredential,
    Twin,
    grant,
    token_for,
)

from avdtwin.arm import roles
from avdtwin.world import World

m: Any = models
RG, LOCATION = "rg", "westeurope"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}"
WORKSPACES = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces"
PROVIDER = "microsoft.operationalinsights"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `wrong` are arguments that are answered with `code`; None: a caller without a token."""

    args: tuple[Any, ...] = ()
    says: Callable[[Any], bool]
    wrong: tuple[Any, ...] | None
    code: str


def workspace(**more: Any) -> Any:
    return m.Workspace(location=LOCATION, **more)


def names(found: Any) -> list[str]:
    return [each.name for each in found]


ROWS: dict[str, Row] = {
    "workspaces.begin_create_or_update": Row(
        args=(RG, "new-logs", workspace(retention_in_days=90, tags={"a": "1"})),
        says=lambda r: (
            (r.name, r.retention_in_days, r.sku.name, r.tags) == ("new-logs", 90, "PerGB2018", {"a": "1"})
            and (r.provisioning_state, len(r.customer_id)) == ("Succeeded", 36)
        ),
        wrong=(RG, "new-logs", workspace(retention_in_days=3)),
        code="InvalidParameter",
    ),
    "workspaces.update": Row(
        args=(RG, "logs", m.WorkspacePatch(retention_in_days=60)),
        says=lambda r: (r.retention_in_days, r.tags) == (60, {"kept": "yes"}),
        wrong=(RG, "none", m.WorkspacePatch()),
        code="ResourceNotFound",
    ),
    "workspaces.get": Row(
        args=(RG, "logs"),
        says=lambda r: (r.public_network_access_for_query, r.workspace_capping.daily_quota_gb) == ("Enabled", -1.0),
        wrong=(RG, "none"),
        code="ResourceNotFound",
    ),
    "workspaces.begin_delete": Row(
        args=(RG, "logs"), says=lambda r: r is None, wrong=("nowhere", "logs"), code="ResourceGroupNotFound"
    ),
    "workspaces.list_by_resource_group": Row(
        args=(RG,), says=lambda r: names(r) == ["logs"], wrong=("nowhere",), code="ResourceGroupNotFound"
    ),
    "workspaces.list": Row(says=lambda r: names(r) == ["logs"], wrong=None, code="InvalidAuthenticationToken"),
}


class Nobody(StaticCredential):
    """A token that nobody issued."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._token = self._token._replace(token="nonsense")


@pytest.fixture
def twin(twin: Twin) -> Twin:
    """One workspace, and one of desktop virtualization that has the same name."""
    twin.world.state.arm.subscriptions[SUBSCRIPTION].providers[PROVIDER] = "Registered"
    body = {"location": LOCATION, "tags": {"kept": "yes"}}
    assert twin.call("PUT", f"{WORKSPACES}/logs", body).status == 201
    desktop = WORKSPACES.replace("OperationalInsights", "DesktopVirtualization")
    assert twin.call("PUT", f"{desktop}/logs", {"location": LOCATION, "properties": {}}).status == 201
    return twin


def call(twin: Twin, operation: str, args: tuple[Any, ...], credential: Any = None) -> Any:
    where: Any = {"base_url": ORIGIN, "transport": InProcessTransport(twin.app), "retry_total": 0}
    client: Any = LogAnalyticsManagementClient(credential or StaticCredential(twin.world), SUBSCRIPTION, **where)
    found = getattr(client.workspaces, operation.partition(".")[2])(*args)
    if hasattr(found, "result"):
        return found.result()
    return list(found) if hasattr(found, "by_page") else found


def plain(found: Any) -> Any:
    """An answer as data, without the times of changes."""
    if isinstance(found, list):
        return [plain(each) for each in found]
    if not hasattr(found, "as_dict"):
        return found
    body = found.as_dict()
    body.pop("systemData")
    body["properties"].pop("modifiedDate")
    return body


def rows(what: str) -> Any:
    params = [pytest.param(name, id=name, marks=pytest.mark.covers(name, what)) for name in ROWS]
    return pytest.mark.parametrize("operation", params)


@rows("body")
def test_body(twin: Twin, operation: str) -> None:
    found = call(twin, operation, ROWS[operation].args)
    assert ROWS[operation].says(found), plain(found)


@rows("error")
def test_error(twin: Twin, operation: str) -> None:
    row = ROWS[operation]
    credential = Nobody(twin.world) if row.wrong is None else None
    with pytest.raises(HttpResponseError) as caught:
        call(twin, operation, row.args if row.wrong is None else row.wrong, credential)
    assert caught.value.error is not None
    assert (caught.value.error.code, bool(caught.value.error.message)) == (row.code, True)


@rows("repeat")
def test_repeat(twin: Twin, operation: str) -> None:
    row = ROWS[operation]
    first = plain(call(twin, operation, row.args))
    before = set(twin.world.state.arm.resources)
    assert plain(call(twin, operation, row.args)) == first
    assert set(twin.world.state.arm.resources) == before


def test_it_is_in_the_making_for_a_while(twin: Twin) -> None:
    before = twin.world.now
    made = twin.call("PUT", f"{WORKSPACES}/later", {"location": "West Europe"})
    assert (made.status, made.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert made.json()["location"] == "westeurope"
    found = call(twin, "workspaces.begin_create_or_update", (RG, "again", workspace()))
    assert (found.provisioning_state, twin.world.now > before) == ("Succeeded", True)
    assert twin.call("GET", f"{WORKSPACES}/later").json()["properties"]["provisioningState"] == "Succeeded"


def test_a_workspace_made_again_is_another_one(twin: Twin) -> None:
    first = call(twin, "workspaces.get", (RG, "logs")).customer_id
    assert [twin.call("DELETE", f"{WORKSPACES}/LOGS").status for _ in range(2)] == [200, 204]
    assert twin.call("PUT", f"{WORKSPACES}/logs", {"location": LOCATION}).status == 201
    assert call(twin, "workspaces.get", (RG, "logs")).customer_id != first


def test_the_same_through_the_asynchronous_client(twin: Twin) -> None:
    async def ask() -> tuple[list[str], str, str]:
        where: Any = {"base_url": ORIGIN, "transport": InProcessAsyncTransport(twin.app)}
        async with AsyncClient(StaticAsyncCredential(twin.world), SUBSCRIPTION, **where) as client:
            desk: Any = client.workspaces
            poller = await desk.begin_create_or_update(RG, "more", workspace(sku=m.WorkspaceSku(name="pernode")))
            made = await poller.result()
            listed = [each.name async for each in desk.list_by_resource_group(RG)]
            await (await desk.begin_delete(RG, "more")).result()
            return listed, made.sku.name, (await desk.get(RG, "logs")).name

    assert asyncio.run(ask()) == (["logs", "more"], "PerNode", "logs")


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("abc", {"location": LOCATION}, (400, "InvalidParameter")),
        ("-abcd", {"location": LOCATION}, (400, "InvalidParameter")),
        ("good", {}, (400, "LocationRequired")),
        ("good", {"location": LOCATION, "properties": {"sku": {"name": "Gold"}}}, (400, "InvalidParameter")),
        ("good", {"location": LOCATION, "properties": {"sku": "Free"}}, (400, "InvalidParameter")),
        ("good", {"location": LOCATION, "properties": {"retentionInDays": True}}, (400, "InvalidParameter")),
        ("good", {"location": LOCATION, "properties": {"retentionInDays": 7}}, (400, "InvalidParameter")),
        ("good", {"location": LOCATION, "properties": {"publicNetworkAccessForQuery": 1}}, (400, "InvalidParameter")),
        ("logs", {"location": "eastus"}, (409, "InvalidResourceLocation")),
    ],
)
def test_workspaces_that_cannot_be(twin: Twin, name: str, body: Any, expected: tuple[int, str]) -> None:
    answer = twin.call("PUT", f"{WORKSPACES}/{name}", body)
    assert (answer.status, answer.json()["error"]["code"]) == expected


def test_seven_days_are_for_the_free_tier(twin: Twin) -> None:
    properties = {"sku": {"name": "free"}, "retentionInDays": 7}
    answer = twin.call("PUT", f"{WORKSPACES}/good", {"location": LOCATION, "properties": properties})
    found = answer.json()["properties"]
    assert (answer.status, found["sku"]["name"], found["retentionInDays"]) == (201, "Free", 7)


def test_the_provider_must_be_registered(twin: Twin) -> None:
    held = twin.world.state.arm.subscriptions[SUBSCRIPTION].providers
    del held[PROVIDER]
    answer = twin.call("PUT", f"{WORKSPACES}/more", {"location": LOCATION})
    assert (answer.status, answer.json()["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    namespace = f"/subscriptions/{SUBSCRIPTION}/providers/{PROVIDER}"
    assert twin.call("POST", f"{namespace}/register").status == 200
    twin.world.clock.advance(60)  # type: ignore[attr-defined]
    assert twin.call("PUT", f"{WORKSPACES}/more", {"location": LOCATION}).status == 201


def test_lists_keep_the_two_kinds_of_workspace_apart(twin: Twin) -> None:
    for provider in ("OperationalInsights", "DesktopVirtualization"):
        for scope in (GROUP, f"/subscriptions/{SUBSCRIPTION}"):
            listed = twin.call("GET", f"{scope}/providers/Microsoft.{provider}/workspaces").json()["value"]
            assert [each["type"].lower() for each in listed] == [f"microsoft.{provider.lower()}/workspaces"]


def test_rights(twin: Twin) -> None:
    text = token_for(twin.world, user_id(1), "user01@contoso.example")
    somebody = {"authorization": f"Bearer {text}"}
    everywhere = WORKSPACES.replace(f"/resourceGroups/{RG}", "")
    assert twin.call("GET", f"{WORKSPACES}/logs", headers=somebody).json()["error"]["code"] == "AuthorizationFailed"
    assert twin.call("GET", everywhere, headers=somebody).json() == {"value": []}
    grant(twin.world, user_id(1), roles.BY_NAME["log analytics reader"].guid, f"{WORKSPACES}/logs")
    assert twin.call("GET", f"{WORKSPACES}/logs", headers=somebody).status == 200
    assert len(twin.call("GET", everywhere, headers=somebody).json()["value"]) == 1
    assert twin.call("DELETE", f"{WORKSPACES}/logs", headers=somebody).status == 403
    assert twin.call("PATCH", f"{WORKSPACES}/logs", {}, headers=somebody).status == 403
