"""Reads the live classic service: tenants of tenant groups, and all below them (facts/classic-service 2.5, 2.6).

One call per page per collection; up to `in_flight` collections at a time. A collection that cannot be read becomes a
gap; nothing is read when no tenant can be.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import msgspec

from crossfade.clock import Clock, iso
from crossfade.cloud.classic import Classic
from crossfade.errors import Forbidden, InputError, NotFound, Problem
from crossfade.model.ids import fold
from crossfade.model.provenance import Gap
from crossfade.sources.gather import IN_FLIGHT, Gatherer, Progress, silent, together
from crossfade.sources.records import Kind, RawRecord, Reading
from crossfade.sources.secrets import without_secrets

DEFAULT_GROUP = "Default Tenant Group"
DESKTOP = 1
"""ResourceType of the app groups that hold a desktop (facts/classic-service 1.15)."""

Rows = list[dict[str, Any]]


class _Collection(msgspec.Struct, frozen=True):
    """What a collection's rows are; `own`: the members that end their key, in the service's spelling."""

    kind: Kind
    own: tuple[str, ...] = ()


_COLLECTIONS = {
    "TenantGroups": _Collection(Kind.TENANT_GROUP, ("tenantGroupName",)),
    "Tenants": _Collection(Kind.TENANT, ("tenantName",)),
    "HostPools": _Collection(Kind.POOL, ("hostPoolName",)),
    "AppGroups": _Collection(Kind.GROUP, ("appGroupName",)),
    "SessionHosts": _Collection(Kind.HOST, ("sessionHostName",)),
    "Sessions": _Collection(Kind.SESSION, ("sessionHostName", "sessionId")),
    "AssignedUsers": _Collection(Kind.ASSIGNMENT),
    "RemoteApps": _Collection(Kind.APP, ("remoteAppName",)),
    "Desktop": _Collection(Kind.DESKTOP),
    "StartMenuApps": _Collection(Kind.START_MENU_APP),
}


async def read_classic(
    classic: Classic,
    clock: Clock,
    *,
    tenant_group: str | None = None,
    tenants: Collection[str] = (),
    in_flight: int = IN_FLIGHT,
    progress: Progress = silent,
) -> Reading:
    """Everything of the tenants that the caller may see: of one tenant group or of all, of these tenants or of all.

    Raises Unauthorized, and whatever keeps it from listing any tenant; InputError for a tenant that is not there.
    """
    reader = _Reader(classic, clock, Gatherer(in_flight, progress))
    for group in [tenant_group] if tenant_group else await reader.tenant_groups():
        await reader.tenant_group(group, {fold(name) for name in tenants})
    reader.check_tenants(tenants, tenant_group)
    await together(reader.roles(), *(reader.tenant(key) for key in reader.tenant_keys))
    return reader.reading()


class _Batch(msgspec.Struct, frozen=True):
    """The rows of one collection below one object."""

    collection: str
    key: str
    read_at: str
    rows: Rows


class _Reader:
    """Batches come in the order in which the service answers; `reading` puts them in order."""

    def __init__(self, classic: Classic, clock: Clock, gatherer: Gatherer) -> None:
        self._classic = classic
        self._clock = clock
        self._gatherer = gatherer
        self._batches: list[_Batch] = []
        self._gaps: list[Gap] = []
        self.tenant_keys: list[str] = []

    async def tenant_groups(self) -> list[str]:
        """Names of the visible tenant groups. Who may not list them (rights on one tenant do not suffice), or is shown
        none, has the default one read: it exists always (facts/classic-service 1.3)."""
        try:
            rows = await self._classic.rows("TenantGroups")
        except (Forbidden, NotFound) as error:
            return self._only_default(str(error.why or error.what))
        self._keep("TenantGroups", "", rows)
        names = [str(row["tenantGroupName"]) for row in rows if row.get("tenantGroupName")]
        return names or self._only_default("The service lists none for whoever is signed in.")

    def _only_default(self, why: str) -> list[str]:
        what = f"They could not be listed; only {DEFAULT_GROUP!r} was read."
        mend = "Name the tenant group if yours is another one."
        self._gaps.append(Gap(subject="tenant groups", what=what, why=why, mend=mend))
        return [DEFAULT_GROUP]

    async def tenant_group(self, group: str, wanted: set[str]) -> None:
        """List the tenants of a tenant group. A failure here is the caller's: there would be nothing to read."""
        rows = await self._classic.rows("Tenants", group)
        if wanted:
            rows = [row for row in rows if fold(str(row.get("tenantName", ""))) in wanted]
        self._keep("Tenants", group, rows)
        self.tenant_keys += [f"{group}/{row['tenantName']}" for row in rows if row.get("tenantName")]

    def check_tenants(self, wanted: Collection[str], tenant_group: str | None) -> None:
        """Raises InputError for tenants that were asked for and are not there."""
        there = {fold(key.rpartition("/")[2]) for key in self.tenant_keys}
        place = f"tenant group {tenant_group!r}" if tenant_group else "the visible tenant groups"
        problems = [
            Problem(f"tenant {name}", f"is not in {place}.", "Check the name, the tenant group and your role there.")
            for name in wanted
            if fold(name) not in there
        ]
        if problems:
            raise InputError("There is nothing to read.", problems)

    async def tenant(self, key: str) -> None:
        pools = await self._list("HostPools", key)
        await together(*(self._pool(f"{key}/{row['hostPoolName']}") for row in pools if row.get("hostPoolName")))

    async def _pool(self, key: str) -> None:
        await together(self._groups(key), self._list("SessionHosts", key), self._list("Sessions", key))

    async def _groups(self, pool: str) -> None:
        rows = await self._list("AppGroups", pool)
        await together(*(self._group(f"{pool}/{row['appGroupName']}", row) for row in rows if row.get("appGroupName")))

    async def _group(self, key: str, row: Mapping[str, Any]) -> None:
        desktop = row.get("resourceType") in (DESKTOP, str(DESKTOP), "Desktop")
        await together(self._list("AssignedUsers", key), self._desktop(key) if desktop else self._apps(key))

    async def _apps(self, key: str) -> None:
        """RemoteApps; the start menu besides, a live host's answer, only where an alias has to be resolved by it."""
        rows = await self._list("RemoteApps", key)
        if any(row.get("appAlias") and not row.get("filePath") for row in rows):
            await self._list("StartMenuApps", key)

    async def _desktop(self, key: str) -> None:
        async def work() -> Rows:
            return [await self._classic.desktop(key)]

        await self._read("Desktop", key, work)

    async def _list(self, collection: str, key: str) -> Rows:
        return await self._read(collection, key, lambda: self._classic.rows(collection, key))

    async def _read(self, collection: str, key: str, work: Callable[[], Awaitable[Rows]]) -> Rows:
        rows = await self._gatherer.read(collection, f"the {collection} of {key}", work)
        if rows is None:
            return []
        self._keep(collection, key, rows)
        return rows

    async def roles(self) -> None:
        """All role assignments that the caller may see, in one list; those of other tenants are left out."""
        rows = await self._gatherer.read("roleAssignments", "role assignments", self._classic.role_assignments)
        if rows is not None:
            self._keep("roleAssignments", "", [row for row in rows if self._ours(str(row.get("scope", "")))])

    def _ours(self, scope: str) -> bool:
        """At, above or below one of our tenants."""
        own = fold(scope.strip("/"))
        keys = [fold(key) for key in self.tenant_keys]
        return any(f"{own}/".startswith(f"{key}/") or f"{key}/".startswith(f"{own}/") or not own for key in keys)

    def _keep(self, collection: str, key: str, rows: Rows) -> None:
        self._batches.append(_Batch(collection, key, iso(self._clock.now()), rows))

    # -- what was read

    def reading(self) -> Reading:
        """Records in order of what they are and where they were, whatever came first."""
        reading = Reading(gaps=[*self._gaps, *self._gatherer.gaps])
        for batch in sorted(self._batches, key=lambda batch: (batch.collection, fold(batch.key))):
            place = "/".join(part for part in (batch.key, batch.collection) if part)
            origin = reading.origin("live", place, batch.read_at)
            for row in batch.rows:
                _add(batch, row, origin, place, reading)
        return reading


def _add(batch: _Batch, row: Mapping[str, Any], origin: int, place: str, reading: Reading) -> None:
    """A row as a record, or a gap when it does not say its own name."""
    what = _COLLECTIONS.get(batch.collection, _Collection(Kind.ROLE))
    own = [str(row[name]) for name in what.own if row.get(name) not in (None, "")]
    if len(own) < len(what.own) or (what.kind is Kind.ASSIGNMENT and not row.get("userPrincipalName")):
        text = f"A {what.kind} came without its name and was left out."
        mend = "Look at it with the cmdlets."
        reading.gaps.append(Gap(subject=place, what=text, why="The service sent it so.", mend=mend))
        return
    above = batch.key.split("/") if batch.key else []
    names = (*above, *own) if what.kind is not Kind.ROLE else ()
    data = without_secrets(dict(row))
    reading.records.append(RawRecord(kind=what.kind, data=data, names=names, origin=origin, where=place))
