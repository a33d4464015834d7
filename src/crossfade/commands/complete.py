"""`crossfade complete`: the classic objects of a finished, proven and rested migration are removed, by a plan of their
own. What they were can be read again in classic-backup.json. Where classic has gone, only the
snapshots of OS disks that the run took are removed."""

from datetime import timedelta
from typing import Any, ClassVar, Literal

import msgspec

from crossfade.clock import Clock, iso, parse_iso
from crossfade.commands.apply import Hook, exit_code_of, inventory_now, read_plan, steered
from crossfade.commands.disks import all_disks, taken_disks
from crossfade.commands.engines import COMPLETE_ENGINE
from crossfade.commands.kept import inventory_of
from crossfade.commands.outside import outside_of
from crossfade.commands.stopping import Stop
from crossfade.commands.without_classic import alive, probe
from crossfade.commands.workspace import PLAN, VERIFICATION, File, Workspace
from crossfade.errors import Refused, StalePlan
from crossfade.execution.control import CommandControl
from crossfade.execution.engine import WorkflowState
from crossfade.execution.handlers.removals import Removals
from crossfade.execution.journal import Journal
from crossfade.execution.orders import Orders
from crossfade.execution.records import Entity
from crossfade.execution.run import MakeEngine, Services, make_context, run_id_of, worked_on
from crossfade.execution.transitions import Kind, RunState
from crossfade.execution.workflows.complete import COMPLETE, complete_bodies, stuck
from crossfade.inventory.inventory import Inventory
from crossfade.model.ids import fold
from crossfade.model.modes import RESTORE
from crossfade.plan.completion import Completion, make_completion, make_disk_completion
from crossfade.plan.kept_disks import KeptDisk
from crossfade.plan.plan import Plan
from crossfade.verification.verification import Verification

COMPLETION = File("completion.json", "crossfade complete --dry-run")
BACKUP = File("classic-backup.json", "crossfade complete")


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """The definitions of everything that is removed: as it was planned from, and as it was before the first removal."""

    FORMAT: ClassVar[str] = "crossfade/classic-backup@1"

    format: str = "crossfade/classic-backup@1"
    made_at: str
    run_id: str
    before_the_run: Inventory
    before_the_removal: Inventory


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `counts`: kind -> how many go; `stays`: what does not, and why; `stuck`: assignments that the
    service could not remove by themselves; `without_classic`: nothing of classic was to be removed."""

    run_id: str
    state: str
    without_classic: bool = False
    counts: dict[str, int] = {}
    stays: list[str] = []
    stuck: list[str] = []
    error: dict[str, Any] | None = None

    @property
    def exit_code(self) -> int:
        """0 completed, 1 not, 130 stopped, 2 for a dry run that has something to remove."""
        if self.state == "dry-run":
            return 2 if self.counts else 0
        return 0 if self.state == RunState.COMPLETED else exit_code_of(self.error) or 1


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """The run as its journal tells it. `hosts`: folded key -> state; `disks`: the snapshots that it took and did not
    take back, until it has begun also those that others left; `begun`: something was removed, or tried;
    `without_classic`: it went without classic."""

    id: str
    state: str
    moved_at: str = ""
    hosts: dict[str, str] = {}
    disks: list[KeptDisk] = []
    begun: bool = False
    without_classic: bool = False


def _nothing(point: str) -> None:
    """The journal's hook outside of tests."""


async def complete(
    workspace: Workspace,
    services: Services,
    clock: Clock,
    make_engine: MakeEngine,
    *,
    dry_run: bool = False,
    synchronous: Literal["FULL", "NORMAL"] = "FULL",
    hook: Hook = _nothing,
    stop: Stop | None = None,
) -> Completed:
    """Remove what completion.json lists, or go on with it; `dry_run` writes completion.json and removes nothing.

    Raises Refused (nothing removed) unless the run is finished, verification.json passed since, and the waiting period
    is over; InputError without completion.json, StalePlan when classic has changed since it was made.
    """
    plan, digest = read_plan(workspace), workspace.digest(PLAN)
    run = _look(workspace, plan, run_id_of(digest), clock)
    if run.state == RunState.COMPLETED:
        return Completed(run_id=run.id, state=run.state)
    if not run.begun:
        run = msgspec.structs.replace(run, disks=await all_disks(plan, run.disks, services))
    disks = await _only_disks(plan, run, services)
    if not run.begun:
        _proven(workspace.read(VERIFICATION, Verification), plan, run)
        _rested(plan, run, clock)
    if dry_run:
        return await _dry_run(workspace, services, plan, run, disks)
    completion = workspace.read(COMPLETION, Completion)
    if not run.begun:
        await _ready(workspace, services, clock, plan, completion, run, disks)
    return await _carry_out(workspace, services, clock, make_engine, plan, digest, completion, synchronous, hook, stop)


def _look(workspace: Workspace, plan: Plan, run_id: str, clock: Clock) -> _Run:
    """Raises Refused for a run that is not finished."""
    journal = Journal.beside(workspace.journal, clock)
    with journal:
        known = _may_be_completed(journal.get(Kind.RUN, run_id))
        return _Run(
            id=run_id,
            state=known.state,
            moved_at=known.moved_at,
            hosts={fold(host.id): host.state for host in journal.all(Kind.HOST) if host.run_id == run_id},
            disks=taken_disks(journal, run_id, plan),
            begun=bool(journal.all(Kind.STEP, parent=COMPLETE)),
            without_classic=Orders(journal, run_id, plan.settings, plan.mode).without_classic,
        )


