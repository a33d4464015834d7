"""Host pools and registration infos (facts/classic-service 1.5, 1.6, 1.16)."""

from __future__ import annotations

from typing import Any

import pytest
from classic_desk import GROUP, NAMES, START, TENANT_URL, Desk

from avdtwin import agents, registry, tokens, windows
from avdtwin.classic import hosts
from avdtwin.clock import iso

POOL = TENANT_URL + "/HostPools/Office%20Pool"
POOL_NAMES = NAMES | {"hostPoolName": "Office Pool"}
INFOS = POOL + "/RegistrationInfos"
DAY_S = 86_400.0


def test_a_pool_as_the_facts_show_it(desk: Desk) -> None:
    body = POOL_NAMES | {
        "friendlyName": "Office",
        "description": None,
        "persistent": False,
        "customRdpProperty": "audiocapturemode:i:1",
        "loadBalancerType": 0,
        "activeSessionLimitMin": 0,
    }
    made = desk.call("POST", POOL, body)
    assert made.status == 201
    assert (
        made.body
        == desk.get(POOL)
        == {
            "tenantName": "contoso",
            "tenantGroupName": GROUP,
            "hostPoolName": "Office Pool",
            "friendlyName": "Office",
            "description": None,
            "persistent": False,
            "customRdpProperty": "audiocapturemode:i:1;",
            "maxSessionLimit": 999999,
            "loadBalancerType": 0,
            "validationEnv": False,
            "ring": None,
            "assignmentType": None,
        }
    )
    assert desk.get(TENANT_URL + "/HostPools") == [made.body]
    assert desk.code("POST", POOL, body) == (409, "HostPoolAlreadyExists")


def test_a_pool_brings_its_desktop_group(desk: Desk) -> None:
    desk.pool()
    assert desk.get(POOL + "/AppGroups") == [
        {
            "tenantGroupName": GROUP,
            "tenantName": "contoso",
            "hostPoolName": "Office Pool",
            "appGroupName": "Desktop Application Group",
            "description": "The default desktop application group for the session host pool",
            "friendlyName": "Desktop Application Group",
            "resourceType": 1,
        }
    ]


def test_a_personal_pool_assigns_by_itself_unless_told(desk: Desk) -> None:
    made = desk.call("POST", POOL, POOL_NAMES | {"Persistent": "True", "LOADBALANCERTYPE": "2"})
    assert (made.body["persistent"], made.body["loadBalancerType"], made.body["assignmentType"]) == (True, 2, 1)
    assert desk.call("PATCH", POOL, POOL_NAMES | {"assignmentType": 2}).body["assignmentType"] == 2


@pytest.mark.parametrize(
    "body, code",
    [
        ({"persistent": False, "loadBalancerType": 1}, "UnsupportedCombinationOfLoadBalancerAndPoolType"),
        ({"persistent": False, "loadBalancerType": 2}, "UnsupportedCombinationOfLoadBalancerAndPoolType"),
        ({"persistent": True, "loadBalancerType": 0}, "UnsupportedCombinationOfLoadBalancerAndPoolType"),
        ({"persistent": True, "assignmentType": 3}, "UnsupportedUpdateForPDAssignmentType"),
        ({"assignmentType": 1}, "UnsupportedAssignmentTypeUpdateForSharedDesktopPool"),
        ({"maxSessionLimit": 1_000_000}, "SessionLimitTooHigh"),
        ({"maxSessionLimit": 0}, "SessionHostMaxSessionZero"),
        ({"maxSessionLimit": "many"}, "UnknownError"),
        ({"customRdpProperty": "audiocapturemode=1"}, "HostPoolIncorrectFormatCustomRdpProperties"),
        ({"hostPoolName": "Other Pool"}, "NameDoesNotMatchObject"),
    ],
)
def test_a_bad_pool_is_refused(desk: Desk, body: dict[str, Any], code: str) -> None:
    assert desk.code("POST", POOL, POOL_NAMES | body) == (400, code)
    assert desk.code("GET", POOL) == (404, "HostPoolNotFound")


