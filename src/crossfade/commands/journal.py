"""`crossfade journal`: the record of a run, proved and told. Reads the journal only, from any process."""

import msgspec

from crossfade.commands.workspace import Workspace
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import Event as Event


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A journal that is as it was written. `head`: hash of the last event; kept elsewhere, it proves that nobody wrote
    the whole file anew."""

    events: int
    head: str


def prove(workspace: Workspace) -> Proof:
    """Replay the chain and compare everything with it. Raises JournalMismatch naming the first place that was changed,
    InputError where there is no journal."""
    with JournalReader.look(workspace.journal) as reader:
        count = reader.verify()
        head = [event.hash for event in reader.events(after=count - 1)]
    return Proof(events=count, head=head[-1] if head else "")


def told(workspace: Workspace, *, subject: str = "") -> list[Event]:
    """All events in order; with `subject`, those of whoever has it in their name (a host, a wave). Raises InputError
    where there is no journal."""
    with JournalReader.look(workspace.journal) as reader:
        return [event for event in reader.events() if subject.casefold() in event.subject.casefold()]
