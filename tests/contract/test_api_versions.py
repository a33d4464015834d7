"""Each stable API version answers its own shape: bodies against the published types, and what a version lacks."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import _contracts as contracts
from _inprocess import SUBSCRIPTION, Twin, add_machine, make_world

from avdtwin import agents
from avdtwin.arm import images, private_links, session_hosts, versions
from avdtwin.clock import ManualClock

V2021, V2022, V2023, V2024, V2025 = STABLE = ("2021-07-12", "2022-09-09", "2023-09-05", "2024-04-03", "2025-10-10")
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
AVD = f"{GROUP}/providers/Microsoft.DesktopVirtualization"
IMAGE = "\\\\share\\apps\\notes.vhdx"

TIME = {"hour": 6, "minute": 30}
TIMES = {f"{phase}StartTime": TIME for phase in ("rampUp", "peak", "rampDown", "offPeak")}
SCHEDULE = {"name": "week", "daysOfWeek": ["Monday"], **TIMES}
PUTS: dict[str, dict[str, Any]] = {
    "hostPools/pool": {
        "hostPoolType": "Pooled",
        "loadBalancerType": "BreadthFirst",
        "preferredAppGroupType": "Desktop",
        "agentUpdate": {"type": "Scheduled", "maintenanceWindowTimeZone": "UTC"},
        "publicNetworkAccess": "Disabled",
    },
    "applicationGroups/apps": {
        "hostPoolArmPath": f"{AVD}/hostPools/pool",
        "applicationGroupType": "RemoteApp",
        "showInFeed": True,
    },
    "applicationGroups/desk": {"hostPoolArmPath": f"{AVD}/hostPools/pool", "applicationGroupType": "Desktop"},
    "applicationGroups/apps/applications/app": {"commandLineSetting": "Allow", "filePath": "C:\\app.exe"},
    "workspaces/feed": {"publicNetworkAccess": "Disabled"},
    "scalingPlans/plan": {"timeZone": "UTC", "schedules": [SCHEDULE]},
    "scalingPlans/own-plan": {"timeZone": "UTC", "hostPoolType": "Personal"},
    "scalingPlans/own-plan/personalSchedules/week": {"daysOfWeek": ["Monday"], **TIMES},
    "hostPools/pool/msixPackages/package": {"imagePath": IMAGE, "packageName": "p"},
    "appAttachPackages/attached": {"image": {"imagePath": IMAGE, "lastUpdated": "2026-03-01T00:00:00.0000000"}},
}


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One object of every type, made with the newest version; nothing below changes them for others.

    Its clock stands still, so ARM's bucket of reads would not be filled again for the many tests that share it.
    """
    world = make_world(arm_limits_enforced=False)
    found = Twin(world)
    for path, properties in PUTS.items():
        answer = found.call("PUT", f"{AVD}/{path}", {"location": "westeurope", "properties": properties})
        assert answer.status in (200, 201), answer.json()
    for parent in ("hostPools/pool", "workspaces/feed"):
        private_links.connect(world, f"{AVD}/{parent}", f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe")
    machine = add_machine(world, "host-1")
    session_hosts.register(world, machine, f"{AVD}/hostPools/pool".lower())
    agents.connect(world, machine, "arm", f"{AVD}/hostPools/pool".lower(), machine.fqdn)
    images.lay(world, IMAGE, [images.package_of("Notes_1.0_x64__hash")])
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(600)
    world.settle()
    return found


LISTS = {
    "hostPools": "hostPools",
    "applicationGroups": "applicationGroups",
    "workspaces": "workspaces",
    "scalingPlans": "scalingPlans",
    "appAttachPackages": "appAttachPackages",
    "applicationGroups/applications": "applicationGroups/apps/applications",
    "applicationGroups/desktops": "applicationGroups/desk/desktops",
    "hostPools/sessionHosts": "hostPools/pool/sessionHosts",
    "hostPools/msixPackages": "hostPools/pool/msixPackages",
    "hostPools/privateEndpointConnections": "hostPools/pool/privateEndpointConnections",
    "workspaces/privateEndpointConnections": "workspaces/feed/privateEndpointConnections",
    "scalingPlans/pooledSchedules": "scalingPlans/plan/pooledSchedules",
    "scalingPlans/personalSchedules": "scalingPlans/own-plan/personalSchedules",
}
"""A list with something in it for each resource type."""

FIRST = {
    "scalingPlans/pooledSchedules": V2022,
    "scalingPlans/personalSchedules": V2023,
    "hostPools/privateEndpointConnections": V2023,
    "workspaces/privateEndpointConnections": V2023,
    "appAttachPackages": V2024,
}

DEVIATIONS = (
    (r"type: .* is not .*", "01: type segments are lower-cased"),
    (r"name: '.+/.+' is not of the form", "08, 09: the name of a child is parent/child"),
    (r"identity.type: 'None' .*", "01: a pool without an identity has one of type None"),
    (r"properties.migrationRequest: unknown", "01, 05: answered as null on versions that do not know it"),
    (r"properties.(managedPrivate|direct|public|relay)UDP: unknown", "01, 02: answered on stable versions"),
    (r"properties.(schedules\[\].)?(scalingMethod|createDelete): unknown", "New-AzWvdScalingPlan 2026-03"),
    (r"properties.(repository\w+|customData|packageOwnerName|packageLookbackUrl): unknown", "13"),
    (r"kind: unknown", "13: an app attach package has a kind, null"),
)
"""What the service answers beside its published types: the problem, and the recording that shows it."""


def unexplained(found: list[str]) -> list[str]:
    return [each for each in found if not any(re.fullmatch(pattern, each) for pattern, _ in DEVIATIONS)]


@pytest.mark.parametrize("version", STABLE)
@pytest.mark.parametrize("kind", LISTS)
def test_answers_fit_the_types_of_their_version(twin: Twin, kind: str, version: str) -> None:
    known = contracts.kinds(version)
    answer = twin.call("GET", f"{AVD}/{LISTS[kind]}", api_version=version)
    if version < FIRST.get(kind, V2021):
        assert kind not in known, "the published types have it"
        error = answer.json()["error"]
        assert (answer.status, error["code"]) == (400, "NoRegisteredProviderFound")
        assert FIRST[kind] in error["message"]
        assert version not in error["message"].partition("supported api-versions are")[2]
        return
    assert answer.status == 200, answer.json()
    value = answer.json()["value"]
    assert value
    for listed in value:
        assert unexplained(contracts.problems(version, known[kind], listed)) == []
        alone = twin.call("GET", listed["id"], api_version=version)
        assert alone.status == 200
        assert unexplained(contracts.problems(version, known[kind], alone.json())) == []


def test_every_deviation_of_the_list_is_one(twin: Twin) -> None:
    found = []
    for version in (V2021, V2025):
        known = contracts.kinds(version)
        for kind in LISTS.keys() & known.keys():
            for listed in twin.call("GET", f"{AVD}/{LISTS[kind]}", api_version=version).json()["value"]:
                found += contracts.problems(version, known[kind], listed)
    assert [pattern for pattern, _ in DEVIATIONS if not any(re.fullmatch(pattern, each) for each in found)] == []


@pytest.mark.parametrize("version", STABLE)
@pytest.mark.parametrize("kind", ["hostPools", "applicationGroups", "workspaces", "scalingPlans", "appAttachPackages"])
def test_lists_of_a_subscription_have_the_shape_of_their_version(twin: Twin, kind: str, version: str) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.DesktopVirtualization/{kind}"
    answer = twin.call("GET", path, api_version=version)
    if version < FIRST.get(kind, V2021):
        assert answer.json()["error"]["code"] == "NoRegisteredProviderFound"
        return
    assert answer.json() == twin.call("GET", f"{AVD}/{kind}", api_version=version).json()


ACTIONS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "retrieveRegistrationToken": (None, STABLE),
    "listRegistrationTokens": (None, (V2024, V2025)),
    "expandMsixImage": ({"uri": IMAGE}, STABLE),
    "importAppAttachPackageInfo": ({"path": IMAGE}, (V2024, V2025)),
}


