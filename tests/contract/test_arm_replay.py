"""The recorded traffic of the service, played against the twin and compared field by field.

What cannot be equal is compared by its form: ids, times, tokens, icon hashes, and what the recordings cut.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import Answer, Twin, add_machine, make_world

from avdtwin import agents
from avdtwin.arm import session_hosts
from avdtwin.clock import ManualClock, parse_iso

FOLDER = Path(__file__).parent / "recordings"
FILES = sorted(FOLDER.glob("*.json"))

SUB = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups"
AVD = "providers/Microsoft.DesktopVirtualization"

Before = Callable[[Twin], None]

POOL = {"hostPoolType": "Pooled", "loadBalancerType": "DepthFirst", "preferredAppGroupType": "Desktop"}
OLD_POOL = {
    **POOL,
    "friendlyName": "fri",
    "description": "des",
    "customRdpProperty": "",
    "maxSessionLimit": 5,
    "vmTemplate": "",
}


def put(twin: Twin, path: str, properties: dict[str, Any]) -> None:
    answer = twin.call("PUT", f"{SUB}/{path}", {"location": "westus2", "properties": properties})
    assert answer.status in (200, 201), answer.content


def pool(group: str, name: str, properties: dict[str, Any] = POOL) -> Before:
    return lambda twin: put(twin, f"{group}/{AVD}/hostPools/{name}", properties)


def pool_with_token(group: str, name: str, expires: str) -> Before:
    token = {"expirationTime": expires, "registrationTokenOperation": "Update"}
    return pool(group, name, {**OLD_POOL, "registrationInfo": token})


def app_group(group: str, pool_name: str, name: str, kind: str) -> Before:
    path = f"{SUB}/{group}/{AVD}/hostPools/{pool_name}"
    properties = {"hostPoolArmPath": path, "applicationGroupType": kind}
    return lambda twin: put(twin, f"{group}/{AVD}/applicationGroups/{name}", properties)


def workspace(group: str, name: str, *references: str) -> Before:
    listed = [
        f"{SUB}/{group}/{AVD}/applicationGroups/{reference}".replace("Groups/", "groups/", 1)
        for reference in references
    ]
    listed = [reference.replace("resourceGroups", "resourcegroups") for reference in listed]
    properties = {"friendlyName": "fri", "description": "des", "applicationGroupReferences": listed}
    return lambda twin: put(twin, f"{group}/{AVD}/workspaces/{name}", properties)


def host(group: str, pool_name: str, name: str) -> Before:
    """An Entra-joined host, healthy, and touched once by an administrator."""

    def before(twin: Twin) -> None:
        world = twin.world
        path = f"{SUB}/{group}/{AVD}/hostPools/{pool_name}"
        machine = add_machine(world, name, domain="", group=group)
        session_hosts.register(world, machine, path)
        agents.connect(world, machine, "arm", path.lower(), name)
        clock = world.clock
        assert isinstance(clock, ManualClock)
        clock.advance(600)
        answer = twin.call("PATCH", f"{path}/sessionHosts/{name}", {"properties": {"allowNewSession": True}})
        assert answer.status == 200, answer.content

    return before


FIRST = "HostPoolPowershellContained1"
EXISTING: dict[str, dict[int, list[Before]]] = {
    "01": {},
    "02": {},
    "03": {0: [pool_with_token("rg-avd-wus", FIRST, "2026-03-19T05:24:29.3929162Z")]},
    "04": {0: [pool_with_token("rg-avd-wus", FIRST, "2026-03-19T05:49:46.1861466Z")]},
    "05": {
        0: [pool("rgAvdTests", FIRST)],
        1: [workspace("rgAvdTests", "FullSenerioCreateWS", "FullSenerioCreateAG")],
    },
    "06": {
        0: [pool("rgAvdTests", FIRST), app_group("rgAvdTests", FIRST, "FullSenerioCreateAG", "Desktop")],
        1: [workspace("rgAvdTests", "WorkspacePowershell1")],
    },
    "07": {
        0: [
            pool("rg-avd-wus", FIRST),
            app_group("rg-avd-wus", FIRST, "ApplicationGroupPowershell1", "RemoteApp"),
            workspace("rg-avd-wus", "WorkspacePowershell1"),
        ]
    },
    "08": {
        0: [
            pool("rg-avd-wus", FIRST),
            app_group("rg-avd-wus", FIRST, "ApplicationGroupPowershell2", "RemoteApp"),
            pool("rgAvdTests", FIRST),
            app_group("rgAvdTests", FIRST, "ApplicationGroupPowershell1", "Desktop"),
        ]
    },
    "09": {0: [pool("rgAvdTests", "hpUserSession"), host("rgAvdTests", "hpUserSession", "userSess-sh-0")]},
    "10": {0: [pool("rg-avd-wus", "hp-automated2")]},
    "11": {
        0: [
            pool("rgAvdTests", "hpUserSession"),
            host("rgAvdTests", "hpUserSession", "userSess-sh-0"),
            pool("rg-avd-wus", "hp-automated"),
            host("rg-avd-wus", "hp-automated", "auto-0"),
        ]
    },
    "12": {
        0: [
            pool("rg-avd-wus", "hp-automated"),
            app_group("rg-avd-wus", "hp-automated", "hp-automated-DAG", "Desktop"),
            host("rg-avd-wus", "hp-automated", "auto-0"),
        ]
    },
    "13": {},
}
"""What is there before each pair of a recording, by the number of its file."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_recorded_traffic_is_answered_alike(file: Path) -> None:
    recording = json.loads(file.read_text(encoding="utf-8"))
    world = make_world("rgAvdTests", "rg-avd-wus", provider_call_limit=0, session_host_list_limit=10)
    _rewind(world)
    assert isinstance(world.clock, ManualClock)
    twin = Twin(world)
    steps = EXISTING[file.name[:2]]
    earlier: Any = None
    for number, pair in enumerate(recording["pairs"]):
        for before in steps.get(number, []):
            before(twin)
        world.clock.advance(2)
        asked = pair["request"]
        url = urlsplit(asked["url"])
        answer = twin.call(asked["method"], f"{url.path}?{url.query}", asked["body"])
        recorded = _completed(pair["response"], earlier)
        compare(recorded, answer)
        earlier = earlier or recorded["body"]


