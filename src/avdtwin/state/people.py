"""Simulated people, and what they know things by."""

import msgspec


class Person(msgspec.Struct):
    """A simulated user: when they work, with which client, what they open."""

    user: str
    """Object id."""
    upn: str
    utc_offset_h: float = 0.0
    shift_start_h: float = 9.0
    """Local hour of the day; sign-ins happen inside shifts on workdays."""
    shift_hours: float = 8.0
    workdays: list[int] = msgspec.field(default_factory=lambda: [0, 1, 2, 3, 4])
    sign_ins_per_day: int = 2
    client: str = "new"
    """`new` (both feeds), `old` (classic feed until it is refreshed), `web`, `thin`."""
    sees_arm_since: float | None = None
    """When their client first showed the new feed."""
    resources: list[str] = []
    """What they open, by classic path `tenant group/tenant/pool/group/item`; the twin maps it to what they see."""
    leaves_session_open: float = 0.1
    """Chance of disconnecting instead of signing out."""
    simulated: bool = True
    attempt: int = 0
    """Raised by everything the person turns to: what they were about to do before is off."""
    feed_read_at: float | None = None
    """When their client last read the feeds."""
    no_path_since: float | None = None
    """Since when they have had no way to what they want, in their own trying."""
    found_at: dict[str, str] = {}
    """Where in the new feed they found a resource last: its classic path -> id of the application group."""
    sign_ins: int = 0
    """Connections that worked, to either service."""
    arm_sign_ins: int = 0


class Titles(msgspec.Struct):
    """What people know a resource by; it outlives the classic record."""

    kind: str
    """Desktop or RemoteApp."""
    pool: list[str]
    group: list[str]
    item: list[str]
