"""Everything the twin knows, as data. A snapshot is this tree encoded; nothing of the twin lives outside it.

Rules: all times are seconds since 1970 UTC (float) or None; dictionaries are keyed by lower-cased names or ids (the
services compare without case) while the values keep the caller's casing; machines are keyed by their lower-cased VM
resource id.
"""

from typing import Any, Literal

import msgspec


class State(msgspec.Struct):
    """Base of all parts of the state: mutable plain data."""


# ---------------------------------------------------------------- Entra and Graph


class User(State):
    id: str
    upn: str
    display_name: str = ""
    enabled: bool = True
    deleted: bool = False
    mail: str | None = None
    on_premises_sam: str | None = None
    created_at: float = 0.0


class Group(State):
    id: str
    display_name: str
    members: dict[str, float] = {}
    """Object id (users or groups) -> since when it counts for access, somewhat after it was added."""
    owners: list[str] = []
    description: str | None = None
    mail_nickname: str = ""
    mail_enabled: bool = False
    security_enabled: bool = True
    group_types: list[str] = []
    membership_rule: str | None = None
    on_premises_sync: bool = False
    role_assignable: bool = False
    created_at: float = 0.0


class ServicePrincipal(State):
    id: str
    app_id: str
    display_name: str
    secret: str | None = None
    created_at: float = 0.0


class DeviceCode(State):
    """A sign-in started on a device that cannot show a page."""

    user_code: str
    device_code: str
    app_id: str
    audience: str
    expires_at: float
    user: str | None = None
    """Object id of who entered the code; None while nobody has."""


class Directory(State):
    tenant_id: str
    domain: str = "contoso.com"
    users: dict[str, User] = {}
    """Object id -> user."""
    groups: dict[str, Group] = {}
    service_principals: dict[str, ServicePrincipal] = {}
    """Object id -> service principal."""
    upns: dict[str, str] = {}
    """Lower-cased UPN -> object id, of users not deleted."""
    conditional_access: list[dict[str, Any]] = []
    replicating: dict[str, float] = {}
    """Object id of something new -> when the rest of the cloud will know it."""
    device_codes: dict[str, DeviceCode] = {}
    """User code -> sign-in that waits for somebody to enter it."""


# ---------------------------------------------------------------- classic


class RemoteApp(State):
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


class PublishedDesktop(State):
    name: str = "Remote Desktop"
    friendly_name: str | None = None
    description: str | None = "The default Session Desktop"
    show_in_web_feed: bool | None = None


class AppGroup(State):
    name: str
    resource_type: int = 0
    """0 RemoteApp, 1 Desktop."""
    description: str | None = None
    friendly_name: str | None = None
    users: dict[str, str] = {}
    """Lower-cased UPN -> UPN as it was given."""
    apps: dict[str, RemoteApp] = {}
    desktop: PublishedDesktop | None = None


class RegistrationInfo(State):
    token: str
    expires_at: float


class ClassicHost(State):
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


class ClassicHostPool(State):
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


class ClassicTenant(State):
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


class ClassicTenantGroup(State):
    name: str
    friendly_name: str | None = None
    description: str | None = None
    tenants: dict[str, ClassicTenant] = {}


class ClassicRoleAssignment(State):
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


class Classic(State):
    alive: bool = True
    """False once the service has been switched off: every call then fails as a dead name would."""
    groups: dict[str, ClassicTenantGroup] = {}
    role_assignments: dict[str, ClassicRoleAssignment] = {}
    removed_hosts: list[str] = []


# ---------------------------------------------------------------- ARM


class Resource(State):
    """Any ARM resource, its `properties` in wire spelling as last stored by the service."""

    id: str
    """Caller's casing."""
    type: str
    """Provider and type, as declared: `Microsoft.DesktopVirtualization/hostPools`."""
    name: str
    """Last segment, caller's casing."""
    properties: dict[str, Any]
    location: str | None = None
    tags: dict[str, str] | None = None
    kind: str | None = None
    created_by: str | None = None
    created_at: float = 0.0
    modified_by: str | None = None
    modified_at: float = 0.0
    secrets: dict[str, Any] = {}
    """What the service keeps and never shows on GET: registration token, protected parameters."""
    vm: str | None = None
    """For session hosts: the machine behind it."""


