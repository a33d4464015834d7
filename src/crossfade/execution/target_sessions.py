"""Who works on the target, host by host, and what may be done to their sessions when a host is taken back."""

from contextlib import suppress
from typing import Any

import msgspec

from crossfade.clock import Clock
from crossfade.cloud.arm import Arm
from crossfade.errors import NotFound
from crossfade.execution.recent import Recent
from crossfade.execution.target import children
from crossfade.model.ids import fold

FRESH_S = 20.0


class TargetSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session on the target. `id` is its resource id."""

    id: str
    upn: str
    disconnected: bool


class TargetSessions:
    """One list per pool serves all its hosts for a moment."""

    def __init__(self, arm: Arm, clock: Clock) -> None:
        self._arm = arm
        self._lists: Recent[list[TargetSession]] = Recent(clock, FRESH_S)

    async def of_pool(self, pool: str, *, fresh_s: float | None = None) -> list[TargetSession]:
        """All sessions of a host pool, by id."""
        return await self._lists.get(fold(pool), lambda: self._read(pool), fresh_s=fresh_s)

    async def on(self, pool: str, session_host: str) -> list[TargetSession]:
        """The sessions on one session host (its resource id)."""
        prefix = fold(session_host) + "/"
        return [session for session in await self.of_pool(pool, fresh_s=5.0) if fold(session.id).startswith(prefix)]

    async def _read(self, pool: str) -> list[TargetSession]:
        rows = await children(self._arm, "hostPools/sessionHosts/userSessions", pool)
        return sorted((_session(row) for row in rows), key=lambda session: session.id)

    async def message(self, session: TargetSession, title: str, body: str) -> None:
        """A message box; a session that has just ended needs none."""
        with suppress(NotFound):
            await self._arm.message(session.id, title, body)

    async def log_off(self, pool: str, session: TargetSession) -> None:
        await self._arm.delete(session.id, force=True)
        self._lists.forget(fold(pool))


def _session(row: dict[str, Any]) -> TargetSession:
    properties = row["properties"]
    return TargetSession(
        id=row["id"],
        upn=properties.get("userPrincipalName") or "",
        disconnected=fold(properties.get("sessionState") or "") == "disconnected",
    )
