"""What the settings of `crossfade.toml` may be."""

import re
from collections.abc import Callable
from datetime import date

from crossfade.errors import Problem
from crossfade.model.ids import fold
from crossfade.plan.intent import (
    WEEK,
    Access,
    Diagnostics,
    Hooks,
    Installers,
    Intent,
    Notices,
    Scaling,
    Sessions,
    Waves,
    minutes_of,
)
from crossfade.plan.names import WORDS

LOGS = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.OperationalInsights/workspaces/[^/]+",
    re.IGNORECASE,
)
URL = re.compile(r'https://[^\s"]+')
"""As the script on the VMs takes addresses."""
MSI = re.compile(r'[A-Z]:\\[^"<>|?*]+\.msi', re.IGNORECASE)
"""Likewise paths of installers."""
DISCONNECTED = ("log-off-after-grace", "wait")
ACTIVE = ("wait", "log-off-after-grace")
PEOPLE_GATES = ("none", "waves")
PROPOSALS = ("propose", "never")
ROLE_DECISIONS = ("grant", "skip")
PEOPLE_MEND = 'Give a UPN, an object id, or "leave out: <reason>".'
PREFERRED = ("desktop", "apps", "both")
BALANCERS = ("breadth-first", "depth-first")
OUTAGES = ("never", "when-empty")
KEYED = ("rename", "tags", "pools", "conflicts", "groups", "roles", "people", "single_sign_on", "scaling")
"""Sections whose keys are names that somebody else gave."""

Where = Callable[..., str]
Check = tuple[bool, tuple[str, ...], str, str]
"""Whether it holds, the path of the setting, what it must be, and a word of help."""


def out_of_range(intent: Intent, where: Where) -> list[Problem]:
    """Every setting whose value cannot be, each with the mend. `where` gives file and line of a path of names."""
    checks = _of_waves(intent.waves) + _of_sessions(intent.sessions) + _of_access(intent.access)
    checks += _of_diagnostics(intent.diagnostics) + _of_installers(intent.installers)
    checks += _of_notices(intent.notices) + _of_hooks(intent.hooks)
    problems = [
        Problem(where(*path), f"{'.'.join(path)} {what}.", mend) for good, path, what, mend in checks if not good
    ]
    return [
        *problems,
        *_of_templates(intent, where),
        *_of_pools(intent, where),
        *_of_scaling(intent, where),
        *_of_decisions(intent, where),
        *_said_twice(intent, where),
    ]


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
            sessions.quiet_from != sessions.quiet_to,
            ("sessions", "quiet_to"),
            "is quiet_from, so that no hour would be quiet",
            "Any hour of the day: 00:00 and 23:59.",
        ),
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


def _of_installers(installers: Installers) -> list[Check]:
    optional = {"agent_url": installers.agent_url, "boot_loader_url": installers.boot_loader_url}
    urls = {name: url for name, url in optional.items() if url} | {"broker_url": installers.broker_url}
    paths = {"agent": installers.agent, "boot_loader": installers.boot_loader}
    version = re.fullmatch(r"(\d+(\.\d+){1,3})?", installers.agent_version) is not None
    return [
        *(
            (URL.fullmatch(url) is not None, ("installers", name), "must begin with https:// and has no blanks", "")
            for name, url in urls.items()
        ),
        *(
            (MSI.fullmatch(path) is not None, ("installers", name), "must be a full path that ends in .msi", "")
            for name, path in paths.items()
        ),
        (version, ("installers", "agent_version"), "is no version", 'For instance "1.0.7755.1800".'),
        (installers.minimum_free_bytes >= 0, ("installers", "minimum_free_bytes"), "must not be negative", ""),
    ]


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


