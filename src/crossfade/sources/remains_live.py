"""Reads what is left in Azure of a classic estate: Resource Graph in bulk, deployments by resource group, logs by
workspace. Nothing is changed. What may not be read becomes a gap.

Sources: facts/classic-service 5.5 (traces of templates) and 6.2 (logs), facts/arm-service 7.4 and 7.5.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from crossfade.clock import Clock, iso
from crossfade.cloud.arm import Arm
from crossfade.cloud.logs import Logs, Table
from crossfade.model.ids import fold, group_of
from crossfade.model.provenance import Gap
from crossfade.sources.gather import IN_FLIGHT, Gatherer, Progress, silent, together
from crossfade.sources.remains_records import Connections, Deployment, Extension, RemainsReading, VirtualMachine

_MACHINES = (
    "Resources | where type =~ 'microsoft.compute/virtualmachines' "
    "| project id, name, vmId = tostring(properties.vmId), computer = tostring(properties.osProfile.computerName), "
    "reported = tostring(properties.extended.instanceView.computerName), "
    "power = tostring(properties.extended.instanceView.powerState.code), "
    "available = tostring(properties.availabilitySet.id) | order by id asc"
)
_EXTENSIONS = (
    "Resources | where type =~ 'microsoft.compute/virtualmachines/extensions' "
    "| project id, publisher = tostring(properties.publisher), kind = tostring(properties.type), "
    "settings = properties.settings | where kind in~ ('DSC', 'JsonADDomainExtension') | order by id asc"
)
_WORKSPACES = (
    "Resources | where type =~ 'microsoft.operationalinsights/workspaces' "
    "| project id, name, customerId = tostring(properties.customerId) | order by id asc"
)
_TABLE = "WVDActivityV1_CL"
_NEEDED = ("Type_s", "UserName_s", "SessionHostName_s")
_DEPLOYMENTS = "2021-04-01"
_EXTENSION = "2023-03-01"


async def read_remains(
    arm: Arm,
    logs: Logs,
    clock: Clock,
    subscriptions: Sequence[str],
    *,
    in_flight: int = IN_FLIGHT,
    progress: Progress = silent,
) -> RemainsReading:
    """All that the caller can see in these subscriptions. Raises Unauthorized."""
    reader = _Reader(arm, logs, subscriptions, Gatherer(in_flight, progress))
    reader.reading.read_at = iso(clock.now())
    await together(reader.machines(), reader.extensions(), reader.logs())
    await reader.deployments()
    return reader.done()


class _Reader:
    """Fills one RemainsReading. Each method reads one kind of sign."""

    def __init__(self, arm: Arm, logs: Logs, subscriptions: Sequence[str], gatherer: Gatherer) -> None:
        self._arm = arm
        self._logs = logs
        self._subscriptions = subscriptions
        self._gather = gatherer
        self.reading = RemainsReading()

    def done(self) -> RemainsReading:
        """The reading, in an order that does not depend on who answered first."""
        reading = self.reading
        reading.gaps = sorted([*reading.gaps, *self._gather.gaps], key=lambda gap: (gap.subject, gap.what))
        reading.deployments.sort(key=lambda one: fold(one.id))
        reading.extensions.sort(key=lambda one: fold(one.id))
        reading.connections.sort(key=lambda one: (fold(one.host), fold(one.upn), one.workspace))
        reading.logged.sort()
        return reading

    # -- Resource Graph

    async def machines(self) -> None:
        for row in await self._graph("virtualMachines", "the virtual machines", _MACHINES):
            texts = {name: str(row.get(name) or "") for name in ("computer", "reported", "power", "available")}
            machine = VirtualMachine(
                id=str(row["id"]), name=str(row["name"]), vm_id=str(row.get("vmId") or ""), **texts
            )
            self.reading.machines.append(machine)

    async def extensions(self) -> None:
        """Settings that Resource Graph does not give are read from the extension itself."""
        rows = await self._graph("extensions", "the extensions of virtual machines", _EXTENSIONS)
        bare = [row for row in rows if not isinstance(row.get("settings"), dict)]
        await together(*(self._settings(row) for row in bare))
        self.reading.extensions += [
            Extension(
                id=str(row["id"]),
                machine=machine_of(str(row["id"])),
                publisher=str(row.get("publisher") or ""),
                type=str(row.get("kind") or ""),
                settings=row["settings"],
            )
            for row in rows
            if isinstance(row.get("settings"), dict)
        ]

    async def _settings(self, row: dict[str, Any]) -> None:
        one = str(row["id"])
        work = partial(self._arm.read, quote(one, safe="/"), _EXTENSION)
        found = await self._gather.read("extensions", f"extension {one}", work)
        row["settings"] = ((found or {}).get("properties") or {}).get("settings")

    async def _graph(self, collection: str, subject: str, query: str) -> list[dict[str, Any]]:
        graph = self._arm.resource_graph
        work = partial(graph.rows, query, self._subscriptions, subject=subject)
        return await self._gather.read(collection, subject, work) or []

    # -- deployments

    async def deployments(self) -> None:
        """The history of each resource group that holds a VM."""
        groups: dict[str, str] = {}
        for machine in self.reading.machines:
            group = group_of(machine.id)
            groups.setdefault(fold(group), group)
        await together(*(self._deployments(group) for group in groups.values()))

    async def _deployments(self, group: str) -> None:
        path = quote(f"{group}/providers/Microsoft.Resources/deployments", safe="/")
        subject = f"the deployments of {group}"
        rows = await self._gather.read("deployments", subject, partial(self._arm.read_rows, path, _DEPLOYMENTS))
        self.reading.deployments += [_deployment(group, row) for row in rows or []]

    # -- logs

    async def logs(self) -> None:
        """Who connected to which host, from every workspace that holds classic's table."""
        rows = await self._graph("workspaces", "the Log Analytics workspaces", _WORKSPACES)
        await together(*(self._workspace(row) for row in rows if row.get("customerId")))

    async def _workspace(self, row: dict[str, Any]) -> None:
        """The columns of a custom table differ from one to another, so they are asked for first."""
        name, workspace = str(row["name"]), str(row["customerId"])
        subject = f"the logs of workspace {name}"

        async def ask(text: str) -> Table | None:
            return await self._gather.read(
                "logs", subject, lambda: self._logs.query(workspace, text, subject=f"{subject}, {_TABLE}")
            )

        head = await ask(f"{_TABLE} | take 1")
        if head is None:
            return
        self.reading.logged.append(name)
        missing = [column for column in _NEEDED if column not in head.columns]
        if missing:
            self.reading.gaps.append(_unusable(subject, missing))
            return
        found = await ask(_query(head.columns))
        if found is not None:
            self.reading.gaps += [_partial(subject)] if found.partial else []
            self.reading.connections += [_connections(name, one) for one in found.rows]


