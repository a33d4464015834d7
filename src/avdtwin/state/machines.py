"""Virtual machines, the inside of them, and the sessions on them."""

from typing import Any

import msgspec


class Product(msgspec.Struct):
    """An installed MSI."""

    name: str
    version: str
    code: str
    """Product code, `{GUID}`."""


class Service(msgspec.Struct):
    name: str
    display_name: str
    state: str = "Running"
    """Running or Stopped."""
    start_type: str = "Automatic"


class Agent(msgspec.Struct):
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


class AgentRelease(msgspec.Struct):
    """The newest agent that the service hands out, and how long its roll-out to hosts that run takes."""

    version: str
    at: float
    within_s: float


class Script(msgspec.Struct):
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


class Machine(msgspec.Struct):
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


class Session(msgspec.Struct):
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
