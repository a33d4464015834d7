"""Objects of Windows Virtual Desktop (classic), normalised: enums by name, times as ISO UTC, secrets left out.

Keys are those of `model.ids`. `extra` holds the properties that this version has no field for, as they were read, so
that later properties are carried or reported and never dropped. Source of shapes: facts/classic-service 1.
"""

from enum import StrEnum
from typing import Any

import msgspec


class LoadBalancer(StrEnum):
    BREADTH_FIRST = "BreadthFirst"
    DEPTH_FIRST = "DepthFirst"
    PERSISTENT = "Persistent"


class AssignmentType(StrEnum):
    AUTOMATIC = "Automatic"
    DIRECT = "Direct"


class GroupKind(StrEnum):
    REMOTE_APP = "RemoteApp"
    DESKTOP = "Desktop"


class CommandLine(StrEnum):
    DO_NOT_ALLOW = "DoNotAllow"
    ALLOW = "Allow"
    REQUIRE = "Require"


class ClassicObject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all have: `key`, unknown properties, and the index of its origin in the inventory's `origins`."""

    key: str
    extra: dict[str, Any] = {}
    origin: int = 0


class TenantGroup(ClassicObject, frozen=True, kw_only=True):
    """Key: its name."""

    friendly_name: str | None = None
    description: str | None = None


class Tenant(ClassicObject, frozen=True, kw_only=True):
    """Key: `tenant group/tenant`. Secrets are only known to be set or not."""

    aad_tenant_id: str | None = None
    friendly_name: str | None = None
    description: str | None = None
    azure_subscription_id: str | None = None
    sso_adfs_authority: str | None = None
    sso_client_id: str | None = None
    sso_secret_type: str | None = None
    sso_secret_set: bool = False
    log_analytics_workspace_id: str | None = None
    log_analytics_key_set: bool = False


class HostPool(ClassicObject, frozen=True, kw_only=True):
    """Key: `tenant group/tenant/pool`. `max_session_limit` counts sessions per host; 999999 means none set."""

    personal: bool = False
    friendly_name: str | None = None
    description: str | None = None
    custom_rdp_property: str | None = None
    max_session_limit: int | None = None
    load_balancer: LoadBalancer = LoadBalancer.BREADTH_FIRST
    assignment: AssignmentType | None = None
    validation: bool = False
    ring: int | None = None


class AppGroup(ClassicObject, frozen=True, kw_only=True):
    """Key: `tenant group/tenant/pool/group`."""

    kind: GroupKind
    friendly_name: str | None = None
    description: str | None = None


class Desktop(ClassicObject, frozen=True, kw_only=True):
    """Key: its app group's. One per Desktop group."""

    name: str = "Remote Desktop"
    friendly_name: str | None = None
    description: str | None = None
    show_in_web_feed: bool | None = None


class RemoteApp(ClassicObject, frozen=True, kw_only=True):
    """Key: `tenant group/tenant/pool/group/app`."""

    file_path: str | None = None
    app_alias: str | None = None
    command_line_setting: CommandLine = CommandLine.DO_NOT_ALLOW
    required_command_line: str | None = None
    friendly_name: str | None = None
    description: str | None = None
    icon_path: str | None = None
    icon_index: int | None = None
    show_in_web_feed: bool | None = None


class Assignment(ClassicObject, frozen=True, kw_only=True):
    """A person given an app group. Key: the group's. The same person in two casings of the UPN is one assignment."""

    upn: str


class SessionHost(ClassicObject, frozen=True, kw_only=True):
    """Key: `tenant group/tenant/pool/fqdn`. Live values (sessions, heartbeat, status) are as of `origin`."""

    allow_new_session: bool = True
    assigned_user: str | None = None
    azure_vm_id: str | None = None
    azure_resource_id: str | None = None
    sessions: int | None = None
    status: str | None = None
    last_heartbeat: str | None = None
    agent_version: str | None = None
    os_version: str | None = None
    sxs_stack_version: str | None = None
    update_state: str | None = None
    last_update_at: str | None = None
    update_error: str | None = None
    health: dict[str, str] = {}
    """Name of a health check -> its outcome, both as the agent names them."""
    status_at: str | None = None
    """When the status was seen; only old cmdlets say so."""


class UserSession(ClassicObject, frozen=True, kw_only=True):
    """Key: `tenant group/tenant/pool/fqdn/session id`."""

    upn: str
    session_id: int
    state: str
    application_type: str | None = None
    created_at: str | None = None
    ad_user_name: str | None = None


class RoleAssignment(ClassicObject, frozen=True, kw_only=True):
    """Key: its scope without the leading slash (empty for the deployment). `role` like `RDS Owner`."""

    role: str
    object_id: str | None = None
    object_type: str | None = None
    sign_in_name: str | None = None
    app_id: str | None = None
    display_name: str | None = None
    assignment_id: str | None = None
    group_object_id: str | None = None
    aad_tenant_id: str | None = None
