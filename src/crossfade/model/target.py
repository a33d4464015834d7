"""Objects on the ARM side and in the directory, as they are. Property names keep their wire spelling."""

from typing import Any

import msgspec


class ArmObject(msgspec.Struct, frozen=True, kw_only=True):
    """A resource as a service answered it. `type` in the provider's declared casing (`Microsoft.DesktopVirtualization/
    hostPools`), whatever casing came back; `properties` without icons and secrets."""

    id: str
    type: str
    name: str
    location: str | None = None
    tags: dict[str, str] = {}
    properties: dict[str, Any] = {}


class RoleGrant(msgspec.Struct, frozen=True, kw_only=True):
    """An Azure role assignment. `role` is the role definition's GUID."""

    id: str
    scope: str
    role: str
    principal_id: str
    principal_type: str
    condition: str | None = None


class RolePermission(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a role definition: what it allows, without what it excludes."""

    actions: list[str] = []
    not_actions: list[str] = []
    data_actions: list[str] = []
    not_data_actions: list[str] = []


class RoleDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A role as the service defines it. `id`: its GUID; `custom`: the customer's own."""

    id: str
    name: str
    custom: bool = False
    permissions: list[RolePermission] = []


class VirtualMachine(msgspec.Struct, frozen=True, kw_only=True):
    """`power` is running, deallocated, stopped, starting or unknown; `agent_ready` None when nobody said."""

    id: str
    name: str
    vm_id: str | None = None
    computer_name: str | None = None
    location: str | None = None
    power: str = "unknown"
    agent_ready: bool | None = None
    tags: dict[str, str] = {}


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A UPN looked up in the directory. `state`: found, disabled, missing, ambiguous or unread (with `why`)."""

    upn: str
    object_id: str | None = None
    state: str = "found"
    why: str = ""


class DirectoryGroup(msgspec.Struct, frozen=True, kw_only=True):
    """An Entra group and the object ids of its users, those of nested groups included."""

    id: str
    display_name: str
    members: list[str] = []


class CandidateGroup(msgspec.Struct, frozen=True, kw_only=True):
    """An existing Entra group that could publish something. `members`: object ids of its users, those of nested groups
    included, sorted; `complete` False: they were not all read; `names`: id -> UPN of the first few whom the estate does
    not list. `rule`: of a dynamic group, else empty; `owners`: UPNs
    or names; `changed_at`: ISO time of the last synchronisation, where there is one."""

    id: str
    display_name: str
    members: list[str] = []
    names: dict[str, str] = {}
    complete: bool = True
    owners: list[str] = []
    rule: str = ""
    description: str = ""
    role_assignable: bool = False
    security_enabled: bool = True
    unified: bool = False
    synchronised: bool = False
    created_at: str = ""
    changed_at: str = ""


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller may do at a scope, one entry of the permissions API."""

    scope: str
    actions: list[str] = []
    not_actions: list[str] = []
