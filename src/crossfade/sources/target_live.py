"""Reads the ARM side and the directory: bulk lists per subscription, children per parent, people twenty at a time.

Sources: facts/arm-service 2.4 (answers), 2.6 (lists), 5.3 and 5.4 (rights), 7.1 (machines), 8 (Graph). What may not be
read becomes a gap.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from crossfade.clock import Clock, iso
from crossfade.cloud.arm import Arm
from crossfade.cloud.graph import Graph
from crossfade.errors import CloudError, NotFound
from crossfade.model import diagnostics
from crossfade.model.ids import DESKTOP_USER_ROLE, fold, group_of, last_name, same, segments
from crossfade.model.provenance import Origin
from crossfade.model.rights import USE, holds_data, powers, role_of
from crossfade.model.target import RoleDefinition
from crossfade.sources.candidates import read_candidates
from crossfade.sources.gather import IN_FLIGHT, Gatherer, Progress, silent, together, unread
from crossfade.sources.secrets import without_secrets
from crossfade.sources.target_records import PROVIDERS, Rows, TargetReading, Wanted

_TOP = ("hostPools", "applicationGroups", "workspaces")
_CHILD = {"RemoteApp": "applicationGroups/applications", "Desktop": "applicationGroups/desktops"}
_MANAGEMENT = "/providers/microsoft.management/"
_NEVER_KEPT = frozenset({"registrationInfo", "iconContent"})
"""Secrets, and pictures of megabytes."""


async def read_target(
    arm: Arm,
    graph: Graph,
    clock: Clock,
    wanted: Wanted,
    *,
    in_flight: int = IN_FLIGHT,
    progress: Progress = silent,
) -> TargetReading:
    """Everything of the target that planning and verifying need. Raises Unauthorized."""
    reader = _Reader(arm, graph, wanted, Gatherer(in_flight, progress))
    reader.reading.read_at = iso(clock.now())
    await together(
        reader.people(), reader.policies(), *map(reader.subscription, wanted.subscriptions), reader.machines()
    )
    await together(
        reader.children(),
        reader.scopes(),
        reader.logs(),
        reader.log_workspace(),
        reader.administrators(),
        reader.directory_groups(),
        reader.candidates(),
    )
    return reader.done()


class _Reader:
    """Fills one TargetReading. Each method reads one thing of the service."""

    def __init__(self, arm: Arm, graph: Graph, wanted: Wanted, gatherer: Gatherer) -> None:
        self._arm = arm
        self._graph = graph
        self._wanted = wanted
        self._gather = gatherer
        self.reading = TargetReading(subscriptions=list(wanted.subscriptions))

    def done(self) -> TargetReading:
        """The reading, in an order that does not depend on who answered first."""
        reading = self.reading
        reading.origins = [
            Origin(source="live", place=place, read_at=reading.read_at)
            for place in ("Azure Resource Manager", "Microsoft Graph")
        ]
        reading.gaps = list(self._gather.gaps)
        reading.objects.sort(key=lambda row: fold(str(row.get("id", ""))))
        return reading

    # -- subscriptions

    async def subscription(self, subscription: str) -> None:
        scope = f"/subscriptions/{subscription}"
        await together(
            *(self._provider(subscription, namespace) for namespace in PROVIDERS),
            self._locations(subscription),
            self._groups(subscription),
            *(self._objects(kind, scope) for kind in (*_TOP, "scalingPlans")),
            self._grants(subscription),
            self._roles(subscription),
            self._quota(subscription),
            self._permissions(scope),
        )

    async def _provider(self, subscription: str, namespace: str) -> None:
        subject = f"provider {namespace} of {subscription}"
        found = await self._gather.read("providers", subject, lambda: self._arm.provider(subscription, namespace))
        if found is not None:
            self.reading.providers.setdefault(subscription, {})[namespace] = found

    async def _locations(self, subscription: str) -> None:
        subject = f"the locations of {subscription}"
        self.reading.places += await self._rows("locations", subject, lambda: self._arm.locations(subscription))

    async def _groups(self, subscription: str) -> None:
        subject = f"the resource groups of {subscription}"
        rows = await self._rows("resourceGroups", subject, lambda: self._arm.groups(subscription))
        self.reading.objects += [{**row, "type": "Microsoft.Resources/resourceGroups"} for row in rows]

    async def _objects(self, kind: str, parent: str) -> None:
        rows = await self._rows(kind, f"the {kind} of {parent}", lambda: self._arm.rows(kind, parent))
        self.reading.objects += [_kept(row) for row in rows]

    async def _grants(self, subscription: str) -> None:
        scope, subject = f"/subscriptions/{subscription}", f"the role assignments of {subscription}"
        self.reading.grants[subscription] = await self._rows(
            "roleAssignments", subject, lambda: self._arm.access.grants(scope)
        )

    async def _roles(self, subscription: str) -> None:
        subject = f"the role definitions of {subscription}"
        self.reading.roles[subscription] = await self._rows(
            "roleDefinitions", subject, lambda: self._arm.access.role_definitions(f"/subscriptions/{subscription}")
        )

    async def _quota(self, subscription: str) -> None:
        subject = f"the role assignment quota of {subscription}"
        found = await self._gather.read("quotas", subject, lambda: self._arm.access.quota(subscription))
        if found is not None:
            self.reading.quotas[subscription] = found

    async def _permissions(self, scope: str) -> None:
        subject = f"the caller's permissions at {scope}"
        rows = await self._gather.read("permissions", subject, lambda: self._arm.access.permissions(scope))
        if rows is not None:
            self.reading.permissions[scope] = rows

    async def _rows(self, collection: str, subject: str, work: Callable[[], Awaitable[Rows]]) -> Rows:
        return await self._gather.read(collection, subject, work) or []

    # -- what is below what was found

    async def children(self) -> None:
        pools = [row for row in self._of_type("hostpools") if self._involved(str(row["id"]))]
        groups = [row for row in self._of_type("applicationgroups") if self._involved(_pool_of(row))]
        await together(
            *(self._objects("hostPools/sessionHosts", str(pool["id"])) for pool in pools),
            *(self._objects(_child_kind(group), str(group["id"])) for group in groups),
        )

    async def logs(self) -> None:
        """Diagnostic settings of pools, groups and workspaces. Who may not read those of the first may not read any."""
        rows = [row for name in _TOP for row in self._of_type(name.casefold()) if self._looked_at(row, name)]
        ids = sorted({fold(str(row["id"])): str(row["id"]) for row in rows}.values())
        if ids and await self._logs(ids[0]):
            await together(*(self._logs(one) for one in ids[1:]))

    def _looked_at(self, row: dict[str, Any], kind: str) -> bool:
        pool = {"hostPools": str(row["id"]), "applicationGroups": _pool_of(row)}.get(kind)
        return pool is None or self._involved(pool)

    async def _logs(self, resource: str) -> bool:
        subject = f"the diagnostic settings of {resource}"
        rows = await self._gather.read("logs", subject, lambda: self._arm.diagnostics.rows(resource))
        for row in rows or []:
            kept = {**row, "id": diagnostics.setting_id(resource, str(row["name"])), "type": diagnostics.TYPE}
            self.reading.objects.append(_kept(kept))
        return rows is not None

    async def log_workspace(self) -> None:
        """What the caller may do at the workspace of the logs, and who holds roles there if nothing else is read of its
        subscription."""
        workspace = self._wanted.logs
        if not workspace:
            return
        await self._permissions(workspace)
        if fold(_subscription_of(workspace)) not in map(fold, self._wanted.subscriptions):
            subject = f"the role assignments of {workspace}"
            grants = self._arm.access.grants
            self.reading.log_grants = await self._rows("roleAssignments", subject, lambda: grants(workspace))

    def _of_type(self, name: str) -> Rows:
        wanted = f"microsoft.desktopvirtualization/{name}"
        return [row for row in self.reading.objects if fold(str(row.get("type", ""))) == wanted]

    def _involved(self, pool_id: str) -> bool:
        pools = self._wanted.pools
        return pools is None or fold(pool_id) in {fold(one) for one in pools}

    async def scopes(self) -> None:
        """The caller's permissions at each resource group that holds a desktop object or a wanted machine."""
        ids = [str(row.get("id", "")) for name in _TOP for row in self._of_type(name.casefold())]
        groups: dict[str, str] = {}
        for resource_id in [*ids, *self._wanted.machines]:
            scope = group_of(resource_id)
            if scope:
                groups.setdefault(fold(scope), scope)
        await together(*(self._permissions(groups[key]) for key in sorted(groups)))

    # -- machines

    async def machines(self) -> None:
        """All VMs of the subscriptions that hold wanted ones, and of the target's; with their power states."""
        found = dict.fromkeys(fold(one) for one in self._wanted.subscriptions)
        found |= dict.fromkeys(fold(segments(one).get("subscriptions", "")) for one in self._wanted.machines)
        await together(*(self._machines(one) for one in found if one))

    async def _machines(self, subscription: str) -> None:
        scope = f"/subscriptions/{subscription}"
        machines = self._arm.machines
        subject = f"the virtual machines of {subscription}"
        rows = await self._gather.read("virtualMachines", subject, lambda: machines.rows(scope))
        if rows is None:
            await together(*(self._machines_in(group) for group in self._machine_groups(subscription)))
            return
        self.reading.machines += rows
        subject = f"the power states of the virtual machines of {subscription}"
        self.reading.powers += await self._rows("powerStates", subject, lambda: machines.rows(scope, status_only=True))

    def _machine_groups(self, subscription: str) -> list[str]:
        """Resource groups of wanted machines: rights may reach no further."""
        scopes = [group_of(one) for one in self._wanted.machines if same(_subscription_of(one), subscription)]
        return sorted({fold(scope): scope for scope in scopes if scope}.values())

    async def _machines_in(self, group: str) -> None:
        subject = f"the virtual machines of {group}"
        self.reading.machines += await self._rows("virtualMachines", subject, lambda: self._arm.machines.rows(group))

    # -- people

    async def people(self) -> None:
        """Looks up every wanted UPN. One that is not found is a fact; those that could not be asked have a reason."""
        asked = self._wanted.upns
        subject = "the people of the estate"
        found = await self._gather.read("users", subject, lambda: self._graph.users(asked)) if asked else {}
        for upn in asked:
            answer = found.get(upn) if found is not None else None
            if isinstance(answer, dict):
                self.reading.people[upn] = answer
            else:
                self.reading.people[upn] = None
                if not isinstance(answer, NotFound):
                    self.reading.unread[upn] = _why(answer)
        await self._addresses([upn for upn in asked if isinstance((found or {}).get(upn), NotFound) and "@" in upn])

    async def _addresses(self, unknown: list[str]) -> None:
        """Who has the old name of somebody as an address still: renamed, perhaps. Only told, never acted on."""
        if unknown:
            subject = "the addresses of people who are not known"
            found = await self._gather.read("addresses", subject, lambda: self._graph.by_address(unknown))
            self.reading.addresses = found or {}

    async def policies(self) -> None:
        """Conditional Access, as a whole or not at all: half of the policies would prove nothing."""
        subject = "the Conditional Access policies"
        self.reading.policies = await self._gather.read("policies", subject, self._graph.conditional_access_policies)

    async def directory_groups(self) -> None:
        """Names and people of the groups that desktops or apps are published to."""
        ids = sorted(_publishing(self.reading, "group"))
        if not ids:
            return
        rows = await self._rows("groups", "the directory groups", lambda: self._graph.objects(ids, ("group",)))
        self.reading.groups = {fold(str(row["id"])): str(row.get("displayName") or "") for row in rows}
        await together(*(self._members(one) for one in ids), self._strangers())

    async def _members(self, group: str) -> None:
        async def work() -> Rows:
            return [row async for page in self._graph.people_in(group) for row in page]

        rows = await self._gather.read("members", f"the people in group {group}", work)
        if rows is not None:
            self.reading.members[group] = rows

    async def administrators(self) -> None:
        """Names of applications and groups that administer in classic, or may do more here than desktops need."""
        above = (row for row in _all(self.reading.grants) if _is_strong(row, self._definitions()))
        held = (str((row.get("properties") or {}).get("principalId") or "") for row in above)
        ids = sorted({fold(one): one for one in (*self._wanted.principals, *held) if one}.values())
        if ids:
            kinds = ("servicePrincipal", "group", "user")
            rows = await self._rows("names", "the names of administrators", lambda: self._graph.objects(ids, kinds))
            self.reading.principals = {fold(str(row["id"])): str(row.get("displayName") or "") for row in rows}

    def _definitions(self) -> dict[str, RoleDefinition]:
        return {role.id: role for role in map(role_of, _all(self.reading.roles))}

    async def candidates(self) -> None:
        """Groups that could publish something, with their people: only where they are asked for, and bounded."""
        found = await read_candidates(self._graph, self._gather, self._wanted)
        self.reading.candidates = found.groups
        self.reading.candidate_people = found.people
        self.reading.candidate_names = found.names
        self.reading.candidate_owners = found.owners

    async def _strangers(self) -> None:
        """People who have been given something directly and are not in the estate, so that they have names."""
        known = {fold(str(row["id"])) for row in self.reading.people.values() if row and row.get("id")}
        ids = sorted(one for one in _publishing(self.reading, "user") if fold(one) not in known)
        if ids:
            rows = await self._rows("users", "people with access", lambda: self._graph.objects(ids, ("user",)))
            found = {str(row["userPrincipalName"]): row for row in rows if row.get("userPrincipalName")}
            self.reading.people = {**found, **self.reading.people}


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in (row.get("properties") or {}).items() if name not in _NEVER_KEPT}
    return {**row, "properties": without_secrets(properties)}


