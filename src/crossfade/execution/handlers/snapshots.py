"""The handler of snapshots of OS disks. A disk is copied and never put back: that is for a person to do."""

from typing import Any

from crossfade.cloud.arm import Arm
from crossfade.errors import Conflict, ServiceFailed, StepFailed
from crossfade.execution.steps import Facts
from crossfade.model.ids import last_name
from crossfade.plan.mapping import SOURCE_TAG
from crossfade.plan.operations import SnapshotDisk

TAKEN = "Succeeded"


class Snapshots:
    def __init__(self, arm: Arm) -> None:
        self._machines = arm.machines

    async def observe(self, operation: SnapshotDisk) -> Facts | None:
        """One that is taken is left as it is: no other try's bears its name. A stranger's is a Conflict."""
        found = await self._machines.snapshot(operation.subject)
        if found is None:
            return None
        if not _is_ours(found, operation):
            raise Conflict(
                f"{operation.subject} was made by somebody else.",
                f"It has no tag {SOURCE_TAG} that names {operation.host}.",
                "Rename or delete it, then `crossfade resume`.",
                service="arm",
            )
        return _facts(found) if _state(found) == TAKEN else None

    async def apply(self, operation: SnapshotDisk) -> Facts:
        """Raises StepFailed for a disk of which there can be none, ServiceFailed for one that was not taken."""
        vm = await self._machines.get(operation.vm)
        source = {"createOption": "Copy", "sourceResourceId": _disk(vm, operation)}
        body = {
            "location": vm["location"],
            "tags": operation.tags,
            "properties": {"creationData": source, "incremental": True},
        }
        await self._machines.take_snapshot(operation.subject, body)
        found = await self._machines.snapshot(operation.subject)
        if found is None or _state(found) != TAKEN:
            state = _state(found) if found is not None else "not there"
            raise ServiceFailed(
                f"The OS disk of {last_name(operation.vm)} has no snapshot.",
                f"{operation.subject} is {state}.",
                "The VM was not touched. It is tried again; look at the snapshot in the portal.",
                service="arm",
            )
        return {**_facts(found), "replaced": "nothing"}

    async def undo(self, operation: SnapshotDisk) -> Facts:
        found = await self._machines.snapshot(operation.subject)
        if found is None:
            return {"absent": True}
        if not _is_ours(found, operation):
            return {"left": "somebody else's"}
        await self._machines.remove_snapshot(operation.subject)
        return {"deleted": True}


def _disk(vm: dict[str, Any], operation: SnapshotDisk) -> str:
    disk = ((vm.get("properties") or {}).get("storageProfile") or {}).get("osDisk") or {}
    managed = disk.get("managedDisk") or {}
    if managed.get("id") and not disk.get("diffDiskSettings"):
        return str(managed["id"])
    raise StepFailed(
        f"The OS disk of {last_name(operation.vm)} can have no snapshot.",
        "It is ephemeral or no managed disk. The VM was not touched.",
        "Leave the host out with `crossfade skip`, or take disk_snapshot out of its pool and plan again.",
    )


def _is_ours(found: dict[str, Any], operation: SnapshotDisk) -> bool:
    return bool((found.get("tags") or {}).get(SOURCE_TAG) == operation.tags.get(SOURCE_TAG))


def _state(found: dict[str, Any]) -> str:
    return str((found.get("properties") or {}).get("provisioningState") or "unknown")


def _facts(found: dict[str, Any]) -> Facts:
    """Which disk, and when: what is on it since is not in the snapshot."""
    properties = found["properties"]
    disk = (properties.get("creationData") or {}).get("sourceResourceId") or ""
    return {"snapshot": found["id"], "disk": disk, "taken_at": properties.get("timeCreated") or ""}
