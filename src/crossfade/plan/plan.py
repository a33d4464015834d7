"""The plan: what will be written, who will be moved when, and what cannot be taken back. Apply decides nothing new."""

from typing import Any, ClassVar

import msgspec

from crossfade.inventory.documents import digest
from crossfade.plan.feed_title import FeedTitle
from crossfade.plan.group_choice import Proposal
from crossfade.plan.operations import AnyOperation
from crossfade.plan.quotas import Quota
from crossfade.plan.role_proposal import RoleProposal


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody answers for a finding until a day (ISO); copied from the intent, so that the record has it."""

    finding: str
    by: str
    reason: str
    until: str


class NameMapping(msgspec.Struct, frozen=True, kw_only=True):
    """A classic key and the ARM id it becomes. `changed`: why the name differs, empty when it does not."""

    source: str
    target: str
    changed: str = ""


class NotCarried(msgspec.Struct, frozen=True, kw_only=True):
    """A classic property without a counterpart, with its value: reported, never silently dropped."""

    subject: str
    property: str
    value: Any
    why: str


class GroupAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How the people of one app group get the target group. `way`: direct or directory-group. `people`: folded UPN ->
    object id; `missing`: UPN -> why it could not be resolved (a named placeholder, never dropped). `existing`:
    nicknames of operations that stand for groups which were there before, and which the operator said yes to."""

    source: str
    target: str
    way: str
    directory_group: str | None = None
    existing: list[str] = []
    people: dict[str, str] = {}
    missing: dict[str, str] = {}


class HostMove(msgspec.Struct, frozen=True, kw_only=True):
    """One session host and where it goes. `vm` is a resource id; `assigned_user` a UPN on personal pools."""

    source: str
    """Classic key: tenant group/tenant/pool/fqdn."""
    host_name: str
    vm: str
    source_pool: str
    target_pool: str
    personal: bool
    capacity: int
    assigned_user: str | None = None
    prior_allow_new_session: bool = True
    stays_closed: bool = False
    """Drained in classic, and so on the target: no seats, `capacity` 0 in a pooled pool."""
    snapshot: str = ""
    """Id of the operation that takes a snapshot of its OS disk before it is touched; empty for none."""
    start: bool = False
    """The VM was off at plan time: the run starts it, and deallocates it again when its host is confirmed and empty."""


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """What moves together. `kind`: canary-host, canary-wave, wave or last-wave (hosts that carry the last classic seats
    of their pools, moved only once their people have been seen on the target or at the due date); restore-wave (a pool
    of an estate whose classic service has gone, begun side by side with the others, its people published at once).
    `hosts`: classic keys in order; `publish`: ids of the access operations done when the wave's hosts accept sessions
    (personal hosts: the ids of that host's person are in `publish_by_host` and done when that host accepts)."""

    id: str
    kind: str
    hosts: list[str]
    publish: list[str] = []
    publish_by_host: dict[str, list[str]] = {}
    retract: list[str] = []
    """Operations that take people out of classic before these hosts, the last of their pools, leave it."""
    retract_by_host: dict[str, list[str]] = {}
    cohort: list[str] = []
    """Folded UPNs of the people published with this wave."""


class PoolPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the seat gate needs to know of one pool. Seats are sessions. `expected_share`: peak sessions per person."""

    source: str
    target: str
    personal: bool
    capacity: int
    host_count: int
    people: int
    expected_share: float
    owner: str = ""
    """Who sees to its hosts in quarantine; empty: whom the settings name."""
    late: list[str] = []
    """Ids of operations done after the pool's last host."""
    outage: bool = False
    """Its seats are too few for both sides, and somebody allowed it an outage: all its hosts move in one wave."""

    @property
    def at_one_go(self) -> bool:
        """Whether its hosts move while nobody is signed in, and its people change over after them: none of its seats is
        ever offered on both sides."""
        return self.outage or self.host_count == 1


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's choices that apply needs, copied from the intent so that a plan stands by itself. Seconds."""

    headroom: float = 0.2
    parallel_moves: int = 10
    grace_s: float = 900.0
    drain_timeout_s: float = 86_400.0
    disconnected: str = "log-off-after-grace"
    """What happens to disconnected sessions on a draining host: log-off-after-grace, or wait."""
    active: str = "wait"
    """What happens to active ones: wait, or log-off-after-grace (never the default)."""
    message_title: str = ""
    message_body: str = ""
    step_timeout_s: float = 1_800.0
    soak_s: float = 600.0
    last_wave_due_s: float = 259_200.0
    """How long the last wave may wait for people to be seen on the target, from its first try; then it goes on and
    lists the rest by name."""
    failure_budget: int = 2
    """Hosts of one wave that may fail before the run holds; `run_failure_budget`: of all waves."""
    run_failure_budget: int = 10
    owner: str = ""
    """Who sees to hosts in quarantine, where the pool names nobody."""
    installers: dict[str, str] = {}
    repoint: bool = False
    canary_return: bool = True
    """The canary host goes forward, back, and forward for good, before anything else moves."""
    quiet_hours: dict[str, Any] = {}
    people_gate: str = "none"
    """`waves`: each wave waits for somebody's yes after its soak time."""
    completion_wait_s: float = 604_800.0
    """How long after its end a run is left alone before `complete` may remove the classic objects."""
    reminder_s: float = 86_400.0
    """How long after a notice somebody who was not seen on the target is reminded, `reminders` times at most."""
    reminders: int = 2
    hooks: dict[str, str] = {}
    """Moment (before_wave and so on) -> path of an executable, relative to the folder of the migration."""
    hook_deadline_s: float = 300.0
    contact: str = "your service desk"
    feed_address: str = "https://rdweb.wvd.microsoft.com/api/arm/feeddiscovery"
    web_address: str = "https://client.wvd.microsoft.com/arm/webclient/"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`inputs`: name -> digest. `operations`: in the order of writing (objects first), access ones named by waves."""

    FORMAT: ClassVar[str] = "crossfade/plan@1"

    format: str = "crossfade/plan@1"
    inputs: dict[str, str] = {}
    left_out: list[str] = []
    """Classic keys of the pools that the operator leaves on classic: what becomes of them is nothing to this plan."""
    scope: dict[str, str] = {}
    """Digests of what the plan depends on in `inventory` and `target`, see `plan.scope`: the run is refused when one of
    these has changed. Plans of earlier versions have none, and depend on the whole of both."""
    mode: str = "crossfade"
    tenant_id: str = ""
    subscription: str = ""
    names: list[NameMapping] = []
    operations: list[AnyOperation] = []
    access: list[GroupAccess] = []
    pools: list[PoolPlan] = []
    hosts: list[HostMove] = []
    waves: list[Wave] = []
    settings: Settings = Settings()
    not_carried: list[NotCarried] = []
    accepted: list[str] = []
    """Ids of findings that somebody answers for, by name, in the intent."""
    answered: list[Answered] = []
    """Who answers for each of them, why and until when."""
    notes: list[str] = []
    renamed: dict[str, str] = {}
    """Folded classic UPN -> the UPN of today, where the operator said so."""
    looked_up: list[str] = []
    """UPNs and object ids that the operator named for them: apply and verify look them up too."""
    proposals: list[Proposal] = []
    """Existing Entra groups that would do; data, not operations, until a yes."""
    roles: list[RoleProposal] = []
    """Azure roles in the place of classic ones; likewise."""
    quotas: list[Quota] = []
    """Limits of the service, before and after."""
    titles: list[FeedTitle] = []
    """What people read in their feed, before and after."""

    def digest(self) -> str:
        """Digest of the whole plan: what a run is known by."""
        return digest(self)

    def operation(self, operation_id: str) -> AnyOperation:
        """The operation of an id. Raises KeyError."""
        found = {operation.id: operation for operation in self.operations}
        return found[operation_id]