@pytest.mark.parametrize(
    "personal, body, code",
    [
        (True, {"maxSessionLimit": 5}, "MaxSessionLimitCannotBeChangedForPersonalDesktopHostPool"),
        (True, {"loadBalancerType": 0}, "LoadBalancerCannotBeChangedForPersonalDesktoptHostPool"),
        (True, {"persistent": False}, "UnsupportedUpdateForHostPoolType"),
        (False, {"loadBalancerType": 2}, "UnsupportedUpdateForHostPoolType"),
        (False, {"persistent": True}, "UnsupportedUpdateForHostPoolType"),
        (False, {"assignmentType": 1}, "UnsupportedAssignmentTypeUpdateForSharedDesktopPool"),
    ],
)
def test_what_the_type_of_a_pool_forbids(desk: Desk, personal: bool, body: dict[str, Any], code: str) -> None:
    desk.pool(personal=personal)
    before = desk.get(POOL)
    assert desk.code("PATCH", POOL, POOL_NAMES | body | {"friendlyName": "not this either"}) == (400, code)
    assert desk.get(POOL) == before
    assert desk.call("PATCH", POOL, before).body == before  # sending it all back changes nothing


def test_breadth_and_depth_swap(desk: Desk) -> None:
    desk.pool()
    changed = desk.call("PATCH", POOL, POOL_NAMES | {"loadBalancerType": "DepthFirst", "maxSessionLimit": "10"}).body
    assert (changed["loadBalancerType"], changed["maxSessionLimit"]) == (1, 10)
    assert desk.call("PATCH", POOL, POOL_NAMES | {"loadBalancerType": 0}).body["maxSessionLimit"] == 10


def test_an_empty_text_resets_the_rdp_properties(desk: Desk) -> None:
    desk.pool()
    assert (
        desk.call("PATCH", POOL, {"customRdpProperty": "a:i:1;b:s:x:y"}).body["customRdpProperty"] == "a:i:1;b:s:x:y;"
    )
    assert desk.call("PATCH", POOL, {"customRdpProperty": ""}).body["customRdpProperty"] == ""


def test_the_ring_is_the_operators(desk: Desk) -> None:
    desk.pool()
    assert desk.code("PATCH", POOL, {"ring": 3}) == (403, "HostPoolRingUpdateNotAdmin")
    desk.set(classic_ring_changeable=True)
    assert desk.call("PATCH", POOL, {"ring": 3}).body["ring"] == 3


def test_a_pool_goes_after_its_hosts_and_groups(desk: Desk) -> None:
    desk.pool()
    desk.host()
    assert desk.code("DELETE", POOL) == (409, "HostPoolCannotBeRemovedHasSessionHosts")
    desk.call("DELETE", POOL + "/SessionHosts/off-0.corp.contoso.com")
    assert desk.code("DELETE", POOL) == (409, "HostPoolCannotBeRemovedHasApplicationGroups")
    desk.call("DELETE", POOL + "/AppGroups/Desktop%20Application%20Group")
    assert desk.call("DELETE", POOL).status == 200
    assert desk.code("DELETE", POOL) == (404, "HostPoolNotFound")


def test_a_missing_parent_is_told_topmost_first(desk: Desk) -> None:
    assert desk.code("GET", "/TenantGroups/x/Tenants/y/HostPools/z") == (404, "TenantGroupNotFound")
    assert desk.code("GET", "/Tenants/y/HostPools/z") == (404, "TenantNotFound")
    assert desk.code("GET", "/Tenants/contoso/HostPools/z/SessionHosts") == (404, "HostPoolNotFound")


# ---------------------------------------------------------------- registration infos


def register_until(desk: Desk, ahead_s: float = 2 * DAY_S) -> dict[str, Any]:
    body = POOL_NAMES | {"expirationTime": iso(desk.world.now + ahead_s, 7), "token": None}
    made = desk.call("POST", INFOS + "/", body)
    assert made.status == 201
    answer: dict[str, Any] = made.body
    return answer


