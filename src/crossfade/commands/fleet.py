"""Runs in a queue of a PostgreSQL: put there, and looked at. `worker` carries them out."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from crossfade.clock import Clock, SystemClock, iso
from crossfade.commands.apply import keep_in_database, read_plan, refuse_another
from crossfade.commands.kept import target_of
from crossfade.commands.workspace import PLAN, Workspace
from crossfade.errors import InputError, PreflightFailed, Problem, Refused
from crossfade.execution.fleet import FINISHED, WAITING, WHOLE, Fleet, Worker, look, waits_for
from crossfade.execution.fleet import Entry as Entry
from crossfade.execution.places import PostgresPlace
from crossfade.execution.run import run_id_of
from crossfade.plan.plan import Plan
from crossfade.plan.preflight import accepted
from crossfade.plan.quotas import Quota, passed_together, shared

ANY_SCHEMA = "public"
"""Of a database's place where no schema is meant."""
LONGEST_NAME = 100


class FleetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The whole fleet: every run of the queue, and every worker that ever was. `waiting`: run -> what it waits for."""

    runs: list[Entry]
    workers: list[Worker]
    waiting: dict[str, str] = {}


def queue(
    workspace: Workspace,
    database: str,
    connection: dict[str, str],
    *,
    name: str = "",
    share: int | None = None,
    clock: Clock | None = None,
) -> Entry:
    """Put the saved plan's run into the queue of this database, where its journal is kept from now on.

    `connection` is how its services are reached, without secrets. A run that is queued again keeps what is not said
    anew: its name, its share, its connection.

    Raises InputError for a plan, URL or share that is none, PreflightFailed when it passes a limit of the service
    together with the other runs of the queue that are not finished, Refused when a worker has the run, its journal is
    elsewhere, or its folder's journal holds another run that is not over.
    """
    plan = read_plan(workspace)
    mine = _wants(workspace, plan, (clock or SystemClock()).now())
    place = PostgresPlace(database, ANY_SCHEMA)
    run, folder = run_id_of(workspace.digest(PLAN)), str(workspace.folder.resolve())
    said = {key: value for key, value in connection.items() if value}
    with Fleet.open(place, clock or SystemClock()) as fleet:
        entries = fleet.entries()
        if problems := passed_together(mine, wanted_by_others(entries, run, folder)):
            raise PreflightFailed("The run was not queued: the queue wants more than there is.", problems)
        known = next((each for each in entries if each.run == run and _is_here(each, folder)), None)
        entry = Entry(
            run=run,
            name=_checked(name or (known.name if known else _name_of(workspace.folder.resolve()))),
            folder=folder,
            connection=said or (known.connection if known else {}),
            limits=limits_of(workspace, plan.subscription),
            wants={quota.name(): quota.after - quota.before for quota in mine},
            share=share if share is not None else known.share if known else WHOLE,
        )
        keep_in_database(workspace, database)
        refuse_another(workspace, run)
        fleet.add(entry)
    return entry


def _is_here(entry: Entry, folder: str) -> bool:
    """Whether an entry's folder is this one, or was until it was moved. A copy is another, with a name of its own."""
    return entry.folder == folder or not Path(entry.folder).is_dir()


def wanted_by_others(entries: Sequence[Entry], run: str, folder: str) -> dict[str, dict[str, int]]:
    """What other runs want that are still to be carried out; two of one name are told apart by their ids."""
    found = [each for each in entries if run != each.run and folder != each.folder and each.state != FINISHED]
    names = Counter(each.name for each in found)
    return {each.name if names[each.name] == 1 else f"{each.name} ({each.run})": each.wants for each in found}


def require_queued(workspace: Workspace, entry: Entry) -> None:
    """Raises Refused where the entry's folder does not hold the plan that was queued: another one passed no check of
    the queue, and would be carried out under this one's name."""
    what = f"Run {entry.run} was not carried out."
    if not workspace.folder.is_dir():
        mend = "Queue it again from where its folder is, at a path that all workers see."
        raise Refused(what, f"{entry.folder} is not there, or cannot be seen from this machine.", mend)
    if run_id_of(workspace.digest(PLAN)) != entry.run:
        mend = "Queue the folder again, or put that plan back."
        raise Refused(what, f"The plan in {entry.folder} is another one than that which was queued.", mend)


def _wants(workspace: Workspace, plan: Plan, now: datetime) -> list[Quota]:
    """What its plan wants of limits that others spend of too, as the target was when it was read."""
    target = target_of(workspace)
    return shared(plan.quotas, target.tenant_id, accepted(plan, iso(now)[:10])) if target else []


def _name_of(folder: Path) -> str:
    """The folder's, or of the one around it where it is a hidden one, as `.crossfade` is."""
    return folder.parent.name if folder.name.startswith(".") else folder.name


def _checked(name: str) -> str:
    """Raises InputError for what would tear the tables in which it stands."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        what = f"It must be of up to {LONGEST_NAME} letters, all in one line."
        raise InputError("The run was not queued.", [Problem("--name", what, "Give it a short one.")])
    return name


def limits_of(workspace: Workspace, subscription: str) -> list[str]:
    """What a run spends of: the limits of the subscriptions that it works in, and of its directory."""
    target = target_of(workspace)
    found = {subscription.casefold(), *(each.casefold() for each in (target.subscriptions if target else []))} - {""}
    directory = [f"directory {target.tenant_id.casefold()}"] if target and target.tenant_id else []
    return [*(f"subscription {each}" for each in sorted(found)), *directory]


def fleet(database: str, clock: Clock | None = None) -> FleetStatus:
    """The queue and the workers. Raises InputError where there is no fleet."""
    runs, workers = look(PostgresPlace(database, ANY_SCHEMA), clock or SystemClock())
    works = any(not each.ended_at for each in workers)
    someone = "a worker that has room" if works else "a worker: none is there, start one with `crossfade worker`"
    waiting = {each.run: waits_for(each, runs) or someone for each in runs if each.state == WAITING}
    return FleetStatus(runs=runs, workers=workers, waiting=waiting)
