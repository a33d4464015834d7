"""What the twin writes into workspaces of Log Analytics, when, and that it writes nothing where nobody listens."""

from __future__ import annotations

from typing import Any

import pytest

from avdtwin import activity, agent_reports, agents, broker, clients, sessions
from avdtwin.arm import log_workspaces, store
from avdtwin.clock import ManualClock
from avdtwin.state import Person, Resource
from avdtwin.world import World

LOGS, OTHER = "0f000000-0000-4000-a000-000000000001", "0f000000-0000-4000-a000-000000000002"
CLASSIC_POOL = "default tenant group/tiny/office pool"


def add_workspace(twin: Any, customer_id: str) -> Resource:
    full = f"{twin.group}/providers/{log_workspaces.TYPE}/logs-{customer_id[-1]}"
    made = Resource(id=full, type=log_workspaces.TYPE, name=full, properties={"customerId": customer_id})
    return store.add(twin.world, made)


def listen(twin: Any, resource: Resource, *categories: str, to: str = LOGS, enabled: bool = True) -> Resource:
    """Have a resource send categories (none: all of them, by their group) to a workspace, under a name of its own."""
    workspace = log_workspaces.of_customer_id(twin.world, to) or add_workspace(twin, to)
    logs = [{"category": category, "enabled": enabled} for category in categories]
    logs = logs or [{"categoryGroup": "allLogs", "enabled": enabled}]
    full = f"{resource.id}/providers/Microsoft.Insights/diagnosticSettings/{'-'.join(categories) or 'all'}{to[-1]}"
    properties = {"workspaceId": workspace.id.upper(), "logs": logs}
    kind = "Microsoft.Insights/diagnosticSettings"
    made = store.add(twin.world, Resource(id=full, type=kind, name=full, properties=properties))
    agent_reports.begin(twin.world)
    return made


def rows(twin: Any, table: str, workspace: str = LOGS) -> list[dict[str, Any]]:
    """Everything that was written there, come in or not."""
    return [row.values for row in twin.world.state.logs.get(workspace, []) if row.table == table]


@pytest.fixture
def person(twin: Any) -> Person:
    found: Person = twin.world.state.people[twin.users()[0].id]
    return found


@pytest.fixture
def pool(twin: Any, person: Person) -> Resource:
    """A pool with one healthy host, its desktop published to the person."""
    made: Resource = twin.host_pool()
    twin.assign(person.user, twin.application_group(made, "dag").id)
    twin.move(twin.machines[0], made, agentVersion="1.0.1", osVersion="10.0").name = twin.machines[0].fqdn
    return made


def connect(twin: Any, person: Person) -> Any:
    user = twin.world.state.directory.users[person.user]
    return broker.connect_arm(twin.world, user, f"{twin.group}/providers/{_DAG}", client="new")


_DAG = "Microsoft.DesktopVirtualization/applicationGroups/dag"


# ---------------------------------------------------------------- connections


def test_a_connection_has_three_rows_of_one_correlation(twin: Any, person: Person, pool: Resource) -> None:
    listen(twin, pool, "Connection", "Checkpoint")
    session = connect(twin, person)
    twin.wait(600)
    sessions.end(twin.world, session, "signed_out")
    found = rows(twin, "WVDConnections")
    assert [row["State"] for row in found] == ["Started", "Connected", "Completed"]
    assert len({row["CorrelationId"] for row in found}) == 1
    assert {(row["UserName"], row["_ResourceId"]) for row in found} == {(person.upn, pool.id.lower())}
    begun, stands, over = (row["TimeGenerated"] for row in found)
    assert 4 <= stands - begun <= 30
    assert over - stands == 600
    host = {"SessionHostName": twin.machines[0].fqdn, "SessionHostAgentVersion": "1.0.1"}
    assert host.items() <= found[1].items()
    assert "SessionHostName" not in found[0]
    (point,) = rows(twin, "WVDCheckpoints")
    assert (point["Name"], point["Parameters"]) == ("LoadBalancedNewConnection", {"LoadBalanceOutcome": "NewSession"})
    assert point["CorrelationId"] == found[0]["CorrelationId"]


