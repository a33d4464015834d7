"""Health checks of a session host as its agent reports them (facts/arm-service 4.3, rec 09)."""

import uuid
from typing import Any

from avdtwin.clock import iso
from avdtwin.state import Resource
from avdtwin.world import World

_SKIPPED = "Health check skipped"
_JOINED_TO_ENTRA = "SessionHost healthy: Microsoft Entra ID Join check succeeded. DeviceId: %s."
_METADATA = '{\r\n  "Details": "IMDS pressumed available",\r\n  "AzureResourceId": "%s",\r\n  "VmId": "%s"\r\n}'
_READY = "SessionHost healthy: SessionHost healthy: SxS stack listener is ready"
_NOT_READY = "SessionHost unhealthy: SxS stack listener is not ready"

_MESSAGES = {
    "DomainJoinedCheck": "",
    "DomainTrustCheck": "",
    "SxSStackListenerCheck": _READY,
    "UrlsAccessibleCheck": "SessionHost healthy: all required URLs are accessible",
    "MonitoringAgentCheck": "SessionHost healthy: monitoring agent is running",
    "DomainReachable": "",
    "MetaDataServiceCheck": "",
    "AppAttachHealthCheck": _SKIPPED,
    "TURNRelayAccessHealthCheck": "SessionHost healthy: TURN relay access succeeded",
    "AADJoinedHealthCheck": _SKIPPED,
}
_DEVICES = uuid.UUID("0b0b7c35-4f43-5c59-9f0e-7a3f4a1f5c11")


def results(world: World, host: Resource, status: str) -> list[dict[str, Any]]:
    """One result for each check; none at all for a host that is shut down. Until the stack listens, its check fails; a
    host that needs assistance fails one that is not fatal.
    """
    if status == "Shutdown":
        return []
    failed = {"Unavailable": "SxSStackListenerCheck", "NeedsAssistance": "MonitoringAgentCheck"}.get(status)
    at = iso(world.now - world.now % 600, 7)
    messages = _MESSAGES | _of_machine(host)
    return [_result(name, message, name == failed, at) for name, message in messages.items()]


def _of_machine(host: Resource) -> dict[str, str]:
    """The messages that tell of the machine: its metadata, in which the resource group is in capitals, and, when it
    bears no domain in its name, its device in Entra.
    """
    vm_id = host.properties.get("virtualMachineId") or ""
    parts = (host.properties.get("resourceId") or "").split("/")
    parts[4:5] = [part.upper() for part in parts[4:5]]
    found = {"MetaDataServiceCheck": _METADATA % ("/".join(parts), vm_id)}
    if "." not in host.name:
        found["AADJoinedHealthCheck"] = _JOINED_TO_ENTRA % uuid.uuid5(_DEVICES, vm_id)
    return found


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
