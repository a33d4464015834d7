"""`crossfade status`: a run as its journal has it, read from any process, at once. Imports no service and no engine.

While nobody works on a run (its process died, or was stopped), nobody knows where its hosts in flight really stand: the
step that was cut off may have had its effect. They are said to be `UNKNOWN`, and whoever resumes observes them first.
"""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from crossfade.clock import Clock, SystemClock, parse_iso
from crossfade.commands.workspace import PLAN, Workspace
from crossfade.errors import LeaseLost, MigrationError
from crossfade.execution.lock import FileLock
from crossfade.execution.outages import OUTAGE
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import Entity, Event, Lease
from crossfade.execution.transitions import HOST_FORWARD, HostState, Kind
from crossfade.model.modes import RESTORE

UNKNOWN = "unknown, will observe"
IN_FLIGHT = frozenset(
    {
        HostState.DRAINING,
        HostState.DRAINED,
        HostState.SAVED,
        HostState.MOVING,
        HostState.REGISTERED,
        HostState.HEALTHY,
        HostState.REVERTING,
    }
)
"""States in which a step may be under way on a host. The same as `execution.seats.IN_FLIGHT`, which imports SDKs."""

STALE_AFTER = timedelta(seconds=90)
"""A heartbeat is due every 20 s; asked only where the lock itself cannot be."""
WAITING = "waiting for "
RECENT = 8


class HostStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: as the journal has it, or `UNKNOWN`; `last_known` is always the journal's. `doing`: the step in flight,
    with what it waits for, if it does, and until when at most."""

    host: str
    pool: str
    wave: str
    state: str
    last_known: str
    since: str
    reason: str
    doing: str = ""
    waiting_for: str = ""
    until: str = ""
    owner: str = ""
    """Who sees to it, while it is in quarantine."""


class WaveStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`by_state`: how many of its hosts are in which state, in the order of the way forward."""

    wave: str
    kind: str
    state: str
    hosts: int
    people: int
    by_state: dict[str, int]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What some steps wait for, how many, since when the first of them, and when the last of them gives up (empty: not
    known)."""

    what: str
    count: int
    since: str
    until: str
    subjects: list[str]


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the journal, for people to read."""

    seq: int
    at: str
    kind: str
    subject: str
    to: str
    reason: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """`alive`: a process works on the run now, and said so last at `seen_at`. `last_at`: when the journal was last
    written to."""

    run: str
    state: str
    reason: str
    mode: str
    alive: bool
    holder: str
    began_at: str
    last_at: str
    hosts_by_state: dict[str, int]
    waves: list[WaveStatus]
    hosts: list[HostStatus]
    waiting: list[Waiting]
    commands_waiting: list[str]
    recent: list[Happened]
    events: int
    seen_at: str = ""


def status(workspace: Workspace, clock: Clock | None = None, *, run: str = "") -> Status:
    """The run of this folder; of several, the last one begun. Raises InputError where there is none."""
    with JournalReader.look(workspace.journal) as reader:
        alive = is_alive(reader, (clock or SystemClock()).now())
        return read_status(reader, alive=alive, run=run)


def live_status(workspace: Workspace) -> Status | None:
    """The status for whoever carries the run out in this very process; None while there is none that can be read."""
    try:
        with JournalReader.look(workspace.journal) as reader:
            return read_status(reader, alive=True)
    except MigrationError:
        return None


def is_alive(reader: JournalReader, now: datetime) -> bool:
    """Whether a process works on this journal's run. The system says so by its lock, or the database; where the lock
    cannot be asked (another user's file, read-only media), the age of the last heartbeat does."""
    lease, place = reader.lease(), reader.path
    if lease is None or lease.released_at is not None:
        return False
    if not isinstance(place, Path):
        return reader.is_held()
    lock = place.with_name(place.name + ".lock")
    if not lock.exists():
        return False
    try:
        FileLock(lock).acquire().release()
    except LeaseLost:
        return True
    except OSError:
        return now - parse_iso(lease.heartbeat_at) < STALE_AFTER
    return False


