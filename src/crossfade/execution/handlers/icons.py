"""The handler of app icons: the service reads one from a session host when an app is written, and not by itself later.

An app that is made before its pool has a host gets a default icon and keeps it (design section 7). `iconHash` can only
be read, `iconPath` and `iconIndex` can be patched (facts/arm-service 1.5).
"""

from typing import Any

from crossfade.cloud.arm import Arm
from crossfade.execution.steps import Facts
from crossfade.plan.compare import differences
from crossfade.plan.operations import SetIcon


class Icons:
    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def observe(self, operation: SetIcon) -> Facts | None:
        """Nothing tells whether an icon is its own but what it was made with: see `again`."""
        return None

    async def apply(self, operation: SetIcon) -> Facts:
        return await self.again(operation, None)

    async def again(self, operation: SetIcon, made: str | None) -> Facts:
        """Have the service read the icon anew, where it is still the one that the app was `made` with and nobody has
        chosen another since. Facts: `icon`, the hash as it is now, and why it was left, if it was."""
        found = await self._arm.find(operation.subject)
        if found is None:
            return {"left": "the app is gone"}
        properties = found.get("properties") or {}
        icon = str(properties.get("iconHash") or "")
        if differences(operation.body["properties"], properties):
            return {"icon": icon, "left": "somebody has chosen another icon"}
        if made is not None and icon != made:
            return {"icon": icon, "left": "it has its own already"}
        written = await self._arm.patch(operation.subject, operation.body)
        return {"icon": str((written.get("properties") or {}).get("iconHash") or ""), "before": icon}

    async def undo(self, operation: SetIcon) -> Facts:
        """Path and index were not changed: an app with its own icon is as it was meant."""
        return {"left": True}


def icon_of(found: dict[str, Any]) -> Facts:
    """What is kept of an app when it is made: the hash of its icon."""
    icon = (found.get("properties") or {}).get("iconHash")
    return {"icon": str(icon)} if icon else {}
