"""Handlers of ARM objects: providers, resource groups, desktop objects, references in workspaces."""

from typing import Any

from crossfade.clock import Clock
from crossfade.cloud.arm import Arm
from crossfade.errors import Conflict, GateTimedOut, Refused
from crossfade.execution.handlers.icons import icon_of
from crossfade.execution.steps import Facts
from crossfade.model.ids import fold, segments
from crossfade.plan.compare import differences
from crossfade.plan.mapping import GROUP_MARK, SOURCE_TAG
from crossfade.plan.operations import PatchHostPool, PatchResource, PutResource, ReferenceGroup, RegisterProvider

REGISTER_POLL_S = 10.0
REGISTER_TRIES = 60
RESOURCE_GROUPS = "Microsoft.Resources/resourceGroups"
WORKSPACES = "Microsoft.DesktopVirtualization/workspaces"


class Providers:
    def __init__(self, arm: Arm, clock: Clock) -> None:
        self._arm = arm
        self._clock = clock

    async def observe(self, operation: RegisterProvider) -> Facts | None:
        subscription, namespace = _provider(operation)
        state = (await self._arm.provider(subscription, namespace)).get("registrationState")
        return {"state": state} if state == "Registered" else None

    async def apply(self, operation: RegisterProvider) -> Facts:
        """Register and wait until it is."""
        subscription, namespace = _provider(operation)
        await self._arm.register_provider(subscription, namespace)
        for _ in range(REGISTER_TRIES):
            facts = await self.observe(operation)
            if facts is not None:
                return facts
            await self._clock.sleep(REGISTER_POLL_S)
        raise GateTimedOut(f"{namespace} is not registered.", "Registration takes too long.", "Look in the portal.")

    async def undo(self, operation: RegisterProvider) -> Facts:
        """A registered provider stays: others may use it by now."""
        return {"left": True}


def _provider(operation: RegisterProvider) -> tuple[str, str]:
    parts = operation.subject.strip("/").split("/")
    return parts[1], parts[3]


class Groups:
    """Resource groups."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def observe(self, operation: PutResource) -> Facts | None:
        found = await self._arm.group(operation.subject)
        return {"id": found["id"]} if found else None

    async def apply(self, operation: PutResource) -> Facts:
        found = await self._arm.put_group(operation.subject, operation.body["location"], operation.body["tags"])
        return {"id": found["id"]}

    async def undo(self, operation: PutResource) -> Facts:
        """Stays while anything is in it: deleting a group deletes what is inside. One that was there before stays."""
        if operation.prior is not None:
            return {"left": True}
        try:
            await self._arm.delete_empty_group(operation.subject, made_by=(SOURCE_TAG, GROUP_MARK))
        except Refused as error:
            return {"left": str(error)}
        return {"deleted": True}


class Objects:
    """Host pools, application groups, applications, workspaces."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._groups = Groups(arm)

    async def observe(self, operation: PutResource) -> Facts | None:
        """It is so when what we want is there. What somebody else has put there meanwhile is a Conflict."""
        if operation.type == RESOURCE_GROUPS:
            return await self._groups.observe(operation)
        found = await self._arm.find(operation.subject)
        if found is None:
            return None
        changed = differences(operation.body["properties"], found.get("properties") or {})
        if not changed:
            return {"id": found["id"], **icon_of(found)}
        if operation.prior is None and not _is_ours(found, operation):
            raise Conflict(
                f"{operation.subject} was made by somebody else since the plan.",
                f"It differs in {', '.join(sorted(changed))}.",
                "Look at it, then make the plan again.",
                service="arm",
            )
        return None

    async def apply(self, operation: PutResource) -> Facts:
        if operation.type == RESOURCE_GROUPS:
            return await self._groups.apply(operation)
        found = await self._arm.put(operation.subject, operation.body)
        return {"id": found["id"], **icon_of(found)}

    async def undo(self, operation: PutResource) -> Facts:
        """Put the prior state back, or delete what this run created."""
        if operation.type == RESOURCE_GROUPS:
            return await self._groups.undo(operation)
        if operation.prior is not None:
            body = {**operation.prior, "properties": _writable(operation.prior["properties"], operation.body)}
            await self._arm.put(operation.subject, body)
            return {"restored": True}
        found = await self._arm.find(operation.subject)
        if found is None:
            return {"deleted": True}
        if not _is_ours(found, operation):
            return {"left": "it does not bear this plan's mark: somebody else made it"}
        if operation.type == WORKSPACES and _listed(found):
            return {"left": "it lists application groups of others"}
        await self._arm.delete(operation.subject)
        return {"deleted": True}


