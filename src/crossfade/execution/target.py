"""The ARM side of a move: the session host that appears, its health, its people, and the pool's token."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from crossfade.clock import Clock, parse_iso
from crossfade.cloud.arm import Arm
from crossfade.cloud.token import RegistrationToken
from crossfade.errors import Conflict, NotFound
from crossfade.execution.own_tokens import OwnTokens
from crossfade.execution.recent import Recent
from crossfade.execution.steps import Facts
from crossfade.model.ids import fold, same
from crossfade.plan.plan import HostMove

LIST_FRESH_S = 25.0
"""One list per pool and phase serves every host in flight (facts/arm-service 9.4)."""
USABLE = frozenset({"available", "needsassistance"})
FATAL_CHECKS = frozenset({"domainjoinedcheck", "domaintrustcheck", "sxsstacklistenercheck"})
HEARTBEAT_FRESH_S = 300.0


async def children(arm: Arm, kind: str, pool: str) -> list[dict[str, Any]]:
    """What a pool holds: nothing when it is gone. Whoever deleted it must not keep its hosts from going back."""
    try:
        return await arm.rows(kind, pool)
    except NotFound:
        return []


class Target:
    """Calls of Azure Virtual Desktop, in the words of a move. A host is known by its VM's id, never by name."""

    def __init__(self, arm: Arm, clock: Clock, own_tokens: OwnTokens) -> None:
        self._arm = arm
        self._clock = clock
        self._hosts: Recent[list[dict[str, Any]]] = Recent(clock, LIST_FRESH_S)
        self._sessions: Recent[list[dict[str, Any]]] = Recent(clock, LIST_FRESH_S)
        self._own_tokens = own_tokens

    async def _host(self, move: HostMove, *, fresh_s: float | None = None) -> dict[str, Any] | None:
        """The session host of this VM in the target pool, from the pool's list."""
        rows = await self._hosts.get(
            fold(move.target_pool),
            lambda: children(self._arm, "hostPools/sessionHosts", move.target_pool),
            fresh_s=fresh_s,
        )
        wanted = fold(move.vm)
        found = (row for row in rows if fold(row["properties"].get("resourceId") or "") == wanted)
        return next(found, None)

    async def _known(self, move: HostMove) -> dict[str, Any]:
        host = await self._host(move) or await self._host(move, fresh_s=0.0)
        if host is None:
            raise NotFound(
                f"{move.host_name} is not in {move.target_pool}.",
                f"No session host there has the VM {move.vm}.",
                "See the agent's event log on the VM.",
                service="arm",
            )
        return host

    # -- registration and health

    async def registered(self, move: HostMove) -> Facts | None:
        """Facts when the session host exists with this VM's resource id."""
        host = await self._host(move)
        return {"session_host": host["id"]} if host is not None else None

    async def healthy(self, move: HostMove) -> Facts | None:
        """Facts when it is available, no fatal check fails, and its heartbeat is fresh."""
        host = await self._host(move)
        if host is None:
            return None
        properties = host["properties"]
        beat = properties.get("lastHeartBeat")
        fresh = beat and self._clock.now() - parse_iso(beat) <= timedelta(seconds=HEARTBEAT_FRESH_S)
        good = fold(properties.get("status") or "") in USABLE and fresh and not failing_checks(properties)
        return {"status": properties["status"], "heartbeat": beat} if good else None

    async def told(self, move: HostMove) -> str:
        """What the target pool says of the host, in words: for somebody who has waited for it in vain."""
        host = await self._host(move)
        if host is None:
            return "The target pool has no such session host."
        properties = host["properties"]
        failing = ", ".join(failing_checks(properties))
        return (
            f"Its status is {properties.get('status')}, its agent {properties.get('agentVersion')} (update: "
            f"{properties.get('updateState')}), its last heartbeat {properties.get('lastHeartBeat')}"
            + (f"; failing: {failing}." if failing else ".")
        )

    async def set_open(self, move: HostMove, allow: bool) -> Facts:
        host = await self._known(move)
        await self._arm.patch(host["id"], {"properties": {"allowNewSession": allow}})
        self._hosts.forget(fold(move.target_pool))
        return {"session_host": host["id"], "allow_new_session": allow}

    async def close(self, move: HostMove) -> Facts:
        """No new sessions on the host, where it is there at all; how many are on it."""
        host = await self._host(move, fresh_s=0.0)
        if host is None:
            return {"sessions": 0}
        await self.set_open(move, False)
        self._sessions.forget(fold(move.target_pool))
        return {"sessions": await self.sessions(move)}

    async def person_of(self, move: HostMove) -> str | None:
        """UPN of whom a personal host belongs to on the target; empty for nobody, None where it is not there."""
        host = await self._host(move, fresh_s=0.0)
        return str(host["properties"].get("assignedUser") or "") if host is not None else None

    async def is_assigned(self, move: HostMove) -> Facts | None:
        host = await self._known(move)
        given = host["properties"].get("assignedUser") or ""
        return {"assigned_user": given} if same(given, move.assigned_user or "") else None

    async def assign(self, move: HostMove) -> Facts:
        """Give a personal host its person, and read it back. Somebody else's host is left alone: Conflict."""
        assert move.assigned_user, "only personal hosts have a person"
        host = await self._known(move)
        present = host["properties"].get("assignedUser") or ""
        if present and not same(present, move.assigned_user):
            raise Conflict(
                f"{move.host_name} belongs to {present}.",
                f"The plan gives it to {move.assigned_user}.",
                "Find out who is right; correct the assignment or make the plan again.",
                service="arm",
            )
        await self._arm.patch(host["id"], {"properties": {"assignedUser": move.assigned_user}})
        found = await self._arm.get(host["id"])
        self._hosts.forget(fold(move.target_pool))
        given = found["properties"].get("assignedUser") or ""
        if not same(given, move.assigned_user):
            raise Conflict(
                f"{move.host_name} did not take its person.",
                f"The service answers {given!r} where {move.assigned_user!r} was written.",
                "Look at the session host in the portal.",
                service="arm",
            )
        return {"assigned_user": given}

    # -- removal, on the way back only

    async def absent(self, move: HostMove) -> Facts | None:
        return {"removed": False} if await self._host(move, fresh_s=0.0) is None else None

    async def remove(self, move: HostMove) -> Facts:
        """Delete the session host object. Not forced: with a session on it the service refuses, and so do we."""
        host = await self._host(move, fresh_s=0.0)
        if host is None:
            return {"removed": False}
        await self._arm.delete(host["id"], force=False)
        self._hosts.forget(fold(move.target_pool))
        return {"removed": True}

    # -- people

    async def _pool_sessions(self, pool: str) -> list[dict[str, Any]]:
        kind = "hostPools/sessionHosts/userSessions"
        return await self._sessions.get(fold(pool), lambda: children(self._arm, kind, pool))

    async def people_on(self, pool: str) -> set[str]:
        """Folded UPNs of everybody with a session in the pool."""
        rows = await self._pool_sessions(pool)
        return {fold(row["properties"].get("userPrincipalName") or "") for row in rows} - {""}

    async def sessions(self, move: HostMove) -> int:
        """How many sessions are on the host."""
        host = await self._host(move)
        if host is None:
            return 0
        rows = await self._pool_sessions(move.target_pool)
        prefix = fold(host["id"]) + "/"
        return sum(1 for row in rows if fold(row["id"]).startswith(prefix))

    # -- the pool's token

    async def token(self, pool: str) -> RegistrationToken:
        """The pool's registration token. It is used inside one step and never leaves it."""
        return await self._arm.registration_token(pool, making=lambda: self._own_tokens.making(pool))

    async def revoke_tokens(self) -> int:
        """Revoke the tokens that this run has made, in whichever process; how many."""
        pools = self._own_tokens.pools()
        for pool in pools:
            with suppress(NotFound):  # a pool that is gone has no token
                await self._arm.revoke_registration_token(pool)
            self._own_tokens.revoked(pool)
        return len(pools)


def failing_checks(properties: dict[str, Any]) -> list[str]:
    """Names of the fatal health checks that fail (facts/arm-service 4.3)."""
    reports = properties.get("sessionHostHealthCheckResults") or []
    return [
        report["healthCheckName"]
        for report in reports
        if fold(report.get("healthCheckName") or "") in FATAL_CHECKS
        and report.get("healthCheckResult") == "HealthCheckFailed"
    ]
