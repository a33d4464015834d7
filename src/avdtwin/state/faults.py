"""What goes wrong, by order."""

from typing import Any, Literal

import msgspec


class FaultMatch(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Whom and when a fault strikes; what is left out matches everything (see `faults`)."""

    service: str | None = None
    """`arm`, `classic`, `graph`, `entra` or `logs`, or a provider of ARM by the end of its name: `compute`."""
    method: str | list[str] | None = None
    route: str | None = None
    """`hostPools/{pool}/sessionHosts`: the end of a path; a leading slash means the whole path; `*` any rest."""
    host: str | None = None
    """Glob over the names of machines."""
    nth: int | list[int] | None = None
    """Which of the matching calls or moments, counted from 1."""
    every: int | None = None
    start: float | None = msgspec.field(name="from", default=None)
    """Seconds after the fault was put in."""
    until: float | None = None
    """Seconds after the fault was put in."""
    probability: float = 1.0


class FaultCall(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A call that somebody else makes."""

    method: str
    path: str
    """With query; `.` is the path of the call that it goes with."""
    body: Any = None
    upn: str = "somebody.else@twin.invalid"


class Fault(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Something that goes wrong. Which members a kind takes is said in `faults.KINDS`."""

    kind: str
    name: str = ""
    match: FaultMatch = msgspec.field(default_factory=FaultMatch)
    times: int | None = None
    """How often it strikes at most."""
    when: Literal["before", "after"] = "before"
    """Before or after the call has had its effect."""
    seconds: float | tuple[float, float] | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after_s: int | None = None
    fraction: float | None = None
    call: FaultCall | None = None
    put_in_at: float | None = None
    seen: int = 0
    """How many calls or moments matched so far."""
    struck: int = 0
    hosts: list[str] = []
    """Machines that it holds now, by key."""


class StaleAnswer(msgspec.Struct):
    """An answer to a GET that is given again until a moment."""

    until: float
    status: int
    headers: dict[str, str]
    body: Any
