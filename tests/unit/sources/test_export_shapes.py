"""Every shape that a good export may have reads the same (facts/classic-service 3.4 and 3.5)."""

import json
from typing import Any

import pytest
from exports_kit import file, host, inventory_of, keys, person, pool, tenant, utf16

from crossfade.errors import InputError
from crossfade.inventory.inventory import Inventory
from crossfade.sources.exports import ExportFile, read_exports
from crossfade.sources.kinds import recognise
from crossfade.sources.records import Kind

HOSTS = [
    host("h-0", Sessions=2, LastHeartBeat="/Date(1588314667520)/", AzureVmId="g0"),
    host("h-1", Sessions=0, LastHeartBeat=None, AzureVmId=None),
]
TEXT = json.dumps(HOSTS)


def camel(row: dict[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in row.items()}


SHAPES: dict[str, list[ExportFile]] = {
    "array": [file("a.json", TEXT)],
    "wrapped": [file("a.json", {"value": HOSTS, "Count": 2})],
    "wrapped by REST": [file("a.json", {"value": [camel(row) for row in HOSTS]})],
    "camelCase": [file("a.json", [camel(row) for row in HOSTS])],
    "a file each": [file(f"{at}.json", row) for at, row in enumerate(HOSTS)],
    "appended": [file("a.json", "\r\n".join(json.dumps(row, indent=4) for row in HOSTS))],
    "appended arrays": [file("a.json", "[]" + json.dumps(HOSTS[:1]) + json.dumps({"value": HOSTS[1:], "Count": 1}))],
    "joined files": [file("a.json", b"".join(utf16(json.dumps(row)) for row in HOSTS))],
    "UTF-8 with mark": [file("a.txt", b"\xef\xbb\xbf" + TEXT.encode())],
    "UTF-16 LE": [file("a", utf16(TEXT))],
    "UTF-16 BE": [file("a", b"\xfe\xff" + TEXT.encode("utf-16-be"))],
    "UTF-16 without mark": [file("a", TEXT.encode("utf-16-le"))],
    "UTF-32": [file("a", TEXT.encode("utf-32"))],
    "enum names": [file("a.json", [row | {"Status": "Available"} for row in HOSTS])],
    "texts": [file("a.json", [row | {"Status": "0", "AllowNewSession": "True"} for row in HOSTS])],
    "dates of PowerShell 7": [file("a.json", [HOSTS[0] | {"LastHeartBeat": "2020-05-01T06:31:07.52Z"}, HOSTS[1]])],
    "remoting": [file("a.json", [row | {"PSComputerName": "x", "RunspaceId": "y", "Item": None} for row in HOSTS])],
    "null beside": [file("a.json", TEXT), file("b.json", "null"), file("c.json", b""), file("d.json", "[]")],
}


def hosts(found: Inventory) -> list[Any]:
    return [(item.key, item.sessions, item.status, item.last_heartbeat, item.azure_vm_id) for item in found.hosts]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_reads_the_same(name: str) -> None:
    found = inventory_of(*SHAPES[name])
    assert hosts(found) == hosts(inventory_of(*SHAPES["array"]))
    assert found.substance() == inventory_of(*SHAPES["array"]).substance()


def test_records_know_their_lines() -> None:
    reading = read_exports([file("a.json", "\n\n" + json.dumps(HOSTS, indent=1))])
    assert [record.where for record in reading.records] == ["a.json:4", "a.json:15"]
    assert reading.origins[0].place == "a.json"


def test_unknown_properties_are_kept_in_one_spelling() -> None:
    wanted = {"brokerRegion": "WestEurope"}
    for name in ("BrokerRegion", "brokerRegion"):
        assert inventory_of(file("a.json", pool(**{name: "WestEurope", "Later": None}))).pools[0].extra == wanted


def test_a_time_whose_day_would_be_guessed_is_left_out_and_told() -> None:
    found = inventory_of(file("a.json", host("h", LastHeartBeat="5/1/2020 6:31:07 AM")))
    assert found.hosts[0].last_heartbeat is None
    assert any("'5/1/2020 6:31:07 AM'" in gap.what for gap in found.gaps)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (keys("t", "p") | {"SessionHostName": "h", "AllowNewSession": True}, Kind.HOST),
        (keys("t", "p") | {"SessionHostName": "h", "SessionId": 3}, Kind.SESSION),
        (keys("t", "p", "g") | {"RemoteAppName": "a"}, Kind.APP),
        (keys("t", "p", "g") | {"RemoteDesktopName": "d"}, Kind.DESKTOP),
        (person("a@x"), Kind.ASSIGNMENT),
        (keys("t", "p", "g") | {"ResourceType": 0}, Kind.GROUP),
        (keys("t", "p", "g") | {"AppAlias": "word", "FilePath": "x"}, Kind.START_MENU_APP),
        (pool(), Kind.POOL),
        (keys("t", "p") | {"Persistent": True}, Kind.POOL),
        (tenant(), Kind.TENANT),
        ({"TenantGroupName": "g", "FriendlyName": None}, Kind.TENANT_GROUP),
        (keys("t", "p") | {"Token": "x", "ExpirationTime": "y"}, Kind.REGISTRATION),
        (keys("t") | {"RoleAssignmentId": "i", "Scope": "/", "RoleDefinitionName": "r", "AADTenantId": "x"}, Kind.ROLE),
        ({"RoleDefinitionName": "r", "Scope": "/", "Actions": [], "Id": "x"}, Kind.ROLE_DEFINITION),
        ({"ActivityId": "a", "ActivityType": 1, "UserName": "x"}, Kind.ACTIVITY),
        ({"DeploymentUrl": "x", "TenantGroupName": "g", "UserName": "u"}, Kind.CONTEXT),
        ({"Colour": "red"}, None),
    ],
)
def test_a_record_says_itself_what_it_is(row: dict[str, Any], kind: Kind | None) -> None:
    assert recognise(row) is kind
    assert recognise(camel(row)) is kind


def test_what_carries_nothing_is_read_and_left() -> None:
    found = inventory_of(
        file("a.json", {"DeploymentUrl": "x", "TenantGroupName": "g"}),
        file("b.json", [{"RoleDefinitionName": "r", "Scope": "/", "Actions": []}]),
        file("c.json", {"TenantGroupName": "g"}),
    )
    assert found.tenants == found.roles == []


def test_nothing_at_all_is_no_problem_of_the_reader() -> None:
    try:
        assert inventory_of().tenants == []
    except InputError as error:
        raise AssertionError("an empty list of files is the caller's to judge") from error
