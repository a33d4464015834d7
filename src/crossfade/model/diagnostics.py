"""Diagnostic settings: which categories of which object go to Log Analytics, and what is sent there already.

Categories: facts/arm-service 6.2. The first of each kind are those of Microsoft's own templates; `LATER` came since. A
cloud that does not know one refuses it, so they are sent only where the object itself names them.
"""

from collections.abc import Iterable
from typing import Any

from crossfade.model.ids import fold

TYPE = "Microsoft.Insights/diagnosticSettings"
MOST = 5
"""Settings that one object takes (facts/arm-service 6.1)."""
CATEGORIES: dict[str, tuple[str, ...]] = {
    "hostpools": (
        *("Checkpoint", "Error", "Management", "Connection", "HostRegistration", "AgentHealthStatus"),
        *("NetworkData", "SessionHostManagement"),
    ),
    "applicationgroups": ("Checkpoint", "Error", "Management"),
    "workspaces": ("Checkpoint", "Error", "Management", "Feed"),
}
LATER: dict[str, tuple[str, ...]] = {
    "hostpools": ("ConnectionGraphicsData", "AutoscaleEvaluationPooled", "MultiLinkAdd"),
}


def setting_id(resource: str, name: str) -> str:
    return f"{resource}/providers/{TYPE}/{name}"


def resource_of(setting: str) -> str:
    """Id of the object that a setting belongs to."""
    at = setting.casefold().rfind(f"/providers/{TYPE}/".casefold())
    return setting[:at] if at > 0 else ""


def kind_of(resource: str) -> str:
    """`hostpools` of the id of a host pool."""
    return resource.rstrip("/").rsplit("/", 2)[-2].casefold()


def sent(properties: dict[str, Any], every: Iterable[str]) -> set[str]:
    """Categories that a setting sends; `every`: those that its object has, which `allLogs` stands for."""
    logs = [log for log in properties.get("logs") or [] if log.get("enabled")]
    found = {str(log["category"]) for log in logs if log.get("category")}
    groups = {fold(str(log["categoryGroup"])) for log in logs if log.get("categoryGroup")}
    return found | set(every) if "alllogs" in groups else found


def goes_to(properties: dict[str, Any], workspace: str) -> bool:
    return fold(str(properties.get("workspaceId") or "")) == fold(workspace)


def sent_to(settings: Iterable[dict[str, Any]], workspace: str, kind: str) -> set[str]:
    """What an object's settings (their properties) send to one workspace, together."""
    every = (*CATEGORIES.get(kind, ()), *LATER.get(kind, ()))
    return {name for one in settings if goes_to(one, workspace) for name in sent(one, every)}


def body_of(workspace: str, categories: Iterable[str]) -> dict[str, Any]:
    """Tables of their own, as the queries want them (facts/arm-service 6.1, 6.2)."""
    logs = [{"category": name, "enabled": True} for name in categories]
    return {"properties": {"workspaceId": workspace, "logAnalyticsDestinationType": "Dedicated", "logs": logs}}