@pytest.mark.parametrize("version", STABLE)
@pytest.mark.parametrize("verb", ACTIONS)
def test_actions_of_a_version(twin: Twin, verb: str, version: str) -> None:
    body, have = ACTIONS[verb]
    answer = twin.call("POST", f"{AVD}/hostPools/pool/{verb}", body, api_version=version)
    assert (version in have) == (verb in contracts.actions(version))
    if version not in have:
        assert (answer.status, answer.json()["error"]["code"]) == (404, "404")
        return
    assert answer.status == 200, answer.json()
    if "Image" in verb:
        found = contracts.problems(version, contracts.actions(version)[verb], answer.json())
        assert [each for each in found if not re.fullmatch(r"(value\[\]\.systemData\.\w+|nextLink): .*", each)] == []


LINKS = ("hostPools/pool/privateLinkResources", "workspaces/feed/privateLinkResources")


@pytest.mark.parametrize("version", STABLE)
@pytest.mark.parametrize("path", LINKS)
def test_private_link_resources_came_with_private_endpoints(twin: Twin, path: str, version: str) -> None:
    answer = twin.call("GET", f"{AVD}/{path}", api_version=version)
    assert answer.status == (200 if version >= V2023 else 400)


OWN = {
    "hostPools": {
        "properties.agentUpdate": V2022,
        "properties.publicNetworkAccess": V2023,
        "properties.privateEndpointConnections": V2023,
        "properties.appAttachPackageReferences": V2024,
        "properties.directUDP": V2024,
        "systemData": V2022,
    },
    "applicationGroups": {"properties.showInFeed": V2023, "systemData": V2022},
    "workspaces": {"properties.publicNetworkAccess": V2023, "properties.privateEndpointConnections": V2023},
    "hostPools/sessionHosts": {"properties.friendlyName": V2022, "systemData": V2022},
    "applicationGroups/applications": {"systemData": V2022},
    "appAttachPackages": {"properties.packageOwnerName": V2025},
    "scalingPlans/pooledSchedules": {"properties.scalingMethod": V2025},
}
"""The first version that answers a member (facts/arm-service 1.14; recordings for the UDP switches)."""


