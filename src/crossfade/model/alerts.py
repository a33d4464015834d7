"""An alert: the run waits for somebody, or holds."""

import msgspec

GATE = "gate"
HOLDS = "holds"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: gate (somebody's yes is wanted) or holds (nothing goes on by itself). `command` is what answers it.
    `until`: when the waiting ends by itself; empty for never. Times are ISO UTC."""

    id: str
    kind: str
    of: str
    """The wave or run that it is about."""
    run_id: str
    why: str
    command: str
    raised_at: str
    until: str = ""
