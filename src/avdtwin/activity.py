"""What happens, as the tables of Log Analytics hold it: written only where somebody has asked for it.

| Table | Written |
|---|---|
| `WVDConnections` | `Started` and `Connected` for who gets on, `Completed` when they go; refused: no `Connected` |
| `WVDErrors` | a connection that is refused, by the names of facts/classic-service 6.1 |
| `WVDCheckpoints` | the host of a connection has been chosen (`LoadBalancedNewConnection`) |
| `WVDFeeds` | a client shows the new feed for the first time |
| `WVDManagement` | a change through the desktop provider that went well; the twin leaves reads out |
| `WVDHostRegistrations` | an agent registers with a token |
| `WVDAgentHealthStatus` | see `agent_reports` |
| `WVDActivityV1_CL`, `WVDErrorV1_CL` | connections through classic, if the tenant names a workspace's id |

Sources: facts/arm-service 6.2 to 6.4, facts/classic-service 6.2, and the published reference of the tables' columns;
those that the twin has nothing for stay empty. Inferred: which symbolic name belongs to which cause, the parameters of
checkpoints, and that a refused connection is `Completed` at once. Clients go by the twin's own names.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from avdtwin import sessions
from avdtwin.arm import diagnostics, log_workspaces, store
from avdtwin.state import LogRow, Resource, Session
from avdtwin.world import World

TABLE_OF = {
    "Connection": "WVDConnections",
    "Error": "WVDErrors",
    "Checkpoint": "WVDCheckpoints",
    "Feed": "WVDFeeds",
    "Management": "WVDManagement",
    "HostRegistration": "WVDHostRegistrations",
    "AgentHealthStatus": "WVDAgentHealthStatus",
}
"""Category -> table (facts/arm-service 6.2), of those that the twin writes."""

STARTED, CONNECTED, COMPLETED = "Started", "Connected", "Completed"
_OUT_OF_ORDER = -2146233088


class Failure(NamedTuple):
    """What the log says of a refused connection. `code` is not unique: the symbolic name tells."""

    symbolic: str
    message: str
    code: int = _OUT_OF_ORDER


_NO_HOST = "ConnectionFailedNoHealthyRdshAvailable"
FAILURES = {
    "not_authorized": Failure("ConnectionFailedUserNotAuthorized", "The user is not authorized for this resource."),
    "no_host_available": Failure(_NO_HOST, "No session host of the pool takes a new session."),
    "no_assigned_host": Failure(_NO_HOST, "No personal desktop is assigned to the user."),
    "host_down": Failure(
        "ConnectionFailedUserHasValidSessionButRdshIsUnhealthy", "The user's session is on a host that is unhealthy."
    ),
    "personal_host_down": Failure(_NO_HOST, "The user's personal desktop is unhealthy."),
    "personal_host_drained": Failure(_NO_HOST, "The user's personal desktop takes no sessions."),
}
"""By `broker.CAUSES`. A locked profile is the host's own affair, of which the service knows nothing."""


# ---------------------------------------------------------------- the log

Values = dict[str, Any]


def write(
    world: World, workspaces: Iterable[str], table: str, key: str, values: Values, *, time: float | None = None
) -> None:
    """Append a row to each of these workspaces (by customer id). `key` is the lower-cased id of the resource that it
    belongs to, empty for classic's; `time` is its TimeGenerated, now unless given.
    """
    values = {"TimeGenerated": world.now if time is None else time, "_ResourceId": key, **values}
    most = int(world.setting("log_rows"))
    for workspace in workspaces:
        rows = world.state.logs.setdefault(workspace, [])
        rows.append(LogRow(at=world.now, table=table, values=values))
        if len(rows) > most + most // 8:
            del rows[: len(rows) - most]


def rows_of(world: World, workspace: str) -> list[LogRow]:
    """What a workspace (by customer id) shows now: rows take `log_latency_s` to come in, and the oldest are let go."""
    latest = world.now - float(world.setting("log_latency_s"))
    rows = world.state.logs.get(workspace, [])
    return [row for row in rows[max(0, len(rows) - int(world.setting("log_rows"))) :] if row.at <= latest]


