"""A notice: who is to be told what about the move, and from when on."""

import msgspec

MOVED = "moved"
REMINDER = "reminder"
RETURNED = "returned"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: moved (the new service is theirs), reminder (it has been for a while, and they were not seen there) or
    returned (their desktop is back on classic). `people`: folded UPN -> ids of the application groups that it is about.
    `send_from`: a new grant takes minutes
    to act (facts/arm-service 5.3), so a mail that comes sooner would lead people to nothing. Times are ISO UTC."""

    id: str
    kind: str
    of: str
    """The wave or host that it is about; `run` for reminders."""
    people: dict[str, list[str]]
    issued_at: str
    send_from: str
