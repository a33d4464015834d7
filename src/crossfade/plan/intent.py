"""The operator's intent: `crossfade.toml`, read with every problem at once, each with its line."""

import difflib
import re
import tomllib
from datetime import date
from typing import Any

import msgspec

from crossfade.errors import InputError, Problem
from crossfade.model.growth import Growth


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
        wanted = key.casefold()
        return next((pool for name, pool in self.pools.items() if name.casefold() == wanted), PoolIntent())


def read_intent(data: bytes, *, place: str = "crossfade.toml") -> Intent:
    """The intent from the bytes of its file. Raises InputError with all problems, each with its line."""
    try:
        text = data.decode("utf-8-sig")
        raw = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem(f"{place}:{line}", "is not UTF-8.", "Save the file as UTF-8.")
        raise InputError(f"{place} cannot be used.", [problem]) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        where = f"{place}:{found[1]}" if found else place
        raise InputError(f"{place} is not TOML.", [Problem(where, f"{error}.", "Correct the line.")]) from None
    reader = _Reader(text, place)
    intent = reader.intent(raw)
    reader.problems.extend(_out_of_range(intent, reader))
    if reader.problems:
        raise InputError(f"{place} has {len(reader.problems)} problem(s).", reader.problems)
    return intent


class _Reader:
    """Converts section by section and member by member, so that one wrong value does not hide the next."""

    def __init__(self, text: str, place: str) -> None:
        self.place = place
        self.problems: list[Problem] = []
        self._lines = _line_numbers(text)

    def where(self, *path: str) -> str:
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line:
                return f"{self.place}:{line}"
        return self.place

    def intent(self, raw: dict[str, Any]) -> Intent:
        values: dict[str, Any] = {}
        for name, value in raw.items():
            convert = _SECTIONS.get(name)
            if convert is None:
                self._unknown((name,), name, list(_SECTIONS))
            else:
                values[name] = convert(self, name, value)
        return Intent(**{name: value for name, value in values.items() if value is not None})

    def section(self, kind: type[Any], path: tuple[str, ...], value: Any) -> Any:
        """One table as `kind`; wrong members are noted and left at their default."""
        if not isinstance(value, dict):
            self.problems.append(Problem(self.where(*path), f"{path[-1]} must be a table.", "Write it as [section]."))
            return None
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        values: dict[str, Any] = {}
        for name, item in value.items():
            field = fields.get(name)
            if field is None:
                self._unknown((*path, name), name, list(fields))
                continue
            try:
                values[name] = msgspec.convert(item, field.type)
            except msgspec.ValidationError as error:
                what = f"{'.'.join((*path, name))}: {error}."
                self.problems.append(Problem(self.where(*path, name), what, "Correct the value."))
        missing = [name for name, field in fields.items() if field.required and name not in value]
        for name in missing:
            self.problems.append(Problem(self.where(*path), f"{'.'.join(path)} lacks {name}.", f"Add {name}."))
        required = {field.name for field in fields.values() if field.required}
        return kind(**values) if required <= values.keys() else None

    def _unknown(self, path: tuple[str, ...], name: str, known: list[str]) -> None:
        close = difflib.get_close_matches(name, known, 1)
        mend = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(sorted(known))}."
        self.problems.append(Problem(self.where(*path), f"{'.'.join(path)} is not a setting.", mend))


def _table(kind: type[Any]) -> Any:
    return lambda reader, name, value: reader.section(kind, (name,), value)


def _texts(reader: _Reader, name: str, value: Any) -> dict[str, str] | None:
    try:
        return msgspec.convert(value, dict[str, str])
    except msgspec.ValidationError as error:
        reader.problems.append(Problem(reader.where(name), f"{name}: {error}.", "Write texts in quotes."))
        return None


def _lists(reader: _Reader, name: str, value: Any) -> dict[str, list[str]] | None:
    try:
        return msgspec.convert(value, dict[str, list[str]])
    except msgspec.ValidationError as error:
        mend = 'Write a list of ids: "<app group>" = ["<group id>"].'
        reader.problems.append(Problem(reader.where(name), f"{name}: {error}.", mend))
        return None


