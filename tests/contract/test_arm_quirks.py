"""What the ARM service does that clients trip over: casing, defaults, refusals, headers, limits (facts/arm-service)."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import (
    ADMIN,
    ADMIN_ID,
    ORIGIN,
    OWNER,
    SUBSCRIPTION,
    Answer,
    Twin,
    add_group,
    add_machine,
    grant,
    make_world,
)
from _inprocess import token_for as bearer

from avdtwin import agents, tokens
from avdtwin.arm import session_hosts
from avdtwin.clock import ManualClock
from avdtwin.directory import add_user
from avdtwin.state import Resource, User
from avdtwin.world import World

SUB = f"/subscriptions/{SUBSCRIPTION}"
AVD = f"{SUB}/resourceGroups/rg/providers/Microsoft.DesktopVirtualization"
POOL = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture
def twin() -> Twin:
    return Twin(make_world("rg"))


def put(twin: Twin, path: str, properties: dict[str, Any], **more: Any) -> Answer:
    return twin.call("PUT", f"{AVD}/{path}", {"location": "westeurope", "properties": properties, **more})


def put_pool(twin: Twin, name: str = "pool", **properties: Any) -> Answer:
    return put(twin, f"hostPools/{name}", {**POOL, **properties})


def put_group(twin: Twin, name: str = "apps", kind: str = "RemoteApp", pool: str = "pool", **more: Any) -> Answer:
    properties = {"hostPoolArmPath": f"{AVD}/hostPools/{pool}", "applicationGroupType": kind}
    return put(twin, f"applicationGroups/{name}", properties, **more)


def refused(answer: Answer, status: int, code: str, text: str = "") -> None:
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (status, code), error
    assert text in error["message"]


def wait(twin: Twin, seconds: float) -> None:
    clock = twin.world.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds)


def with_host(twin: Twin, name: str = "host-1", pool: str = "pool") -> str:
    """A healthy host; returns its path."""
    machine = add_machine(twin.world, name, domain="")
    key = f"{AVD}/hostPools/{pool}".lower()
    session_hosts.register(twin.world, machine, key)
    agents.connect(twin.world, machine, "arm", key, name)
    wait(twin, 300)
    return f"{AVD}/hostPools/{pool}/sessionHosts/{name}"


# ---------------------------------------------------------------- the gateway


def test_a_call_without_a_token_is_challenged(twin: Twin) -> None:
    answer = twin.call("GET", f"{AVD}/hostPools", headers={"authorization": ""})
    refused(answer, 401, "AuthenticationFailed")
    assert answer.headers["www-authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_that_has_run_out_is_refused(twin: Twin) -> None:
    old = {"authorization": f"Bearer {bearer(twin.world)}"}
    wait(twin, 100_000)
    twin.world.settle()
    refused(twin.call("GET", f"{AVD}/hostPools", headers=old), 401, "ExpiredAuthenticationToken")


def test_the_api_version_must_be_there_and_known(twin: Twin) -> None:
    refused(twin.call("GET", f"{AVD}/hostPools", api_version=None), 400, "MissingApiVersionParameter")
    refused(twin.call("GET", f"{AVD}/hostPools", api_version="2023-10-04-preview"), 400, "NoRegisteredProviderFound")
    for version in ("2021-07-12", "2022-09-09", "2023-09-05", "2024-04-03", "2025-10-10"):
        assert twin.call("GET", f"{AVD}/hostPools", api_version=version).status == 200


def test_an_unknown_subscription_group_or_path_is_named(twin: Twin) -> None:
    other = AVD.replace("1111-1111", "2222-2222")
    refused(twin.call("GET", f"{other}/hostPools/pool"), 404, "SubscriptionNotFound")
    refused(twin.call("GET", f"{AVD.replace('/rg/', '/none/')}/hostPools"), 404, "ResourceGroupNotFound", "'none'")
    refused(twin.call("GET", f"{AVD}/nothingLikeIt"), 404, "InvalidResourceType")
    refused(twin.call("PUT", f"{AVD}/hostPools/p/sessionHosts/h", {}), 405, "MethodNotAllowed")
    refused(twin.call("PUT", f"{AVD}/applicationGroups/g/desktops/d", {}), 405, "MethodNotAllowed")


def test_a_missing_parent_is_named(twin: Twin) -> None:
    body = {"properties": {"commandLineSetting": "Allow", "filePath": "x"}}
    answer = twin.call("PUT", f"{AVD}/applicationGroups/none/applications/app", body)
    refused(answer, 404, "ParentResourceNotFound", "applicationGroups/none")
    refused(twin.call("GET", f"{AVD}/hostPools/none/sessionHosts"), 404, "ParentResourceNotFound")


def test_an_unregistered_provider_is_refused_over_https_only(twin: Twin) -> None:
    twin.world.state.arm.subscriptions[SUBSCRIPTION].providers.clear()
    refused(put_pool(twin), 409, "MissingSubscriptionRegistration", "'Microsoft.DesktopVirtualization'")
    plain = twin.call("PUT", f"http://localhost{AVD}/hostPools/pool", {"location": "westeurope", "properties": POOL})
    assert plain.status in (201, 401)


def test_a_caller_without_rights_is_refused_and_sees_no_list_entries(twin: Twin) -> None:
    world = twin.world
    put_pool(twin)
    add_group(world, "other")
    twin.call(
        "PUT",
        f"{AVD.replace('/rg/', '/other/')}/hostPools/hidden",
        {"location": "westeurope", "properties": POOL},
    )
    add_user(world, User(id="aaaaaaaa-0000-4000-a000-000000000002", upn="reader@contoso.example"))
    grant(world, "aaaaaaaa-0000-4000-a000-000000000002", READER, f"{SUB}/resourceGroups/rg")
    token = bearer(world, "aaaaaaaa-0000-4000-a000-000000000002", "reader@contoso.example")
    headers = {"authorization": f"Bearer {token}"}
    answer = twin.call("PUT", f"{AVD}/hostPools/pool", {"location": "westeurope", "properties": POOL}, headers=headers)
    refused(answer, 403, "AuthorizationFailed", "Microsoft.DesktopVirtualization/hostpools/write")
    answer = twin.call("POST", f"{AVD}/hostPools/pool/listRegistrationTokens", headers=headers)
    refused(answer, 403, "AuthorizationFailed", "hostpools/listRegistrationTokens/action")
    listed = twin.call("GET", f"{SUB}/providers/Microsoft.DesktopVirtualization/hostPools", headers=headers).json()
    assert [pool["name"] for pool in listed["value"]] == ["pool"]
    own = {"authorization": f"Bearer {bearer(world, ADMIN_ID, ADMIN)}"}
    listed = twin.call("GET", f"{SUB}/providers/Microsoft.DesktopVirtualization/hostPools", headers=own).json()
    assert [pool["name"] for pool in listed["value"]] == ["hidden", "pool"]


def test_provider_answers_echo_the_clients_id_and_arm_answers_do_not(twin: Twin) -> None:
    put_pool(twin)
    mine = {"x-ms-client-request-id": "cccccccc-0000-4000-a000-000000000001"}
    found = twin.call("GET", f"{AVD}/hostPools/pool", headers=mine).headers
    assert found["x-ms-request-id"] == mine["x-ms-client-request-id"]
    assert found["x-ms-correlation-request-id"] in found["x-ms-routing-request-id"]
    missing = twin.call("GET", f"{AVD}/hostPools/none", headers=mine).headers
    assert missing["x-ms-request-id"] == missing["x-ms-correlation-request-id"]
    assert not [name for name in missing if name.startswith("x-rate-limit")]
    listed = twin.call("GET", f"{AVD}/hostPools", headers=mine).headers
    assert listed["x-ms-original-request-ids"] == mine["x-ms-client-request-id"]
    assert not [name for name in listed if name.startswith("x-rate-limit")]
    absent = twin.call("GET", f"{AVD}/hostPools/pool/sessionHosts/none")
    activity = absent.headers["x-ms-correlation-id"]
    refused(absent, 404, "404", f"ActivityId: {activity} Error: SessionHost does not exist")


def test_paths_are_compared_without_case_and_names_keep_their_first_casing(twin: Twin) -> None:
    put_pool(twin, "Pool")
    shouted = f"{AVD}/hostPools/Pool".upper().replace("/SUBSCRIPTIONS", "/subscriptions")
    found = twin.call("GET", shouted).json()
    assert (found["name"], found["type"]) == ("Pool", "Microsoft.DesktopVirtualization/hostpools")
    assert found["id"].endswith("/resourcegroups/rg/providers/Microsoft.DesktopVirtualization/hostpools/Pool")


# ---------------------------------------------------------------- bodies


def test_a_location_is_relative_as_recorded_or_absolute_when_set(twin: Twin) -> None:
    body = {"location": "westeurope", "properties": {}}
    spaces = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/workspaces"
    relative = f"{spaces}/one".replace("resourceGroups", "resourcegroups")
    assert twin.call("PUT", f"{spaces}/one", body).headers["location"] == relative
    twin.world.state.settings["arm_location"] = "absolute"
    made = twin.call("PUT", f"{spaces}/two", body)
    assert made.headers["location"] == f"{ORIGIN}{relative[:-3]}two?api-version=2025-10-10"
    assert twin.call("GET", made.headers["location"]).json()["name"] == "two"
    assert "location" not in twin.call("PUT", f"{spaces}/two", body).headers


@pytest.mark.parametrize(
    ("given", "name", "stored"),
    [
        ({"hostPoolType": "Shared"}, "hostPoolType", "Pooled"),
        ({"hostPoolType": "personal"}, "hostPoolType", "Personal"),
        ({"ring": 0}, "ring", 1),
        ({"ring": None}, "ring", 1),
        ({"ring": 3}, "ring", 3),
        ({"validationEnvironment": True}, "ring", 0),
        ({"vmTemplate": ""}, "vmTemplate", None),
        ({"vmTemplate": "{free text}"}, "vmTemplate", "{free text}"),
        ({"customRdpProperty": ""}, "customRdpProperty", ""),
        ({"applicationGroupReferences": ["x"]}, "applicationGroupReferences", []),
        ({"objectId": "mine"}, "cloudPcResource", False),
        ({"migrationRequest": {"operation": "Start"}}, "migrationRequest", None),
    ],
)
def test_host_pool_values_as_the_service_stores_them(
    twin: Twin, given: dict[str, Any], name: str, stored: object
) -> None:
    assert put_pool(twin, **given).json()["properties"][name] == stored


def test_a_put_takes_away_what_it_does_not_mention(twin: Twin) -> None:
    first = put_pool(twin, friendlyName="x", maxSessionLimit=3).json()
    wait(twin, 60)
    second = put_pool(twin).json()
    assert (second["properties"]["friendlyName"], second["properties"]["maxSessionLimit"]) == (None, 999999)
    assert second["properties"]["objectId"] == first["properties"]["objectId"]
    assert second["systemData"]["createdAt"] == first["systemData"]["createdAt"]
    assert second["systemData"]["lastModifiedAt"] > first["systemData"]["lastModifiedAt"]


@pytest.mark.parametrize("missing", sorted(POOL))
def test_required_properties_are_required(twin: Twin, missing: str) -> None:
    answer = put(twin, "hostPools/pool", {name: value for name, value in POOL.items() if name != missing})
    refused(answer, 400, "400", missing)
    assert twin.call("GET", f"{AVD}/hostPools/pool").status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"hostPoolType": "Sharded"},
        {"loadBalancerType": 1},
        {"maxSessionLimit": "5"},
        {"maxSessionLimit": True},
        {"validationEnvironment": "true"},
        {"friendlyName": 5},
        {"agentUpdate": []},
        {"registrationInfo": {"registrationTokenOperation": "Renew"}},
        {"registrationInfo": {"registrationTokenOperation": "Update"}},
        {"registrationInfo": {"registrationTokenOperation": "Update", "expirationTime": "soon"}},
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_refused(twin: Twin, wrong: dict[str, Any]) -> None:
    refused(put_pool(twin, **wrong), 400, "400")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b'{"properties": 3}', b'{"tags": {"a": 1}}'])
def test_bodies_that_are_no_objects_are_refused(twin: Twin, body: bytes) -> None:
    put_pool(twin)
    refused(twin.call("PATCH", f"{AVD}/hostPools/pool", body), 400, "InvalidRequestContent")


@pytest.mark.parametrize("name", ["ab", "x" * 65, "R&D", "Büro", "a'b"])
def test_names_the_service_does_not_take(twin: Twin, name: str) -> None:
    from urllib.parse import quote

    refused(put_pool(twin, quote(name)), 400, "400")


def test_locations(twin: Twin) -> None:
    path = f"{AVD}/hostPools/pool"
    refused(twin.call("PUT", path, {"properties": POOL}), 400, "LocationRequired")
    answer = twin.call("PUT", path, {"location": "brazilsouth", "properties": POOL})
    refused(answer, 400, "LocationNotAvailableForResourceType", "'Microsoft.DesktopVirtualization/hostpools'")
    made = twin.call("PUT", path, {"location": "West Europe", "properties": POOL}).json()
    assert made["location"] == "westeurope"
    refused(twin.call("PUT", path, {"location": "eastus", "properties": POOL}), 409, "InvalidResourceLocation")
    answer = put_group(twin, location="eastus")
    refused(answer, 400, "400", "ApplicationGroup must be in same location as associated HostPool")
    put_group(twin)
    references = [f"{AVD}/applicationGroups/apps"]
    answer = put(twin, "workspaces/work", {"applicationGroupReferences": references}, location="eastus")
    refused(answer, 400, "400", "same location")


def test_what_cannot_be_changed(twin: Twin) -> None:
    put_pool(twin)
    put_pool(twin, "second")
    put_group(twin)
    refused(put_pool(twin, hostPoolType="Personal"), 400, "400", "HostPoolType")
    refused(put_group(twin, kind="Desktop"), 400, "400", "applicationGroupType")
    refused(put_group(twin, pool="second"), 400, "400", "hostPoolArmPath")
    changed = {"properties": {"applicationGroupType": "Desktop", "friendlyName": "x"}}
    patched = twin.call("PATCH", f"{AVD}/applicationGroups/apps", changed).json()
    assert patched["properties"]["applicationGroupType"] == "RemoteApp"


# ---------------------------------------------------------------- rules between objects


def test_a_pool_has_one_desktop_group(twin: Twin) -> None:
    put_pool(twin)
    assert put_group(twin, "one", "Desktop").status == 201
    refused(put_group(twin, "two", "Desktop"), 400, "400")
    assert put_group(twin, "one", "Desktop").status == 200
    twin.call("DELETE", f"{AVD}/applicationGroups/one")
    assert twin.world.state.arm.resources.get(f"{AVD}/applicationGroups/one/desktops/SessionDesktop".lower()) is None
    assert put_group(twin, "two", "Desktop").status == 201


def test_a_group_needs_its_pool_and_room_in_the_tenant(twin: Twin) -> None:
    refused(put_group(twin), 400, "400", "does not exist")
    put_pool(twin)
    twin.world.state.settings["application_groups_per_tenant"] = 1
    assert put_group(twin, "one").status == 201
    refused(put_group(twin, "two"), 400, "400", "limit")


def test_a_group_is_in_one_workspace(twin: Twin) -> None:
    put_pool(twin)
    put_group(twin)
    references = {"applicationGroupReferences": [f"{AVD}/applicationGroups/APPS"]}
    assert (
        put(twin, "workspaces/one", references).json()["properties"] | references
        == put(twin, "workspaces/one", references).json()["properties"]
    )
    refused(put(twin, "workspaces/two", references), 400, "400", "already")
    twin.call("PATCH", f"{AVD}/workspaces/one", {"properties": {"applicationGroupReferences": []}})
    assert put(twin, "workspaces/two", references).status == 201
    refused(put(twin, "workspaces/three", {"applicationGroupReferences": ["/nowhere"]}), 400, "400", "does not exist")


def test_groups_may_seem_to_linger(twin: Twin) -> None:
    """Right after the last group was deleted the pool may still be refused (facts 1.16)."""
    twin.world.state.settings["groups_linger_s"] = 20
    put_pool(twin)
    put_group(twin)
    twin.call("DELETE", f"{AVD}/applicationGroups/apps")
    refused(twin.call("DELETE", f"{AVD}/hostPools/pool"), 400, "400", "still has ApplicationGroups")
    wait(twin, 21)
    assert twin.call("DELETE", f"{AVD}/hostPools/pool").status == 200


def test_applications_have_rules(twin: Twin) -> None:
    put_pool(twin)
    put_group(twin)
    put_group(twin, "desk", "Desktop")
    app = {"commandLineSetting": "Allow", "filePath": "C:\\a.exe", "applicationType": "InBuilt"}
    assert (
        put(twin, "applicationGroups/apps/applications/app", app).json()["properties"]["applicationType"] == "Inbuilt"
    )
    refused(put(twin, "applicationGroups/desk/applications/app", app), 400, "400", "Desktop")
    refused(put(twin, "applicationGroups/apps/applications/b", {"commandLineSetting": "Allow"}), 400, "400", "filePath")
    refused(put(twin, "applicationGroups/apps/applications/b", {"filePath": "x"}), 400, "400", "commandLineSetting")
    assert put(twin, f"applicationGroups/apps/applications/{'x' * 25}", app).status == 201


def test_icons_are_the_default_ones_until_a_host_is_healthy(twin: Twin) -> None:
    put_pool(twin)
    put_group(twin)

    def icon(name: str) -> str:
        app = {"commandLineSetting": "Allow", "filePath": f"C:\\{name}.exe"}
        return str(put(twin, f"applicationGroups/apps/applications/{name}", app).json()["properties"]["iconHash"])

    default = icon("one")
    assert icon("two") == default
    with_host(twin)
    assert len({default, icon("one"), icon("two")}) == 3


# ---------------------------------------------------------------- session hosts


def test_a_name_is_registered_once(twin: Twin) -> None:
    put_pool(twin)
    path = with_host(twin)
    machine = add_machine(twin.world, "host-1", domain="", group="rg")
    with pytest.raises(session_hosts.NameAlreadyRegistered):
        session_hosts.register(twin.world, machine, f"{AVD}/hostPools/pool")
    assert twin.call("DELETE", path, force="True").status == 200
    assert session_hosts.register(twin.world, machine, f"{AVD}/hostPools/pool").name == "host-1"


def test_a_revoked_token_admits_nobody(twin: Twin) -> None:
    def operate(operation: str) -> dict[str, Any]:
        token = {"expirationTime": "2026-09-22T12:00:00Z", "registrationTokenOperation": operation}
        body = {"properties": {"registrationInfo": token}}
        answer = twin.call("PATCH", f"{AVD}/hostPools/pool", body).json()
        info: dict[str, Any] = answer["properties"]["registrationInfo"]
        return info

    def join(name: str, token: str) -> Resource:
        claims = tokens.read_registration(twin.world, token)
        machine = add_machine(twin.world, name)
        pool = f"{AVD}/hostPools/pool"
        return session_hosts.register(twin.world, machine, pool, registration_id=claims.registration_id)

    put_pool(twin)
    first, second = operate("Update")["token"], operate("Update")["token"]
    assert first != second
    assert join("host-1", first).name == "host-1.ad.contoso.example"
    operate("Delete")
    for token in (first, second):
        with pytest.raises(session_hosts.TokenRevoked):
            join("host-2", token)
    join("host-2", operate("Update")["token"])


def test_status_follows_the_machine(twin: Twin) -> None:
    put_pool(twin)
    path = with_host(twin)
    machine = next(iter(twin.world.state.machines.values()))

    def status() -> str:
        return str(twin.call("GET", path).json()["properties"]["status"])

    assert status() == "Available"
    agents.leave(twin.world, machine)
    assert status() == "Disconnected"
    wait(twin, 600)
    assert status() == "NoHeartbeat"
    machine.power = "deallocated"
    assert status() == "Shutdown"
    assert twin.call("GET", path).json()["properties"]["sessionHostHealthCheckResults"] == []
    machine.power = "running"
    agents.connect(twin.world, machine, "arm", f"{AVD}/hostPools/pool".lower(), "host-1")
    found = twin.call("GET", path).json()["properties"]
    failing = [check for check in found["sessionHostHealthCheckResults"] if "Failed" in check["healthCheckResult"]]
    assert (found["status"], len(failing)) == ("Unavailable", 1)
    wait(twin, 200)
    assert status() == "Available"


def test_members_of_previews_are_absent_from_stable_versions(twin: Twin) -> None:
    put_pool(twin)
    path = with_host(twin)
    assert "activeSessions" in twin.call("GET", path, api_version="2025-03-01-preview").json()["properties"]
    assert "activeSessions" not in twin.call("GET", path, api_version="2024-04-03").json()["properties"]


# ---------------------------------------------------------------- limits


def test_a_principal_runs_dry_and_is_told_when_to_come_back(twin: Twin) -> None:
    left = [int(put_pool(twin).headers["x-ms-ratelimit-remaining-subscription-writes"]) for _ in range(200)]
    assert (left[0], left[-1]) == (199, 0)
    answer = put_pool(twin)
    refused(answer, 429, "SubscriptionRequestsThrottled")
    assert answer.headers["retry-after"] == "1"
    assert twin.call("GET", f"{AVD}/hostPools/pool").status == 200
    wait(twin, 1)
    assert [put_pool(twin).status for _ in range(11)] == [200] * 10 + [429]


def test_others_of_the_subscription_have_buckets_of_their_own(twin: Twin) -> None:
    world = twin.world
    while put_pool(twin).status != 429:
        pass
    other = "aaaaaaaa-0000-4000-a000-000000000003"
    grant(world, other, OWNER, SUB)
    headers = {"authorization": f"Bearer {bearer(world, other, 'second@contoso.example')}"}
    answer = twin.call("PUT", f"{AVD}/hostPools/pool", {"location": "westeurope", "properties": POOL}, headers=headers)
    assert answer.status == 200
    assert int(answer.headers["x-ms-ratelimit-remaining-subscription-global-writes"]) == 2799


def test_limits_can_be_switched_off(twin: Twin) -> None:
    twin.world.state.settings["limits_enforced"] = False
    assert {put_pool(twin).status for _ in range(250)} == {201, 200}


def test_the_list_of_session_hosts_has_a_window_of_its_own(twin: Twin) -> None:
    twin.world.state.settings |= {"session_host_list_limit": 10}
    put_pool(twin)
    path = f"{AVD}/hostPools/pool/sessionHosts"
    answers = [twin.call("GET", path) for _ in range(11)]
    left = [answer.headers["x-rate-limit-remaining"] for answer in answers]
    assert left == [str(number) for number in range(9, -1, -1)] + ["0"]
    assert {answer.headers["x-rate-limit-limit"] for answer in answers} == {"5m"}
    assert len({answer.headers["x-rate-limit-reset"] for answer in answers}) == 1
    assert (answers[-1].status, answers[-1].headers["retry-after"]) == (429, "300")
    other = twin.call("GET", f"{AVD}/hostPools/pool")
    assert (other.status, other.headers["x-rate-limit-remaining"]) == (200, "9998")
    wait(twin, 301)
    assert twin.call("GET", path).status == 200


# ---------------------------------------------------------------- lists


def test_next_links_are_absolute_and_survive_changes(twin: Twin) -> None:
    twin.world.state.settings |= {"arm_list_page": 2, "arm_child_page": 2}
    for number in range(4):
        put_pool(twin, f"pool{number}")
    first = twin.call("GET", f"https://twin.example:8443{AVD}/hostPools", headers=_audience(twin.world)).json()
    assert first["nextLink"].startswith(
        f"https://twin.example:8443{AVD}/hostPools?api-version=2025-10-10&%24skiptoken="
    )
    twin.call("DELETE", f"{AVD}/hostPools/pool1")
    twin.call("DELETE", f"{AVD}/hostPools/pool0")
    second = twin.call("GET", first["nextLink"], headers=_audience(twin.world)).json()
    assert ([pool["name"] for pool in second["value"]], "nextLink" in second) == (["pool2", "pool3"], False)
    empty = twin.call("GET", f"{AVD}/hostPools/pool2/sessionHosts").json()
    assert empty == {"value": [], "nextLink": None}


def _audience(world: World) -> dict[str, str]:
    return {"authorization": f"Bearer {bearer(world)}"}


@pytest.mark.parametrize(
    "query", [{"%24filter": "nonsense"}, {"%24skiptoken": "!"}, {"pageSize": "-1"}, {"initialSkip": "x"}], ids=str
)
def test_list_parameters_that_make_no_sense_are_refused(twin: Twin, query: dict[str, str]) -> None:
    put_pool(twin)
    refused(twin.call("GET", f"{AVD}/hostPools/pool/userSessions", **query), 400, "400")


def test_operations_are_listed(twin: Twin) -> None:
    answer = twin.call("GET", "/providers/Microsoft.DesktopVirtualization/operations")
    names = {operation["name"] for operation in answer.json()["value"]}
    assert "Microsoft.DesktopVirtualization/hostpools/sessionhosts/usersessions/sendMessage/action" in names


def test_what_limits_and_lists_know_survives_a_snapshot(twin: Twin) -> None:
    put_pool(twin)
    put_group(twin)
    world = World.restore(twin.world.snapshot(), twin.world.clock)
    copy = Twin(world)
    again = copy.call("GET", f"{AVD}/hostPools/pool")
    assert again.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert put_pool(copy).headers["x-ms-ratelimit-remaining-subscription-writes"] == "197"
    assert len(copy.call("GET", f"{AVD}/applicationGroups").json()["value"]) == 1


# ---------------------------------------------------------------- locks


def lock(twin: Twin, scope: str, level: str) -> None:
    lock_id = f"{scope}/providers/Microsoft.Authorization/locks/keep"
    twin.world.state.arm.resources[lock_id.lower()] = Resource(
        id=lock_id, type="Microsoft.Authorization/locks", name="keep", properties={"level": level}
    )


def test_a_lock_against_deletion_holds_at_above_and_below(twin: Twin) -> None:
    put_pool(twin)
    put_group(twin)
    lock(twin, f"{SUB}/resourceGroups/rg", "CanNotDelete")
    refused(twin.call("DELETE", f"{AVD}/applicationGroups/apps"), 409, "ScopeLocked", "/resourceGroups/rg'")
    assert put_group(twin).status == 200
    twin.world.state.arm.resources.popitem()
    lock(twin, f"{AVD}/hostPools/pool/sessionHosts/none", "CanNotDelete")
    refused(twin.call("DELETE", f"{AVD}/hostPools/pool"), 409, "ScopeLocked", "sessionHosts/none")
    assert twin.call("DELETE", f"{AVD}/applicationGroups/apps").status == 200


def test_a_read_only_lock_forbids_changes_and_actions(twin: Twin) -> None:
    put_pool(twin)
    put_pool(twin, "pool2")
    lock(twin, f"{AVD}/hostPools/pool", "ReadOnly")
    refused(put_pool(twin), 409, "ScopeLocked")
    refused(twin.call("POST", f"{AVD}/hostPools/pool/listRegistrationTokens"), 409, "ScopeLocked")
    assert twin.call("GET", f"{AVD}/hostPools/pool").status == 200
    assert put_pool(twin, "pool2").status == 200
