"""What hosts say of themselves in `WVDAgentHealthStatus`: a row for each, every `agent_report_s`, if somebody listens.

A host that is silent or off is told of too, with its last heartbeat (facts/arm-service 6.4 looks for those; that the
service writes rows of them is inferred). The rounds begin with the first diagnostic setting that asks for them, and end
with the last, so that a world without logs has no event of theirs.
"""

from functools import cache
from typing import Any

from avdtwin import activity
from avdtwin.arm import diagnostics, session_hosts, store
from avdtwin.clock import parse_iso
from avdtwin.state import Resource
from avdtwin.world import World, on

CATEGORY = "AgentHealthStatus"


def begin(world: World) -> None:
    """Somebody may have begun to listen: the first round is now, unless rounds are under way."""
    if not world.state.health_reports and _listening(world):
        world.state.health_reports = True
        world.schedule(0.0, "agent-reports")


@on("agent-reports")
def _round(world: World, at: float) -> None:
    pools = _listening(world)
    for pool, workspaces in pools.items():
        for host in store.children(world, pool, session_hosts.KIND):
            activity.reported(world, workspaces, pool, _told(world, host))
    world.state.health_reports = bool(pools)
    if pools:
        world.schedule(max(1.0, float(world.setting("agent_report_s"))), "agent-reports")


def _listening(world: World) -> dict[str, list[str]]:
    """Keys of the host pools that send this category somewhere -> customer ids of where to."""
    found = {}
    for subscription in world.state.arm.subscriptions:
        for setting in diagnostics.settings_in(world, subscription):
            pool = setting.id.lower().partition("/providers/microsoft.insights/")[0]
            workspaces = activity.sinks(world, pool, CATEGORY)
            if workspaces:
                found[pool] = workspaces
    return found


def _told(world: World, host: Resource) -> dict[str, Any]:
    own, on = host.properties, session_hosts.sessions_on(world, host)
    active = sum(session.state == "Active" for session in on)
    upgraded = own.get("lastUpdateTime")
    return {
        "SessionHostName": host.name.rpartition("/")[2],
        "Status": session_hosts.status(world, host),
        "LastHeartBeat": session_hosts.last_heartbeat(world, host),
        "AllowNewSessions": str(own.get("allowNewSession", True)),
        "ActiveSessions": str(active),
        "InactiveSessions": str(len(on) - active),
        "AgentVersion": own.get("agentVersion") or "",
        "SxSStackVersion": own.get("sxSStackVersion") or "",
        "OSVersion": own.get("osVersion") or "",
        "UpgradeState": own.get("updateState", "Succeeded"),
        "UpgradeErrorMsg": own.get("updateErrorMessage", ""),
        "LastUpgradeTimeStamp": parse_iso(upgraded) if upgraded else None,
        "SessionHostResourceId": own.get("resourceId") or "",
    }


_CHECKS = 11
"""0 DomainJoin, 1 DomainTrust, 2 FSLogix, 3 SxSStack, 4 URLCheck, 5 GenevaAgent, 6 DomainReachable, 7 WebRTCRedirector,
8 SxSStackEncryption, 9 IMDSReachable, 10 MSIXPackageStaging: the numbers of the published sample queries of the table.
"""

_SUCCEEDED, _FAILED = 1, 2
_FAILS = {"Available": None, "NeedsAssistance": 5}
"""Status -> the check that fails; hosts of another status run no checks."""


@cache
def checks_of(status: str) -> list[dict[str, Any]] | None:
    """`SessionHostHealthCheckResult` of a row. It follows from the status, so that rows need not hold it; nobody
    changes what is given here.
    """
    if status not in _FAILS:
        return None
    results = [_FAILED if number == _FAILS[status] else _SUCCEEDED for number in range(_CHECKS)]
    return [_check(number, result) for number, result in enumerate(results)]


def _check(number: int, result: int) -> dict[str, Any]:
    details = {"Message": "", "ErrorCode": int(result == _FAILED)}
    return {"HealthCheckName": number, "HealthCheckResult": result, "AdditionalFailureDetails": details}
