"""What a report needs to know of a run: plain data that `commands.report` takes from the journal. Times: ISO UTC."""

import msgspec


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A state and how long it lasted; `until` empty: it lasts."""

    state: str
    since: str
    until: str = ""


class WaveStory(msgspec.Struct, frozen=True, kw_only=True):
    """`spans` in order, the state it was planned in left out."""

    id: str
    kind: str
    state: str
    hosts: int
    people: int
    spans: list[Span] = []
    reason: str = ""

    @property
    def began_at(self) -> str:
        return self.spans[0].since if self.spans else ""

    @property
    def ended_at(self) -> str:
        """When it came to its last state, if that is one to stay in; else empty."""
        return self.spans[-1].since if self.spans and self.state in ENDED else ""


class HostStory(msgspec.Struct, frozen=True, kw_only=True):
    """`source`: classic key. `began_at`: when it took no new sessions any more; `emptied_at`: when its last one had
    ended; `ended_at`: when it took sessions again, on the target."""

    source: str
    state: str
    wave: str
    reason: str = ""
    began_at: str = ""
    emptied_at: str = ""
    ended_at: str = ""


class RunStory(msgspec.Struct, frozen=True, kw_only=True):
    """`waves` in the plan's order; `unsure`: steps whose outcome nobody knows yet. `counts`: figures beside the
    journal's own, under the words a reader sees: sign-ins, seats."""

    run_id: str
    state: str
    reason: str = ""
    began_at: str = ""
    last_at: str = ""
    waves: list[WaveStory] = []
    hosts: list[HostStory] = []
    unsure: int = 0
    counts: dict[str, int | float | str] = {}

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def rolled_back(self) -> bool:
        """As a whole: its hosts serve people on classic, and what it had written is taken back."""
        return self.state == "rolled_back"

    @property
    def moved(self) -> list[HostStory]:
        return [host for host in self.hosts if host.state in ARRIVED]


ENDED = frozenset({"confirmed", "reverted", "skipped"})
OVER = frozenset({"finished", "completed"})
ARRIVED = frozenset({"accepting", "confirmed"})
