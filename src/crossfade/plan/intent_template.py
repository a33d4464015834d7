"""The `crossfade.toml` that `init` writes: every setting with its value and a word on what it does, pools by name.

`read_intent` of what is rendered gives the same intent. What only the operator can decide is there as a comment, ready
to be taken out of it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import HostPool
from crossfade.model.ids import fold, parent_key
from crossfade.plan.intent import Accepted, Intent, PoolIntent, Scaling

HEAD = """\
What this migration is meant to do. Crossfade reads it at `crossfade plan`; nothing here is written to either service
by itself. Lines that begin with # are comments: take the # away to use what they hold."""

SECTIONS: dict[str, str] = {
    "azure": "Where the new objects go.",
    "names": "Templates of names; {tenant}, {pool}, {group} and {location} stand for the classic ones.\n"
    "The plan shows every name before anything is written.",
    "growth": "What you expect within two years; it decides what assessment advises for each pool.",
    "access": "How people get what they had.",
    "waves": "What moves together, and how much room is kept.",
    "sessions": "What happens to people on a host that is about to move.",
    "notices": "What people are told when the new service is theirs: `crossfade notices` shows it.",
    "hooks": "Programs of your own, by the moment at which they run; empty: none. A `before` one may say no.",
    "installers": "Agent and boot loader, as each VM has them. Staging checks them before anybody is disturbed.",
    "diagnostics": "Where the new objects send their logs: each has a setting of its own.",
}
WORDS: dict[str, dict[str, str]] = {
    "azure": {
        "tenant_id": "Directory; empty: the one you are signed in to. It must be the directory of the classic tenant.",
        "subscription": "Id of the subscription that gets the new objects. TO BE FILLED IN when empty.",
        "location": "Region of their metadata; it is not where the VMs are. TO BE FILLED IN when empty.",
        "resource_group": "Template of the resource group. Objects that move later lose their assignments.",
    },
    "names": {
        "workspace": "One per tenant and region; this is what people see in their client, under its friendly name.",
        "host_pool": "Of host pools.",
        "desktop_group": "Every classic pool has a `Desktop Application Group`, so the pool's name is in it.",
        "remote_app_group": "Of application groups with apps.",
        "directory_group": "Of Entra groups, where people are too many to be assigned one by one.",
    },
    "growth": {
        "hosts_percent": "Change in hosts, in per cent of today; negative when shrinking.",
        "people_percent": "Change in people, likewise.",
        "stable_months": "For how many months the estate has been as it is.",
    },
    "access": {
        "direct_threshold": "Up to so many people of an app group are assigned one by one, more through a new\n"
        "Entra group. The service takes 200 on one object.",
        "group_owners": "Who owns the new groups and decides who joins them later: UPNs. Empty: none is named.",
        "group_description": "Template of their description.",
        "dynamic_groups": "Whether the plan proposes existing groups that a rule fills: propose, or never.",
        "synchronised_groups": "Likewise those whose members are changed on-premises.",
    },
    "waves": {
        "canary_wave": "Hosts in the second wave, after the single canary host: one of every pool first.",
        "size": "Hosts in a wave.",
        "parallel_moves": "Hosts that may be on their way at the same time.",
        "headroom": "Seats kept free beyond demand, as a share: 0.2 is a fifth more than people want.",
        "expected_share": "Peak sessions per assigned person, where the inventory does not show more.",
        "reserve_share": "Share of a pool's hosts that keep classic seats until everybody was seen on the target.",
        "soak_minutes": "How long a wave must be well before it counts.",
        "failure_budget": "So many hosts of a wave may fail before the run holds.",
        "run_failure_budget": "Likewise of all waves together.",
        "owner": "Who sees to hosts in quarantine: a name that people know. Empty: the operator.",
        "last_wave_due_hours": "How long the last hosts wait for everybody to be seen on the target.",
        "canary_return": "Whether the canary host goes forward, back and forward again before anything else moves.",
        "people_gate": "waves: each wave waits for somebody's `crossfade approve` after it has soaked; none: nobody.",
        "completion_wait_days": "How long a finished run is left alone before `complete` may remove classic objects.",
        "repoint": "Minutes faster, and not proven between the two services: leave it off unless you have tried it.",
    },
    "sessions": {
        "grace_minutes": "From the message to the end of a session, where a policy ends it.",
        "drain_timeout_hours": "How long a host may wait for its people before it goes back into service.",
        "disconnected": "Disconnected sessions: log-off-after-grace, or wait.",
        "active": "Active ones: wait, or log-off-after-grace (people may lose unsaved work).",
        "message_title": "Shown to people who are signed in.",
        "message_body": "Likewise.",
        "quiet_from": "Hours in which a personal desktop moves whose person was not seen for a day; others move when "
        "their person has ended their day.",
        "quiet_to": "Likewise.",
        "quiet_utc_offset_hours": "Of the clock on the wall where people work: 1 is Central European winter time.",
    },
    "notices": {
        "contact": "Whom people ask; it stands in every message.",
        "reminder_hours": "After so long somebody who was not seen on the target is reminded.",
        "reminders": "So often at most; 0 reminds nobody.",
        "feed_address": "What older clients subscribe to.",
        "web_address": "Where the web client is.",
    },
    "hooks": {
        "before_run": "Path, relative to this folder. A no lets the run hold before anything is written.",
        "after_run": "When the run is finished, or holds.",
        "before_wave": "A no lets the wave hold.",
        "after_wave": "When a wave is confirmed, or holds.",
        "before_host": "A no leaves the host on classic.",
        "after_host": "When a host has arrived, or did not.",
        "before_rollback": "A no lets the run hold before anything is taken back.",
        "after_rollback": "When all is taken back that was to be, or holds.",
        "before_host_back": "A no leaves the host in service on the target.",
        "after_host_back": "When a host is back on classic, or is not.",
        "before_complete": "A no leaves the classic objects as they are.",
        "after_complete": "When they are removed, or not all of them.",
        "at_gate": "When somebody is needed: a gate waits, or the run holds.",
        "at_notice": "When there is a notice to people to be sent.",
        "deadline_seconds": "One that has not ended by then is killed; a `before` one has said no.",
    },
    "installers": {
        "agent": "Path on the VM.",
        "boot_loader": "Path on the VM.",
        "agent_url": "Where staging may fetch it from when it is not there; empty: nowhere.",
        "boot_loader_url": "Likewise.",
        "broker_url": "What a VM must be able to reach before it is drained.",
        "agent_version": "Version expected; empty: any that is signed.",
        "signer": "Who must have signed both.",
        "minimum_free_bytes": "Free space wanted on the system disk.",
    },
    "diagnostics": {
        "workspace": "Resource id of the Log Analytics workspace; empty: no diagnostic settings are made.",
        "name": "What the diagnostic settings are called.",
    },
}
POOL_WORDS: dict[str, str] = {
    "name": "instead of the template",
    "location": "instead of azure.location",
    "resource_group": "instead of azure.resource_group",
    "expected_share": "peak sessions per assigned person, when you know it",
    "outage": "`when-empty`: with too few seats for both sides it moves as a whole, while nobody is signed in",
    "owner": "who sees to its hosts in quarantine",
    "skip": "leaves the pool on classic, untouched",
    "preferred": "what people see who hold its desktop and apps: `desktop`, `apps` or `both`",
    "load_balancer": "`breadth-first` or `depth-first` instead of what classic has (scaling scripts change that)",
    "start_vm_on_connect": "a VM that is off starts when somebody connects; needs a role, see the plan",
    "disk_snapshot": "personal pools: each OS disk is copied before its host is touched; billed until deleted",
    "open_drained": "hosts that are drained in classic are opened when they have moved, instead of staying closed",
}
_SAMPLES: dict[str, Any] = {
    "name": "hp-office",
    "location": "northeurope",
    "resource_group": "rg-avd-office",
    "expected_share": 0.5,
    "outage": "when-empty",
    "owner": "Jo of the desktop team",
    "skip": True,
    "preferred": "desktop",
    "load_balancer": "depth-first",
    "start_vm_on_connect": True,
    "open_drained": True,
    "disk_snapshot": True,
}
SCALING_WORDS: dict[str, str] = {
    "begin_peak": "BeginPeakTime of the script",
    "end_peak": "EndPeakTime",
    "time_zone": "Windows' name of the zone, in the place of TimeDifference",
    "cpus_per_host": "of one host",
    "sessions_per_cpu": "SessionThresholdPerCPU",
    "minimum_hosts": "MinimumNumberOfRDSH",
    "force_log_off_seconds": "LimitSecondsToForceLogOffUser; 0 signs nobody out",
    "message_title": "LogOffMessageTitle",
    "message_body": "LogOffMessageBody",
    "exclusion_tag": "MaintenanceTagName",
    "days": "empty: every day, as the script does",
    "enable": "switch it on after the pool's last host; otherwise it stays off",
}
_SCALING_SAMPLE: dict[str, Any] = {
    "begin_peak": "08:00",
    "end_peak": "18:00",
    "time_zone": "W. Europe Standard Time",
    "cpus_per_host": 4,
    "sessions_per_cpu": 1.5,
    "minimum_hosts": 2,
    "force_log_off_seconds": 900,
    "message_title": "Good night",
    "message_body": "Please save your work and sign out.",
    "exclusion_tag": "maintenance",
    "days": ["Monday", "Friday"],
    "enable": True,
}
_TABLES = {
    "rename": (
        "Names that you choose yourself: classic key (see `names` in the plan) = new name.",
        '"<key>" = "<name>"',
    ),
    "tags": ("Put on every object that is created.", 'owner = "desktop team"'),
    "conflicts": (
        "Objects that exist and differ: `update` them to what is wanted, or `adopt` them as they are.",
        '"<id of the object>" = "adopt"',
    ),
    "groups": (
        "Existing Entra groups that publish an app group, from the proposals of the plan. Whoever joins such a group\n"
        "later gains access, without anybody deciding here.",
        '"<tenant group>/<tenant>/<pool>/<app group>" = ["<object id of the group>"]',
    ),
    "roles": (
        "Azure roles in the place of classic ones, from the proposals of the plan: `grant` or `skip`, each by its id.",
        '"<id of the proposal>" = "grant"',
    ),
    "people": (
        "People whom the directory does not know under their classic name: who they are now. `crossfade identities`\n"
        "writes and reads these as a table.",
        '"old.name@contoso.com" = "new.name@contoso.com"',
    ),
    "single_sign_on": (
        "AD FS single sign-on: where in Key Vault the secret of a tenant is. Never write the secret itself here.",
        '"<tenant group>/<tenant>" = "https://<vault>.vault.azure.net/secrets/<name>"',
    ),
}


