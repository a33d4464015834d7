"""Under which name a run has taken, or takes, the snapshot of an OS disk: told from its journal."""

from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import Kind
from crossfade.plan.disks import as_taken
from crossfade.plan.operations import SnapshotDisk


def on_way(journal: JournalReader, run_id: str, operation: SnapshotDisk, subject: str) -> SnapshotDisk:
    """The operation as a step carries it out. `subject`: of the step, `host#way`; a journal of an earlier version has
    one name for all ways, and another subject."""
    _, found, way = subject.rpartition("#")
    run = journal.get(Kind.RUN, run_id)
    assert run is not None, f"{run_id} is not in the journal"
    return as_taken(operation, begun_at=run.added_at, way=way) if found else operation
