"""The engines' stores beside the journal: one for each direction, since an engine goes on with what it was doing."""

from crossfade.commands.workspace import ENGINE, File, Workspace
from crossfade.execution.engine_store import forget

ROLLBACK_ENGINE = File("rollback.db", "crossfade rollback")
COMPLETE_ENGINE = File("complete.db", "crossfade complete")


def forget_engines(workspace: Workspace) -> None:
    """Engines remember what they were doing; the journal knows what was done. After a change of direction only the
    second is right."""
    for file in (ENGINE, ROLLBACK_ENGINE):
        forget(workspace.engine(file))
