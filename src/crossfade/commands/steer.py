"""`crossfade pause`, `abort`, `approve` …: words for the process that works on a run, given through its journal.

Imports no service and no engine: steering from another terminal is instant.
"""

import getpass
from typing import Any, Final

import msgspec

from crossfade.clock import Clock, SystemClock
from crossfade.commands.status import is_alive
from crossfade.commands.workspace import Workspace
from crossfade.errors import InputError, Refused
from crossfade.execution.bounds import setting
from crossfade.execution.commands import answer_to, give
from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import Kind

KEPT: Final = frozenset({"approve", "set", "skip", "retry"})
"""What also makes sense while nobody works on the run: whoever resumes hears it first."""

LISTENED_FOR_S = 8.0
"""The running process listens every 5 s."""
LOOK_EVERY_S = 0.2


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was given. `state`: new (nobody has answered yet), done or refused; `answer` is the run's own.
    `command`: its number in the journal, 0 for one that was refused before it was given."""

    command: int
    verb: str
    state: str
    answer: str

    @property
    def exit_code(self) -> int:
        """0 when the run did it, 2 while its answer is pending, 3 when it refused."""
        return {"done": 0, "new": 2}.get(self.state, 3)


def somebody_works(workspace: Workspace, clock: Clock | None = None) -> bool:
    """Whether a process works on this folder's run. Raises InputError where there is no run."""
    with JournalReader.look(workspace.journal) as reader:
        return is_alive(reader, (clock or SystemClock()).now())


def _has_run(workspace: Workspace) -> bool:
    with JournalReader.look(workspace.journal) as reader:
        return bool(reader.all(Kind.RUN))


async def steer(
    workspace: Workspace,
    verb: str,
    clock: Clock | None = None,
    *,
    subject: str = "",
    args: dict[str, Any] | None = None,
    listen_s: float = LISTENED_FOR_S,
) -> Said:
    """Tell the run, and wait a little for its answer. Raises Refused when no process is there to hear it, but for what
    is `KEPT`."""
    clock = clock or SystemClock()
    works = somebody_works(workspace, clock)
    if not works and not _has_run(workspace):
        raise Refused(
            f"There is nothing to {verb}.",
            f"No run has begun in {workspace.folder}.",
            "Begin one with `crossfade apply`.",
        )
    if not works and verb not in KEPT:
        raise Refused(
            f"There is nothing to {verb}.",
            f"No process works on the run in {workspace.folder}.",
            "See `crossfade status`; `crossfade resume` goes on with an interrupted run.",
        )
    unfit = _unfit(verb, args or {})
    if unfit:
        return Said(command=0, verb=verb, state="refused", answer=unfit)
    number = give(workspace.journal, clock, verb, actor=getpass.getuser(), subject=subject, args=args)
    if not works:
        return Said(command=number, verb=verb, state="new", answer="Noted: `crossfade resume` hears it first.")
    return await _answer(workspace, clock, number, verb, listen_s)


def _unfit(verb: str, args: dict[str, Any]) -> str:
    """Why a setting may not be so, whoever hears it; empty when it may."""
    if verb != "set":
        return ""
    try:
        setting(str(args.get("name", "")), str(args.get("value", "")))
    except InputError as error:
        return str(error)
    return ""


async def _answer(workspace: Workspace, clock: Clock, number: int, verb: str, listen_s: float) -> Said:
    for _ in range(max(1, round(listen_s / LOOK_EVERY_S))):
        await clock.sleep(LOOK_EVERY_S)
        said = answer_to(workspace.journal, number)
        if said is not None and said.state != "new":
            return Said(command=number, verb=verb, state=said.state, answer=said.answer)
    later = "The run has not answered yet; it will at its next look."
    return Said(command=number, verb=verb, state="new", answer=later)
