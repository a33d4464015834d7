"""The root of the tree."""

from typing import Any

import msgspec

from avdtwin.state.arm import Arm
from avdtwin.state.classic import Classic
from avdtwin.state.directory import Directory
from avdtwin.state.faults import Fault, StaleAnswer
from avdtwin.state.logs import LogRow, Record
from avdtwin.state.machines import AgentRelease, Machine, Session
from avdtwin.state.people import Person, Titles


class DueEvent(msgspec.Struct, array_like=True, order=True):
    due: float
    seq: int
    kind: str
    args: dict[str, Any]


VERSION = 1
"""Of the form of a snapshot; goes up when an older twin could not read a newer one's."""


class WorldState(msgspec.Struct, kw_only=True):
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