def _of_templates(intent: Intent, where: Where) -> list[Problem]:
    """A word in braces that nothing is filled in for would become a part of the name."""
    around, inside = {"tenant", "pool", "location"}, {"tenant", "pool", "group", "location"}
    templates = [
        (("azure", "resource_group"), intent.azure.resource_group, around),
        (("names", "workspace"), intent.names.workspace, {"tenant", "location"}),
        (("names", "host_pool"), intent.names.host_pool, around),
        (("names", "desktop_group"), intent.names.desktop_group, inside),
        (("names", "remote_app_group"), intent.names.remote_app_group, inside),
        (("names", "directory_group"), intent.names.directory_group, inside),
        (("access", "group_description"), intent.access.group_description, inside),
        *((("pools", key, "resource_group"), pool.resource_group, around) for key, pool in intent.pools.items()),
    ]
    return [
        Problem(where(*path), f"{'.'.join(path)} cannot hold {{{word}}}.", f"Known here: {', '.join(sorted(known))}.")
        for path, template, known in templates
        for word in WORDS.findall(template)
        if word not in known
    ]


def _said_twice(intent: Intent, where: Where) -> list[Problem]:
    """Keys that differ in casing only name one thing: of two decisions one would count, and nobody would know which."""
    problems = []
    for section in KEYED:
        first: dict[str, str] = {}
        for key in getattr(intent, section):
            other = first.setdefault(fold(key), key)
            if other != key:
                what = f"{section} names {key} twice, the other time as {other}: case does not count."
                problems.append(Problem(where(section, key), what, "Keep one of the two."))
    return problems


def _of_pools(intent: Intent, where: Where) -> list[Problem]:
    problems = []
    for key, pool in intent.pools.items():
        share = pool.expected_share
        if pool.outage not in OUTAGES:
            what = f"pools.{key}: outage must be one of {OUTAGES}."
            problems.append(Problem(where("pools", key, "outage"), what, ""))
        for name, known in (("preferred", PREFERRED), ("load_balancer", BALANCERS)):
            if getattr(pool, name) not in ("", *known):
                what = f"pools.{key}: {name} must be one of {known}."
                problems.append(Problem(where("pools", key, name), what, "Leave it out for the default."))
        if share is not None and not 0 < share <= 1:
            what = f"pools.{key}: expected_share must be above 0, at most 1."
            problems.append(Problem(where("pools", key, "expected_share"), what, "0.35 is usual."))
    return problems


def _of_scaling(intent: Intent, where: Where) -> list[Problem]:
    return [
        Problem(where("scaling", key, name), f"scaling.{key}: {name} {what}.", mend)
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


def _of_decisions(intent: Intent, where: Where) -> list[Problem]:
    problems = [
        Problem(where("conflicts", key), f"conflicts.{key} must be update or adopt.", "Decide one.")
        for key, decision in intent.conflicts.items()
        if decision not in ("update", "adopt")
    ]
    problems += [
        Problem(where("roles", key), f"roles.{key} must be grant or skip.", "Decide one.")
        for key, decision in intent.roles.items()
        if decision not in ROLE_DECISIONS
    ]
    problems += [
        Problem(where("people", key), f"people.{key} says nothing of who it is.", PEOPLE_MEND)
        for key, meant in intent.people.items()
        if not meant.strip() or meant.casefold().removeprefix("leave out").strip(" :") == ""
    ]
    problems += [
        Problem(where("accepted"), f"accepted {item.finding}: until is no day.", "Write it as 2026-12-31.")
        for item in intent.accepted
        if not _is_day(item.until)
    ]
    problems += [
        Problem(where("accepted"), f"accepted {item.finding}: {name} is empty.", "Somebody answers, by name.")
        for item in intent.accepted
        for name, text in (("finding", item.finding), ("by", item.by), ("reason", item.reason))
        if not text.strip()
    ]
    return problems


def _is_time(text: str) -> bool:
    found = re.fullmatch(r"(\d\d):(\d\d)", text)
    return bool(found) and int(found[1]) < 24 and int(found[2]) < 60  # type: ignore[index]


def _is_day(text: str) -> bool:
    """Only the one form: days are compared as texts."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
