"""Private links and package images as recorded (azure-powershell, 2026-03), with the twin's controls that make them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import SUBSCRIPTION, Twin, add_machine, make_world

from avdtwin import agents
from avdtwin.arm import session_hosts
from avdtwin.clock import ManualClock

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
POOL = f"{GROUP}/providers/Microsoft.DesktopVirtualization/hostPools/Pool"
SPACE = f"{GROUP}/providers/Microsoft.DesktopVirtualization/workspaces/Space"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/PE"
KINDS = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
IMAGE = "\\\\share\\apps\\Notes.vhdx"


@pytest.fixture
def twin() -> Twin:
    found = Twin(make_world())
    assert found.call("PUT", POOL, {"location": "westeurope", "properties": KINDS}).status == 201
    assert found.call("PUT", SPACE, {"location": "westeurope", "properties": {}}).status == 201
    return found


def link(twin: Twin, resource: str, **more: Any) -> str:
    answer = twin.call("POST", "/_twin/private-endpoints", {"resource": resource, "endpoint": ENDPOINT, **more})
    assert answer.status == 200, answer.json()
    return str(answer.json()["id"])


def test_a_connection_as_recorded_and_gone_as_recorded(twin: Twin) -> None:
    made = link(twin, POOL)
    name = made.rpartition("/")[2]
    lower = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers"
    state = {"status": "Approved", "description": "Auto-approved", "actionsRequired": "None"}
    body = {
        "name": name,
        "id": f"{lower}/Microsoft.DesktopVirtualization/hostpools/Pool/privateendpointconnections/{name}",
        "type": "Microsoft.DesktopVirtualization/hostpools/privateendpointconnections",
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpoint": {"id": f"{lower}/microsoft.network/privateendpoints/pe"},
            "privateLinkServiceConnectionState": state,
        },
        "systemData": None,
    }
    assert twin.call("GET", f"{POOL}/privateEndpointConnections").json() == {"value": [body], "nextLink": None}
    assert twin.call("GET", made).json() == body
    without = {key: value for key, value in body.items() if key != "systemData"}
    assert twin.call("GET", POOL).json()["properties"]["privateEndpointConnections"] == [without]
    listed = twin.call("GET", POOL.rpartition("/")[0]).json()["value"]
    assert listed[0]["properties"]["privateEndpointConnections"] == [without]
    state["status"] = "Disconnected"
    gone = twin.call("DELETE", made)
    assert (gone.status, gone.json()) == (200, body)
    assert twin.call("DELETE", made).status == 204
    assert twin.call("GET", made).json()["error"]["code"] == "404"
    assert twin.call("GET", POOL).json()["properties"]["privateEndpointConnections"] == []


def test_an_endpoint_linked_again_keeps_its_connection_and_goes_with_its_object(twin: Twin) -> None:
    made = link(twin, SPACE, approved=False)
    assert link(twin, SPACE.lower(), approved=True) == made
    state = twin.call("GET", made).json()["properties"]["privateLinkServiceConnectionState"]
    assert state["status"] == "Pending"
    decided = {"properties": {"privateLinkServiceConnectionState": {"status": "approved", "description": "mine"}}}
    answer = twin.call("PUT", made, decided)
    assert (answer.status, answer.json()["properties"]["privateLinkServiceConnectionState"]) == (
        200,
        {"status": "Approved", "description": "mine", "actionsRequired": "None"},
    )
    assert twin.call("DELETE", SPACE).status == 200
    assert made.lower() not in twin.world.state.arm.resources


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resource": GROUP, "endpoint": ENDPOINT}, 404),
        ({"resource": f"{POOL}x", "endpoint": ENDPOINT}, 404),
        ({"resource": POOL}, 400),
        ({"resource": POOL, "endpoint": ENDPOINT, "approved": "yes"}, 400),
    ],
)
def test_what_cannot_be_linked(twin: Twin, body: Any, status: int) -> None:
    assert twin.call("POST", "/_twin/private-endpoints", body).status == status
    assert twin.call("GET", f"{POOL}/privateEndpointConnections").json()["value"] == []


def test_what_can_be_linked_to_as_recorded(twin: Twin) -> None:
    lower = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/Microsoft.DesktopVirtualization"
    zone = "privatelink.wvd.microsoft.com"
    assert twin.call("GET", f"{POOL}/privateLinkResources").json() == {
        "value": [
            {
                "name": "connection",
                "id": f"{lower}/hostPools/Pool/privatelinkresources/connection",
                "type": "Microsoft.DesktopVirtualization/hostPools/privatelinkresources",
                "properties": {
                    "groupId": "connection",
                    "requiredMembers": ["broker", "diagnostics", "gateway-ring-map", "web"],
                    "requiredZoneNames": [zone],
                },
                "systemData": None,
            }
        ],
        "nextLink": None,
    }
    found = twin.call("GET", f"{SPACE}/privateLinkResources").json()["value"]
    assert [(each["name"], each["properties"]["requiredZoneNames"]) for each in found] == [
        ("feed", [zone]),
        ("global", ["privatelink-global.wvd.microsoft.com"]),
    ]


def lay(twin: Twin, *packages: Any) -> int:
    return twin.call("PUT", "/_twin/images", {"path": IMAGE, "packages": list(packages)}).status


def test_an_image_is_read_by_a_host_that_can_be_reached(twin: Twin) -> None:
    full = "Contoso.Notes_2.9.0.16_x64__hash"
    assert lay(twin, {"full_name": full, "certificate_name": "CN=Contoso", "certificate_expires_at": 1.0}) == 204
    refused = twin.call("POST", f"{POOL}/expandMsixImage", {"uri": IMAGE})
    assert (refused.status, "no available SessionHost" in refused.json()["error"]["message"]) == (400, True)
    world = twin.world
    machine = add_machine(world, "vm-1")
    session_hosts.register(world, machine, POOL.lower())
    agents.connect(world, machine, "arm", POOL.lower(), machine.fqdn)
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(300)
    world.settle()
    (found,) = twin.call("POST", f"{POOL}/expandMsixImage", {"uri": IMAGE.upper()}).json()["value"]
    assert (found["name"], found["type"]) == (
        "Pool/expandmsiximage",
        "Microsoft.DesktopVirtualization/hostpools/expandmsiximage",
    )
    properties = found["properties"]
    assert properties["packageAlias"] == "contosonotes-1"
    assert properties["packageRelativePath"] == f"\\apps\\{full}"
    assert properties["certificateExpiry"] == "1970-01-01T00:00:01+00:00"
    for wanted, count in {"x64": 1, "ALL": 1, "ARM64": 0}.items():
        asked = {"path": IMAGE, "packageArchitecture": wanted}
        answer = twin.call("POST", f"{POOL}/importAppAttachPackageInfo", asked).json()
        assert (wanted, len(answer["value"])) == (wanted, count)
    assert twin.call("POST", f"{POOL}/expandMsixImage", {}).status == 400


@pytest.mark.parametrize(
    "package",
    [
        "text",
        {},
        {"full_name": 7},
        {"full_name": "Notes"},
        {"full_name": "N_1_z80__h"},
        {"full_name": "N_1_x64__h", "x": 1},
    ],
)
def test_a_package_that_cannot_be_is_refused(twin: Twin, package: Any) -> None:
    assert lay(twin, package) == 400
    assert twin.world.state.arm.images == {}


def test_a_package_with_the_wrong_kind_of_member_is_refused(twin: Twin) -> None:
    assert lay(twin, {"full_name": "N_1_x64__h", "applications": ["App"]}) == 400
