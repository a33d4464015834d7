"""`complete` on the command line: what goes, what stays, who is stuck."""

from typing import TYPE_CHECKING

from crossfade.cli.answers import Answer, Here
from crossfade.cli.services import with_services
from crossfade.cli.signals import heard
from crossfade.cli.watching import watching

if TYPE_CHECKING:
    from crossfade.app import Services
    from crossfade.commands.complete import Completed


def complete(here: Here, *, dry_run: bool) -> Answer:
    from crossfade.app import durable_engine
    from crossfade.commands import complete as command
    from crossfade.commands.stopping import Stop
    from crossfade.commands.workspace import Workspace

    workspace = Workspace(here.folder)

    async def work(services: "Services") -> "Completed":
        make_engine = durable_engine(services.clock, workspace.engine(command.COMPLETE_ENGINE))
        if dry_run:
            return await command.complete(workspace, services, services.clock, make_engine, dry_run=True)
        stop = Stop()
        with watching(workspace, lambda: sum(services.calls.values())) as say, heard(stop, say):
            return await command.complete(workspace, services, services.clock, make_engine, stop=stop)

    done = with_services(here, work)
    return Answer(done, _told(done), done.exit_code)


def _told(done: "Completed") -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in done.counts.items()) or "nothing"
    lines = [f"It would be removed: {counts}. Nothing was."]
    if done.state != "dry-run":
        lines = [f"Run {done.run_id} is {done.state}."]
        lines += [f"Removed: {counts}.{_kept(done)}"] if done.counts and not done.error else []
    lines += ["Classic has gone: nothing of it is removed."] if done.without_classic else []
    lines += [f"Stays: {one}" for one in done.stays]
    lines += [f"Not removable by itself, the person is gone: {one}" for one in done.stuck]
    lines += [str(done.error.get(name, "")) for name in ("what", "why", "mend")] if done.error else []
    return "\n".join(line for line in lines if line)


def _kept(done: "Completed") -> str:
    return "" if done.without_classic else " Their definitions are in classic-backup.json."
