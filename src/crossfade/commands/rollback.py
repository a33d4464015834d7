"""`crossfade rollback`: hosts, a wave or the whole run taken back to classic, by the record of what was done."""

import getpass
from collections import Counter
from typing import Any, Literal

import msgspec

from crossfade.clock import Clock
from crossfade.commands.apply import Hook, exit_code_of, read_plan, refuse_another, steered
from crossfade.commands.engines import ROLLBACK_ENGINE, forget_engines
from crossfade.commands.outside import outside_of
from crossfade.commands.stopping import Stop
from crossfade.commands.workspace import PLAN, Workspace
from crossfade.errors import Occupied
from crossfade.execution.context import Context
from crossfade.execution.control import CommandControl, NoControl
from crossfade.execution.engine import WorkflowState
from crossfade.execution.journal import Journal
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import Entity
from crossfade.execution.rollback import Scope, may_go_back, never_applied, scope_of, take_back, unfinished, words_of
from crossfade.execution.run import MakeEngine, Services, make_context, run_id_of
from crossfade.execution.transitions import HostState, Kind, RunState
from crossfade.execution.undone import effects
from crossfade.execution.workflows.rollback import classic_answers
from crossfade.execution.workflows.undo import left_out
from crossfade.plan.plan import Plan


class RolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `of`: run, a wave or a host; `state` of the run; `summary` what a dry run would do;
    `left_out`: `UPN in app group` of whoever has left the directory, so that classic cannot list them again."""

    run_id: str
    of: str
    state: str
    summary: dict[str, Any] = {}
    left_out: list[str] = []
    error: dict[str, Any] | None = None

    @property
    def exit_code(self) -> int:
        """0 back, 1 holding, 130 stopped, 2 for a dry run that has something to do."""
        if self.state == "dry-run":
            return 2 if self.summary.get("hosts") or self.summary.get("operations") else 0
        if self.error is None and self.state in ("rolled_back", "holding"):
            return 0
        return exit_code_of(self.error) or 1


STOP_IT_FIRST = (
    "Stop that first with `crossfade abort`, wait until its process has ended, then say this again. "
    "`crossfade rollback --dry-run` tells meanwhile what would be taken back."
)


def _nothing(point: str) -> None:
    """The journal's hook outside of tests."""


async def rollback(
    workspace: Workspace,
    services: Services,
    clock: Clock,
    make_engine: MakeEngine,
    *,
    of: str = "run",
    dry_run: bool = False,
    synchronous: Literal["FULL", "NORMAL"] = "FULL",
    hook: Hook = _nothing,
    stop: Stop | None = None,
) -> RolledBack:
    """Take back, or go on with a rollback that was interrupted; a whole run that is back already is left as it is.
    `make_engine` has its store at ROLLBACK_ENGINE.

    Raises InputError for what the plan does not know, Refused while the journal holds the run of another plan,
    CannotRollBack (nothing written) where there is no way back, Occupied while another process works on this run:
    `crossfade abort` stops it. A dry run looks beside such a process too.
    """
    plan, digest = read_plan(workspace), workspace.digest(PLAN)
    refuse_another(workspace, run_id_of(digest))
    scope = scope_of(plan, of)
    if dry_run:
        return await _dry_run(workspace, plan, digest, scope, services, clock)
    if not workspace.has_journal():
        raise never_applied()
    outside = outside_of(workspace, run_id_of(digest), plan)
    try:
        journal = Journal.open(workspace.journal, clock, synchronous=synchronous, hook=hook)
    except Occupied as refused:
        _look_for_a_way(workspace, plan, digest, services, clock)
        raise Occupied(f"Nothing was taken back. {refused.what}", refused.why, STOP_IT_FIRST) from refused
    try:
        control = CommandControl(journal, clock, run_id_of(digest), stop, goes_on=words_of(scope.of))
        context = make_context(plan, digest, journal, clock, services, control, outside)
        control.attach(context)
        known = journal.get(Kind.RUN, context.run_id)
        if known is not None and _is_back(known, scope):
            return RolledBack(run_id=known.id, of=scope.of, state=known.state)
        run, summary = await _what_goes_back(context, scope, known)
        if control.is_ending():  # asked to end while it looked: the run is not turned round any more
            outcome = await control.stopped()
        else:
            if run.state != RunState.ROLLING_BACK:
                forget_engines(workspace)
            outcome = await steered(control, take_back(context, scope, getpass.getuser(), make_engine))
        ended = journal.get(Kind.RUN, context.run_id)
        gone = left_out(context)
    finally:
        journal.close()
    error = outcome.error if outcome.state is not WorkflowState.DONE else None
    state = ended.state if ended else "unknown"
    run_id = run_id_of(digest)
    return RolledBack(run_id=run_id, of=scope.of, state=state, summary=summary, left_out=gone, error=error)