@pytest.mark.parametrize(
    ("kind", "path", "first"), [(kind, *item) for kind, own in OWN.items() for item in own.items()]
)
def test_a_member_is_answered_from_its_version_on(twin: Twin, kind: str, path: str, first: str) -> None:
    have = []
    for version in STABLE[STABLE.index(FIRST.get(kind, V2021)) :]:
        found = twin.call("GET", f"{AVD}/{LISTS[kind]}", api_version=version).json()["value"][0]
        for name in path.split("."):
            found = found.get(name, ...) if isinstance(found, dict) else ...
        have += [version] if found is not ... else []
    assert have == [version for version in STABLE if version >= first]


@pytest.mark.parametrize("version", STABLE)
def test_migration_requests_belong_to_one_version(version: str) -> None:
    twin = Twin(make_world())
    request = {"migrationPath": "t/p", "operation": "Start"}
    put = {"location": "westeurope", "properties": {**PUTS["hostPools/pool"], "migrationRequest": request}}
    shown = twin.call("PUT", f"{AVD}/hostPools/pool", put, api_version=version).json()["properties"]
    assert ("migrationRequest" in shown) == (version in (V2021, V2024, V2025))
    assert shown.get("migrationRequest") is None
    put["properties"]["migrationRequest"] = {"operation": "Explode"}
    answer = twin.call("PUT", f"{AVD}/hostPools/pool", put, api_version=version)
    assert answer.status == (400 if version == V2021 else 200)


