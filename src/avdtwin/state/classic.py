"""The classic service."""

import msgspec


class RemoteApp(msgspec.Struct):
    name: str
    file_path: str | None = None
    app_alias: str | None = None
    command_line_setting: int = 0
    description: str | None = None
    friendly_name: str | None = None
    icon_index: int | None = 0
    icon_path: str | None = None
    required_command_line: str | None = None
    show_in_web_feed: bool | None = True


class PublishedDesktop(msgspec.Struct):
    name: str = "Remote Desktop"
    friendly_name: str | None = None
    description: str | None = "The default Session Desktop"
    show_in_web_feed: bool | None = None


class AppGroup(msgspec.Struct):
    name: str
    resource_type: int = 0
    """0 RemoteApp, 1 Desktop."""
    description: str | None = None
    friendly_name: str | None = None
    users: dict[str, str] = {}
    """Lower-cased UPN -> UPN as it was given."""
    apps: dict[str, RemoteApp] = {}
    desktop: PublishedDesktop | None = None


class RegistrationInfo(msgspec.Struct):
    token: str
    expires_at: float


class ClassicHost(msgspec.Struct):
    """A session host record of the classic service. It appears when an agent registers and stays until removed."""

    name: str
    """FQDN."""
    vm: str | None
    """Key into `WorldState.machines`; None for a record whose VM is gone."""
    allow_new_session: bool = True
    azure_vm_id: str | None = None
    azure_resource_id: str | None = None
    agent_version: str = "1.0.2990.1500"
    assigned_user: str | None = None
    os_version: str = "10.0.19044"
    sxs_version: str = "rdp-sxs210806001"
    registered_at: float = 0.0
    last_heartbeat: float | None = None
    """The last one before the agent left; while it is connected the live value is computed (`windows.heartbeat`)."""
    status_when_silent: int = 6
    update_state: int = 3
    last_update_at: float | None = None


class ClassicHostPool(msgspec.Struct):
    name: str
    friendly_name: str | None = None
    description: str | None = None
    persistent: bool = False
    custom_rdp_property: str | None = None
    max_session_limit: int = 999999
    load_balancer_type: int = 0
    """0 BreadthFirst, 1 DepthFirst, 2 Persistent."""
    validation_env: bool = False
    ring: int | None = None
    assignment_type: int | None = None
    """1 Automatic, 2 Direct, None on pooled ones."""
    registration: RegistrationInfo | None = None
    groups: dict[str, AppGroup] = {}
    hosts: dict[str, ClassicHost] = {}


class ClassicTenant(msgspec.Struct):
    name: str
    aad_tenant_id: str
    friendly_name: str | None = None
    description: str | None = None
    sso_adfs_authority: str | None = None
    sso_client_id: str | None = None
    sso_client_secret: str | None = None
    sso_secret_type: int | None = None
    azure_subscription_id: str | None = None
    log_analytics_workspace_id: str | None = None
    log_analytics_primary_key: str | None = None
    pools: dict[str, ClassicHostPool] = {}


class ClassicTenantGroup(msgspec.Struct):
    name: str
    friendly_name: str | None = None
    description: str | None = None
    tenants: dict[str, ClassicTenant] = {}


class ClassicRoleAssignment(msgspec.Struct):
    id: str
    scope: str
    """`/Tenant Group/Tenant/Pool/Group` in plain text; `/` is the deployment."""
    role: str
    """`RDS Owner`, `RDS Contributor`, `RDS Reader` or `RDS Operator`."""
    object_id: str
    object_type: str
    display_name: str | None = None
    sign_in_name: str | None = None
    group_object_id: str | None = None
    app_id: str | None = None
    aad_tenant_id: str | None = None


class Classic(msgspec.Struct):
    alive: bool = True
    """False once the service has been switched off: every call then fails as a dead name would."""
    groups: dict[str, ClassicTenantGroup] = {}
    role_assignments: dict[str, ClassicRoleAssignment] = {}
    removed_hosts: list[str] = []
