"""`support-bundle` on the command line."""

from pathlib import Path

from crossfade.cli.answers import Answer, Here


def support_bundle(here: Here, out: Path | None, *, redact_people: bool) -> Answer:
    from crossfade.commands import support_bundle as command
    from crossfade.commands.workspace import Workspace

    made = command.support_bundle(Workspace(here.folder), out, redact_people=redact_people)
    lines = [f"Wrote {made.path}: {len(made.parts)} files, without secrets. Look through it before you send it."]
    lines += [f"Not readable, and there as an error: {name}: {why}" for name, why in made.unread.items()]
    return Answer(made, "\n".join(lines))
