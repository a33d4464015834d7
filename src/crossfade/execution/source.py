"""The classic side of a move: a host's record, its sessions, and what may be done to them."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from crossfade.clock import Clock, iso, parse_iso
from crossfade.cloud.classic import Classic
from crossfade.cloud.token import RegistrationToken
from crossfade.errors import Conflict, NotFound
from crossfade.execution.recent import Recent
from crossfade.execution.steps import Facts
from crossfade.model.ids import fold, same
from crossfade.plan.plan import HostMove

LIST_FRESH_S = 45.0
TOKEN_LIFE_H = 4
USABLE = frozenset({0, 11})
"""Available and NeedsAssistance take people (facts/classic-service 1.15, 2.16)."""


class LiveSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session on a host, as a service lists it."""

    session_id: int
    upn: str
    disconnected: bool


class PoolLook(msgspec.Struct, frozen=True, kw_only=True):
    """A pool at one moment: its host records and its sessions by folded host name."""

    hosts: list[dict[str, Any]]
    sessions: dict[str, list[LiveSession]]


class Source:
    """Calls of the classic service, in the words of a move. Lists are shared between hosts for a moment."""

    def __init__(self, classic: Classic, clock: Clock) -> None:
        self._classic = classic
        self._clock = clock
        self._looks: Recent[PoolLook] = Recent(clock, LIST_FRESH_S)

    async def look(self, pool: str, *, fresh_s: float | None = None) -> PoolLook:
        """Hosts and sessions of a pool, at most `fresh_s` seconds old."""
        return await self._looks.get(fold(pool), lambda: self._read(pool), fresh_s=fresh_s)

    async def _read(self, pool: str) -> PoolLook:
        hosts = await self._classic.rows("SessionHosts", pool)
        by_host: dict[str, list[LiveSession]] = {}
        for row in await self._classic.rows("Sessions", pool):
            session = LiveSession(
                session_id=int(row["sessionId"]),
                upn=row.get("userPrincipalName") or "",
                disconnected=fold(row.get("sessionState") or "") == "disconnected",
            )
            by_host.setdefault(fold(row["sessionHostName"]), []).append(session)
        return PoolLook(hosts=hosts, sessions=by_host)

    async def sessions(self, move: HostMove, *, fresh: bool = False) -> list[LiveSession]:
        """Who is signed in on a host, by session id."""
        look = await self.look(move.source_pool, fresh_s=5.0 if fresh else None)
        return sorted(look.sessions.get(fold(move.host_name), []), key=lambda session: session.session_id)

    async def is_open(self, move: HostMove, *, fresh: bool = False) -> bool:
        """Whether new sessions are allowed on a host. One without a record takes none."""
        look = await self.look(move.source_pool, fresh_s=5.0 if fresh else None)
        records = (row for row in look.hosts if same(str(row.get("sessionHostName") or ""), move.host_name))
        return any(bool(row.get("allowNewSession")) for row in records)

    async def person_of(self, move: HostMove, *, fresh: bool = False) -> str | None:
        """UPN of whom a personal host belongs to on classic; empty for nobody, None where there is no record of it."""
        look = await self.look(move.source_pool, fresh_s=5.0 if fresh else None)
        records = (row for row in look.hosts if same(str(row.get("sessionHostName") or ""), move.host_name))
        return next((str(row.get("assignedUser") or "") for row in records), None)

    async def set_open(self, move: HostMove, allow: bool) -> Facts:
        """Drain mode off or on. A record that is gone cannot be opened: that is told, not hidden."""
        await self._classic.drain(move.source, allow_new_session=allow)
        self._looks.forget(fold(move.source_pool))
        return {"allow_new_session": allow}

    async def message(self, move: HostMove, session: LiveSession, title: str, body: str) -> None:
        """A message box; a session that has just ended needs none."""
        try:
            await self._classic.message(move.source, session.session_id, title, body)
        except NotFound:
            self._looks.forget(fold(move.source_pool))

    async def log_off(self, move: HostMove, session: LiveSession) -> None:
        with suppress(NotFound):  # it ended by itself, which is what was wanted
            await self._classic.log_off(move.source, session.session_id, force=True)
        self._looks.forget(fold(move.source_pool))

    async def record(self, move: HostMove) -> dict[str, Any] | None:
        try:
            return await self._classic.session_host(move.source)
        except NotFound:
            return None

    async def moment(self) -> Facts:
        """Now, as a fact to compare heartbeats with."""
        return {"at": iso(self._clock.now())}

    async def alive_since(self, move: HostMove, since: str) -> Facts | None:
        """Facts when the record is usable and its heartbeat is younger than `since`."""
        record = await self.record(move)
        if record is None or record.get("status") not in USABLE:
            return None
        beat = _moment(record.get("lastHeartBeat"))
        return {"heartbeat": iso(beat)} if beat is not None and beat > parse_iso(since) else None

    async def registered(self, move: HostMove) -> Facts | None:
        """Facts when there is a record of the host."""
        return {"registered": True} if await self.record(move) is not None else None

    async def is_alive(self, move: HostMove, fresh_s: float) -> bool:
        """Whether the record is usable and its heartbeat no older than `fresh_s`."""
        return await self.alive_since(move, iso(self._clock.now() - timedelta(seconds=fresh_s))) is not None

    async def remove(self, move: HostMove) -> Facts:
        """Delete the host's record (way b only). Sessions stand in the way: nobody is logged off by this."""
        try:
            await self._classic.delete_host(move.source)
        except NotFound:
            return {"removed": False}
        return {"removed": True}

    async def assign(self, move: HostMove) -> Facts:
        assert move.assigned_user, "only personal hosts have a person"
        record = await self.record(move)
        if record is None or not same(record.get("assignedUser") or "", move.assigned_user):
            await self._classic.assign(move.source, move.assigned_user)
        return {"assigned": True}

    async def token(self, pool: str) -> RegistrationToken:
        """A classic registration token: the pool's own if it lives long enough, else a new one."""
        soon = self._clock.now() + timedelta(hours=1)
        known = await self._registration(pool)
        if known is not None and known.expires_at > soon:
            return known
        if known is not None:
            await self._classic.delete_registration(pool)
        return await self._classic.create_registration(pool, self._clock.now() + timedelta(hours=TOKEN_LIFE_H))

    async def _registration(self, pool: str) -> RegistrationToken | None:
        try:
            return await self._classic.registration(pool)
        except (NotFound, Conflict):
            return None


def is_open(record: dict[str, Any]) -> bool:
    """Whether a classic record takes new sessions."""
    return bool(record.get("allowNewSession")) and record.get("status") in USABLE


def _moment(text: str | None) -> datetime | None:
    return parse_iso(text) if text else None
