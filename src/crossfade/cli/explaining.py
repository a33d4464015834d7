"""`what` and `identities` on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.cli.answers import Answer, Here

if TYPE_CHECKING:
    from crossfade.commands.identities import Identities

SHOWN = 20


def what(here: Here, resource: str) -> Answer:
    from crossfade.commands import who as command
    from crossfade.commands.workspace import Workspace
    from crossfade.report import access_text

    found = command.what(Workspace(here.folder), resource)
    return Answer(found, "\n\n".join(map(access_text.view, found)))


def identities(here: Here, out: Path | None, into: Path | None) -> Answer:
    from crossfade.commands import identities as command
    from crossfade.commands.workspace import Workspace

    workspace = Workspace(here.folder)
    taken = command.take_in(workspace, into) if into else None
    found = command.write_out(workspace, out) if out else taken or command.listed(workspace)
    written = [one.written for one in (taken, found) if one and one.written]
    data = {"people": found.people, "open": len(found.open), "written": list(dict.fromkeys(written))}
    return Answer(data, _told(found, list(dict.fromkeys(written))), found.exit_code)


def _told(found: "Identities", written: list[str]) -> str:
    from crossfade.report.identities import told
    from crossfade.report.words import clean

    lines = [clean(told(one)) for one in found.people[:SHOWN]]
    more = len(found.people) - SHOWN
    lines += [f"… and {more} more"] if more > 0 else []
    total = f"{len(found.people)} people are not known to the directory; {len(found.open)} wait for a decision."
    lines += ["Everybody is known to the directory." if not found.people else total]
    lines += [f"Wrote {path}" for path in written]
    if any(path.endswith(".toml") for path in written):
        lines.append("Next: `crossfade discover --target` looks up whoever is named there, then assess and plan.")
    return "\n".join(lines)
