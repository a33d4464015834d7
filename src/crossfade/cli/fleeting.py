"""`queue`, `worker` and `fleet` on the command line: many runs, several workers."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.cli import status_text
from crossfade.cli.answers import Answer, Connection, Here
from crossfade.cli.signals import heard

if TYPE_CHECKING:
    from crossfade.app import Services
    from crossfade.commands.fleet import Entry, FleetStatus
    from crossfade.commands.worker import Worked

PENDING = 2


def queue(here: Here, database: str, name: str, share: int | None) -> Answer:
    from crossfade.commands import fleet as command
    from crossfade.commands.workspace import Workspace

    usual = Connection()._asdict()
    connection = {key: value for key, value in here.connection._asdict().items() if value != usual[key]}
    if here.connection.ca_file:
        connection["ca_file"] = str(Path(here.connection.ca_file).resolve())
    workspace = Workspace(here.folder, _named(database))
    workspace.refuse_demo()
    entry = command.queue(workspace, database, connection, name=name, share=share)
    said = f"Run {entry.run} ({entry.name}) waits in the queue, with {entry.share}% of its limits."
    return Answer(entry, f"{said}\nNext: `crossfade worker`; `crossfade fleet` shows all.")


def worker(here: Here, database: str, *, at_once: int, silence_s: float, until_done: bool) -> Answer:
    import asyncio

    from crossfade.app import SystemClock, in_process_engine
    from crossfade.cli.services import silence
    from crossfade.commands import worker as command

    silence()
    clock = SystemClock()

    terms = command.Terms(at_once=at_once, silence_s=silence_s, until_done=until_done)

    async def story() -> "Worked":
        stops = command.Stops()
        means = command.Means(_named(database), clock, services_of, in_process_engine(clock), stops, _say)
        with heard(stops, _say):
            return await command.work(means, terms)

    worked = asyncio.run(story())
    return Answer(worked, _worked(worked), worked.exit_code)


def services_of(entry: "Entry") -> "Services":
    """The services of a queued run, with its share of their limits."""
    from crossfade.app import services_for
    from crossfade.cli.services import endpoints

    connection = Connection(**entry.connection)
    return services_for(endpoints(connection), environ=environ_of(entry.name), share=entry.share / 100)


def environ_of(name: str) -> dict[str, str]:
    """The environment of one run: where several have secrets of their own, `CROSSFADE_CLIENT_SECRET__CONTOSO` is
    `CROSSFADE_CLIENT_SECRET` for the run that is called Contoso."""
    suffix = "__" + re.sub(r"[^A-Z0-9]", "_", name.upper())
    own = {key.removesuffix(suffix): value for key, value in os.environ.items() if key.endswith(suffix)}
    return {**os.environ, **own}


def fleet(here: Here, database: str) -> Answer:
    from crossfade.commands import fleet as command

    found = command.fleet(_named(database))
    return Answer(found, as_text(found), PENDING if any(each.state == "held" for each in found.runs) else 0)


def as_text(found: "FleetStatus") -> str:
    """Two tables: the runs, the workers."""
    runs = [(f"{each.name} ({each.run})", _stands(each, found.waiting.get(each.run, ""))) for each in found.runs]
    workers = [
        (each.id, each.why or f"at work, last sign of life {each.beat_at[:19].replace('T', ' ')} UTC")
        for each in found.workers
    ]
    tables = (("Run", "Where it stands"), runs), (("Worker", ""), workers)
    return "\n\n".join(status_text.table(head, rows) for head, rows in tables if rows) or "Nothing is queued."


def _stands(run: "Entry", waits_for: str) -> str:
    """`working at one; was with two: …`, and the like."""
    state = " ".join(filter(None, (run.state, run.worker and f"at {run.worker}", waits_for and f"for {waits_for}")))
    return f"{state}; {run.reason}" if run.reason else state


def _worked(worked: "Worked") -> str:
    told = (("finished", worked.finished), ("held", worked.held), ("left", worked.left), ("adopted", worked.adopted))
    counts = ", ".join(f"{len(runs)} {name}" for name, runs in told)
    return f"Worker {worked.worker} ends: {counts}."


def _named(database: str) -> str:
    """Raises InputError where no database was named."""
    from crossfade.errors import InputError, Problem

    if not database:
        mend = "Say which: --database postgresql://user@host:5432/name, or CROSSFADE_DATABASE."
        raise InputError("There is no fleet without a database.", [Problem("--database", "It was not given.", mend)])
    return database


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
