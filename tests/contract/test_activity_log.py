"""Diagnostic settings made over the wire, and what they bring into a workspace: changes, registrations, health."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import ADMIN, SUBSCRIPTION, Twin

from avdtwin import agent_reports, agents, registry, tokens, windows
from avdtwin.arm import log_workspaces

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
AVD = f"{GROUP}/providers/Microsoft.DesktopVirtualization"
POOL = f"{AVD}/hostPools/pool"
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
BODY = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
WANTED = {"location": "westeurope", "properties": BODY}


@pytest.fixture
def twin(twin: Twin) -> Twin:
    """A pool that sends everything to a workspace."""
    twin.world.state.arm.subscriptions[SUBSCRIPTION].providers["microsoft.operationalinsights"] = "Registered"
    assert twin.call("PUT", LOGS, {"location": "westeurope"}).status == 201
    assert twin.call("PUT", POOL, WANTED).status == 201
    listen(twin, POOL)
    return twin


def listen(twin: Twin, target: str) -> None:
    properties = {"workspaceId": LOGS, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}
    path = f"{target}/providers/Microsoft.Insights/diagnosticSettings/all"
    assert twin.call("PUT", path, {"properties": properties}).status == 200


def rows(twin: Twin, table: str) -> list[dict[str, Any]]:
    (workspace,) = log_workspaces.all_of(twin.world)
    found = twin.world.state.logs.get(workspace.properties["customerId"], [])
    return [row.values for row in found if row.table == table]


def test_changes_are_told_with_who_made_them(twin: Twin) -> None:
    assert twin.call("GET", POOL).status == 200
    assert twin.call("PUT", POOL, WANTED).status == 200
    assert twin.call("PATCH", POOL, {"properties": {"friendlyName": "Office"}}).status == 200
    assert twin.call("PATCH", POOL, {"properties": {"loadBalancerType": "Sideways"}}).status == 400
    assert twin.call("POST", f"{POOL}/listRegistrationTokens").status == 200
    assert twin.call("DELETE", f"{POOL}/sessionHosts/nobody").status == 204
    assert twin.call("DELETE", POOL).status == 200
    found = rows(twin, "WVDManagement")
    counted = [(row["ObjectsCreated"], row["ObjectsUpdated"], row["ObjectsDeleted"]) for row in found]
    assert counted == [(0, 1, 0), (0, 1, 0), (0, 0, 1)]
    assert {(row["UserName"], row["_ResourceId"]) for row in found} == {(ADMIN, POOL.lower())}
    assert [row["Route"].partition(" ")[0] for row in found] == ["PUT", "PATCH", "DELETE"]
    assert len({row["CorrelationId"] for row in found}) == 3


def test_what_lies_in_a_group_is_told_by_the_group(twin: Twin) -> None:
    group = f"{AVD}/applicationGroups/apps"
    properties = {"applicationGroupType": "RemoteApp", "hostPoolArmPath": POOL}
    assert twin.call("PUT", group, {"location": "westeurope", "properties": properties}).status == 201
    assert rows(twin, "WVDManagement") == []
    listen(twin, group)
    app = {"properties": {"commandLineSetting": "DoNotAllow", "filePath": "C:\\w.exe"}}
    assert twin.call("PUT", f"{group}/applications/word", app).status == 201
    (row,) = rows(twin, "WVDManagement")
    assert (row["ObjectsCreated"], row["_ResourceId"]) == (1, group.lower())
    assert row["ArmObjectScope"].endswith("/applicationGroups/apps/applications/word")


def test_a_host_that_registers_is_told_and_then_reports(twin: Twin) -> None:
    world = twin.world
    machine = windows.build(
        world,
        resource_id=f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1",
        computer_name="vm-1",
        fqdn="vm-1.ad.contoso.example",
    )
    info = {"expirationTime": "2026-09-23T00:00:00Z", "registrationTokenOperation": "Update"}
    answer = twin.call("PATCH", POOL, {"properties": {"registrationInfo": info}})
    assert answer.status == 200, answer.content
    token = twin.call("POST", f"{POOL}/retrieveRegistrationToken").json()["token"]
    assert tokens.read_registration(world, token).service == "arm"
    registry.write(machine, registry.AGENT, "IsRegistered", 0)
    registry.write(machine, registry.AGENT, "RegistrationToken", token)
    agents.start(world, machine)
    world.clock.advance(900)  # type: ignore[attr-defined]
    world.settle()
    (row,) = rows(twin, "WVDHostRegistrations")
    assert row["SessionHostName"] == "vm-1.ad.contoso.example"
    told = rows(twin, "WVDAgentHealthStatus")
    assert (told[-1]["Status"], told[-1]["AllowNewSessions"]) == ("Available", "True")
    assert told[-1]["SessionHostResourceId"].endswith("/virtualMachines/vm-1")
    checks = agent_reports.checks_of(told[-1]["Status"])
    assert checks is not None
    assert [check["HealthCheckResult"] for check in checks] == [1] * 11
    failing = agent_reports.checks_of("NeedsAssistance") or []
    assert [check["HealthCheckName"] for check in failing if check["HealthCheckResult"] == 2] == [5]
    assert agent_reports.checks_of("Unavailable") is None
