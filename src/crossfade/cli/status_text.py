"""A run's status as plain text: instant, and readable in any log."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossfade.commands.status import Happened, HostStatus, Status, Waiting

SHOWN = 20
REASON = 120
"""Longest reason in a row; --json has it whole."""
QUIET = frozenset({"on_source", "staged", "confirmed", "accepting"})
"""States of hosts that need no line of their own."""

STEPS = {
    "start-vm": "starting the VM",
    "stage": "checking installers and prerequisites",
    "drain": "closing it to new sessions",
    "notice": "telling who is signed in",
    "save": "keeping what classic left in the registry",
    "uninstall": "removing the classic agent",
    "restart-clean": "restarting, clean",
    "install": "installing the agent for the target",
    "restart-registered": "restarting, registered",
    "close": "closing it until it is healthy",
    "assign": "assigning its person",
    "open": "opening it to sessions",
    "leave-target": "closing it on the target",
    "look": "looking at what is installed",
    "restore": "putting the classic agent's registration back",
    "restart-first": "restarting, before anything is put back",
    "restart-last": "restarting, back on classic",
    "again-restart": "restarting, clean",
    "again-remove": "removing its classic record, to register anew",
    "again-install": "installing the agent for classic",
    "again-restart-last": "restarting, registered with classic",
    "again-close": "closing it on classic until it is healthy",
    "again-assign": "assigning its person on classic again",
}
"""Steps of a host's life in words."""
COPY = "snapshot-disk:"
UNDONE = " (undone)"


def in_words(step: str) -> str:
    """A step by its name; that of a disk's copy is named after its operation."""
    if step.startswith(COPY):
        return "removing the copy of its OS disk" if step.endswith(UNDONE) else "copying its OS disk"
    return STEPS.get(step, step)


def as_text(found: "Status") -> str:
    """Head, hosts by state, waves, hosts in flight, what is waited for, what happened last."""
    parts = [
        _head(found),
        "Hosts: " + counts(found.hosts_by_state),
        table(("Wave", "Kind", "State", "Hosts", "People", "By state"), _waves(found)),
        _busy([host for host in found.hosts if matters(host)]),
        _waiting(found),
        _commands(found),
        _recent(found.recent),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(found: "Status") -> str:
    lines = [
        f"Run {found.run} ({found.mode}) is {found.state}{f': {found.reason}' if found.reason else ''}.",
        *([f"{found.holder or 'A process'} works on it."] if found.alive else []),
        f"It began {moment(found.began_at)}; the last of {found.events:,} events was {moment(found.last_at)}.",
    ]
    if not found.alive and found.state in ("running", "paused"):
        lines.append("No process works on it: it was interrupted. `crossfade resume` observes, then goes on.")
    if found.state == "holding":
        lines.append("It holds. Mend what the reason names, then `crossfade resume`.")
    if found.state == "frozen":
        lines.append(
            "Classic does not answer, so there is no way back. When it does, `crossfade resume`; if it never will, "
            "`crossfade resume --without-classic`."
        )
    return "\n".join(lines)


def _waves(found: "Status") -> list[tuple[str, ...]]:
    return [
        (wave.wave, wave.kind, wave.state, str(wave.hosts), str(wave.people), counts(wave.by_state))
        for wave in found.waves
    ]


def _busy(hosts: "list[HostStatus]") -> str:
    if not hosts:
        return ""
    rows = [
        (host.host.rsplit("/", 1)[-1], host.wave, host.state, host.last_known, moment(host.since), doing(host))
        for host in hosts[:SHOWN]
    ]
    more = f"\n… and {len(hosts) - SHOWN} more: see --json" if len(hosts) > SHOWN else ""
    return table(("Host", "Wave", "State", "Last known", "Since", "Step"), rows) + more


def matters(host: "HostStatus") -> bool:
    """Whether something is under way on a host, or should be."""
    return host.state not in QUIET or bool(host.doing and not host.waiting_for)


def doing(host: "HostStatus") -> str:
    """The step in flight and what it waits for, else why the host is where it is."""
    if host.waiting_for:
        return f"waits for {host.waiting_for}"
    told = in_words(host.doing) or host.reason
    return told if len(told) <= REASON else f"{told[: REASON - 1]}…"


def _waiting(found: "Status") -> str:
    lines = [f"  {waiting(each)}, since {moment(each.since)}" for each in found.waiting]
    return "\n".join(["Waiting for", *lines]) if lines else ""


def waiting(each: "Waiting") -> str:
    """What, how many wait, and until when at most."""
    until = f", until {moment(each.until)} at most" if each.until else ""
    return f"{each.what} ({each.count}){until}"


def _commands(found: "Status") -> str:
    return "Not answered yet: " + ", ".join(found.commands_waiting) if found.commands_waiting else ""


def _recent(events: "list[Happened]") -> str:
    return "\n".join(["Last", *(f"  {line(event)}" for event in events)]) if events else ""


def line(event: "Happened") -> str:
    """One event as one line."""
    subject = _subject(event)
    reason = " ".join(event.reason.split())
    kind = "" if event.subject.startswith(f"{event.kind}-") else f"{event.kind} "
    told = f"{moment(event.at)}  {kind}{subject} {event.to}".rstrip()
    return f"{told}: {reason[:160]}" if reason else told


def _subject(event: "Happened") -> str:
    """Whom it is about, by the names that people use: of a host's step `vm-1 still-empty`, not the whole key."""
    if event.kind == "host":
        return short(event.subject)
    host, way, step = event.subject.partition("#")
    return f"{short(host)} {step.rpartition('/')[2]}" if event.kind == "step" and way else event.subject


def short(host: str) -> str:
    """`vm-1` of a host's key: the name by which people call it."""
    return host.rsplit("/", 1)[-1].partition(".")[0]


def counts(by_state: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in by_state.items()) or "none"


def moment(iso: str) -> str:
    """`2026-06-26 02:46 UTC` of an ISO time."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def span(began: str, ended: str) -> str:
    """`2 d 3 h 4 min` between two ISO times."""
    from datetime import datetime

    minutes = int((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    parts = ((days, "d"), (hours, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count or unit == "min")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns, two blanks between; empty without rows."""
    found = [tuple(row) for row in rows]
    if not found:
        return ""
    widths = [max(len(row[column]) for row in (head, *found)) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *found)]
    return "\n".join(line.rstrip() for line in lines)