def _pools(reader: _Reader, name: str, value: Any) -> dict[str, PoolIntent]:
    if not isinstance(value, dict):
        reader.problems.append(Problem(reader.where(name), "pools must be a table.", 'Write it as [pools."<key>"].'))
        return {}
    found = {key: reader.section(PoolIntent, (name, key), item) for key, item in value.items()}
    return {key: item for key, item in found.items() if item is not None}


def _scaling(reader: _Reader, name: str, value: Any) -> dict[str, Scaling]:
    if not isinstance(value, dict):
        mend = 'Write it as [scaling."<pool>"].'
        reader.problems.append(Problem(reader.where(name), "scaling must be a table.", mend))
        return {}
    found = {key: reader.section(Scaling, (name, key), item) for key, item in value.items()}
    return {key: item for key, item in found.items() if item is not None}


def _accepted(reader: _Reader, name: str, value: Any) -> list[Accepted]:
    if not isinstance(value, list):
        reader.problems.append(Problem(reader.where(name), "accepted must be a list.", "Write it as [[accepted]]."))
        return []
    found = [reader.section(Accepted, (name,), item) for item in value]
    return [item for item in found if item is not None]


_SECTIONS: dict[str, Any] = {
    "azure": _table(Azure),
    "names": _table(Names),
    "rename": _texts,
    "tags": _texts,
    "growth": _table(Growth),
    "access": _table(Access),
    "waves": _table(Waves),
    "sessions": _table(Sessions),
    "notices": _table(Notices),
    "hooks": _table(Hooks),
    "installers": _table(Installers),
    "diagnostics": _table(Diagnostics),
    "pools": _pools,
    "accepted": _accepted,
    "conflicts": _texts,
    "groups": _lists,
    "roles": _texts,
    "people": _texts,
    "single_sign_on": _texts,
    "scaling": _scaling,
}


