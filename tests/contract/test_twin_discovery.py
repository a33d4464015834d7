"""What a discovery reads beside the desktop objects: Resource Graph, diagnostic settings, deployments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import ADMIN_ID, SUBSCRIPTION, Answer, Twin

from avdtwin import windows
from avdtwin.arm import store
from avdtwin.state import Resource

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
AVD = f"{GROUP}/providers/Microsoft.DesktopVirtualization"
POOL = f"{AVD}/hostPools/pool"
BODY = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}


@pytest.fixture
def twin(twin: Twin) -> Twin:
    """One pool and three machines, of which one is off."""
    assert twin.call("PUT", POOL, {"location": "westeurope", "properties": BODY, "tags": {"wave": "1"}}).status == 201
    for number in range(3):
        windows.build(
            twin.world,
            resource_id=f"{GROUP}/providers/Microsoft.Compute/virtualMachines/VM-{number}",
            computer_name=f"VM-{number}",
            fqdn=f"vm-{number}.ad.contoso.example",
            power="deallocated" if number == 2 else "running",
        )
    return twin


# ---------------------------------------------------------------- Resource Graph


def ask(twin: Twin, query: str, **options: Any) -> Answer:
    body = {"subscriptions": [SUBSCRIPTION], "query": query, "options": options}
    return twin.call("POST", "/providers/Microsoft.ResourceGraph/resources", body, api_version="2021-03-01")


def rows(twin: Twin, query: str) -> list[dict[str, Any]]:
    answer = ask(twin, query)
    assert answer.status == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_machines_with_their_power(twin: Twin) -> None:
    found = rows(
        twin,
        "Resources | where type =~ 'Microsoft.Compute/virtualMachines' "
        "| extend power = tostring(properties.extended.instanceView.powerState.code) "
        "| where power != 'PowerState/running' and isnotempty(properties.vmId) | project name, resourceGroup, power",
    )
    assert found == [{"name": "VM-2", "resourceGroup": "rg", "power": "PowerState/deallocated"}]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("resources | where type == 'microsoft.desktopvirtualization/hostpools'", ["pool"]),
        ("resources | where name in ('VM-0', 'VM-1') | order by name asc", ["VM-0", "VM-1"]),
        ("resources | where name in~ ('vm-0', 'POOL') | sort by name", ["VM-0", "pool"]),
        ("resources | where name startswith 'vm' and not (name endswith '1') | order by name desc", ["VM-2", "VM-0"]),
        ("resources | where tags.wave == '1' or tags['wave'] == '2'", ["pool"]),
        ("resources | where tolower(name) contains 'm-1'", ["VM-1"]),
        ("resources | order by name asc | limit 2", ["pool", "VM-0"]),
    ],
)
def test_filters(twin: Twin, query: str, names: list[str]) -> None:
    assert [row["name"] for row in rows(twin, query)] == names


def test_joins_and_counts(twin: Twin) -> None:
    right = (
        "(resources | where type =~ 'microsoft.desktopvirtualization/hostpools' | project resourceGroup, pool = name)"
    )
    found = rows(
        twin,
        f"resources | where name =~ 'vm-0' | project name, resourceGroup | join kind=inner {right} on resourceGroup",
    )
    assert [(row["name"], row["pool"]) for row in found] == [("VM-0", "pool")]
    none = right.replace("hostpools'", "nothing'")
    query = f"resources | where name =~ 'vm-0' | project name, resourceGroup | join kind={{}} {none} on resourceGroup"
    assert len(rows(twin, query.format("leftouter"))) == 1
    assert rows(twin, query.format("inner")) == []
    assert rows(twin, "resources | count") == [{"Count": 4}]
    assert len(rows(twin, "resources | distinct type")) == 2


def test_extensions_of_machines_with_what_they_were_set_to(twin: Twin) -> None:
    vm = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/VM-0"
    kind = "Microsoft.Compute/virtualMachines/extensions"
    own = {"publisher": "Microsoft.Powershell", "type": "DSC", "settings": {"configurationFunction": "x"}}
    store.add(twin.world, Resource(id=f"{vm}/extensions/dsc", type=kind, name="dsc", properties=own))
    query = f"Resources | where type =~ '{kind}' | project id, kind = properties.type, settings = properties.settings"
    known = {"id": f"{vm}/extensions/dsc", "kind": "DSC", "settings": {"configurationFunction": "x"}}
    assert rows(twin, query) == [known]
    twin.world.state.settings["graph_extension_settings"] = False
    assert rows(twin, query) == [known | {"settings": None}]


def test_pages_by_skip_token(twin: Twin) -> None:
    query = "Resources | order by id asc | project id"
    first = ask(twin, query, **{"$top": 3}).json()
    assert (first["count"], first["totalRecords"], first["resultTruncated"]) == (3, 4, "false")
    rest = ask(twin, query, **{"$top": 3, "$skipToken": first["$skipToken"]}).json()
    assert (rest["count"], "$skipToken" in rest) == (1, False)
    assert len({row["id"] for row in first["data"] + rest["data"]}) == 4


@pytest.mark.parametrize(
    "query",
    [
        "", "nowhere", "resources | shout", "resources | where", "resources | where name ==", "resources | where (name",
        "resources | join kind=outer (resources) on id", "resources | limit x", "resources ; drop",
        "resources | where name < 3",
        "resources | where " + "not " * 50 + "name", "resources | where " + "(" * 500,
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused(twin: Twin, query: str) -> None:
    answer = ask(twin, query)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_fifteen_queries_in_five_seconds(twin: Twin) -> None:
    answers = [ask(twin, "resources | count") for _ in range(16)]
    assert [answer.status for answer in answers] == [200] * 15 + [429]
    assert answers[0].headers["x-ms-user-quota-remaining"] == "14"
    assert answers[-1].headers["retry-after"] == "5"


def test_only_what_the_caller_may_read(twin: Twin) -> None:
    for key in list(twin.world.state.arm.role_assignments):
        if twin.world.state.arm.role_assignments[key].principal_id == ADMIN_ID:
            del twin.world.state.arm.role_assignments[key]
    assert rows(twin, "resources") == []


# ---------------------------------------------------------------- diagnostic settings

SETTINGS = f"{POOL}/providers/Microsoft.Insights/diagnosticSettings"
SINK = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"


def setting(*categories: str, sink: str = SINK) -> dict[str, Any]:
    logs = [{"category": category, "enabled": True} for category in categories]
    return {"properties": {"workspaceId": sink, "logs": logs}}


def test_settings_are_made_read_listed_and_deleted(twin: Twin) -> None:
    made = twin.call("PUT", f"{SETTINGS}/all", setting("Connection", "Error"), api_version="2021-05-01-preview")
    assert made.status == 200
    assert made.json()["properties"]["workspaceId"] == SINK
    assert twin.call("GET", f"{SETTINGS}/ALL").json() == made.json()
    assert [each["name"] for each in twin.call("GET", SETTINGS).json()["value"]] == ["all"]
    assert twin.call("PUT", f"{SETTINGS}/all", setting("Connection", "Error")).json() == made.json()
    assert [twin.call("DELETE", f"{SETTINGS}/all").status for _ in range(2)] == [200, 204]
    assert twin.call("GET", f"{SETTINGS}/all").status == 404
    assert twin.call("GET", f"{AVD}/hostPools?x=1").json()["value"][0]["name"] == "pool"


def test_categories_by_type(twin: Twin) -> None:
    found = twin.call("GET", f"{SETTINGS}Categories").json()["value"]
    assert len(found) == 11
    assert {"Connection", "HostRegistration", "AgentHealthStatus"} <= {each["name"] for each in found}
    assert twin.call("GET", f"{SETTINGS}Categories/connection").json()["properties"]["categoryType"] == "Logs"
    assert twin.call("GET", f"{SETTINGS}Categories/Feed").status == 404


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("a", {"properties": {"logs": []}}, 400),
        ("a", setting("Feed"), 400),
        ("a", {"properties": {"workspaceId": SINK, "logs": [{"enabled": True}]}}, 400),
        ("a", {"properties": {"workspaceId": SINK, "logs": [{"categoryGroup": "audit", "enabled": True}]}}, 400),
        ("a", {"properties": {"workspaceId": SINK, "logs": [{"categoryGroup": "allLogs", "category": "Error"}]}}, 400),
        ("a%3Fb", setting("Error"), 400),
        ("second", setting("Error"), 409),
    ],
)
def test_settings_that_are_refused(twin: Twin, name: str, body: Any, status: int) -> None:
    assert twin.call("PUT", f"{SETTINGS}/first", setting("Error")).status == 200
    assert twin.call("PUT", f"{SETTINGS}/{name}", body).status == status


ALL = {"properties": {"workspaceId": SINK, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}}
UNUSED = {"properties": {"workspaceId": SINK, "logs": [{"categoryGroup": "allLogs", "enabled": False}]}}
STORED = {"properties": {"storageAccountId": SINK, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}}


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (setting("Connection"), setting("Connection"), 409),
        (setting("Connection"), setting("Error", "Connection"), 409),
        (setting("Connection"), setting("connection", sink=SINK.upper()), 409),
        (ALL, setting("Connection"), 409),
        (setting("Connection"), ALL, 409),
        (ALL, ALL, 409),
        (setting("Connection"), setting("Error"), 200),
        (ALL, setting("Connection", sink=f"{SINK}2"), 200),
        (ALL, UNUSED, 200),
        (UNUSED, setting("Connection"), 200),
        (ALL, STORED, 200),
    ],
)
def test_one_category_goes_to_one_sink_by_one_setting(twin: Twin, first: Any, second: Any, status: int) -> None:
    assert twin.call("PUT", f"{SETTINGS}/first", first).status == 200
    answer = twin.call("PUT", f"{SETTINGS}/second", second)
    assert answer.status == status, answer.json()
    if status == 409:
        error = answer.json()["error"]
        assert (error["code"], "'first'" in error["message"]) == ("Conflict", True)
        assert twin.call("GET", f"{SETTINGS}/second").status == 404
    assert twin.call("PUT", f"{SETTINGS}/FIRST", first).status == 200, "a setting does not clash with itself"


def test_five_settings_at_most(twin: Twin) -> None:
    answers = [twin.call("PUT", f"{SETTINGS}/s{n}", setting("Error", sink=f"{SINK}{n}")).status for n in range(6)]
    assert answers == [200] * 5 + [409]


def test_a_pool_goes_with_its_settings(twin: Twin) -> None:
    twin.call("PUT", f"{SETTINGS}/all", setting("Error"))
    assert twin.call("DELETE", POOL).status == 200
    assert twin.call("GET", SETTINGS).status == 404
    assert not [key for key in twin.world.state.arm.resources if "diagnosticsettings" in key]


# ---------------------------------------------------------------- deployments


def test_history_of_deployments(twin: Twin) -> None:
    path = f"{GROUP}/providers/Microsoft.Resources/deployments"
    kind = "Microsoft.Resources/deployments"
    for name in ("one", "two"):
        body = {"id": f"{path}/{name}", "name": name, "type": kind, "properties": {"provisioningState": "Succeeded"}}
        twin.world.state.arm.deployments[f"{path}/{name}".lower()] = body
    assert [each["name"] for each in twin.call("GET", path).json()["value"]] == ["one", "two"]
    assert [each["name"] for each in twin.call("GET", f"{path}?$top=1").json()["value"]] == ["one"]
    assert twin.call("GET", f"{path}/ONE").json()["properties"] == {"provisioningState": "Succeeded"}
    assert twin.call("GET", f"{path}/three").json()["error"]["code"] == "DeploymentNotFound"