def test_who_comes_back_has_another_connection(twin: Any, person: Person, pool: Resource) -> None:
    listen(twin, pool)
    session = connect(twin, person)
    twin.wait(60)
    sessions.disconnect(twin.world, session)
    sessions.disconnect(twin.world, session)
    twin.wait(60)
    connect(twin, person)
    twin.wait(60)
    connect(twin, person)  # on another device: the client that was there is put off
    sessions.end(twin.world, session, "logged_off")
    found = [(row["State"], row["CorrelationId"]) for row in rows(twin, "WVDConnections")]
    one, two, three = dict.fromkeys(correlation for _, correlation in found)
    every = [("Started", one), ("Connected", one), ("Completed", one), ("Started", two), ("Connected", two)]
    assert found == [*every, ("Completed", two), ("Started", three), ("Connected", three), ("Completed", three)]
    outcomes = [row["Parameters"]["LoadBalanceOutcome"] for row in rows(twin, "WVDCheckpoints")]
    assert outcomes == ["NewSession", "Reconnect", "Reconnect"]


@pytest.mark.parametrize(
    ("cause", "symbolic"),
    [
        ("no_host_available", "ConnectionFailedNoHealthyRdshAvailable"),
        ("not_authorized", "ConnectionFailedUserNotAuthorized"),
        ("host_down", "ConnectionFailedUserHasValidSessionButRdshIsUnhealthy"),
    ],
)
def test_a_refused_connection_tells_why(twin: Any, person: Person, pool: Resource, cause: str, symbolic: str) -> None:
    listen(twin, pool)
    user = twin.world.state.directory.users[person.user]
    if cause == "not_authorized":
        user.enabled = False
    else:
        if cause == "host_down":
            sessions.disconnect(twin.world, connect(twin, person))
            twin.world.state.logs.clear()
        agents.leave(twin.world, twin.machines[0])
    with pytest.raises(broker.Refusal) as caught:
        connect(twin, person)
    assert caught.value.cause == cause
    assert [row["State"] for row in rows(twin, "WVDConnections")] == ["Started", "Completed"]
    (error,) = rows(twin, "WVDErrors")
    assert (error["CodeSymbolic"], error["Code"], error["ServiceError"]) == (symbolic, -2146233088, False)
    assert {row["CorrelationId"] for row in rows(twin, "WVDConnections")} == {error["CorrelationId"]}


def test_of_a_locked_profile_the_service_knows_nothing(twin: Any, person: Person, pool: Resource) -> None:
    assert set(broker.CAUSES) - set(activity.FAILURES) == {"service_gone", "profile_locked"}
    listen(twin, pool)
    activity.refused(twin.world, "arm", pool.id.lower(), person.upn, "new", "profile_locked")
    assert (len(rows(twin, "WVDConnections")), rows(twin, "WVDErrors")) == (2, [])


# ---------------------------------------------------------------- who listens


def test_nothing_is_written_or_drawn_where_nobody_listens(twin: Any, person: Person, pool: Resource) -> None:
    add_workspace(twin, LOGS)
    sessions.end(twin.world, connect(twin, person), "signed_out")
    assert twin.world.state.logs == {}
    assert "activity" not in twin.world.state.draws
    assert twin.world.next_due() is None or not twin.world.state.health_reports


def test_only_what_was_asked_for_comes_while_it_is_asked_for(twin: Any, person: Person, pool: Resource) -> None:
    listen(twin, pool, "Error")
    off = listen(twin, pool, "Connection", enabled=False)
    session = connect(twin, person)
    assert rows(twin, "WVDConnections") == []
    off.properties["logs"][0]["enabled"] = True
    sessions.disconnect(twin.world, session)
    assert [row["State"] for row in rows(twin, "WVDConnections")] == ["Completed"]
    store.remove(twin.world, off)
    connect(twin, person)
    assert len(rows(twin, "WVDConnections")) == 1


def test_each_workspace_gets_its_own(twin: Any, person: Person, pool: Resource) -> None:
    listen(twin, pool, "Connection")
    listen(twin, pool, "Connection", "Checkpoint", to=OTHER)
    connect(twin, person)
    assert rows(twin, "WVDConnections") == rows(twin, "WVDConnections", OTHER) != []
    assert (rows(twin, "WVDCheckpoints"), len(rows(twin, "WVDCheckpoints", OTHER))) == ([], 1)


def test_a_setting_to_a_workspace_that_is_gone_sends_nowhere(twin: Any, person: Person, pool: Resource) -> None:
    listen(twin, pool)
    workspace = log_workspaces.of_customer_id(twin.world, LOGS)
    assert workspace is not None
    store.remove(twin.world, workspace)
    connect(twin, person)
    assert rows(twin, "WVDConnections") == []
    setting = next(iter(store.children(twin.world, pool.id, "diagnosticSettings")))
    setting.properties["workspaceId"] = pool.id  # a resource, but none that takes logs
    connect(twin, person)
    assert rows(twin, "WVDConnections") == []


# ---------------------------------------------------------------- hosts and feeds