def sinks(world: World, key: str, category: str) -> list[str]:
    """Customer ids of the workspaces to which a resource (lower-cased id) sends a category now."""
    found = []
    for workspace_id in diagnostics.sinks(world, key, category):
        workspace = store.get(world, workspace_id)
        if workspace is not None and workspace.type == log_workspaces.TYPE:
            found.append(str(workspace.properties["customerId"]))
    return found


def _log(world: World, key: str, category: str, values: Values, *, time: float | None = None) -> None:
    write(world, sinks(world, key, category), TABLE_OF[category], key, values, time=time)


def _is_logged(world: World, key: str) -> bool:
    return bool(diagnostics.settings_of(world, key))


def _correlation(world: World) -> str:
    return world.guid("activity")


# ---------------------------------------------------------------- connections


def connected(world: World, session: Session) -> None:
    """Somebody has got on to a session, new or not. It began `connection_s` ago."""
    if session.service == "classic":
        if _classic_sink(world, session.pool):
            session.connection, session.connected_at = _correlation(world), world.now
    elif _is_logged(world, session.pool):
        session.connection, session.connected_at = _correlation(world), world.now
        _state(world, session.pool, STARTED, _client_of(session), time=_begin(world))
        _checkpoint(world, session)
        _state(world, session.pool, CONNECTED, _client_of(session) | _host_of(world, session))


def refused(world: World, service: str, pool: str, upn: str, client: str, cause: str) -> None:
    """Somebody was not let on to a pool; `cause` is one of `broker.CAUSES`."""
    failure = FAILURES.get(cause)
    if service == "classic":
        if failure is not None:
            _classic_error(world, pool, failure)
    elif _is_logged(world, pool):
        given = {"CorrelationId": _correlation(world), "UserName": upn, "ClientType": client}
        _state(world, pool, STARTED, given, time=_begin(world))
        if failure is not None:
            _error(world, pool, {"CorrelationId": given["CorrelationId"], "UserName": upn}, failure)
        _state(world, pool, COMPLETED, given)


def _completed(world: World, session: Session) -> None:
    """The client has gone from a session."""
    if not session.connection:
        return
    if session.service == "classic":
        _classic_activity(world, session)
    else:
        _state(world, session.pool, COMPLETED, _client_of(session) | _host_of(world, session))
    session.connection, session.connected_at = "", None


sessions.leaves.append(_completed)


def _begin(world: World) -> float:
    return world.now - world.between("activity", world.setting("connection_s"))


def _state(world: World, pool: str, state: str, values: Values, *, time: float | None = None) -> None:
    given = {"State": state, "AadTenantId": world.state.directory.tenant_id}
    _log(world, pool, "Connection", given | values, time=time)


def _checkpoint(world: World, session: Session) -> None:
    outcome = "NewSession" if session.created_at == world.now else "Reconnect"
    given = {"ActivityType": "Connection", "Source": "RDBroker", "Name": "LoadBalancedNewConnection"}
    who = {"CorrelationId": session.connection, "UserName": session.upn}
    _log(world, session.pool, "Checkpoint", {**given, **who, "Parameters": {"LoadBalanceOutcome": outcome}})


def _error(world: World, pool: str, who: Values, failure: Failure) -> None:
    said = {"Code": failure.code, "CodeSymbolic": failure.symbolic, "Message": failure.message}
    where = {"ActivityType": "Connection", "Source": "RDBroker", "Operation": "LoadBalance", "ServiceError": False}
    _log(world, pool, "Error", {**who, **said, **where})


def _client_of(session: Session) -> Values:
    kind = "Desktop" if session.application_type == "Desktop" else "RAIL"
    who = {"CorrelationId": session.connection, "UserName": session.upn}
    return {**who, "ClientType": session.client, "ConnectionType": kind}


