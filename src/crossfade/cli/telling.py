"""`status` on the command line."""

from crossfade.cli.answers import Answer, Here


def status(here: Here) -> Answer:
    """The run of the folder as its journal has it."""
    from crossfade.cli.status_text import as_text
    from crossfade.commands.status import status as command
    from crossfade.commands.workspace import Workspace

    found = command(Workspace(here.folder))
    return Answer(found, as_text(found))
