"""What a source hands on: records as they were read, each with its origin, and what could not be read.

Records hold the properties as they came (names in the source's casing, enums as numbers or names, dates in any form);
`inventory.normalise` makes them one. Secrets never get this far: see `sources.secrets`.
"""

from enum import StrEnum
from typing import Any

import msgspec

from crossfade.errors import Problem
from crossfade.model.provenance import Confidence, Gap, Origin

__all__ = ["Gap", "Kind", "Origin", "Problem", "RawRecord", "Reading"]

SHAPES = 4096
"""What is told by a property's name, or by all names of a record, is remembered for so many: an export repeats few."""


class Kind(StrEnum):
    """Kinds of classic records, in the field's words. Those below ROLE carry nothing that an inventory holds."""

    TENANT = "tenant"
    POOL = "host pool"
    GROUP = "app group"
    DESKTOP = "desktop"
    APP = "RemoteApp"
    ASSIGNMENT = "assigned user"
    HOST = "session host"
    SESSION = "user session"
    ROLE = "role assignment"
    TENANT_GROUP = "tenant group"
    REGISTRATION = "registration info"
    ROLE_DEFINITION = "role definition"
    START_MENU_APP = "start menu app"
    ACTIVITY = "diagnostic activity"
    CONTEXT = "context of the cmdlets"


class RawRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object as read. `names`: the names that make its key, outermost first (of an assigned user and of a desktop:
    the app group's; of a role assignment: none, its scope is in `data`). `where`: `file:line` or the route."""

    kind: Kind
    data: dict[str, Any]
    names: tuple[str, ...]
    origin: int
    where: str


class Reading(msgspec.Struct, kw_only=True):
    """All that one or more sources gave. `RawRecord.origin` is an index into `origins`. `problems`: what makes the
    input unusable; with any of these there is no inventory."""

    records: list[RawRecord] = msgspec.field(default_factory=list)
    origins: list[Origin] = msgspec.field(default_factory=list)
    gaps: list[Gap] = msgspec.field(default_factory=list)
    problems: list[Problem] = msgspec.field(default_factory=list)

    def origin(self, source: str, place: str, read_at: str | None, confidence: Confidence | None = None) -> int:
        """The index of a new origin."""
        self.origins.append(Origin(source=source, place=place, read_at=read_at, confidence=confidence))
        return len(self.origins) - 1

    def add(self, other: "Reading") -> None:
        """Take over all that another reading holds."""
        shift = len(self.origins)
        self.origins += other.origins
        moved = (msgspec.structs.replace(record, origin=record.origin + shift) for record in other.records)
        self.records += moved
        self.gaps += other.gaps
        self.problems += other.problems
