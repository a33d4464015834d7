"""Words for a running process, on the command line."""

import asyncio
from typing import Any

from crossfade.cli.answers import Answer, Here


def somebody_works(here: Here) -> bool:
    from crossfade.commands import steer as command
    from crossfade.commands.workspace import Workspace

    return command.somebody_works(Workspace(here.folder))


def steer(here: Here, verb: str, subject: str = "", args: dict[str, Any] | None = None) -> Answer:
    """Give a command and tell the answer."""
    from crossfade.commands import steer as command
    from crossfade.commands.workspace import Workspace

    said = asyncio.run(command.steer(Workspace(here.folder), verb, subject=subject, args=args))
    return Answer(said, said.answer, said.exit_code)