def read_status(reader: JournalReader, *, alive: bool, run: str = "") -> Status:
    """The status from an open journal. `alive` is the caller's knowledge."""
    found = _run(reader, run)
    doing = _steps_by_subject(reader)
    hosts = [_host(each, doing, alive) for each in reader.all(Kind.HOST) if each.run_id == found.id]
    waves = [_wave(each, hosts) for each in reader.all(Kind.WAVE) if each.run_id == found.id]
    recent, events = _recent(reader)
    lease = reader.lease()
    return Status(
        run=found.id,
        state=found.state,
        reason=found.reason,
        mode=str(found.data.get("mode", "")),
        alive=alive,
        holder=lease.holder if lease else "",
        began_at=found.added_at,
        last_at=reader.last_at(),
        hosts_by_state=by_state(host.state for host in hosts),
        waves=sorted(waves, key=lambda wave: wave.wave),
        hosts=hosts,
        waiting=[*_outages(reader, lease), *_waiting(reader)] if alive else [],
        commands_waiting=[f"{each.verb} {each.subject}".strip() for each in reader.commands()],
        recent=recent,
        events=events,
        seen_at=lease.heartbeat_at if lease and alive else "",
    )


def _run(reader: JournalReader, run: str) -> Entity:
    runs = [each for each in reader.all(Kind.RUN) if run in ("", each.id)]
    if not runs:
        raise MigrationError(
            f"The journal {reader.path} holds no run{f' {run}' if run else ''}.",
            "Setting it up was interrupted, or the id is another folder's.",
            "Run `crossfade apply` again.",
        )
    return max(runs, key=lambda each: (each.added_at, each.id))


def _host(host: Entity, doing: dict[str, Entity], alive: bool) -> HostStatus:
    step = doing.get(host.id)
    lost = host.state in IN_FLIGHT and not alive
    return HostStatus(
        host=host.id,
        pool=str(host.data.get("pool", "")),
        wave=host.parent or "",
        state=UNKNOWN if lost else host.state,
        last_known=host.state,
        since=host.moved_at,
        reason=host.reason,
        doing=_name(step) if step and (alive or lost) else "",
        waiting_for=waits_for(step) if step and alive else "",
        until=_until(step) if step and alive else "",
        owner=str(host.data.get("owner", "")) if host.state == HostState.QUARANTINED else "",
    )


def _wave(wave: Entity, hosts: list[HostStatus]) -> WaveStatus:
    mine = [host for host in hosts if host.wave == wave.id]
    return WaveStatus(
        wave=wave.id,
        kind=str(wave.data.get("kind", "")),
        state=wave.state,
        hosts=len(mine),
        people=int(wave.data.get("people", 0)),
        by_state=by_state(host.state for host in mine),
    )


_ROW = (*map(str, HOST_FORWARD), str(HostState.REVERTING), str(HostState.QUARANTINED), UNKNOWN)
ORDER = {state: place for place, state in enumerate(_ROW)}


def by_state(states: Any) -> dict[str, int]:
    """State -> count, in the order of the way forward; states without a host are left out."""
    counted = Counter(str(state) for state in states)
    return {state: counted[state] for state in sorted(counted, key=lambda each: ORDER.get(each, len(ORDER)))}


# ---------------------------------------------------------------- steps in flight


def _steps_by_subject(reader: JournalReader) -> dict[str, Entity]:
    """Host -> its step in flight. A step's parent is `host#way`, or the wave's id."""
    return {_subject(step): step for step in reader.unknown_steps()}


def _subject(step: Entity) -> str:
    """A host for one of its steps, whose pool may have a `#` in its name; else what the step is of."""
    host, way, _ = (step.parent or "").rpartition("#")
    return host if way else step.parent or ""


def _name(step: Entity) -> str:
    return step.id.removeprefix(f"{step.parent}/")


def waits_for(step: Entity) -> str:
    """What a step waits for; empty when it is working."""
    return step.reason.removeprefix(WAITING) if step.reason.startswith(WAITING) else ""


