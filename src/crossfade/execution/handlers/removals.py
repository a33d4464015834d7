"""The removal of classic objects. Absent is as wanted; an assignment that the service cannot remove is told."""

from collections.abc import Awaitable, Callable

from crossfade.cloud.arm import Arm
from crossfade.cloud.classic import Classic
from crossfade.errors import CloudError, Forbidden, NotFound
from crossfade.execution.handlers.departed import is_stuck
from crossfade.execution.steps import Facts
from crossfade.plan.completion import Removal


class Removals:
    """One call per removal: of the classic service, or of Azure for a snapshot that the run took. Nothing else is
    removed, and never a VM or a disk."""

    def __init__(self, classic: Classic, arm: Arm) -> None:
        self._classic = classic
        self._machines = arm.machines
        self._table: dict[str, Callable[[Removal], Awaitable[Facts]]] = {
            "registration": self._registration,
            "assignment": self._assignment,
            "session-host": self._session_host,
            "remote-app": self._object,
            "app-group": self._object,
            "host-pool": self._object,
            "tenant": self._object,
            "os-disk-snapshot": self._snapshot,
        }

    async def apply(self, removal: Removal) -> Facts:
        """Raises CloudError, Conflict while something is in the way."""
        return await self._table[removal.kind](removal)

    async def gone(self, removal: Removal) -> Facts | None:
        """Whether an earlier try has removed it, whose answer nobody has heard. A tenant takes the rights on it along:
        who held them on the tenant alone is refused from then on, even to look (`unseen`)."""
        if removal.kind != "tenant":
            return None
        try:
            await self._classic.get(removal.key)
        except NotFound:
            return {"removed": True}
        except Forbidden as error:
            return {"removed": True, "unseen": str(error)}
        return None

    async def _registration(self, removal: Removal) -> Facts:
        await self._classic.delete_registration(removal.key)
        return {"removed": True}

    async def _assignment(self, removal: Removal) -> Facts:
        try:
            await self._classic.unassign_user(removal.key, removal.upn)
        except CloudError as error:
            if not is_stuck(error):
                raise
            return {"removed": False, "stuck": removal.upn}
        return {"removed": True}

    async def _session_host(self, removal: Removal) -> Facts:
        await self._classic.delete_host(removal.key)
        return {"removed": True}

    async def _snapshot(self, removal: Removal) -> Facts:
        await self._machines.remove_snapshot(removal.key)
        return {"removed": True}

    async def _object(self, removal: Removal) -> Facts:
        await self._classic.delete(removal.key)
        return {"removed": True}
