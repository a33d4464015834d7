"""Where facts came from, how sure they are, and what could not be read."""

from enum import StrEnum

import msgspec


class Confidence(StrEnum):
    """How sure a fact is that was reconstructed (docs/decisions/0013)."""

    STATED = "stated"
    """A record of Azure says so, as of when it was written."""
    SEEN = "seen"
    """Somebody was seen doing it."""
    DERIVED = "derived"
    """It follows from a rule of the service or of Microsoft's templates."""
    GUESSED = "guessed"
    """It only looks so: in no inventory until somebody confirms it."""
    CONFIRMED = "confirmed"
    """The operator says so."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where facts came from. `source`: live, export or remains; `place`: a route, a file or a sign; `read_at`: ISO UTC;
    `confidence`: of what was reconstructed."""

    source: str
    place: str
    read_at: str | None = None
    confidence: Confidence | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be read or does not add up; never an empty list in disguise."""

    subject: str
    what: str
    why: str
    mend: str
