"""A run's journal, made by hand, at different moments of its life."""

from datetime import UTC, datetime, timedelta

from crossfade.commands.workspace import JOURNAL, Workspace
from crossfade.execution.journal import Journal
from crossfade.execution.transitions import HOST_FORWARD, HostState, Kind

POOL = "Default Tenant Group/Contoso/Office"
START = datetime(2026, 6, 26, 18, 0, tzinfo=UTC)


class StepClock:
    """A minute passes with every look."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        self.moment += timedelta(seconds=20)
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def advance(journal: Journal, host: str, to: str) -> None:
    """Move a host along the one way forward."""
    known = journal.get(Kind.HOST, host)
    assert known is not None
    begin, end = HOST_FORWARD.index(HostState(known.state)), HOST_FORWARD.index(HostState(to))
    for state in HOST_FORWARD[begin + 1 : end + 1]:
        journal.move(Kind.HOST, host, state, reason=f"{state} by test")


def begin_run(workspace: Workspace, hosts: int = 6) -> Journal:
    """A run of two waves: hosts 0 and 1 are confirmed, 2 drains, 3 moves, 4 waits for seats, the others wait."""
    journal = Journal.open(workspace.path(JOURNAL), StepClock(), holder="test")
    journal.add(Kind.RUN, "run1", run_id="run1", data={"mode": "crossfade"})
    journal.move(Kind.RUN, "run1", "running", reason="begun")
    for number in (1, 2):
        journal.add(Kind.WAVE, f"wave-{number}", run_id="run1", parent="run1", data={"kind": "wave", "people": 40})
    for number in range(hosts):
        wave = "wave-1" if number < 2 else "wave-2"
        journal.add(Kind.HOST, name(number), run_id="run1", parent=wave, data={"pool": POOL, "vm": f"/vm/{number}"})
    for wave in ("wave-1", "wave-2"):
        journal.move(Kind.WAVE, wave, "moving")
    for number, state in enumerate(("confirmed", "confirmed", "draining", "moving", "staged")):
        advance(journal, name(number), state)
    _step(journal, name(2), "empty", "waiting for the last session on the host to end")
    _step(journal, name(3), "install", "")
    _step(journal, name(4), "seat", "waiting for enough other seats for everybody while this host moves")
    return journal


def name(number: int) -> str:
    return f"{POOL}/vm-{number}.contoso.com"


def _step(journal: Journal, host: str, step: str, reason: str) -> None:
    journal.begin(f"{host}#forward/{step}", run_id="run1", parent=f"{host}#forward", reason=reason)


def die(journal: Journal) -> None:
    """What a killed process leaves: the system takes its lock back, and the lease was never released."""
    journal._store.release()
    journal._store.connection.close()
