"""What hosts say of themselves in `WVDAgentHealthStatus`: a row for each, every `agent_report_s`, if somebody listens.

A host that is silent or off is told of too, with its last heartbeat (facts/arm-service 6.4 looks for those; that the
service writes rows of them is inferred). The rounds begin with the first diagnostic setting that asks for them, and end
with the last, so that a world without logs has no event of theirs.
"""

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
    own = session_hosts.shown(world, host)
    beat = own["lastHeartBeat"]
    upgraded = own["lastUpdateTime"]
    return {
        "SessionHostName": host.name.rpartition("/")[2],
        "Status": own["status"],
        "LastHeartBeat": parse_iso(beat) if beat else None,
        "AllowNewSessions": str(own["allowNewSession"]),
        "ActiveSessions": str(own["activeSessions"]),
        "InactiveSessions": str(own["disconnectedSessions"]),
        "AgentVersion": own["agentVersion"] or "",
        "SxSStackVersion": own["sxSStackVersion"] or "",
        "OSVersion": own["osVersion"] or "",
        "UpgradeState": own["updateState"],
        "UpgradeErrorMsg": own["updateErrorMessage"],
        "LastUpgradeTimeStamp": parse_iso(upgraded) if upgraded else None,
        "SessionHostHealthCheckResult": own["sessionHostHealthCheckResults"],
        "SessionHostResourceId": own["resourceId"] or "",
    }