def _listed(workspace: dict[str, Any]) -> list[str]:
    """Groups that a workspace still lists; this run's own were withdrawn before."""
    return list(workspace.get("properties", {}).get("applicationGroupReferences") or [])


def _is_ours(found: dict[str, Any], operation: PutResource) -> bool:
    """Whether a half-made object bears this plan's mark: applications have no tags and are judged by their group."""
    wanted = (operation.body.get("tags") or {}).get(SOURCE_TAG)
    if wanted is None:
        return "/applications/" in operation.subject.casefold()
    return bool((found.get("tags") or {}).get(SOURCE_TAG) == wanted)


def _writable(prior: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    return {name: prior.get(name) for name in body["properties"] if prior.get(name) is not None}


class Patches:
    """Titles of a desktop, late settings of a pool."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def observe(self, operation: PatchResource | PatchHostPool) -> Facts | None:
        found = await self._arm.find(operation.subject)
        if found is None or differences(operation.body["properties"], found.get("properties") or {}):
            return None
        return {"id": found["id"]}

    async def apply(self, operation: PatchResource | PatchHostPool) -> Facts:
        found = await self._arm.patch(operation.subject, operation.body)
        return {"id": found["id"]}

    async def undo(self, operation: PatchResource | PatchHostPool) -> Facts:
        """Prior texts go back; where there was none, an empty one (facts/arm-service 2.2: null cannot be sent)."""
        if await self._arm.find(operation.subject) is None:
            return {"absent": True}
        prior = {name: value if value is not None else "" for name, value in operation.prior["properties"].items()}
        await self._arm.patch(operation.subject, {"properties": prior})
        return {"restored": True}


class References:
    """Application groups in a workspace's list. The whole list is written, and nothing guards it: what we have written
    is looked at, and what another writer has overwritten at once is written again by whoever tries again."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def listed(self, workspace: str) -> set[str] | None:
        """Folded ids of the groups that a workspace shows; None when there is no such workspace."""
        found = await self._arm.find(workspace)
        if found is None:
            return None
        return {fold(one) for one in (found.get("properties") or {}).get("applicationGroupReferences") or []}

    async def observe(self, operation: ReferenceGroup) -> Facts | None:
        shown = fold(operation.group) in (await self.listed(operation.subject) or ())
        return {"group": operation.group} if shown else None

    async def apply(self, operation: ReferenceGroup) -> Facts:
        await self._arm.publish_in(operation.subject, [operation.group])
        facts = await self.observe(operation)
        if facts is None:
            raise _overwritten(operation, f"does not list {operation.group}, though that was written")
        return facts

    async def undo(self, operation: ReferenceGroup) -> Facts:
        if operation.prior or await self.listed(operation.subject) is None:
            return {"left": True}
        await self._arm.withdraw_from(operation.subject, [operation.group])
        if await self.observe(operation) is not None:
            raise _overwritten(operation, f"lists {operation.group}, though that was taken out")
        return {"withdrawn": True}


def _overwritten(operation: ReferenceGroup, seen: str) -> Conflict:
    return Conflict(
        f"{operation.subject} {seen}.",
        "Another writer has overwritten the list at the same moment.",
        "It is tried again; if it stays so, find out who else writes this list (the activity log of the workspace).",
        service="arm",
    )


__all__ = ["Groups", "Objects", "Patches", "Providers", "References", "segments"]
