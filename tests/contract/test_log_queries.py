"""Queries of the twin's logs through azure-monitor-query 2.0.0, unmodified, sync and async, after a day of work.

What they answer is compared with what the twin told its watchers meanwhile, which knows nothing of logs.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.monitor.query import LogsBatchQuery, LogsQueryClient, LogsQueryError
from azure.monitor.query.aio import LogsQueryClient as AsyncClient

sys.path.insert(0, str(Path(__file__).parent))

from _furnished import APP_ID, SECRET
from _inprocess import (
    SUBSCRIPTION,
    TENANT,
    InProcessAsyncTransport,
    InProcessTransport,
    StaticAsyncCredential,
    StaticCredential,
    Twin,
    grant,
)

from avdtwin import activity, agent_reports, agents, estate, tokens, windows
from avdtwin.arm import log_workspaces, roles, session_hosts, store
from avdtwin.clock import ManualClock, to_datetime
from avdtwin.directory import add_user
from avdtwin.estate.specs import EstateSpec, PoolSpec
from avdtwin.server import Endpoint
from avdtwin.state import Record, Resource, User
from avdtwin.world import World
from crossfade.report import queries

HOST = "https://api.loganalytics.io"
AVD = "Microsoft.DesktopVirtualization"
READER_ID, NOBODY_ID = "eeeeeeee-0000-4000-a000-000000000001", "eeeeeeee-0000-4000-a000-000000000002"
NO_WORKSPACE = "0f000000-0000-4000-a000-00000000dead"
DAY = timedelta(days=1)
SPEC = EstateSpec(
    name="busy",
    tenant="Busy",
    domain="busy.example",
    ad_domain="ad.busy.example",
    pools=(PoolSpec(name="Office Pool", prefix="off", hosts=3, desktop_people=40, limit=30),),
)
covers = pytest.mark.covers


class Lived(msgspec.Struct):
    """A twin after a day, and what its watchers were told."""

    snapshot: bytes
    told: list[Record]
    workspace: str
    """Customer id."""
    pool: str
    lost: str
    """The host that fell silent in the end."""


def live() -> Lived:
    """A day of forty people: one host has been moved and a new one stands beside it, the others serve classic. Around
    noon both of the pool are silent for two hours, in the evening the new one for good.
    """
    clock = ManualClock(estate.DEMO_START)
    world = estate.build(SPEC, 1, clock)
    subscription = next(iter(world.state.arm.subscriptions))
    group = f"/subscriptions/{subscription}/resourceGroups/rg-wvd"
    logs = put(world, f"{group}/providers/{log_workspaces.TYPE}/logs", {"customerId": world.guid("logs")})
    pool = lay(world, group)
    for place in ("hostPools/pool", "applicationGroups/desk", "workspaces/feed"):
        listen(world, f"{group}/providers/{AVD}/{place}", logs.id)
    moved = next(iter(world.state.machines.values()))
    vm = f"{group}/providers/Microsoft.Compute/virtualMachines/off-9"
    spare = windows.build(world, resource_id=vm, computer_name="off-9", fqdn="off-9.ad.busy.example")
    tenant = world.state.classic.groups["default tenant group"].tenants["busy"]
    tenant.log_analytics_workspace_id = logs.properties["customerId"]
    told: list[Record] = []
    world.watchers.append(lambda _, record: told.append(record))
    for machine in (moved, spare):
        agents.leave(world, machine)
        session_hosts.register(world, machine, pool.id.lower())
    for hours, comes in ((0.05, [moved, spare]), (4, []), (2, [moved, spare]), (12, [moved]), (2, [])):
        clock.advance(hours * 3600)
        world.settle()
        for machine in (moved, spare):
            if machine in comes and machine.agent.connected_at is None:
                agents.connect(world, machine, "arm", pool.id.lower(), machine.fqdn)
            elif machine not in comes:
                agents.leave(world, machine)
    return Lived(world.snapshot(), told, logs.properties["customerId"], pool.id.lower(), spare.fqdn)


def put(world: World, full: str, properties: dict[str, Any]) -> Resource:
    provider, kind, name = full.rsplit("/", 3)[1:]
    return store.add(world, Resource(id=full, type=f"{provider}/{kind}", name=name, properties=properties))


def lay(world: World, group: str) -> Resource:
    """A pool, its desktop published to everybody, in a feed."""
    head = f"{group}/providers/{AVD}"
    own = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "maxSessionLimit": 30}
    own |= {"friendlyName": "Office Pool"}
    pool = put(world, f"{head}/hostPools/pool", {**own, "objectId": world.guid("object")})
    given = {"applicationGroupType": "Desktop", "hostPoolArmPath": pool.id}
    desk = put(world, f"{head}/applicationGroups/desk", given)
    put(world, f"{head}/workspaces/feed", {"applicationGroupReferences": [desk.id]})
    for user in world.state.people:
        grant(world, user, roles.BY_NAME["desktop virtualization user"].guid, desk.id)
    return pool


def listen(world: World, target: str, logs: str) -> None:
    properties = {"workspaceId": logs, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}
    put(world, f"{target}/providers/Microsoft.Insights/diagnosticSettings/all", properties)
    agent_reports.begin(world)


@pytest.fixture(scope="module")
def lived() -> Lived:
    return live()


@pytest.fixture
def twin(lived: Lived) -> Twin:
    world = World.restore(lived.snapshot, ManualClock(0.0))
    world.clock = ManualClock(world.now)
    add_user(world, User(id=READER_ID, upn="reader@busy.example"))
    add_user(world, User(id=NOBODY_ID, upn="nobody@busy.example"))
    (workspace,) = log_workspaces.all_of(world)
    grant(world, READER_ID, roles.BY_NAME["log analytics reader"].guid, workspace.id)
    return Twin(world)


def token(world: World, object_id: str = READER_ID, audience: str = HOST) -> str:
    return tokens.issue_access(world, object_id=object_id, app_id=None, upn="a@busy.example", audience=audience)


def client(twin: Twin, text: str | None = None) -> Any:
    credential = StaticCredential(twin.world)
    credential._token = credential._token._replace(token=text or token(twin.world))
    return LogsQueryClient(credential, transport=InProcessTransport(twin.app), retry_total=0)


def table(twin: Twin, lived: Lived, query: str, timespan: Any = None) -> list[dict[str, Any]]:
    """The rows of an answer by column, as the client reads them."""
    (found,) = client(twin).query_workspace(lived.workspace, query, timespan=timespan).tables
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def shipped(name: str) -> str:
    return next(query.text for query in queries.shipped() if query.name == name)


def told(lived: Lived, kind: str, service: str) -> list[dict[str, Any]]:
    return [record.data for record in lived.told if record.kind == kind and record.data["service"] == service]


def refused(caught: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, list[str]]:
    """Status, and the codes from the outermost in."""
    codes, inner = [], caught.value.response.json()["error"]  # type: ignore[union-attr]
    while inner:
        codes.append(inner["code"])
        inner = inner.get("innererror")
    return caught.value.status_code, codes


# ---------------------------------------------------------------- every shipped query


def test_the_day_had_what_the_queries_look_for(lived: Lived) -> None:
    assert {query.name for query in queries.shipped()} == {
        "connections", "errors", "hosts-without-heartbeat", "sign-in-time", "still-on-classic",
    }  # fmt: skip
    assert len(told(lived, "sign_in", "arm")) > 5
    assert len(told(lived, "sign_in", "classic")) > 5
    assert told(lived, "refused_sign_in", "arm")


def test_connections(twin: Twin, lived: Lived) -> None:
    on, off = told(lived, "sign_in", "arm"), told(lived, "refused_sign_in", "arm")
    (row,) = table(twin, lived, shipped("connections"))
    assert row == {
        "_ResourceId": lived.pool,
        "Begun": len(on) + len(off),
        "Connected": len(on),
        "People": len({each["upn"] for each in on + off}),
    }
    query = (
        'WVDConnections | where State == "Connected" | summarize Times = count() by UserName | order by UserName asc'
    )
    found = {row["UserName"]: row["Times"] for row in table(twin, lived, query)}
    assert found == Counter(each["upn"] for each in on)
    assert list(found) == sorted(found)


def test_errors(twin: Twin, lived: Lived) -> None:
    causes = [each for each in told(lived, "refused_sign_in", "arm") if each["cause"] in activity.FAILURES]
    expected = Counter(activity.FAILURES[each["cause"]].symbolic for each in causes)
    found = table(twin, lived, shipped("errors"))
    assert {row["CodeSymbolic"]: row["Times"] for row in found} == expected
    assert [row["Times"] for row in found] == sorted((row["Times"] for row in found), reverse=True)
    assert {(row["ServiceError"], row["ActivityType"], bool(row["Example"])) for row in found} == {
        (False, "Connection", True)
    }


def test_hosts_without_heartbeat(twin: Twin, lived: Lived) -> None:
    (row,) = table(twin, lived, shipped("hosts-without-heartbeat"))
    assert (row["SessionHostName"], row["Status"], row["_ResourceId"]) == (lived.lost, "NoHeartbeat", lived.pool)
    assert to_datetime(twin.world.now) - row["LastHeartBeat"] > timedelta(minutes=110)


def test_sign_in_time(twin: Twin, lived: Lived) -> None:
    every = table(twin, lived, "WVDConnections | project CorrelationId, State, At = TimeGenerated")
    moments: dict[str, dict[str, datetime]] = {}
    for row in every:
        moments.setdefault(row["CorrelationId"], {})[row["State"]] = row["At"].replace(microsecond=0)
    took = sorted(
        (each["Connected"] - each["Started"]).total_seconds() for each in moments.values() if "Connected" in each
    )
    (row,) = table(twin, lived, shipped("sign-in-time"))
    assert row["Connections"] == len(took) == len(told(lived, "sign_in", "arm"))
    assert sum(each <= row["Half"] for each in took) * 2 >= len(took)
    assert sum(each < row["Half"] for each in took) * 2 < len(took)
    assert sum(each <= row["NineteenOfTwenty"] for each in took) * 20 >= len(took) * 19
    assert sum(each < row["NineteenOfTwenty"] for each in took) * 20 < len(took) * 19


def test_still_on_classic(twin: Twin, lived: Lived) -> None:
    begun = Counter(each["upn"] for each in told(lived, "sign_in", "classic"))
    on = [one for one in twin.world.state.sessions.values() if (one.service, one.state) == ("classic", "Active")]
    ended = begun - Counter(session.upn for session in on)
    found = table(twin, lived, shipped("still-on-classic"))
    assert {row["UserName_s"]: row["Connections"] for row in found} == ended
    newest = [row["Newest"] for row in found]
    assert newest == sorted(newest, reverse=True)


# ---------------------------------------------------------------- the client's operations


@covers("query_workspace", "body")
def test_columns_have_their_types(twin: Twin, lived: Lived) -> None:
    query = "WVDConnections | where State == 'Connected' | top 3 by TimeGenerated asc"
    found = client(twin).query_workspace(lived.workspace, query, timespan=DAY)
    (only,) = found.tables
    types = dict(zip(only.columns, only.columns_types, strict=True))
    assert (only.name, types["TimeGenerated"], types["UserName"]) == ("PrimaryResult", "datetime", "string")
    assert len(only.rows) == 3
    assert only.rows[0]["TimeGenerated"] < only.rows[1]["TimeGenerated"] < to_datetime(twin.world.now)
    assert {row["Type"] for row in only.rows} == {"WVDConnections"}
    assert {row["TenantId"] for row in only.rows} == {lived.workspace}
    assert only.rows[0]["SessionHostPoolType"] == "SharedDesktop"
    assert only.rows[0]["_SubscriptionId"] == lived.pool.split("/")[2]


@covers("query_workspace", "error")
@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("WVDConnections | where Nothing == 1", ["SemanticError", "SEM0100"]),
        ("WVDNothing | count", ["SemanticError", "SEM0100"]),
        ("wvdconnections", ["SemanticError", "SEM0100"]),
        ("WVDErrorV1_CL | count", ["SemanticError", "SEM0100"]),
        ("WVDConnections | where TimeGenerated > 'yesterday'", ["SemanticError", "SEM0064"]),
        ("WVDConnections | where UserName has 3", ["SemanticError", "SEM0025"]),
        ("WVDConnections | where UserName", ["SemanticError", "SEM0045"]),
        ("WVDConnections | where soundex(UserName) == 'a'", ["SemanticError", "SEM0260"]),
        ("WVDConnections | summarize stdev(Code)", ["SemanticError", "SEM0260"]),
        ("WVDConnections | extend a = UserName - 1", ["SemanticError", "SEM0061"]),
        ("WVDConnections | join kind=inner (WVDErrors) on CorrelationId", ["SemanticError", "SEM0001"]),
        ("WVDConnections | shout", ["SyntaxError", "SYN0002"]),
        ("WVDConnections | union WVDErrors", ["SyntaxError", "SYN0002"]),
        ("let a = WVDErrors; a", ["SemanticError", "SEM0100"]),
        ("WVDConnections | where State == 'Connected", ["SyntaxError", "SYN0002"]),
        ("WVDConnections | where (State == 'Connected'", ["SyntaxError", "SYN0002"]),
        ("WVDConnections | take", ["SyntaxError", "SYN0002"]),
        ("WVDConnections | where " + "(" * 400, ["SyntaxError", "SYN0002"]),
        ("WVDConnections | take 1" * 3000, ["SyntaxError", "SYN0001"]),
        ("WVDConnections; drop", ["SyntaxError", "SYN0002"]),
        ("  ", ["QueryValidationError"]),
    ],
)
def test_what_is_no_query_of_one_table_is_refused(twin: Twin, lived: Lived, query: str, codes: list[str]) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client(twin).query_workspace(lived.workspace, query, timespan=None)
    assert refused(caught) == (400, ["BadArgumentError", *codes])
    assert caught.value.error is not None
    assert caught.value.error.message == "The request had some invalid properties"


@covers("query_workspace", "repeat")
def test_asking_twice_changes_nothing(twin: Twin, lived: Lived) -> None:
    query = shipped("connections")
    before = twin.world.state.logs.copy()
    assert table(twin, lived, query) == table(twin, lived, query)
    assert twin.world.state.logs == before


@covers("query_batch", "body", "error", "repeat")
def test_a_batch_answers_each_for_itself(twin: Twin, lived: Lived) -> None:
    counted = "WVDConnections | count"
    asked = [
        LogsBatchQuery(lived.workspace, counted, timespan=None),
        LogsBatchQuery(lived.workspace, "WVDNothing", timespan=None),
        LogsBatchQuery(NO_WORKSPACE, counted, timespan=None),
        LogsBatchQuery(lived.workspace, counted, timespan=timedelta(seconds=1)),
    ]
    first, bad, nowhere, none = client(twin).query_batch(asked)
    assert first.tables[0].rows[0][0] == len(table(twin, lived, "WVDConnections"))
    assert none.tables[0].rows[0][0] == 0
    assert [(type(each), each.code) for each in (bad, nowhere)] == [
        (LogsQueryError, "BadArgumentError"),
        (LogsQueryError, "WorkspaceNotFoundError"),
    ]
    assert client(twin).query_batch(asked)[0].tables[0].rows[0][0] == first.tables[0].rows[0][0]
    with pytest.raises(HttpResponseError) as caught:
        client(twin).query_batch([asked[0], asked[0]])
    assert refused(caught) == (400, ["BadArgumentError", "QueryValidationError"])


@covers("query_resource", "body", "repeat")
def test_a_resource_shows_its_own(twin: Twin, lived: Lived) -> None:
    desk = lived.pool.replace("hostpools/pool", "applicationGroups/desk")
    group = lived.pool.partition("/providers/")[0]
    counts = []
    for place in (lived.pool, group, desk, lived.pool):
        found = client(twin).query_resource(place, "WVDConnections | count", timespan=None)
        counts.append(found.tables[0].rows[0][0])
    every = len(table(twin, lived, "WVDConnections"))
    assert counts == [every, every, 0, every]


@covers("query_resource", "error")
def test_a_resource_that_is_not_there_or_not_theirs(twin: Twin, lived: Lived) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client(twin).query_resource(f"{lived.pool}x", "WVDConnections", timespan=None)
    assert refused(caught) == (404, ["ResourceNotFoundError"])
    theirs = client(twin, token(twin.world, NOBODY_ID))
    with pytest.raises(HttpResponseError) as caught:
        theirs.query_resource(lived.pool, "WVDConnections", timespan=None)
    assert refused(caught) == (403, ["InsufficientAccessError"])
    grant(twin.world, NOBODY_ID, roles.BY_NAME["reader"].guid, lived.pool)
    assert theirs.query_resource(lived.pool, "WVDConnections", timespan=None).tables[0].rows


def test_the_same_through_the_asynchronous_client(twin: Twin, lived: Lived) -> None:
    async def ask() -> tuple[int, int, int]:
        credential = StaticAsyncCredential(twin.world)
        credential._token = credential._token._replace(token=token(twin.world))
        async with AsyncClient(credential, transport=InProcessAsyncTransport(twin.app)) as asked:
            query = "WVDErrors | count"
            one = await asked.query_workspace(lived.workspace, query, timespan=DAY)
            (other,) = await asked.query_batch([LogsBatchQuery(lived.workspace, query, timespan=DAY)])
            third = await asked.query_resource(lived.pool, query, timespan=DAY)
            return one.tables[0].rows[0][0], other.tables[0].rows[0][0], third.tables[0].rows[0][0]

    expected = len(table(twin, lived, "WVDErrors"))
    assert expected
    assert asyncio.run(ask()) == (expected,) * 3


# ---------------------------------------------------------------- timespans, rights, the wire


def test_timespans(twin: Twin, lived: Lived) -> None:
    every = table(twin, lived, "WVDAgentHealthStatus | project At = TimeGenerated | order by At asc")
    now = to_datetime(twin.world.now)
    start, end = every[10]["At"], every[30]["At"]
    for given, holds in (
        (timedelta(hours=3), lambda at: at >= now - timedelta(hours=3)),
        ((start, end), lambda at: start <= at < end),
        ((start, timedelta(hours=1)), lambda at: start <= at < start + timedelta(hours=1)),
    ):
        found = table(twin, lived, "WVDAgentHealthStatus | project At = TimeGenerated", given)
        assert len(found) == sum(1 for row in every if holds(row["At"])) > 0
    assert len(every) > 200


@pytest.mark.parametrize(
    ("timespan", "status"),
    [("PT1H", 200), ("P1D", 200), ("P1DT2H30M", 200), ("PT1H/2026-06-08T12:00:00Z", 200), ("", 200)]
    + [(text, 400) for text in ("yesterday", "P", "PT", "1D", "PT1H/", "2026-06-08", "/")],
)
def test_timespans_as_they_are_written(twin: Twin, lived: Lived, timespan: str, status: int) -> None:
    answer = get(twin, lived.workspace, "WVDConnections%20%7C%20count", timespan)
    assert answer.status == status, answer.content


def test_a_workspace_keeps_rows_for_as_long_as_it_says(twin: Twin, lived: Lived) -> None:
    (workspace,) = log_workspaces.all_of(twin.world)
    workspace.properties["retentionInDays"] = 60
    for days, left in ((59, True), (2, False)):
        twin.world.clock = ManualClock(twin.world.now + days * 86_400)
        twin.world.state.events.clear()
        twin.world.settle()
        assert bool(table(twin, lived, "WVDConnections")) is left


def get(twin: Twin, workspace: str, query: str, timespan: str = "", **headers: str) -> Any:
    given = {"authorization": f"Bearer {token(twin.world)}", **headers}
    url = f"{HOST}/v1/workspaces/{workspace}/query?query={query}&timespan={timespan}"
    return twin.call("GET", url, headers=given, api_version=None)


def test_a_query_by_get(twin: Twin, lived: Lived) -> None:
    answer = get(twin, lived.workspace.upper(), "WVDFeeds%20%7C%20summarize%20People%3Ddcount(UserName)")
    shown = {record.data["user"] for record in lived.told if record.kind == "feed_shown"}
    columns = [{"name": "People", "type": "long"}]
    assert answer.json() == {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [[len(shown)]]}]}


def test_who_may_ask(twin: Twin, lived: Lived) -> None:
    world, query = twin.world, "WVDConnections | count"
    refusals = {
        token(world, NOBODY_ID): ["InsufficientAccessError"],
        token(world, audience="https://management.azure.com/"): ["InvalidTokenError", "SignatureVerificationFailed"],
        "nonsense": ["InvalidTokenError", "SignatureVerificationFailed"],
    }
    for text, codes in refusals.items():
        with pytest.raises(HttpResponseError) as caught:
            client(twin, text).query_workspace(lived.workspace, query, timespan=None)
        assert refused(caught) == (403, codes)
    with pytest.raises(HttpResponseError) as caught:
        client(twin).query_workspace(NO_WORKSPACE, query, timespan=None)
    assert refused(caught) == (404, ["WorkspaceNotFoundError"])
    with pytest.raises(HttpResponseError) as caught:
        client(twin).query_workspace("logs", query, timespan=None)
    assert refused(caught) == (404, ["PathNotFoundError"])
    assert get(twin, lived.workspace, "WVDErrors", authorization="").status == 401


def test_a_client_signs_in_and_asks_over_tls(endpoint: Endpoint) -> None:
    """With the twin's address alone: the client takes it as the audience, and sign-in gives a token for it."""

    def furnish(world: World) -> None:
        full = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/{log_workspaces.TYPE}/logs"
        put(world, full, {"customerId": NO_WORKSPACE})
        world.state.settings["log_latency_s"] = 0.0
        activity.write(world, [NO_WORKSPACE], "WVDErrors", "", {"Code": 7})

    endpoint.call(furnish)
    where: Any = {"connection_verify": str(endpoint.ca_file)}
    signed = {"authority": endpoint.url, "disable_instance_discovery": True, **where}
    credential = ClientSecretCredential(TENANT, APP_ID, SECRET, **signed)
    asked = LogsQueryClient(credential, endpoint=endpoint.url, **where)
    found = asked.query_workspace(NO_WORKSPACE, "WVDErrors | project Code", timespan=None)
    assert [list(row) for row in found.tables[0].rows] == [[7]]


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("log analytics contributor", True),
        ("reader", True),
        ("contributor", True),
        ("owner", True),
        ("desktop virtualization contributor", False),
        ("virtual machine contributor", False),
    ],
)
def test_roles_that_may_ask(twin: Twin, lived: Lived, role: str, may: bool) -> None:
    (workspace,) = log_workspaces.all_of(twin.world)
    grant(twin.world, NOBODY_ID, roles.BY_NAME[role].guid, workspace.id)
    headers = {"authorization": f"Bearer {token(twin.world, NOBODY_ID)}"}
    assert (get(twin, lived.workspace, "WVDErrors", **headers).status == 200) is may


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("workspaces/{}/query", b"{", 400),
        ("workspaces/{}/query", b"[1]", 400),
        ("workspaces/{}/query", b'{"query": 3}', 400),
        ("workspaces/{}/query", b'{"query": "WVDErrors", "timespan": 3}', 400),
        ("workspaces/{}/query", b'{"query": "WVDErrors", "workspaces": [3]}', 400),
        ("workspaces/{}/query", b'{"query": "WVDErrors", "workspaces": ["none"]}', 404),
        ("workspaces/{}/query", b'{"query": "WVDErrors", "workspaces": ["LOGS"]}', 200),
        ("workspaces/{}/query", b'{"query": "WVDErrors | extend a = TimeGenerated + 9999999d"}', 200),
        ("workspaces/{}/query", b'{"query": "WVDErrors | extend a = 9999999999999999 * 9999999999999999"}', 200),
        ("workspaces/{}/query", b'{"query": "WVDErrors | extend a = bin(1.5 / 0.1, 0)"}', 200),
        ("workspaces/{}/metadata", b"{}", 404),
        ("apps/{}/query", b'{"query": "requests"}', 404),
        ("$batch", b'{"requests": 3}', 400),
        ("$batch", b'{"requests": [{"workspace": "x"}]}', 400),
        ("$batch", b'{"requests": [{"id": 1, "workspace": "../x", "path": "/query"}]}', 200),
    ],
)
def test_bodies_and_paths(twin: Twin, lived: Lived, path: str, body: bytes, expected: int) -> None:
    headers = {"authorization": f"Bearer {token(twin.world)}"}
    url = f"{HOST}/v1/{path.format(lived.workspace)}"
    answer = twin.call("POST", url, body, headers=headers, api_version=None)
    assert answer.status == expected, answer.content


