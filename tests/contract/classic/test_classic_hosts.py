"""Session hosts (facts/classic-service 1.7, 1.16, 2.9) and the sessions on them (1.8)."""

from __future__ import annotations

import json

import pytest
from classic_desk import GROUP, NAMES, SUBSCRIPTION, TENANT_URL, Desk

from avdtwin import agents, registry, sessions, windows
from avdtwin.classic import hosts

POOL = TENANT_URL + "/HostPools/Office%20Pool"
POOL_NAMES = NAMES | {"hostPoolName": "Office Pool"}
HOST = POOL + "/SessionHosts/off-0.corp.contoso.com"
HOST_NAMES = POOL_NAMES | {"sessionHostName": "off-0.corp.contoso.com"}


def test_a_session_host_as_the_facts_show_it(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    desk.session(host)
    found = desk.get(HOST)
    health = json.loads(found.pop("sessionHostHealthCheckResult"))
    assert {check["HealthCheckName"]: check["HealthCheckResult"] for check in health}["DomainJoinedCheck"] == (
        "HealthCheckSucceeded"
    )
    assert found == {
        "sessionHostName": "off-0.corp.contoso.com",
        "tenantName": "contoso",
        "tenantGroupName": GROUP,
        "hostPoolName": "Office Pool",
        "allowNewSession": True,
        "azureVmId": desk.machine(host).vm_id,
        "azureResourceId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-off/providers/Microsoft.Compute/"
        "virtualMachines/off-0",
        "sessions": 1,
        "lastHeartBeat": "2020-05-01T06:00:00Z",
        "agentVersion": "1.0.2990.1500",
        "assignedUser": None,
        "osVersion": "10.0.19044",
        "sxSStackVersion": "rdp-sxs210806001",
        "status": 0,
        "updateState": 3,
        "lastUpdateTime": "2020-05-01T06:00:00Z",
        "updateErrorMessage": None,
    }
    assert [entry["sessionHostName"] for entry in desk.get(POOL + "/SessionHosts/")] == ["off-0.corp.contoso.com"]
    assert desk.code("GET", HOST.replace("off-0", "off-1")) == (404, "SessionHostNotFound")


def test_draining_answers_with_the_whole_host(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    changed = desk.call("PATCH", HOST, HOST_NAMES | {"allowNewSession": False})
    assert (changed.status, changed.body["allowNewSession"]) == (200, False)
    assert not host.allow_new_session
    assert desk.call("PATCH", HOST, HOST_NAMES | {"allowNewSession": False}).body == changed.body
    assert desk.call("PATCH", HOST, changed.body | {"allowNewSession": "true"}).body["allowNewSession"] is True
    assert desk.code("PATCH", HOST, {"sessionHostName": "off-1.corp.contoso.com"}) == (400, "NameDoesNotMatchObject")


def test_what_a_silent_host_looks_like(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    desk.clock.advance(90.0)
    desk.world.settle()
    desk.silence(host)
    assert desk.get(HOST)["status"] == hosts.UNAVAILABLE
    desk.clock.advance(600.0)
    found = desk.get(HOST)
    assert (found["status"], found["lastHeartBeat"]) == (hosts.NO_HEARTBEAT, "2020-05-01T06:01:00Z")
    assert found["sessionHostHealthCheckResult"] is None


def test_what_a_host_without_power_looks_like(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    desk.machine(host).power = "deallocated"
    assert desk.get(HOST)["status"] == hosts.SHUTDOWN


def test_a_host_that_went_elsewhere_leaves_its_record(desk: Desk) -> None:
    desk.pool()
    machine = desk.machine(desk.host())
    desk.clock.advance(60.0)
    desk.world.settle()
    agents.leave(desk.world, machine)
    agents.connect(desk.world, machine, "arm", "/subscriptions/s/hostpools/new", machine.fqdn)
    desk.clock.advance(3600.0)
    found = desk.get(HOST)
    assert (found["status"], found["lastHeartBeat"]) == (hosts.NO_HEARTBEAT, "2020-05-01T06:01:00Z")


# ---------------------------------------------------------------- personal desktops


def assign(desk: Desk, host: str, upn: str) -> tuple[int, str]:
    url = POOL + f"/SessionHosts/{host}.corp.contoso.com"
    answer = desk.call("PATCH", url, POOL_NAMES | {"assignedUser": upn})
    return answer.status, answer.body["assignedUser"] if answer.status == 200 else answer.body["error"]["code"]


def test_one_person_per_host_and_one_host_per_person(desk: Desk) -> None:
    desk.pool(personal=True)
    desk.host("off-0")
    desk.host("off-1")
    assert assign(desk, "off-0", "nobody@elsewhere.com") == (400, "UpnNotInAad")
    assert assign(desk, "off-0", "amy@contoso.com") == (200, "amy@contoso.com")
    assert assign(desk, "off-0", "AMY@contoso.com") == (200, "amy@contoso.com")
    assert assign(desk, "off-0", "bob@contoso.com") == (400, "SesionHostAlreadyAssignedToUser")
    assert assign(desk, "off-1", "Amy@contoso.com") == (400, "UserAlreadyAssignedOneSessionHostInPool")
    assert assign(desk, "off-1", "") == (200, None)


def test_pooled_hosts_are_nobodys(desk: Desk) -> None:
    desk.pool()
    desk.host()
    assert assign(desk, "off-0", "amy@contoso.com") == (400, "HostPoolTypeIsNotPersonalDesktop")


def test_a_refused_assignment_does_not_drain(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    assert desk.call("PATCH", HOST, {"allowNewSession": False, "assignedUser": "amy@contoso.com"}).status == 400
    assert host.allow_new_session


# ---------------------------------------------------------------- removal


def test_sessions_keep_a_host_unless_forced(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    session = desk.session(host)
    assert desk.code("DELETE", HOST) == (409, "SessionHostUserSessionsExist")
    assert desk.call("DELETE", HOST + "?FORCE=True").status == 200
    assert desk.get(POOL + "/SessionHosts") == desk.get(POOL + "/Sessions") == []
    assert sessions.of_machine(desk.world, session.machine) == [session], "nobody is logged off"
    assert desk.code("DELETE", HOST + "?Force=True") == (404, "SessionHostNotFound")


def test_removal_disconnects_the_agent_for_good(desk: Desk) -> None:
    desk.pool()
    machine = desk.machine(desk.host())
    desk.call("DELETE", HOST)
    assert (machine.agent.service, machine.agent.connected_at) == (None, None)
    agents.start(desk.world, machine)  # it still thinks it is registered
    desk.clock.advance(600.0)
    assert desk.get(POOL + "/SessionHosts") == []
    assert machine.agent.last_error == "INVALID_FORM"
    assert (machine.power, registry.read(machine, registry.AGENT, "IsRegistered")) == ("running", 1)


def test_registering_again_keeps_the_record(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    host.allow_new_session = False
    machine = desk.machine(host)
    desk.silence(host)
    assert hosts.register(desk.world, machine, desk.pool_key()) is host
    assert not host.allow_new_session


def test_the_name_of_a_living_host_is_taken(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    other = windows.build(desk.world, resource_id="/other/off-0", computer_name="off-0", fqdn=host.name)
    with pytest.raises(Exception, match="another host") as refused:
        hosts.register(desk.world, other, desk.pool_key())
    assert getattr(refused.value, "code", "") == "NAME_ALREADY_REGISTERED"


# ---------------------------------------------------------------- sessions


def test_a_session_as_the_facts_show_it(desk: Desk) -> None:
    desk.pool()
    session = desk.session(desk.host())
    assert desk.get(POOL + "/Sessions") == [
        {
            "tenantGroupName": GROUP,
            "tenantName": "contoso",
            "hostPoolName": "Office Pool",
            "sessionHostName": "off-0.corp.contoso.com",
            "userPrincipalName": "amy@contoso.com",
            "adUserName": "CORP\\amy",
            "createTime": "2020-05-01T06:00:00Z",
            "sessionId": session.id,
            "applicationType": "Desktop",
            "sessionState": "Active",
        }
    ]


def test_the_list_follows_what_happens(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    desk.session(host, "bob")
    amy = desk.session(host, "amy")

    def users() -> list[str]:
        return [entry["userPrincipalName"].partition("@")[0] for entry in desk.get(POOL + "/Sessions")]

    assert users() == ["amy", "bob"]
    sessions.end(desk.world, amy, "signed_out")
    assert users() == ["bob"]
    desk.session(host, "cal")
    assert users() == ["bob", "cal"]


def act(desk: Desk, action: str, session: object) -> tuple[int, str | None]:
    answer = desk.call("POST", f"{HOST}/Sessions/{session}/actions/{action}", {"Headers": []})
    return answer.status, answer.body["error"]["code"] if answer.body else None


def test_disconnecting_and_again(desk: Desk) -> None:
    desk.pool()
    session = desk.session(desk.host())
    assert act(desk, "disconnect-user", session.id) == act(desk, "disconnect-user", session.id) == (200, None)
    assert [entry["sessionState"] for entry in desk.get(POOL + "/Sessions")] == ["Disconnected"]


def test_a_message_with_plus_for_space(desk: Desk) -> None:
    desk.pool()
    session = desk.session(desk.host())
    query = "?MessageTitle=Please+sign+out&MessageBody=In%2010%20minutes"
    assert act(desk, "send-message-user" + query, session.id) == (200, None)
    [message] = [record.data for record in desk.world.state.records if record.kind == "message"]
    assert (message["title"], message["body"]) == ("Please sign out", "In 10 minutes")
    assert act(desk, "send-message-user", session.id) == (400, "SessionHostFailedToSendMessage")


def test_logging_off_and_again(desk: Desk) -> None:
    desk.pool()
    session = desk.session(desk.host())
    assert act(desk, "logoff-user", session.id) == (200, None)
    assert desk.get(POOL + "/Sessions") == []
    assert act(desk, "logoff-user", session.id) == (404, "SessionHostLogoffSessionIdNotExist")
    [lost] = [record.data for record in desk.world.state.records if record.kind == "session_lost"]
    assert lost["cause"] == "logged_off"


def test_a_session_that_never_ends_needs_force(desk: Desk) -> None:
    desk.pool()
    session = desk.session(desk.host())
    session.never_ends = True
    assert act(desk, "logoff-user", session.id) == (200, None)
    assert len(desk.get(POOL + "/Sessions")) == 1
    assert act(desk, "logoff-user?force=true", session.id) == (200, None)
    assert desk.get(POOL + "/Sessions") == []


@pytest.mark.parametrize(
    "action, missing, unreachable",
    [
        ("disconnect-user", "SessionHostDisconnectSessionIdNotExist", "SessionHostDisconnectUnreachable"),
        ("logoff-user", "SessionHostLogoffSessionIdNotExist", "SessionHostLogoffUnreachable"),
        (
            "send-message-user?MessageTitle=a&MessageBody=b",
            "SessionHostFailedToSendMessageSessionIdNotExist",
            "SessionHostFailedToSendMessageUnreachable",
        ),
    ],
)
def test_actions_that_find_nobody(desk: Desk, action: str, missing: str, unreachable: str) -> None:
    desk.pool()
    host = desk.host()
    assert act(desk, action, 99) == act(desk, action, "x") == (404, missing)
    session = desk.session(host)
    desk.silence(host)
    assert act(desk, action, session.id) == (400, unreachable)
    assert len(desk.get(POOL + "/Sessions")) == 1


def test_force_clears_what_a_dead_host_still_lists(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    session = desk.session(host)
    desk.silence(host)
    assert act(desk, "logoff-user?Force=true", session.id) == (200, None)
    assert desk.get(POOL + "/Sessions") == []


def test_an_action_takes_its_time(desk: Desk) -> None:
    desk.pool()
    session = desk.session(desk.host())
    before = desk.clock.now()
    act(desk, "disconnect-user", session.id)
    assert 0.5 <= desk.clock.now() - before <= 3.0