def _until(step: Entity) -> str:
    """When a step's time is up; empty where it does not say."""
    return str(step.data.get("until", ""))


def _waiting(reader: JournalReader) -> list[Waiting]:
    groups: dict[str, list[Entity]] = {}
    for step in reader.unknown_steps():
        if what := waits_for(step):
            groups.setdefault(what, []).append(step)
    return [
        Waiting(
            what=what,
            count=len(steps),
            since=min(step.moved_at for step in steps),
            until=max(_until(step) for step in steps),
            subjects=sorted(_subject(step) for step in steps),
        )
        for what, steps in sorted(groups.items())
    ]


def _outages(reader: JournalReader, lease: Lease | None) -> list[Waiting]:
    """Services that do not answer the process that works on the run, or will not have it: no step gets past them."""
    since = lease.acquired_at if lease else ""
    open_ones: dict[str, Event] = {}
    for note in reader.notes(OUTAGE):
        service = str(note.data.get("service", ""))
        if note.data.get("over"):
            open_ones.pop(service, None)
        elif note.at >= since:  # what a former process met may be over
            open_ones[service] = note
    return [
        Waiting(
            what=f"{service} to answer again: {note.data.get('why', '')}".rstrip(" .:"),
            count=1,
            since=note.at,
            until=str(note.data.get("until", "")),
            subjects=[str(note.data.get("step", ""))],
        )
        for service, note in open_ones.items()
    ]


# ---------------------------------------------------------------- events


def _recent(reader: JournalReader) -> tuple[list[Happened], int]:
    """The last few things that happened to the run, its waves and hosts, and how many events there are in all."""
    last = reader.last_seq()
    found: list[Happened] = []
    reach = 64
    while len(found) < RECENT and reach < 2 * max(last, 64):
        found = [happened(each) for each in reader.events(after=max(0, last - reach)) if tells(each)]
        reach *= 4
    return found[-RECENT:], last


def tells(event: Event) -> bool:
    """Whether an event is worth a line to somebody who watches: what moves, not each step of it."""
    return event.kind in (Kind.RUN, Kind.WAVE, Kind.HOST, "command") or (
        event.kind == Kind.STEP and event.to_state == "failed"
    )


def happened(event: Event) -> Happened:
    verb = str(event.data.get("verb", "")) if event.kind == "command" else ""
    return Happened(
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        subject=event.subject if verb in ("", event.subject) else f"{verb} {event.subject}",
        to=event.to_state or "",
        reason=event.reason,
    )


def since(workspace: Workspace, after: int) -> list[Happened]:
    """What happened after an event, for whoever follows a run; nothing while no journal can be read."""
    try:
        with JournalReader.look(workspace.journal) as reader:
            return [happened(each) for each in reader.events(after=after) if tells(each)]
    except MigrationError:
        return []


def last_seq(workspace: Workspace) -> int:
    """The number of the journal's last event; 0 while there is none."""
    try:
        with JournalReader.look(workspace.journal) as reader:
            return reader.last_seq()
    except MigrationError:
        return 0


# ---------------------------------------------------------------- seats


def capacities(workspace: Workspace) -> dict[str, int]:
    """Host -> sessions it can carry, from the saved plan; empty when there is none that can be read."""
    from crossfade.plan.plan import Plan

    try:
        plan = workspace.read(PLAN, Plan)
    except MigrationError:
        return {}
    return {move.source: move.capacity for move in plan.hosts}


def seats(found: Status, capacity: dict[str, int]) -> tuple[int, int]:
    """Seats that are open on classic and on the target, by the states of the hosts; on a classic service that has gone
    there are none."""
    gone = found.mode == RESTORE
    here = sum(capacity.get(host.host, 0) for host in found.hosts if host.last_known in _ON_CLASSIC and not gone)
    there = sum(capacity.get(host.host, 0) for host in found.hosts if host.last_known in _ON_TARGET)
    return here, there


_ON_CLASSIC = frozenset({HostState.ON_SOURCE, HostState.STAGED})
_ON_TARGET = frozenset({HostState.ACCEPTING, HostState.CONFIRMED})