# ---------------------------------------------------------------- the language


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("WVDConnections | where State in ('Nowhere') | count", [[0]]),
        ("WVDConnections | where State !in~ ('started', 'CONNECTED') | distinct State", [["Completed"]]),
        ("WVDConnections | where State !contains 'e' | count // all have one", [[0]]),
        ("WVDErrors | where Code == -2146233088 and not(ServiceError) | take 1 | project Code", [[-2146233088]]),
        ("WVDCheckpoints | take 1 | project x = Parameters.LoadBalanceOutcome", [["NewSession"]]),
        ("WVDCheckpoints | take 1 | project Parameters", [['{"LoadBalanceOutcome":"NewSession"}']]),
        ("WVDAgentHealthStatus | where Status == 'Available' and isnotempty(SessionHostHealthCheckResult) | count",
         None),
        ("WVDAgentHealthStatus | where Status != 'Available' and isnotempty(SessionHostHealthCheckResult) | count",
         [[0]]),
        ("WVDConnections | summarize count()", None),
        ("WVDConnections | where State == 'X' | summarize max(TimeGenerated), dcount(UserName)", [[None, 0]]),
        ("WVDConnections | where State == 'X' | summarize count() by UserName", []),
        ("WVDErrors | take 1 | project a = 1d + 2h, b = 5s / 2s, c = 7 / 2, d = 7.0 / 2, e = 1 + 2 * 3",
         [["1.02:00:00", 2.5, 3, 3.5, 7]]),
        ("WVDErrors | take 1 | project datetime_diff('minute', datetime(2026-06-08T10:00:30Z), datetime(2026-06-08))",
         [[600]]),
        ("WVDErrors | take 1 | project a = iff(Code > 0, 'up', 'down'), b = toint('12'), c = tolong('x'), d = -3",
         [["down", 12, None, -3]]),
        ("WVDErrors | take 1 | extend At = datetime(2026-06-08 10:17:00) | project bin(At, 1h), now() - ago(90s)",
         [["2026-06-08T10:00:00Z", "00:01:30"]]),
        ("WVDErrors | where TimeGenerated between (datetime(2026-06-07) .. datetime(2026-06-08)) | count", [[0]]),
        ("WVDErrors | where TimeGenerated !between (ago(2d) .. now()) | count", [[0]]),
        ("WVDAgentHealthStatus | summarize arg_min(TimeGenerated, *) by SessionHostName | distinct Status",
         [["Disconnected"]]),
    ],
)  # fmt: skip
def test_the_language(twin: Twin, lived: Lived, query: str, rows: list[list[Any]] | None) -> None:
    headers = {"authorization": f"Bearer {token(twin.world)}"}
    url = f"{HOST}/v1/workspaces/{lived.workspace}/query"
    answer = twin.call("POST", url, {"query": query}, headers=headers, api_version=None)
    assert answer.status == 200, answer.content
    found = answer.json()["tables"][0]
    if rows is None:
        ((counted,),) = found["rows"]
        assert counted > 0
        assert found["columns"][0]["name"] in ("Count", "count_")
    else:
        assert found["rows"] == rows