@pytest.mark.parametrize(
    ("member", "value", "default", "taken"),
    [
        ("publicNetworkAccess", "Disabled", "Enabled", (V2023, V2024, V2025)),
        ("agentUpdate", {"type": "Default"}, None, (V2022, V2023, V2024, V2025)),
        ("directUDP", "Enabled", "Default", ()),
    ],
)
@pytest.mark.parametrize("version", [*STABLE, "2025-03-01-preview"])
def test_a_version_passes_over_what_it_does_not_know(
    member: str, value: Any, default: Any, taken: tuple[str, ...], version: str
) -> None:
    twin = Twin(make_world())
    plain = {
        name: PUTS["hostPools/pool"][name] for name in ("hostPoolType", "loadBalancerType", "preferredAppGroupType")
    }
    for method in ("PUT", "PATCH"):
        body = {"location": "westeurope", "properties": {**plain, member: value}}
        assert twin.call(method, f"{AVD}/hostPools/pool", body, api_version=version).status in (200, 201)
        stored = twin.call("GET", f"{AVD}/hostPools/pool").json()["properties"][member]
        assert stored == (value if version in (*taken, "2025-03-01-preview") else default)


def test_times_of_a_plan_were_texts_in_the_first_version() -> None:
    twin = Twin(make_world())
    texts = dict.fromkeys(TIMES, "2020-11-10T06:30:00Z")
    body = {"location": "westeurope", "properties": {"timeZone": "UTC", "schedules": [{**SCHEDULE, **texts}]}}
    plan = f"{AVD}/scalingPlans/plan"
    (old,) = twin.call("PUT", plan, body, api_version=V2021).json()["properties"]["schedules"]
    assert {old[name][11:] for name in TIMES} == {"06:30:00Z"}
    (new,) = twin.call("GET", plan, api_version=V2022).json()["properties"]["schedules"]
    assert [new[name] for name in TIMES] == [TIME] * 4


def test_the_provider_tells_the_versions_of_each_type(twin: Twin) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.DesktopVirtualization"
    told = {
        each["resourceType"]: each["apiVersions"]
        for each in twin.call("GET", path, api_version="2021-04-01").json()["resourceTypes"]
    }
    for kind in LISTS:
        if kind.lower() in told:
            assert told[kind.lower()] == [each for each in reversed(STABLE) if kind in contracts.kinds(each)]


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parent / "recordings").glob("*.json")), ids=lambda file: file.stem
)
def test_recorded_requests_fit_the_types(file: Path) -> None:
    """Every PUT of the recordings; those of a preview are compared with the newest stable types."""
    for pair in json.loads(file.read_text(encoding="utf-8"))["pairs"]:
        request = pair["request"]
        if request["method"] == "PUT":
            path, _, query = request["url"].partition("/Microsoft.DesktopVirtualization/")[2].partition("?")
            asked = query.partition("api-version=")[2]
            version = asked if asked in STABLE else V2025
            kind = "/".join(path.split("/")[::2])
            found = contracts.problems(version, contracts.kinds(version)[kind], request["body"], request=True)
            # The name is in the path.
            assert [each for each in found if each != "name: missing"] == []


def test_the_comparison_can_fail() -> None:
    pool = contracts.kinds(V2025)["hostPools"]
    good = {"name": "pool", "location": "westeurope", "properties": dict(PUTS["hostPools/pool"])}
    assert contracts.problems(V2025, pool, good, request=True) == []
    for name, value in {"directUDP": "Enabled", "objectId": "x", "maxSessionLimit": "3", "startVMOnConnect": 1}.items():
        wrong = {**good, "properties": {**good["properties"], name: value}}
        assert len(contracts.problems(V2025, pool, wrong, request=True)) == 1
    del good["properties"]["hostPoolType"]
    assert contracts.problems(V2025, pool, good, request=True) == ["properties.hostPoolType: missing"]


def test_the_versions_are_those_published() -> None:
    assert versions.STABLE == STABLE