def _rewind(world: Any) -> None:
    """The recordings are older than the tests' usual time: begin again in theirs."""
    start = parse_iso("2026-03-18T05:20:32.16Z")
    world.clock = ManualClock(start)
    world.state.now = start
    for assignment in world.state.arm.role_assignments.values():
        assignment.effective_at = start


def _completed(response: dict[str, Any], earlier: Any) -> dict[str, Any]:
    """The recordings leave out what another answer of the file shows already."""
    if isinstance(response["body"], dict) and response["body"].get("value") == ["(the object above)"]:
        return {**response, "body": {**response["body"], "value": [earlier]}}
    return response


# ---------------------------------------------------------------- comparing

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
HASH = re.compile(r"[\w-]{43}")

PAIRED_HEADERS = ("location", "x-ms-failure-cause", "retry-after", "azure-asyncoperation", "etag")
"""Headers that are there on both sides or on neither, besides all that begin with the two prefixes below."""
PAIRED_PREFIXES = ("x-rate-limit", "x-ms-ratelimit")


def compare(recorded: dict[str, Any], answer: Answer) -> None:
    assert answer.status == recorded["status"], answer.content
    headers = {name.lower(): value for name, value in recorded["headers"].items() if name != "Date"}
    assert _paired(headers) == _paired(answer.headers)
    for name, value in headers.items():
        same_header(name, value, answer.headers[name])
    if answer.status == 204:
        assert answer.content == b""
    same(recorded["body"], answer.json(), "body")