class RoleAssignment(State):
    id: str
    """Full id, caller's casing."""
    name: str
    scope: str
    role_definition_id: str
    principal_id: str
    principal_type: str
    created_at: float
    effective_at: float
    created_by: str | None = None
    description: str | None = None
    condition: str | None = None
    condition_version: str | None = None


class Subscription(State):
    id: str
    display_name: str
    providers: dict[str, str] = {}
    """Lower-cased namespace -> NotRegistered, Registering or Registered."""


class Operation(State):
    """A long-running operation of ARM: polled until `done_at`, then answers `result`."""

    id: str
    kind: str
    subscription: str
    location: str
    started_at: float
    done_at: float | None
    status: str = "InProgress"
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    target: str = ""


class ImagePackage(State):
    """A package in an image on a file share. `resource` is empty for a main package, else what its part is for."""

    name: str
    version: str
    architecture: str
    publisher: str
    """The hash of the publisher, the last part of a package's full name."""
    resource: str = ""
    display_name: str | None = None
    applications: dict[str, str] = {}
    """Application id -> friendly name."""
    updated_at: float | None = None
    certificate_name: str | None = None
    certificate_expires_at: float | None = None
    timestamped: bool = True


class CustomRole(State):
    """A role definition of the customer's own."""

    guid: str
    name: str
    actions: list[str] = []
    not_actions: list[str] = []
    data_actions: list[str] = []
    not_data_actions: list[str] = []


class Arm(State):
    subscriptions: dict[str, Subscription] = {}
    resources: dict[str, Resource] = {}
    """Lower-cased id -> resource; resource groups too (type `Microsoft.Resources/resourceGroups`)."""
    role_assignments: dict[str, RoleAssignment] = {}
    """Lower-cased full id -> assignment."""
    custom_roles: dict[str, CustomRole] = {}
    """Lower-cased GUID -> role definition; the built-in ones are in `arm.roles`."""
    operations: dict[str, Operation] = {}
    images: dict[str, list[ImagePackage]] = {}
    """Lower-cased path on a file share -> packages of the image there, which session hosts read."""
    deployments: dict[str, dict[str, Any]] = {}
    """Deployment history: lower-cased id -> body as a GET shows it."""


# ---------------------------------------------------------------- machines


class Product(State):
    """An installed MSI."""

    name: str
    version: str
    code: str
    """Product code, `{GUID}`."""


class Service(State):
    name: str
    display_name: str
    state: str = "Running"
    """Running or Stopped."""
    start_type: str = "Automatic"


class Agent(State):
    """What the boot loader and its agent are doing. `service` is where the machine is registered now."""

    service: str | None = None
    """None, `classic` or `arm`."""
    pool: str | None = None
    """Key of the pool there: `tg/tenant/pool` for classic, the lower-cased host pool id for ARM."""
    host_name: str | None = None
    connected_at: float | None = None
    """Since when it has been sending heartbeats; None while it sends none."""
    attempt: int = 0
    """Raised whenever the boot loader starts anew: an event of an older attempt is dropped."""
    last_error: str | None = None
    """`INVALID_REGISTRATION_TOKEN` and the like, as in the event log."""
    healthy_at: float | None = None
    """From when its health checks pass, while it is connected."""
    last_heartbeat: float | None = None
    """The last one it sent before it left."""
    updating_to: str | None = None
    """The version that it is installing just now."""
    update_failed: bool = False


class AgentRelease(State):
    """The newest agent that the service hands out, and how long its roll-out to hosts that run takes."""

    version: str
    at: float
    within_s: float


class Script(State):
    """A run command on a machine, from the moment it was asked for until it has ended; then it is dropped."""

    key: str
    kind: str
    """`action` or `managed`."""
    target: str
    """Action: id of the operation. Managed: key of the run command's resource."""
    script: str
    parameters: list[list[str]]
    """Pairs of name and value, protected ones too: the reason why an ended script is dropped."""
    timeout_s: float
    asked_at: float
    started_at: float | None = None
    changes: list[list[Any]] = []
    """What it does to the machine, with the second of the script; applied at its end."""
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    duration_s: float = 0.0