def test_hosts_are_told_of_every_five_minutes_while_somebody_listens(twin: Any, pool: Resource) -> None:
    setting = listen(twin, pool, "AgentHealthStatus")
    listen(twin, pool, "Error")
    twin.wait(900)
    agents.leave(twin.world, twin.machines[0])
    twin.wait(900)
    found = rows(twin, "WVDAgentHealthStatus")
    assert [row["Status"] for row in found] == ["Available"] * 4 + ["NoHeartbeat"] * 3
    assert {row["SessionHostName"] for row in found} == {twin.machines[0].fqdn}
    assert [row["TimeGenerated"] - row["LastHeartBeat"] < 60 for row in found] == [True] * 4 + [False] * 3
    store.remove(twin.world, setting)
    twin.wait(900)
    assert len(rows(twin, "WVDAgentHealthStatus")) == 7
    assert (twin.world.state.health_reports, twin.world.next_due()) == (False, None)


def test_sessions_of_a_host_by_state(twin: Any, person: Person, pool: Resource) -> None:
    session = connect(twin, person)
    listen(twin, pool, "AgentHealthStatus")
    twin.wait(1)
    sessions.disconnect(twin.world, session)
    twin.wait(300)
    counted = [(row["ActiveSessions"], row["InactiveSessions"]) for row in rows(twin, "WVDAgentHealthStatus")]
    assert counted == [("1", "0"), ("0", "1")]


def test_the_feed_of_a_workspace(twin: Any, person: Person, pool: Resource) -> None:
    feed = store.get(twin.world, f"{twin.group}/providers/Microsoft.DesktopVirtualization/workspaces/ws")
    assert feed is not None
    listen(twin, feed)
    person.client = "new"
    clients.look(twin.world, person)
    clients.look(twin.world, person)
    (row,) = rows(twin, "WVDFeeds")
    assert (row["UserName"], row["RDPTotal"], row["RDPFail"]) == (person.upn, 1, 0)


# ---------------------------------------------------------------- classic


def test_classic_tells_the_workspace_that_its_tenant_names(twin: Any, person: Person) -> None:
    add_workspace(twin, LOGS)
    user = twin.world.state.directory.users[person.user]
    tenant = twin.world.state.classic.groups["default tenant group"].tenants["tiny"]
    broker.connect_classic(twin.world, user, CLASSIC_POOL, "desktop application group", client="old")
    tenant.log_analytics_workspace_id = LOGS.upper()
    session = broker.connect_classic(twin.world, user, CLASSIC_POOL, "desktop application group", client="old")
    twin.wait(300)
    assert rows(twin, "WVDActivityV1_CL") == []
    sessions.end(twin.world, session, "signed_out")
    (row,) = rows(twin, "WVDActivityV1_CL")
    assert (row["Type_s"], row["UserName_s"], row["ClientType_s"]) == ("Connection", person.upn, "old")
    assert row["EndTime_t"] - row["StartTime_t"] == 300
    for machine in twin.machines:
        agents.leave(twin.world, machine)
    with pytest.raises(broker.Refusal):
        broker.connect_classic(twin.world, user, CLASSIC_POOL, "desktop application group", client="old")
    (error,) = rows(twin, "WVDErrorV1_CL")
    assert error["ErrorCodeSymbolic_s"] == "ConnectionFailedNoHealthyRdshAvailable"


# ---------------------------------------------------------------- the log


def test_rows_take_a_while_to_come_in(twin: Any, person: Person, pool: Resource) -> None:
    listen(twin, pool, "Connection")
    connect(twin, person)
    twin.wait(119)
    assert activity.rows_of(twin.world, LOGS) == []
    twin.wait(1)
    assert len(activity.rows_of(twin.world, LOGS)) == 2


def test_the_oldest_rows_go(twin: Any) -> None:
    twin.world.state.settings |= {"log_rows": 16, "log_latency_s": 0.0}
    for number in range(100):
        activity.write(twin.world, [LOGS], "T", "", {"n": number})
        assert len(twin.world.state.logs[LOGS]) <= 18
    assert [row.values["n"] for row in activity.rows_of(twin.world, LOGS)] == list(range(84, 100))


def test_the_log_is_in_a_snapshot_and_goes_on(twin: Any, person: Person, pool: Resource) -> None:
    listen(twin, pool)
    connect(twin, person)
    clock = ManualClock(twin.world.now)
    again = World.restore(twin.world.snapshot(), clock)
    clock.advance(300)
    again.settle()
    twin.wait(300)
    assert again.state.logs == twin.world.state.logs
    assert len(again.state.logs[LOGS]) == 5
