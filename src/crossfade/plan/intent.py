"""The operator's intent: what `crossfade.toml` says, as types with their defaults. Read by `intent_reader`."""

import msgspec

from crossfade.model.growth import Growth
from crossfade.model.ids import same

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Azure(msgspec.Struct, frozen=True, kw_only=True):
    """Where the new objects go. `location` holds their metadata; it is not where VMs are."""

    tenant_id: str = ""
    subscription: str = ""
    location: str = ""
    resource_group: str = "rg-avd-{tenant}"


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Templates; `{tenant}`, `{pool}`, `{group}`, `{location}` stand for the classic names."""

    workspace: str = "{tenant}"
    host_pool: str = "{pool}"
    desktop_group: str = "{pool}-DAG"
    remote_app_group: str = "{pool}-{group}"
    directory_group: str = "AVD {pool} {group}"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Up to `direct_threshold` people of an app group are assigned one by one, more through a new Entra group.
    `group_owners`: UPNs of who owns the new groups; `group_description`: a template like those of names. The others:
    whether existing groups of these kinds are proposed, `propose` or `never`."""

    direct_threshold: int = 150
    group_owners: list[str] = []
    group_description: str = "May open {group} of {pool}"
    dynamic_groups: str = "propose"
    synchronised_groups: str = "propose"


class Waves(msgspec.Struct, frozen=True, kw_only=True):
    """`headroom`: seats kept free beyond demand, as a share. `expected_share`: peak sessions per assigned person, where
    the inventory does not show more."""

    canary_wave: int = 4
    size: int = 10
    parallel_moves: int = 10
    headroom: float = 0.2
    expected_share: float = 0.35
    reserve_share: float = 0.25
    soak_minutes: float = 10.0
    failure_budget: int = 2
    run_failure_budget: int = 10
    owner: str = ""
    last_wave_due_hours: float = 72.0
    canary_return: bool = True
    repoint: bool = False
    people_gate: str = "none"
    completion_wait_days: float = 7.0


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to people on a draining host."""

    grace_minutes: float = 15.0
    drain_timeout_hours: float = 24.0
    disconnected: str = "log-off-after-grace"
    active: str = "wait"
    message_title: str = "Your desktop service is moving"
    message_body: str = (
        "This computer will be serviced. Please save your work and sign out when you can; "
        "you can sign in again at once."
    )
    quiet_from: str = "20:00"
    quiet_to: str = "05:00"
    quiet_utc_offset_hours: float = 0.0


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """What people are told when the new service is theirs. The feed address is Microsoft's (facts/classic-service 2.1,
    confirmed); that of the web client is the one in common use."""

    contact: str = "your service desk"
    reminder_hours: float = 24.0
    reminders: int = 2
    feed_address: str = "https://rdweb.wvd.microsoft.com/api/arm/feeddiscovery"
    web_address: str = "https://client.wvd.microsoft.com/arm/webclient/"


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """Executables of the operator's own, by moment; empty for none. Relative to the folder of the migration."""

    before_run: str = ""
    after_run: str = ""
    before_wave: str = ""
    after_wave: str = ""
    before_host: str = ""
    after_host: str = ""
    before_rollback: str = ""
    after_rollback: str = ""
    before_host_back: str = ""
    after_host_back: str = ""
    before_complete: str = ""
    after_complete: str = ""
    at_gate: str = ""
    at_notice: str = ""
    deadline_seconds: float = 300.0

    def paths(self) -> dict[str, str]:
        """Moment -> path."""
        names = [field.name for field in msgspec.structs.fields(type(self)) if field.type is str]
        return {name: getattr(self, name) for name in names}


class Installers(msgspec.Struct, frozen=True, kw_only=True):
    """Where the two installers are on each VM, and where staging may fetch them from when they are not."""

    agent: str = r"C:\ProgramData\Crossfade\Microsoft.RDInfra.RDAgent.Installer-x64.msi"
    boot_loader: str = r"C:\ProgramData\Crossfade\Microsoft.RDInfra.RDAgentBootLoader.Installer-x64.msi"
    agent_url: str = ""
    boot_loader_url: str = ""
    broker_url: str = "https://rdbroker.wvd.microsoft.com"
    agent_version: str = ""
    signer: str = "Microsoft Corporation"
    minimum_free_bytes: int = 1_000_000_000


class Diagnostics(msgspec.Struct, frozen=True, kw_only=True):
    """`workspace`: id of the Log Analytics workspace that gets the logs of every new object; empty: nothing is set.
    `name`: what the diagnostic settings are called."""

    workspace: str = ""
    name: str = "crossfade"


class Scaling(msgspec.Struct, frozen=True, kw_only=True):
    """What the classic scaling script was told for one pool, under its parameters' names: BeginPeakTime, EndPeakTime,
    SessionThresholdPerCPU, MinimumNumberOfRDSH, LimitSecondsToForceLogOffUser, LogOffMessage…, MaintenanceTagName.
    `time_zone`: Windows' name of the zone, in the place of TimeDifference. `enable`: after the pool's last host."""

    begin_peak: str
    end_peak: str
    time_zone: str
    cpus_per_host: int
    sessions_per_cpu: float = 1.0
    minimum_hosts: int = 1
    force_log_off_seconds: int = 0
    message_title: str = ""
    message_body: str = ""
    exclusion_tag: str = ""
    days: list[str] = []
    enable: bool = False


class PoolIntent(msgspec.Struct, frozen=True, kw_only=True):
    """What differs for one pool; empty means "as above", or as in classic. `outage` lets a pool of one host move while
    it is empty."""

    name: str = ""
    location: str = ""
    resource_group: str = ""
    expected_share: float | None = None
    outage: str = "never"
    owner: str = ""
    skip: bool = False
    preferred: str = ""
    load_balancer: str = ""
    start_vm_on_connect: bool = False
    open_drained: bool = False
    disk_snapshot: bool = False


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that somebody answers for, by name, until a day (ISO)."""

    finding: str
    by: str
    reason: str
    until: str


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decides. `rename`: classic key -> the name its ARM object gets. `conflicts`: ARM id (or
    `group:<mail nickname>`) -> `update` or `adopt`, where an object exists and differs. `groups`: app group key -> ids
    of existing Entra groups that publish it. `roles`: id of a role proposal -> `grant` or `skip`. `people`: UPN that
    the directory does not know -> who it is now: a UPN, an object id, or `leave out: <reason>`. `single_sign_on`:
    tenant key -> where in Key Vault the secret of its AD FS single sign-on is. `scaling`: pool key -> its script."""

    azure: Azure = Azure()
    names: Names = Names()
    rename: dict[str, str] = {}
    tags: dict[str, str] = {}
    growth: Growth = Growth()
    access: Access = Access()
    waves: Waves = Waves()
    sessions: Sessions = Sessions()
    notices: Notices = Notices()
    hooks: Hooks = Hooks()
    installers: Installers = Installers()
    diagnostics: Diagnostics = Diagnostics()
    pools: dict[str, PoolIntent] = {}
    accepted: list[Accepted] = []
    conflicts: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    roles: dict[str, str] = {}
    people: dict[str, str] = {}
    single_sign_on: dict[str, str] = {}
    scaling: dict[str, Scaling] = {}

    def pool(self, key: str) -> PoolIntent:
        """What was said about a pool, compared without case; an empty one when nothing was."""
        return next((pool for name, pool in self.pools.items() if same(name, key)), PoolIntent())


def minutes_of(text: str) -> int:
    """Of the day, of `hh:mm`."""
    return int(text[:2]) * 60 + int(text[3:])