async def _dry_run(
    workspace: Workspace, plan: Plan, digest: str, scope: Scope, services: Services, clock: Clock
) -> RolledBack:
    """What would be taken back as things stand, also while another process carries the run out."""
    run_id = run_id_of(digest)
    if not workspace.has_journal():
        raise never_applied()
    journal = Journal.beside(workspace.journal, clock)
    with journal:
        context = make_context(plan, digest, journal, clock, services, NoControl())
        known = journal.get(Kind.RUN, run_id)
        if known is not None and _is_back(known, scope):
            return RolledBack(run_id=run_id, of=scope.of, state="dry-run")
        _, summary = await _what_goes_back(context, scope, known)
    return RolledBack(run_id=run_id, of=scope.of, state="dry-run", summary=summary)


def _look_for_a_way(workspace: Workspace, plan: Plan, digest: str, services: Services, clock: Clock) -> None:
    """Raises CannotRollBack: nobody is to stop a process for a way back that there is not."""
    journal = Journal.beside(workspace.journal, clock)
    with journal:
        context = make_context(plan, digest, journal, clock, services, NoControl())
        may_go_back(context, journal.get(Kind.RUN, context.run_id))


def _is_back(run: Entity, scope: Scope) -> bool:
    return scope.whole and run.state == RunState.ROLLED_BACK


async def _what_goes_back(context: Context, scope: Scope, known: Entity | None) -> tuple[Entity, dict[str, Any]]:
    """The run, and what there is of it to take back. Raises CannotRollBack."""
    run = may_go_back(context, known)
    await classic_answers(context, scope.hosts)
    return run, _summary(context, scope)


def under_way(workspace: Workspace) -> str:
    """What the rollback is of that is going on, was interrupted or aborted, or holds; empty when there is none."""
    with JournalReader.look(workspace.journal) as reader:
        found = [unfinished(reader, run) for run in reader.all(Kind.RUN)]
    return next((of for of in found if of), "")


def is_rolled_back(workspace: Workspace) -> bool:
    """Whether the whole run of this plan was taken back, perhaps by a process that died just behind its last write."""
    with JournalReader.look(workspace.journal) as reader:
        run = reader.get(Kind.RUN, run_id_of(workspace.digest(PLAN)))
    return run is not None and run.state == RunState.ROLLED_BACK


def _summary(context: Context, scope: Scope) -> dict[str, Any]:
    states = {host.id: host.state for host in context.journal.all(Kind.HOST)}
    away = [host for host in scope.hosts if states.get(host, HostState.ON_SOURCE) != HostState.ON_SOURCE]
    left = effects(context.journal, context.run_id, context.operations) if scope.whole else []
    kinds = Counter(type(context.operation(effect.operation)).__name__ for effect in left)
    return {"hosts": len(away), "operations": len(left), "by_kind": dict(sorted(kinds.items()))}


__all__ = ["ROLLBACK_ENGINE", "RolledBack", "forget_engines", "is_rolled_back", "rollback", "under_way"]