class Machine(State):
    """A VM and the inside of it as far as a move touches it."""

    vm: str
    """Its key: the lower-cased resource id."""
    resource_id: str
    vm_id: str
    computer_name: str
    fqdn: str
    power: str = "running"
    """running, deallocated, stopped, starting, deallocating."""
    guest_agent_ready: bool = True
    pending_reboot: bool = False
    booted_at: float = 0.0
    boot: int = 0
    """Raised by every start, restart and power-off: an event of an older one is dropped."""
    boot_due: float | None = None
    """When the start under way will be through."""
    scripts: dict[str, Script] = {}
    """Run commands under way, by key."""
    msi_exit_codes: list[int] = []
    """What the next runs of msiexec answer instead of doing their work; 0 lets one through."""
    products: list[Product] = []
    registry: dict[str, dict[str, Any]] = {}
    """Key path, lower-cased, hive spelled out (`hklm:\\software\\microsoft\\rdinfraagent`) -> value name -> value."""
    registry_acl: dict[str, str] = {}
    """Key path -> `SYSTEM` where only SYSTEM may read."""
    volatile_keys: list[str] = []
    """Keys that the next start of Windows forgets."""
    services: dict[str, Service] = {}
    files: dict[str, dict[str, Any]] = {}
    """Lower-cased path -> {size, signed_by, version, product} of files that matter (installers, logs)."""
    agent: Agent = msgspec.field(default_factory=Agent)
    busy_until: float | None = None
    """An action run command is running until then."""
    run_commands: dict[str, str] = {}
    """Name of a managed run command -> resource id."""
    quirks: list[str] = []
    """`never-registers`, `slow-agent`, `no-disk`, `msi-blocked`, `off-for-weeks`, `guest-agent-missing` …"""
    free_disk_bytes: int = 40_000_000_000
    profile_share: str = ""
    """Where the profile containers of its people lie: a container is held by one session at a time. Empty: profiles
    are local, as on personal machines."""
    next_session_id: int = 2


class Session(State):
    """A Windows session on a machine, brokered by one of the services."""

    key: str
    machine: str
    id: int
    service: str
    """`classic` or `arm`: whose broker made it."""
    pool: str
    user: str
    """Object id."""
    upn: str
    application_type: str = "Desktop"
    state: str = "Active"
    """Active or Disconnected."""
    created_at: float = 0.0
    disconnected_at: float | None = None
    warned_at: float | None = None
    """When the first message of an administrator reached it since it was made."""
    never_ends: bool = False
    client: str = ""
    connection: str = ""
    """Correlation id of the client's connection, where a log is kept of it; empty when there is none."""
    connected_at: float | None = None


# ---------------------------------------------------------------- people


class Person(State):
    """A simulated user: when they work, with which client, what they open."""

    user: str
    """Object id."""
    upn: str
    utc_offset_h: float = 0.0
    shift_start_h: float = 9.0
    """Local hour of the day; sign-ins happen inside shifts on workdays."""
    shift_hours: float = 8.0
    workdays: list[int] = msgspec.field(default_factory=lambda: [0, 1, 2, 3, 4])
    sign_ins_per_day: int = 2
    client: str = "new"
    """`new` (both feeds), `old` (classic feed until it is refreshed), `web`, `thin`."""
    sees_arm_since: float | None = None
    """When their client first showed the new feed."""
    resources: list[str] = []
    """What they open, by classic path `tenant group/tenant/pool/group/item`; the twin maps it to what they see."""
    leaves_session_open: float = 0.1
    """Chance of disconnecting instead of signing out."""
    simulated: bool = True
    attempt: int = 0
    """Raised by everything the person turns to: what they were about to do before is off."""
    feed_read_at: float | None = None
    """When their client last read the feeds."""
    no_path_since: float | None = None
    """Since when they have had no way to what they want, in their own trying."""
    found_at: dict[str, str] = {}
    """Where in the new feed they found a resource last: its classic path -> id of the application group."""
    sign_ins: int = 0
    """Connections that worked, to either service."""
    arm_sign_ins: int = 0


class Titles(State):
    """What people know a resource by; it outlives the classic record."""

    kind: str
    """Desktop or RemoteApp."""
    pool: list[str]
    group: list[str]
    item: list[str]


