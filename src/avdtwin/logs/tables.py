"""The tables of a workspace: their columns, and the rows that have come in.

Columns and types are those of the published reference (MicrosoftDocs/azure-reference-other, azure-monitor-ref/tables),
without what only bills; classic's are the suffixes of custom logs (facts/classic-service 6.2). A custom table is known
once something was written to it.
"""

from typing import Any

from avdtwin import activity, agent_reports, kql
from avdtwin.state import LogRow, Resource
from avdtwin.world import World

_EVERYWHERE = {
    "TenantId": "string",
    "TimeGenerated": "datetime",
    "SourceSystem": "string",
    "Type": "string",
    "_ResourceId": "string",
    "_SubscriptionId": "string",
}


def _columns(texts: str, **others: str) -> dict[str, str]:
    return _EVERYWHERE | dict.fromkeys(texts.split(), "string") | others


_CLIENT = "ClientOS ClientSideIPAddress ClientType ClientVersion IsClientPrivateLink"
_HOST = (
    "SessionHostAgentVersion SessionHostAzureVmId SessionHostIPAddress SessionHostJoinType SessionHostName "
    "SessionHostOSDescription SessionHostOSVersion SessionHostPoolType SessionHostSessionId SessionHostSxSStackVersion "
    "IsSessionHostPrivateLink"
)
COLUMNS: dict[str, dict[str, str]] = {
    "WVDConnections": _columns(
        f"CorrelationId State UserName AadTenantId ConnectionType ResourceAlias GatewayRegion {_CLIENT} {_HOST} "
        "PredecessorConnectionId TransportType UdpUse"
    ),
    "WVDErrors": _columns(
        "CorrelationId ActivityType CodeSymbolic Message Operation Source UserName", Code="long", ServiceError="bool"
    ),
    "WVDCheckpoints": _columns("CorrelationId ActivityType Name Source UserName", Parameters="dynamic"),
    "WVDFeeds": _columns(
        f"CorrelationId UserName {_CLIENT}", RDPTotal="int", RDPFail="int", IconTotal="int", IconFail="int"
    ),
    "WVDManagement": _columns(
        "CorrelationId UserName ArmObjectScope ClientSideIPAddress ProvisioningCorrelationId Route",
        ObjectsCreated="int",
        ObjectsDeleted="int",
        ObjectsFetched="int",
        ObjectsUpdated="int",
    ),
    "WVDHostRegistrations": _columns("CorrelationId SessionHostName SessionHostIPAddress IsSessionHostPrivateLink"),
    "WVDAgentHealthStatus": _columns(
        "SessionHostName Status AllowNewSessions ActiveSessions InactiveSessions AgentVersion SxSStackVersion "
        "OSVersion OperationName UpgradeState UpgradeErrorMsg SessionHostResourceId",
        LastHeartBeat="datetime",
        LastUpgradeTimeStamp="datetime",
        StatusTimeStamp="datetime",
        SessionHostHealthCheckResult="dynamic",
    ),
}
CUSTOM: dict[str, dict[str, str]] = {
    "WVDActivityV1_CL": _columns(
        "Type_s UserName_s Outcome_s ClientType_s ClientOS_s ClientVersion_s SessionHostName_s SessionHostPoolName_s",
        Id_g="guid",
        StartTime_t="datetime",
        EndTime_t="datetime",
    ),
    "WVDErrorV1_CL": _columns(
        "ErrorCode_s ErrorCodeSymbolic_s ErrorMessage_s ErrorInternal_s ReportedBy_s",
        ActivityId_g="guid",
        Time_t="datetime",
    ),
}


def find(
    world: World, workspaces: list[Resource], name: str, within: tuple[float | None, float | None], below: str = ""
) -> kql.Table | None:
    """A table by its exact name, as these workspaces have it together; None when they have none. `within` bounds its
    TimeGenerated, the beginning included; `below` is a lower-cased id: only rows of it and what lies in it. Rows older
    than a workspace keeps them are not shown.
    """
    columns = COLUMNS.get(name) or CUSTOM.get(name)
    if columns is None:
        return None
    found: list[kql.Row] = []
    written = name in COLUMNS
    for workspace in workspaces:
        customer_id = str(workspace.properties["customerId"])
        kept_from = world.now - 86_400.0 * int(workspace.properties.get("retentionInDays", 30))
        for row in activity.rows_of(world, customer_id):
            if row.table == name:
                written = True
                at = float(row.values["TimeGenerated"])
                if at >= kept_from and _within(at, within) and _lies(str(row.values["_ResourceId"]), below):
                    found.append(_filled(row, customer_id))
    return kql.Table(columns, found) if written else None


def _within(at: float, within: tuple[float | None, float | None]) -> bool:
    start, end = within
    return (start is None or start <= at) and (end is None or at < end)


def _lies(key: str, below: str) -> bool:
    return not below or key == below or key.startswith(f"{below}/")


def _filled(row: LogRow, customer_id: str) -> kql.Row:
    """A row with what is the same for all of its table and workspace."""
    parts = str(row.values["_ResourceId"]).split("/")
    system = "Azure" if len(parts) > 2 else "RestAPI"
    given: dict[str, Any] = {"TenantId": customer_id, "Type": row.table, "SourceSystem": system}
    if row.table == "WVDAgentHealthStatus":
        given["SessionHostHealthCheckResult"] = agent_reports.checks_of(row.values["Status"])
    return {**given, "_SubscriptionId": parts[2] if len(parts) > 2 else "", **row.values}