def test_a_registration_info_and_its_export(desk: Desk) -> None:
    desk.pool()
    made = register_until(desk)
    assert {name: made[name] for name in made if name != "token"} == POOL_NAMES | {
        "expirationTime": "2020-05-03T06:00:00Z"
    }
    claims = tokens.read_registration(desk.world, made["token"])
    assert (claims.service, hosts.pool_of_object_id(desk.world, claims.pool_object_id)) == ("classic", desk.pool_key())
    assert desk.get(INFOS + "/actions/export") == made


def test_one_registration_info_per_pool_even_when_expired(desk: Desk) -> None:
    desk.pool()
    register_until(desk)
    desk.clock.advance(3 * DAY_S)
    body = {"expirationTime": iso(START + 4 * DAY_S)}
    assert desk.code("POST", INFOS, body) == (409, "TokenExistsForHostPool")
    assert desk.call("DELETE", INFOS).status == 200
    assert desk.call("POST", INFOS, body).status == 201


def test_removing_none_is_silent_and_never_204(desk: Desk) -> None:
    desk.pool()
    desk.set(classic_delete_status=204)
    assert desk.call("DELETE", INFOS).status == 200
    assert desk.code("GET", INFOS + "/actions/export") == (404, "TokenDoesNotExist")


@pytest.mark.parametrize(
    "value, code",
    [
        (iso(START - 1), "ExpirationUTCTimeOnObjectPrecedesCurrentTime"),
        (iso(START + 60 * DAY_S + 1), "ExpirationUTCTimeIsMoreThan60DaysFromNow"),
        ("tomorrow", "TokenUnableToCreate"),
        (None, "TokenUnableToCreate"),
    ],
)
def test_how_long_a_token_may_live(desk: Desk, value: str | None, code: str) -> None:
    desk.pool()
    assert desk.code("POST", INFOS, POOL_NAMES | {"expirationTime": value}) == (400, code)


def test_a_token_of_60_days(desk: Desk) -> None:
    desk.pool()
    assert register_until(desk, 60 * DAY_S)["expirationTime"] == "2020-06-30T06:00:00Z"


def test_a_reader_does_not_get_the_token(desk: Desk) -> None:
    desk.pool()
    register_until(desk)
    desk.grant("RDS Reader", "/Default Tenant Group/contoso", "reader")
    assert desk.code("GET", INFOS + "/actions/export", who="reader") == (403, "UnauthorizedAccess")


def test_there_is_no_other_way_to_read_one(desk: Desk) -> None:
    desk.pool()
    assert desk.call("GET", INFOS).status == 405


def test_an_agent_with_the_token_appears_in_the_pool(desk: Desk) -> None:
    desk.pool()
    token = register_until(desk)["token"]
    machine = windows.build(desk.world, resource_id="/vm/new-0", computer_name="new-0", fqdn="new-0.corp.contoso.com")
    registry.write(machine, registry.AGENT, "RegistrationToken", token)
    agents.start(desk.world, machine)
    desk.clock.advance(600.0)
    [host] = desk.get(POOL + "/SessionHosts")
    assert (host["sessionHostName"], host["status"], host["allowNewSession"]) == ("new-0.corp.contoso.com", 0, True)


def test_an_agent_with_a_withdrawn_token_does_not(desk: Desk) -> None:
    desk.pool()
    token = register_until(desk)["token"]
    desk.call("DELETE", INFOS)
    register_until(desk)
    machine = windows.build(desk.world, resource_id="/vm/new-0", computer_name="new-0", fqdn="new-0.corp.contoso.com")
    registry.write(machine, registry.AGENT, "RegistrationToken", token)
    agents.start(desk.world, machine)
    desk.clock.advance(600.0)
    assert desk.get(POOL + "/SessionHosts") == []
    assert machine.agent.last_error == "INVALID_REGISTRATION_TOKEN"
