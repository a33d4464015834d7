"""Where facts came from, and what could not be read."""

import msgspec


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where facts came from. `source`: live, export or remains; `place`: a route or a file; `read_at`: ISO UTC."""

    source: str
    place: str
    read_at: str | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be read or does not add up; never an empty list in disguise."""

    subject: str
    what: str
    why: str
    mend: str
