"""The engines' stores beside the journal: one for each direction, since an engine goes on with what it was doing."""

from pathlib import Path

from crossfade.commands.workspace import ENGINE, File, Workspace

ROLLBACK_ENGINE = File("rollback.db", "crossfade rollback")
COMPLETE_ENGINE = File("complete.db", "crossfade complete")


def forget_engines(workspace: Workspace) -> None:
    """Engines remember what they were doing; the journal knows what was done. After a change of direction only the
    second is right."""
    for file in (ENGINE, ROLLBACK_ENGINE):
        place = workspace.engine(file)
        if not isinstance(place, Path):
            from crossfade.execution.postgres_store import forget

            forget(place)
            continue
        for suffix in ("", "-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