def _line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """Path of a table or key -> its line. Good for plain tables and `key = value` lines, as `init` writes them."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?(.+?)\]\]?\s*(#.*)?$", line)
        key = re.match(r"\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)\s*=", line)
        if header:
            table = tuple(part.strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+", header[1]))
            found.setdefault(table, number)
        elif key:
            found.setdefault((*table, key[1].strip("\"'")), number)
    return found


Check = tuple[bool, tuple[str, ...], str, str]
"""Whether it holds, the path of the setting, what it must be, and a word of help."""


def _out_of_range(intent: Intent, reader: _Reader) -> list[Problem]:
    checks = _of_waves(intent.waves) + _of_sessions(intent.sessions) + _of_access(intent.access)
    checks += _of_diagnostics(intent.diagnostics)
    checks += _of_notices(intent.notices) + _of_hooks(intent.hooks)
    problems = [
        Problem(reader.where(*path), f"{'.'.join(path)} {what}.", mend) for good, path, what, mend in checks if not good
    ]
    return problems + _of_pools(intent, reader) + _of_scaling(intent, reader) + _of_decisions(intent, reader)


def _of_waves(waves: Waves) -> list[Check]:
    host = "A wave needs a host."
    return [
        (waves.size >= 1, ("waves", "size"), "must be at least 1", host),
        (waves.canary_wave >= 1, ("waves", "canary_wave"), "must be at least 1", host),
        (waves.parallel_moves >= 1, ("waves", "parallel_moves"), "must be at least 1", "One at a time is the least."),
        (0 <= waves.headroom <= 2, ("waves", "headroom"), "must be from 0 to 2", "0.2 keeps a fifth more seats."),
        (0 < waves.expected_share <= 1, ("waves", "expected_share"), "must be above 0, at most 1", "0.35 is usual."),
        (0 < waves.reserve_share < 1, ("waves", "reserve_share"), "must be between 0 and 1", "0.25 is usual."),
        (0 <= waves.soak_minutes <= 10_080, ("waves", "soak_minutes"), "must be from 0 to 10080", "10 is usual."),
        (0 <= waves.last_wave_due_hours <= 2_160, ("waves", "last_wave_due_hours"), "must be from 0 to 2160", ""),
        (waves.people_gate in PEOPLE_GATES, ("waves", "people_gate"), f"must be one of {PEOPLE_GATES}", ""),
        (
            0 <= waves.completion_wait_days <= 365,
            ("waves", "completion_wait_days"),
            "must be from 0 to 365",
            "7 is usual.",
        ),
        (waves.run_failure_budget >= 0, ("waves", "run_failure_budget"), "must not be negative", "10 is usual."),
        (waves.failure_budget >= 0, ("waves", "failure_budget"), "must not be negative", "0 stops at the first."),
    ]


def _of_sessions(sessions: Sessions) -> list[Check]:
    hours = sessions.drain_timeout_hours
    return [
        (1 <= sessions.grace_minutes <= 1_440, ("sessions", "grace_minutes"), "must be from 1 to 1440", "15 is usual."),
        (0.1 <= hours <= 720, ("sessions", "drain_timeout_hours"), "must be from 0.1 to 720", "24 is usual."),
        (sessions.disconnected in DISCONNECTED, ("sessions", "disconnected"), f"must be one of {DISCONNECTED}", ""),
        (sessions.active in ACTIVE, ("sessions", "active"), f"must be one of {ACTIVE}", ""),
        (_is_time(sessions.quiet_from), ("sessions", "quiet_from"), "must be hh:mm", 'For instance "20:00".'),
        (_is_time(sessions.quiet_to), ("sessions", "quiet_to"), "must be hh:mm", 'For instance "05:00".'),
        (
            -14 <= sessions.quiet_utc_offset_hours <= 14,
            ("sessions", "quiet_utc_offset_hours"),
            "must be from -14 to 14",
            "1 is Central European winter time.",
        ),
    ]


def _of_notices(notices: Notices) -> list[Check]:
    hours, times = notices.reminder_hours, notices.reminders
    return [
        (1 <= hours <= 2_160, ("notices", "reminder_hours"), "must be from 1 to 2160", "24 is usual."),
        (0 <= times <= 100, ("notices", "reminders"), "must be from 0 to 100", "0 reminds nobody."),
        *(
            (address.startswith("https://"), ("notices", name), "must begin with https://", "")
            for name, address in (("feed_address", notices.feed_address), ("web_address", notices.web_address))
        ),
    ]


def _of_hooks(hooks: Hooks) -> list[Check]:
    seconds = hooks.deadline_seconds
    return [(1 <= seconds <= 86_400, ("hooks", "deadline_seconds"), "must be from 1 to 86400", "300 is usual.")]


def _of_access(access: Access) -> list[Check]:
    mend = "The service takes at most 200 assignments on one object."
    good = 0 <= access.direct_threshold <= 200
    kinds = {"dynamic_groups": access.dynamic_groups, "synchronised_groups": access.synchronised_groups}
    return [
        (good, ("access", "direct_threshold"), "must be from 0 to 200", mend),
        *((value in PROPOSALS, ("access", name), f"must be one of {PROPOSALS}", "") for name, value in kinds.items()),
    ]


def _of_diagnostics(diagnostics: Diagnostics) -> list[Check]:
    """Names: facts/arm-service 6.1."""
    sample = "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.OperationalInsights/workspaces/<name>"
    place = diagnostics.workspace
    good = re.fullmatch(r"[^<>*%&:\\?+/]{0,259}[^<>*%&:\\?+/ .]", diagnostics.name) is not None
    return [
        (not place or bool(LOGS.fullmatch(place)), ("diagnostics", "workspace"), "is no Log Analytics id", sample),
        (good, ("diagnostics", "name"), r"must be 1 to 260 letters without < > * % & : \ ? + /", "crossfade will do."),
    ]


def _of_pools(intent: Intent, reader: _Reader) -> list[Problem]:
    problems = []
    for key, pool in intent.pools.items():
        share = pool.expected_share
        if pool.outage not in OUTAGES:
            what = f"pools.{key}: outage must be one of {OUTAGES}."
            problems.append(Problem(reader.where("pools", key, "outage"), what, ""))
        for name, known in (("preferred", PREFERRED), ("load_balancer", BALANCERS)):
            if getattr(pool, name) not in ("", *known):
                what = f"pools.{key}: {name} must be one of {known}."
                problems.append(Problem(reader.where("pools", key, name), what, "Leave it out for the default."))
        if share is not None and not 0 < share <= 1:
            what = f"pools.{key}: expected_share must be above 0, at most 1."
            problems.append(Problem(reader.where("pools", key, "expected_share"), what, "0.35 is usual."))
    return problems


def _of_scaling(intent: Intent, reader: _Reader) -> list[Problem]:
    return [
        Problem(reader.where("scaling", key, name), f"scaling.{key}: {name} {what}.", mend)
        for key, one in intent.scaling.items()
        for good, name, what, mend in _of_script(one)
        if not good
    ]


def _of_script(one: Scaling) -> list[tuple[bool, str, str, str]]:
    times = _is_time(one.begin_peak) and _is_time(one.end_peak)
    long = not times or (one.begin_peak < one.end_peak and minutes_of(one.end_peak) - minutes_of(one.begin_peak) > 60)
    return [
        (_is_time(one.begin_peak), "begin_peak", "must be hh:mm", 'For instance "08:00".'),
        (_is_time(one.end_peak), "end_peak", "must be hh:mm", 'For instance "18:00".'),
        (
            long,
            "end_peak",
            "must be more than an hour after begin_peak, on the same day",
            "The service has four phases.",
        ),
        (one.end_peak < "23:59", "end_peak", "must be before 23:59", "Something must come after the peak."),
        (bool(one.time_zone.strip()), "time_zone", "is empty", 'For instance "W. Europe Standard Time".'),
        (one.cpus_per_host >= 1, "cpus_per_host", "must be at least 1", ""),
        (one.sessions_per_cpu > 0, "sessions_per_cpu", "must be above 0", "1 is the script's default."),
        (one.minimum_hosts >= 0, "minimum_hosts", "must not be negative", ""),
        (one.force_log_off_seconds >= 0, "force_log_off_seconds", "must not be negative", "0 signs nobody out."),
        (set(one.days) <= set(WEEK), "days", f"must be of {', '.join(WEEK)}", "Leave it out for every day."),
    ]


def _of_decisions(intent: Intent, reader: _Reader) -> list[Problem]:
    problems = [
        Problem(reader.where("conflicts", key), f"conflicts.{key} must be update or adopt.", "Decide one.")
        for key, decision in intent.conflicts.items()
        if decision not in ("update", "adopt")
    ]
    problems += [
        Problem(reader.where("roles", key), f"roles.{key} must be grant or skip.", "Decide one.")
        for key, decision in intent.roles.items()
        if decision not in ROLE_DECISIONS
    ]
    problems += [
        Problem(reader.where("people", key), f"people.{key} says nothing of who it is.", PEOPLE_MEND)
        for key, meant in intent.people.items()
        if not meant.strip() or meant.casefold().removeprefix("leave out").strip(" :") == ""
    ]
    problems += [
        Problem(reader.where("accepted"), f"accepted {item.finding}: until is no day.", "Write it as 2026-12-31.")
        for item in intent.accepted
        if not _is_day(item.until)
    ]
    problems += [
        Problem(reader.where("accepted"), f"accepted {item.finding}: {name} is empty.", "Somebody answers, by name.")
        for item in intent.accepted
        for name, text in (("finding", item.finding), ("by", item.by), ("reason", item.reason))
        if not text.strip()
    ]
    return problems


LOGS = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.OperationalInsights/workspaces/[^/]+",
    re.IGNORECASE,
)
DISCONNECTED = ("log-off-after-grace", "wait")
ACTIVE = ("wait", "log-off-after-grace")
PEOPLE_GATES = ("none", "waves")
PROPOSALS = ("propose", "never")
ROLE_DECISIONS = ("grant", "skip")
PEOPLE_MEND = 'Give a UPN, an object id, or "leave out: <reason>".'
PREFERRED = ("desktop", "apps", "both")
BALANCERS = ("breadth-first", "depth-first")
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OUTAGES = ("never", "when-empty")


def _is_time(text: str) -> bool:
    found = re.fullmatch(r"(\d\d):(\d\d)", text)
    return bool(found) and int(found[1]) < 24 and int(found[2]) < 60  # type: ignore[index]


def minutes_of(text: str) -> int:
    """Of the day, of `hh:mm`."""
    return int(text[:2]) * 60 + int(text[3:])


def _is_day(text: str) -> bool:
    """Only the one form: days are compared as texts."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
