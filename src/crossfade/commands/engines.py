"""The engines' stores beside the journal: one for each direction, since an engine goes on with what it was doing."""

from crossfade.commands.workspace import ENGINE, File, Workspace

ROLLBACK_ENGINE = File("rollback.db", "crossfade rollback")
COMPLETE_ENGINE = File("complete.db", "crossfade complete")


def forget_engines(workspace: Workspace) -> None:
    """Engines remember what they were doing; the journal knows what was done. After a change of direction only the
    second is right."""
    for file in (ENGINE, ROLLBACK_ENGINE):
        for suffix in ("", "-wal", "-shm"):
            path = workspace.path(file)
            path.with_name(path.name + suffix).unlink(missing_ok=True)