def _paired(headers: dict[str, str]) -> set[str]:
    return {name for name in headers if name in PAIRED_HEADERS or name.startswith(PAIRED_PREFIXES)}


def same_header(name: str, recorded: str, found: str) -> None:
    if name.startswith("x-ms-ratelimit"):
        assert 0 < int(found) <= {True: 3749, False: 249}["global" in name], name
    else:
        same(recorded, found, name)


def same(recorded: Any, found: Any, where: str) -> None:
    """Equal, or of the same form where it cannot be equal."""
    if isinstance(recorded, dict):
        assert isinstance(found, dict), where
        same_members(recorded, found, where)
    elif where.endswith("sessionHostHealthCheckResults") or (
        where == "body.value" and "startmenuitems" in str(recorded)
    ):
        key = "healthCheckName" if where != "body.value" else "name"
        named = {item[key]: item for item in found}
        for item in recorded:
            same(item, named[item[key]], f"{where}[{item[key]}]")
    elif isinstance(recorded, list):
        assert len(recorded) == len(found), where
        for number, (one, other) in enumerate(zip(recorded, found, strict=True)):
            same(one, other, f"{where}[{number}]")
    elif isinstance(recorded, str):
        assert isinstance(found, str), where
        assert form(recorded, where) == form(found, where), where
    else:
        assert (recorded, type(recorded)) == (found, type(found)), where


def same_members(recorded: dict[str, Any], found: dict[str, Any], where: str) -> None:
    values = recorded.values()
    cut = "…" in recorded or any(
        value == "…as above…" or (isinstance(value, dict) and "…" in value) for value in values
    )
    if not cut:
        assert recorded.keys() == found.keys(), where
    for name, value in recorded.items():
        if name != "…" and value != "…as above…":
            same(value, found[name], f"{where}.{name}")


def form(text: str, where: str) -> str:
    """A text with what differs from run to run taken out."""
    if text.startswith("<REGISTRATION-JWT") or (where.endswith(".token") and JWT.fullmatch(text)):
        return "<token>"
    if where.endswith("iconHash"):
        return "<hash>" if HASH.fullmatch(text) else text
    if where.endswith(("iconContent", "additionalFailureDetails.message")):
        return "<text>"
    moment = TIME.fullmatch(text)
    if moment:
        return f"<time {len(moment[1] or '')} {moment[2]}>"
    return GUID.sub("<guid>", text) if "/" not in text else text


def test_the_comparison_can_fail() -> None:
    """Each kind of difference is noticed."""
    for recorded, found in [
        ({"a": None}, {}),
        ({"a": None}, {"a": ""}),
        ({"a": 1}, {"a": True}),
        ({"a": "2026-03-19T05:20:31.82Z"}, {"a": "2026-03-19T05:20:31.8265849Z"}),
        ({"a": "2026-03-19T05:20:31.82Z"}, {"a": "2026-03-19T05:20:31.82+00:00"}),
        ({"a": [1]}, {"a": []}),
        ({"token": "<REGISTRATION-JWT-PLACEHOLDER>"}, {"token": None}),
    ]:
        with pytest.raises(AssertionError):
            same(recorded, found, "body")


def test_expiry_of_a_token_keeps_its_seven_digits() -> None:
    """Recording 02: the moment asked for, in UTC, with every digit."""
    recording = json.loads((FOLDER / FILES[1].name).read_text(encoding="utf-8"))
    world = make_world("rg-avd-wus")
    _rewind(world)
    twin = Twin(world)
    for pair in (recording["pairs"][0], recording["pairs"][2]):
        url = urlsplit(pair["request"]["url"])
        answer = twin.call("PUT", f"{url.path}?{url.query}", pair["request"]["body"])
        wanted = pair["response"]["body"]["properties"]["registrationInfo"]["expirationTime"]
        assert answer.json()["properties"]["registrationInfo"]["expirationTime"] == wanted