def render(intent: Intent, inventory: Inventory | None = None, target: TargetSnapshot | None = None) -> bytes:
    """The file, UTF-8. The inventory gives the pools their figures, the target the regions to choose from."""
    lines = list(_comment(HEAD))
    for name, about in SECTIONS.items():
        lines += _section(name, about, getattr(intent, name), target)
    for name in ("rename", "tags"):
        lines += _table(name, getattr(intent, name))
    lines += _pools(intent, inventory)
    lines += _scaling(intent.scaling)
    lines += _accepted(intent.accepted)
    for name in ("conflicts", "groups", "roles", "people", "single_sign_on"):
        lines += _table(name, getattr(intent, name))
    return ("\n".join(lines) + "\n").encode()


def _section(name: str, about: str, values: msgspec.Struct, target: TargetSnapshot | None) -> Iterator[str]:
    yield ""
    yield from _comment(about)
    yield f"[{name}]"
    for field in msgspec.structs.fields(type(values)):
        yield from _comment(WORDS[name][field.name])
        if (name, field.name) == ("azure", "location") and target and target.locations:
            yield from _comment(f"One of: {', '.join(target.locations)}.")
        yield f"{field.name} = {_value(getattr(values, field.name))}"


def _table(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    about, sample = _TABLES[name]
    yield ""
    yield from _comment(about)
    yield f"[{name}]"
    if not values:
        yield f"# {sample}"
    for key, value in values.items():
        yield f"{_text(key)} = {_value(value)}"


class _Figures:
    """Hosts and people of each pool, counted once."""

    def __init__(self, inventory: Inventory | None) -> None:
        self.hosts = Counter(fold(parent_key(host.key)) for host in (inventory.hosts if inventory else []))
        self._people: dict[str, set[str]] = {}
        for item in inventory.assignments if inventory else []:
            self._people.setdefault(fold(parent_key(item.key)), set()).add(fold(item.upn))

    def told(self, pool: HostPool) -> str:
        kind = "personal" if pool.personal else "pooled"
        return f"{kind}, {self.hosts[fold(pool.key)]} hosts, {len(self._people.get(fold(pool.key), ()))} people"

    def is_single(self, pool: HostPool) -> bool:
        return self.hosts[fold(pool.key)] == 1 and not pool.personal


def _pools(intent: Intent, inventory: Inventory | None) -> Iterator[str]:
    """Each pool with its figures; its settings are comments until somebody sets one."""
    figures = _Figures(inventory)
    yield ""
    yield from _comment("What differs for one pool. Each takes:")
    for name, words in POOL_WORDS.items():
        yield from _comment(f"    {name} = {_value(_SAMPLES[name])}  # {words}")
    known = {fold(key): (key, own) for key, own in intent.pools.items()}
    for pool in inventory.pools if inventory else []:
        key, own = known.pop(fold(pool.key), (pool.key, None))
        yield ""
        yield from _comment(figures.told(pool))
        yield from _pool(key, own, single=figures.is_single(pool))
    for key, own in known.values():
        yield ""
        yield from _pool(key, own, single=False)


def _pool(key: str, own: PoolIntent | None, *, single: bool) -> Iterator[str]:
    header = f"[pools.{_text(key)}]"
    yield header if own is not None else f"# {header}"
    for field in msgspec.structs.fields(PoolIntent):
        value = getattr(own, field.name) if own is not None else field.default
        if value != field.default:
            yield f"{field.name} = {_value(value)}"
    if single and (own is None or own.outage == "never"):
        yield from _comment("Its one host cannot move without an outage for its people: no plan is made without this.")
        yield '# outage = "when-empty"'


def _scaling(scaling: dict[str, Scaling]) -> Iterator[str]:
    """What the classic scaling scripts were told, pool by pool."""
    yield ""
    yield from _comment(
        "A pool that a classic scaling script looks after: what the script is told there. It becomes a scaling plan,\n"
        "made switched off. Each pool takes:"
    )
    if not scaling:
        yield '# [scaling."<tenant group>/<tenant>/<pool>"]'
    for name, words in SCALING_WORDS.items():
        yield from _comment(f"{name} = {_value(_SCALING_SAMPLE[name])}  # {words}")
    for key, said in scaling.items():
        yield ""
        yield f"[scaling.{_text(key)}]"
        for field in msgspec.structs.fields(Scaling):
            yield f"{field.name} = {_value(getattr(said, field.name))}"


def _accepted(accepted: list[Accepted]) -> Iterator[str]:
    yield ""
    yield from _comment(
        "Findings that somebody answers for, by name, until a day. Without that a blocker stops the plan."
    )
    if not accepted:
        sample = {"finding": "<id from findings.json>", "by": "<who>", "reason": "<why>", "until": "2026-12-31"}
        yield "# [[accepted]]"
        yield from (f"# {name} = {_value(text)}" for name, text in sample.items())
    for item in accepted:
        yield "[[accepted]]"
        yield from (f"{name} = {_value(text)}" for name, text in msgspec.to_builtins(item).items())


# ---------------------------------------------------------------- TOML


def _comment(text: str) -> Iterator[str]:
    """Lines of a comment; whatever a name holds, it stays one."""
    for line in text.split("\n"):
        yield f"# {''.join(c if c.isprintable() else ' ' for c in line)}".rstrip()


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    text = str(value)
    literal = "\\" in text and "'" not in text and text.isprintable()
    return f"'{text}'" if literal else _text(text)


def _text(text: str) -> str:
    """A basic string. JSON escapes all that TOML wants escaped, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