def _host_of(world: World, session: Session) -> Values:
    machine = world.state.machines[session.machine]
    pool = store.get(world, session.pool)
    personal = pool is not None and str(pool.properties.get("hostPoolType")).lower() == "personal"
    host = store.get(world, f"{session.pool}/sessionHosts/{machine.agent.host_name}")
    own = host.properties if host is not None else {}
    return {
        "SessionHostName": machine.agent.host_name or machine.fqdn,
        "SessionHostAzureVmId": machine.vm_id,
        "SessionHostPoolType": "PersonalDesktop" if personal else "SharedDesktop",
        "SessionHostSessionId": str(session.id),
        "SessionHostAgentVersion": own.get("agentVersion") or "",
        "SessionHostSxSStackVersion": own.get("sxSStackVersion") or "",
        "SessionHostOSVersion": own.get("osVersion") or "",
    }


# ---------------------------------------------------------------- classic


def _classic_sink(world: World, pool: str) -> str | None:
    """Customer id of the workspace that the tenant of a pool (`tenant group/tenant/pool`) sends to, if it is here."""
    group, tenant, *_ = [*pool.split("/"), "", ""]
    found = world.state.classic.groups.get(group)
    held = found.tenants.get(tenant) if found is not None else None
    named = (held.log_analytics_workspace_id or "") if held is not None else ""
    workspace = log_workspaces.of_customer_id(world, named) if named else None
    return str(workspace.properties["customerId"]) if workspace is not None else None


def _pool_name(world: World, pool: str) -> str:
    """A classic pool's name in its own casing; the last part of its key where it is gone."""
    group, tenant, name = pool.split("/")
    held = world.state.classic.groups[group].tenants.get(tenant) if group in world.state.classic.groups else None
    found = held.pools.get(name) if held is not None else None
    return found.name if found is not None else name


def _classic_activity(world: World, session: Session) -> None:
    workspace = _classic_sink(world, session.pool)
    machine = world.state.machines[session.machine]
    given = {"Type_s": "Connection", "Id_g": session.connection, "Outcome_s": "Success"}
    who = {"UserName_s": session.upn, "ClientType_s": session.client, "SessionHostName_s": machine.fqdn}
    who |= {"SessionHostPoolName_s": _pool_name(world, session.pool)}
    when = {"StartTime_t": session.connected_at, "EndTime_t": world.now}
    write(world, [workspace] if workspace else [], "WVDActivityV1_CL", "", {**given, **who, **when})


def _classic_error(world: World, pool: str, failure: Failure) -> None:
    workspace = _classic_sink(world, pool)
    if workspace is None:
        return
    given = {"ActivityId_g": _correlation(world), "Time_t": world.now, "ReportedBy_s": "RDBroker"}
    said = {"ErrorCodeSymbolic_s": failure.symbolic, "ErrorMessage_s": failure.message, "ErrorInternal_s": "false"}
    write(world, [workspace], "WVDErrorV1_CL", "", {**given, **said, "ErrorCode_s": str(failure.code)})


# ---------------------------------------------------------------- the rest


def registered(world: World, pool: str, host_name: str) -> None:
    """An agent has registered with a token of an ARM pool."""
    if _is_logged(world, pool):
        _log(world, pool, "HostRegistration", {"CorrelationId": _correlation(world), "SessionHostName": host_name})


def fed(world: World, workspace: Resource, upn: str, client: str, resources: int) -> None:
    """A client shows the new feed, with so many resources of one desktop workspace, for the first time."""
    key = workspace.id.lower()
    if _is_logged(world, key):
        counts = {"RDPTotal": resources, "RDPFail": 0, "IconTotal": resources, "IconFail": 0}
        who = {"CorrelationId": _correlation(world), "UserName": upn, "ClientType": client}
        _log(world, key, "Feed", {**who, **counts})


def reported(world: World, workspaces: list[str], pool: str, values: Values) -> None:
    """What a host of a pool says of itself."""
    write(world, workspaces, TABLE_OF["AgentHealthStatus"], pool, values)


def managed(world: World, workspaces: list[str], key: str, values: Values) -> None:
    """A change of a resource (lower-cased id) that the provider has made, told to these workspaces: they were asked
    before it, since a deleted resource has no settings left.
    """
    counts = {"ObjectsCreated": 0, "ObjectsUpdated": 0, "ObjectsDeleted": 0, "ObjectsFetched": 0}
    write(world, workspaces, TABLE_OF["Management"], key, {"CorrelationId": _correlation(world), **counts, **values})