def _query(columns: Iterable[str]) -> str:
    """Connections of each person to each host, by the columns that this table has."""
    known = set(columns)
    by = ["UserName_s", "SessionHostName_s", *(["SessionHostPoolName_s"] if "SessionHostPoolName_s" in known else [])]
    at = next((column for column in ("StartTime_t", "EndTime_t") if column in known), "TimeGenerated")
    return (
        f"{_TABLE} | where Type_s == 'Connection' and isnotempty(UserName_s) and isnotempty(SessionHostName_s) "
        f"| summarize connections = count(), first = min({at}), last = max({at}) by {', '.join(by)}"
    )


def _connections(workspace: str, row: dict[str, Any]) -> Connections:
    return Connections(
        upn=str(row["UserName_s"]),
        host=str(row["SessionHostName_s"]),
        pool=str(row.get("SessionHostPoolName_s") or ""),
        count=int(row["connections"]),
        first=str(row["first"] or "")[:10],
        last=str(row["last"] or "")[:10],
        workspace=workspace,
    )


def _deployment(group: str, row: dict[str, Any]) -> Deployment:
    """Only values: secure parameters come without one."""
    own = row.get("properties") or {}
    given = own.get("parameters") or {}
    said = {str(name): one["value"] for name, one in given.items() if isinstance(one, dict) and "value" in one}
    made = (((own.get("outputs") or {}).get("rdshVmNamesObject") or {}).get("value") or {}).get("rdshVmNamesCopy") or []
    return Deployment(
        id=str(row["id"]),
        group=group,
        at=str(own.get("timestamp") or ""),
        state=str(own.get("provisioningState") or ""),
        parameters=said,
        machines=[str(one["name"]) for one in made if isinstance(one, dict) and one.get("name")],
    )


def machine_of(extension: str) -> str:
    return "/".join(extension.split("/")[:-2])


def _unusable(subject: str, missing: list[str]) -> Gap:
    return Gap(
        subject=subject,
        what=f"{_TABLE} could not be used: it has no {', '.join(missing)}.",
        why="Which columns a custom table has depends on what was sent to it.",
        mend="Look into the table by hand, and write the people into the draft.",
    )


def _partial(subject: str) -> Gap:
    return Gap(
        subject=subject,
        what="Not all connections came: the query service cut its answer.",
        why="An answer has at most 500,000 rows.",
        mend="Ask the workspace by hand for the people who are missing.",
    )