class Record(State):
    """One thing that happened to somebody or something: a refused sign-in, a lost session, a locked profile."""

    at: float
    kind: str
    data: dict[str, Any] = {}


class LogRow(State, array_like=True):
    """A row of a Log Analytics workspace. `at` is when it was written; its values hold their own `TimeGenerated`."""

    at: float
    table: str
    values: dict[str, Any]


class FaultMatch(State, omit_defaults=True, forbid_unknown_fields=True):
    """Whom and when a fault strikes; what is left out matches everything (see `faults`)."""

    service: str | None = None
    """`arm`, `classic`, `graph`, `entra` or `logs`, or a provider of ARM by the end of its name: `compute`."""
    method: str | list[str] | None = None
    route: str | None = None
    """`hostPools/{pool}/sessionHosts`: the end of a path; a leading slash means the whole path; `*` any rest."""
    host: str | None = None
    """Glob over the names of machines."""
    nth: int | list[int] | None = None
    """Which of the matching calls or moments, counted from 1."""
    every: int | None = None
    start: float | None = msgspec.field(name="from", default=None)
    """Seconds after the fault was put in."""
    until: float | None = None
    """Seconds after the fault was put in."""
    probability: float = 1.0


class FaultCall(State, omit_defaults=True, forbid_unknown_fields=True):
    """A call that somebody else makes."""

    method: str
    path: str
    """With query; `.` is the path of the call that it goes with."""
    body: Any = None
    upn: str = "somebody.else@twin.invalid"


class Fault(State, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Something that goes wrong. Which members a kind takes is said in `faults.KINDS`."""

    kind: str
    name: str = ""
    match: FaultMatch = msgspec.field(default_factory=FaultMatch)
    times: int | None = None
    """How often it strikes at most."""
    when: Literal["before", "after"] = "before"
    """Before or after the call has had its effect."""
    seconds: float | tuple[float, float] | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after_s: int | None = None
    fraction: float | None = None
    call: FaultCall | None = None
    put_in_at: float | None = None
    seen: int = 0
    """How many calls or moments matched so far."""
    struck: int = 0
    hosts: list[str] = []
    """Machines that it holds now, by key."""


class StaleAnswer(State):
    """An answer to a GET that is given again until a moment."""

    until: float
    status: int
    headers: dict[str, str]
    body: Any


class DueEvent(State, array_like=True, order=True):
    due: float
    seq: int
    kind: str
    args: dict[str, Any]


VERSION = 1
"""Of the form of a snapshot; goes up when an older twin could not read a newer one's."""


class WorldState(State, kw_only=True):
    """The root. `now` is how far the world has been settled."""

    version: int = VERSION
    seed: int = 0
    now: float = 0.0
    next_seq: int = 0
    draws: dict[str, int] = {}
    """Stream name -> how many numbers were drawn from it."""
    directory: Directory
    classic: Classic = msgspec.field(default_factory=Classic)
    arm: Arm = msgspec.field(default_factory=Arm)
    machines: dict[str, Machine] = {}
    sessions: dict[str, Session] = {}
    people: dict[str, Person] = {}
    """Object id -> person."""
    events: list[DueEvent] = []
    records: list[Record] = []
    logs: dict[str, list[LogRow]] = {}
    """Customer id of a Log Analytics workspace -> its rows, in the order in which they were written."""
    health_reports: bool = False
    """Whether the next round of agents' reports is due (see `agent_reports`)."""
    titles: dict[str, Titles] = {}
    """What people know a resource by, by its classic path (see `Person.resources`)."""
    series: list[tuple[float, int, int, int]] = []
    """(moment, sessions by classic, sessions by ARM, machines on the move), every quarter of an hour."""
    tallies: dict[str, float] = {}
    """What happened too often to be a record, counted by name (see `people.tally`)."""
    calls: dict[str, int] = {}
    """`service METHOD status` -> how many."""
    limits: dict[str, Any] = {}
    """Token buckets and windows, by name (see `limits`)."""
    settings: dict[str, Any] = {}
    """Tunable rules, by name (see `settings.DEFAULTS`)."""
    agent_release: AgentRelease | None = None
    faults: list[Fault] = []
    stale_answers: dict[str, StaleAnswer] = {}
    """Service, path and query -> what a reader behind the times gets."""