async def _only_disks(plan: Plan, run: _Run, services: Services) -> Completion | None:
    """What goes where classic has gone; None where it has not, or where the removal has begun. Raises Refused when
    nothing is left to go."""
    if run.begun or not run.without_classic:
        return None
    if plan.mode != RESTORE and alive(await probe(plan, services), plan):
        return None  # it went in the middle of the run, and is there again
    found = make_disk_completion(plan, run.hosts, run.disks)
    if not found.pools:
        kept = "; ".join(f"{one.key} stays: {one.why}" for one in found.stays)
        why = f"Classic has gone, and the run left no snapshot of an OS disk that may go. {kept}".strip()
        raise Refused("Nothing is removed.", why, "There is nothing to do." if not kept else "See to what stays.")
    return found


async def _dry_run(
    workspace: Workspace, services: Services, plan: Plan, run: _Run, disks: Completion | None
) -> Completed:
    """The plan is made once: what has begun goes on by the one it began with."""
    if run.begun:
        completion = workspace.read(COMPLETION, Completion)
    else:
        completion = disks or make_completion(
            await inventory_now(plan, workspace, services), plan, run.hosts, run.disks
        )
        workspace.write(COMPLETION, completion)
    return _told(run.id, "dry-run", completion)


def _told(run_id: str, state: str, completion: Completion, **more: Any) -> Completed:
    stays, counts = [f"{one.key}: {one.why}" for one in completion.stays], completion.counts()
    gone = completion.without_classic
    return Completed(run_id=run_id, state=state, counts=counts, stays=stays, without_classic=gone, **more)


# -- the gates


def _may_be_completed(run: Entity | None) -> Entity:
    if run is None or run.state not in (RunState.FINISHED, RunState.COMPLETED):
        state = run.state if run is not None else "not begun"
        verb = "apply" if state in ("not begun", RunState.ROLLED_BACK) else "resume"
        raise Refused("Nothing is removed.", f"The run of this plan is {state}.", f"Finish it: `crossfade {verb}`.")
    return run


def _proven(verification: Verification, plan: Plan, run: _Run) -> None:
    mend = "Run `crossfade verify`, mend what it names, then try again."
    if verification.inputs.get("plan") != plan.digest():
        raise Refused("Nothing is removed.", "verification.json is of another plan.", mend)
    if verification.made_at < run.moved_at:
        raise Refused("Nothing is removed.", "verification.json is older than the end of the run.", mend)
    if not verification.passed():
        raise Refused("Nothing is removed.", "The verification did not pass.", mend)


def _rested(plan: Plan, run: _Run, clock: Clock) -> None:
    until = parse_iso(run.moved_at) + timedelta(seconds=plan.settings.completion_wait_s)
    if clock.now() < until:
        kept = "everything is kept" if run.without_classic else "the way back stays open"
        why = f"The run ended {run.moved_at}; {kept} until {iso(until)}."
        raise Refused("Nothing is removed yet.", why, "Wait, or plan with waves.completion_wait_days.")


async def _ready(
    workspace: Workspace,
    services: Services,
    clock: Clock,
    plan: Plan,
    completion: Completion,
    run: _Run,
    disks: Completion | None,
) -> None:
    """Everything is as it was when completion.json was made; then the definitions of classic are kept, if any go."""
    if disks is not None:
        _as_looked_at(workspace, completion, disks)
        return
    now = await inventory_now(plan, workspace, services)
    _as_looked_at(workspace, completion, make_completion(now, plan, run.hosts, run.disks))
    before = inventory_of(workspace, plan)
    backup = Backup(made_at=iso(clock.now()), run_id=run.id, before_the_run=before, before_the_removal=now)
    workspace.write(BACKUP, backup)


def _as_looked_at(workspace: Workspace, completion: Completion, now: Completion) -> None:
    if completion != now:
        what = f"{workspace.path(COMPLETION)} is not what would be removed now."
        why = "Classic, a snapshot of a disk, the run or the plan has changed since."
        raise StalePlan(what, why, f"Run `{COMPLETION.made_by}` and look at it.")


# -- the removal


async def _carry_out(
    workspace: Workspace,
    services: Services,
    clock: Clock,
    make_engine: MakeEngine,
    plan: Plan,
    digest: str,
    completion: Completion,
    synchronous: Literal["FULL", "NORMAL"],
    hook: Hook,
    stop: Stop | None,
) -> Completed:
    outside = outside_of(workspace, run_id_of(digest), plan)
    args = {"pools": msgspec.to_builtins(completion.pools), "tenants": msgspec.to_builtins(completion.tenants)}
    journal = Journal.open(workspace.journal, clock, synchronous=synchronous, hook=hook)
    try:
        control = CommandControl(journal, clock, run_id_of(digest), stop, goes_on="crossfade complete")
        context = make_context(plan, digest, journal, clock, services, control, outside)
        known = complete_bodies(context, Removals(services.classic, services.arm))
        name = f"{context.run_id}/complete"
        outcome = await steered(control, worked_on(context, make_engine, known, "complete", name, args))
        run = journal.get(Kind.RUN, context.run_id)
        left = stuck(context)
    finally:
        journal.close()
    error = outcome.error if outcome.state is not WorkflowState.DONE else None
    return _told(run_id_of(digest), run.state if run else "unknown", completion, stuck=left, error=error)


__all__ = ["BACKUP", "COMPLETE_ENGINE", "COMPLETION", "Backup", "Completed", "complete"]
