"""`status` on the command line."""

from crossfade.cli.answers import Answer, Here


def status(here: Here) -> Answer:
    """The run of the folder as its journal has it."""
    import sys

    from crossfade.cli.fitting import fitted
    from crossfade.cli.status_text import as_text
    from crossfade.commands.status import status as command
    from crossfade.commands.workspace import Workspace

    found = command(Workspace(here.folder))
    return Answer(found, fitted(as_text(found), sys.stdout))
