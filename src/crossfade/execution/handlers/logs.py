"""The handler of diagnostic settings."""

from typing import Any

from crossfade.cloud.arm import Arm
from crossfade.execution.steps import Facts
from crossfade.model import diagnostics
from crossfade.plan.operations import SendLogs


class Logs:
    """Categories that the plan sends only where a cloud has them are asked for first (facts/arm-service 6.2)."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def observe(self, operation: SendLogs) -> Facts | None:
        found = await self._arm.diagnostics.find(operation.subject)
        if found is None:
            return None
        kind = diagnostics.kind_of(operation.resource)
        sent = diagnostics.sent_to([found.get("properties") or {}], operation.workspace, kind)
        return {"setting": operation.subject} if sent >= set(operation.categories) else None

    async def apply(self, operation: SendLogs) -> Facts:
        known = await self._arm.diagnostics.categories(operation.resource)
        offered = [name for name in operation.offered if name in known]
        body = diagnostics.body_of(operation.workspace, [*operation.categories, *offered])
        await self._arm.diagnostics.put(operation.subject, body)
        return {"setting": operation.subject, "not_offered": sorted(set(operation.offered) - set(offered))}

    async def undo(self, operation: SendLogs) -> Facts:
        """The setting that was there goes back in its place; one that this run made is deleted."""
        if operation.prior is None:
            await self._arm.diagnostics.delete(operation.subject)
            return {"deleted": True}
        await self._arm.diagnostics.put(operation.subject, _body(operation.prior))
        return {"restored": True}


def _body(prior: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {name: value for name, value in prior["properties"].items() if value is not None}}
