"""Health checks of a session host as its agent reports them (facts/arm-service 4.3, rec 09)."""

from typing import Any

from avdtwin.clock import iso
from avdtwin.state import Resource
from avdtwin.world import World

_JOINED_TO_ENTRA = "SessionHost healthy: Microsoft Entra ID Join check succeeded."
_READY = "SessionHost healthy: SessionHost healthy: SxS stack listener is ready"
_NOT_READY = "SessionHost unhealthy: SxS stack listener is not ready"

_MESSAGES = {
    "DomainJoinedCheck": "",
    "DomainTrustCheck": "",
    "SxSStackListenerCheck": _READY,
    "UrlsAccessibleCheck": "SessionHost healthy: all required URLs are accessible",
    "MonitoringAgentCheck": "SessionHost healthy: monitoring agent is running",
    "DomainReachable": "",
    "MetaDataServiceCheck": "SessionHost healthy: IMDS available",
    "AppAttachHealthCheck": "Health check skipped",
    "TURNRelayAccessHealthCheck": "SessionHost healthy: TURN relay access succeeded",
    "AADJoinedHealthCheck": _JOINED_TO_ENTRA,
}


def results(world: World, host: Resource, status: str) -> list[dict[str, Any]]:
    """One result for each check; none at all for a host that is shut down. Until the stack listens, its check fails; a
    host that needs assistance fails one that is not fatal.
    """
    if status == "Shutdown":
        return []
    failed = {"Unavailable": "SxSStackListenerCheck", "NeedsAssistance": "MonitoringAgentCheck"}.get(status)
    at = iso(world.now - world.now % 600, 7)
    return [_result(name, message, name == failed, at) for name, message in _MESSAGES.items()]


def _result(name: str, message: str, failed: bool, at: str | None) -> dict[str, Any]:
    text = message if not failed else _NOT_READY if name == "SxSStackListenerCheck" else "SessionHost needs assistance"
    return {
        "healthCheckName": name,
        "healthCheckResult": "HealthCheckFailed" if failed else "HealthCheckSucceeded",
        "additionalFailureDetails": {
            "message": text,
            "errorCode": 1 if failed else 0,
            "lastHealthCheckDateTime": at,
        },
    }