def _pool_of(group: dict[str, Any]) -> str:
    return str(group["properties"].get("hostPoolArmPath") or "")


def _child_kind(group: dict[str, Any]) -> str:
    kind = str(group["properties"].get("applicationGroupType") or "")
    return next((path for name, path in _CHILD.items() if same(name, kind)), _CHILD["RemoteApp"])


def _subscription_of(resource_id: str) -> str:
    return segments(resource_id).get("subscriptions", "")


def _publishing(reading: TargetReading, principal: str) -> set[str]:
    """Folded object ids of the principals of a type (lower-case) that hold a role which publishes desktops and apps."""
    using = {DESKTOP_USER_ROLE} | {fold(str(row.get("name", ""))) for row in _all(reading.roles) if _uses(row)}
    found = set()
    for row in _all(reading.grants):
        properties = row.get("properties") or {}
        role = fold(last_name(str(properties.get("roleDefinitionId", ""))))
        if role in using and same(str(properties.get("principalType", "")), principal):
            found.add(fold(str(properties.get("principalId") or "")))
    return found - {""}


def _is_strong(row: dict[str, Any], definitions: dict[str, RoleDefinition]) -> bool:
    """Whether a grant above the objects gives more than a classic role did."""
    properties = row.get("properties") or {}
    role = fold(last_name(str(properties.get("roleDefinitionId", ""))))
    inside = "/providers/microsoft." in fold(str(properties.get("scope") or "")).removeprefix(_MANAGEMENT)
    return not inside and bool(powers(definitions.get(role), role))


def _all(rows: dict[str, Rows]) -> Iterable[dict[str, Any]]:
    return (row for found in rows.values() for row in found)


def _uses(row: dict[str, Any]) -> bool:
    return holds_data(role_of(row), USE)


def _why(answer: Any) -> str:
    if isinstance(answer, CloudError):
        return unread("", answer).why
    return "The directory could not be asked."
