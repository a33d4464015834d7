"""The ARM side as it is, as a document: objects, grants, machines, identities, quotas, and what could not be read."""

from typing import Any, ClassVar

import msgspec

from crossfade.inventory.documents import digest
from crossfade.inventory.inventory import Gap, Origin
from crossfade.model.ids import fold
from crossfade.model.sign_in import SignInPolicy
from crossfade.model.target import (
    ArmObject,
    CandidateGroup,
    DirectoryGroup,
    Identity,
    Permission,
    RoleDefinition,
    RoleGrant,
    VirtualMachine,
)

HOST_LIVE_VALUES = frozenset(
    {
        "status",
        "statusTimestamp",
        "lastHeartBeat",
        "lastUpdateTime",
        "updateState",
        "updateErrorMessage",
        "sessions",
        "sessionHostHealthCheckResults",
        "agentVersion",
        "osVersion",
        "sxSStackVersion",
    }
)


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """Something the service limits: how much of it there is. `scope` is a subscription or object id, or the tenant."""

    what: str
    scope: str
    used: int
    limit: int


class TargetSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """`providers`: subscription -> namespace -> state of registration. Lists are sorted by folded id, or UPN."""

    FORMAT: ClassVar[str] = "crossfade/target@1"

    format: str = "crossfade/target@1"
    made_at: str = ""
    origins: list[Origin] = []
    tenant_id: str = ""
    caller: str = ""
    subscriptions: list[str] = []
    providers: dict[str, dict[str, str]] = {}
    locations: list[str] = []
    """Where host pool objects may live, as short names (`westeurope`)."""
    objects: list[ArmObject] = []
    grants: list[RoleGrant] = []
    permissions: list[Permission] = []
    machines: list[VirtualMachine] = []
    identities: list[Identity] = []
    directory_groups: list[DirectoryGroup] = []
    candidates: list[CandidateGroup] = []
    """Existing groups that could publish something, where they were asked for. No part of the substance: a plan depends
    only on those it uses, and these are read again before the first write."""
    powerful: list[RoleGrant] = []
    """Grants above the desktop objects whose roles reach them all: owners, contributors, givers of access. Told, and no
    part of the substance: people come and go there without the plan being any different."""
    log_readers: list[RoleGrant] = []
    """Grants of Log Analytics Reader on single workspaces: what a classic operator becomes. No part of the substance:
    a plan depends only on the one that it would make, and whoever writes that looks again."""
    sign_in_policies: list[SignInPolicy] | None = []
    """Conditional Access; None: they could not be read. No part of the substance: they are read again before the first
    write."""
    roles: list[RoleDefinition] = []
    """Definitions of the roles that `grants` and `powerful` name, as far as they could be read. No part of the
    substance."""
    addresses: dict[str, str] = {}
    """Folded UPN that the directory does not know -> UPN of whoever has it as an address today. Hints for whoever
    decides; no part of the substance."""
    principals: dict[str, str] = {}
    """Object id of an application, group or person that administers -> display name, where it was looked up. No part of
    the substance."""
    counts: list[Count] = []
    gaps: list[Gap] = []

    def object(self, resource_id: str) -> ArmObject | None:
        """The object of an id, compared without case, or None."""
        wanted = fold(resource_id)
        return next((item for item in self.objects if fold(item.id) == wanted), None)

    def role(self, role_id: str) -> RoleDefinition | None:
        """The definition of a role's GUID, or None where it was not read."""
        wanted = fold(role_id)
        return next((item for item in self.roles if item.id == wanted), None)

    def identity(self, upn: str) -> Identity | None:
        wanted = fold(upn)
        return next((item for item in self.identities if fold(item.upn) == wanted), None)

    def substance(self) -> dict[str, Any]:
        """What a plan depends on: without times, power states, heartbeats and sessions."""
        return {
            "objects": [_still(item) for item in self.objects],
            "grants": [msgspec.to_builtins(item) for item in self.grants],
            "machines": [(fold(item.id), item.vm_id) for item in self.machines],
            "identities": [msgspec.to_builtins(item) for item in self.identities],
            "directory_groups": [msgspec.to_builtins(item) for item in self.directory_groups],
            "providers": self.providers,
        }

    def design_digest(self) -> str:
        return digest(self.substance())


def _still(item: ArmObject) -> dict[str, Any]:
    raw: dict[str, Any] = msgspec.to_builtins(item)
    raw["properties"] = {name: value for name, value in item.properties.items() if name not in HOST_LIVE_VALUES}
    return raw
