"""The one table from operation to handler."""

from typing import Any

from crossfade.clock import Clock
from crossfade.cloud.services import Services
from crossfade.execution.handlers.given import Given
from crossfade.execution.handlers.handler import Handler
from crossfade.execution.handlers.icons import Icons
from crossfade.execution.handlers.logs import Logs
from crossfade.execution.handlers.people import DirectoryGroups, Grants, GroupIds, Members, Retractions
from crossfade.execution.handlers.preconditions import Preconditions
from crossfade.execution.handlers.resources import Objects, Patches, Providers, References
from crossfade.execution.handlers.snapshots import Snapshots
from crossfade.plan.membership import promises
from crossfade.plan.operations import (
    AddMember,
    CreateDirectoryGroup,
    GrantRole,
    Operation,
    PatchHostPool,
    PatchResource,
    PutResource,
    ReferenceGroup,
    RegisterProvider,
    RetractAssignment,
    SendLogs,
    SetIcon,
    SnapshotDisk,
)
from crossfade.plan.plan import Plan


class Handlers:
    """Handlers of one plan over one set of services."""

    def __init__(self, services: Services, plan: Plan, clock: Clock) -> None:
        created = {op.subject: op for op in plan.operations if isinstance(op, CreateDirectoryGroup)}
        groups = GroupIds(services.graph, created)
        patches = Patches(services.arm)
        self.preconditions = Preconditions(plan)
        self.icons = Icons(services.arm)
        self.given = Given(services, plan, clock, groups, self.preconditions)
        self.references = References(services.arm)
        self._table: dict[type[Operation], Handler[Any]] = {
            RegisterProvider: Providers(services.arm, clock),
            PutResource: Objects(services.arm),
            PatchResource: patches,
            PatchHostPool: patches,
            ReferenceGroup: self.references,
            SendLogs: Logs(services.arm),
            SetIcon: self.icons,
            SnapshotDisk: Snapshots(services.arm),
            CreateDirectoryGroup: DirectoryGroups(services.graph),
            GrantRole: Grants(services.arm, services.graph, groups, promises(plan)),
            AddMember: Members(services.graph, groups, clock),
            RetractAssignment: Retractions(services.classic, clock),
        }

    def of(self, operation: Operation) -> Handler[Any]:
        return self._table[type(operation)]
