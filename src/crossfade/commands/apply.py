"""`crossfade apply`: the machine gates, then the run; or the run that is under way, gone on with."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import msgspec

from crossfade.clock import Clock, iso
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.engines import forget_engines
from crossfade.commands.kept import inventory_of, keep, kept, target_of
from crossfade.commands.notices import OnNotice
from crossfade.commands.outside import outside_of
from crossfade.commands.stopping import Stop
from crossfade.commands.without_classic import not_gone, probe
from crossfade.commands.workspace import INTENT, PLAN, Workspace
from crossfade.errors import InputError, PreflightFailed, Refused, Stopped
from crossfade.execution.context import Context
from crossfade.execution.control import CommandControl
from crossfade.execution.engine import Outcome, WorkflowState
from crossfade.execution.journal import Journal
from crossfade.execution.notices import issued
from crossfade.execution.orders import WITHOUT_CLASSIC, Orders
from crossfade.execution.outside import Outside
from crossfade.execution.reader import JournalReader
from crossfade.execution.rollback import unfinished, words_of
from crossfade.execution.run import MakeEngine, Services, carry_out, make_context, run_id_of
from crossfade.execution.transitions import Kind, RunState, sources
from crossfade.execution.workflows.run import OVER, begins_again
from crossfade.inventory.inventory import Inventory
from crossfade.model.modes import RESTORE
from crossfade.plan import preflight
from crossfade.plan.acceptances import in_force
from crossfade.plan.diff import totals
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.plan import Plan
from crossfade.plan.quotas import Quota, counted
from crossfade.plan.restoring import AT_ONCE
from crossfade.plan.selfcheck import check_plan

ACCEPTED = "accepted"
"""Subject of the notes that tell who answers for a finding."""
Hook = Callable[[str], None]


def _nothing(point: str) -> None:
    """The journal's hook outside of tests."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an apply. `state` of the run; `error` as data when it holds; `summary` what a dry run would do;
    `limits` of the service, counted at its begin; empty where it went on."""

    run_id: str
    state: str
    resumed: bool = False
    summary: dict[str, Any] = {}
    error: dict[str, Any] | None = None
    limits: list[Quota] = []

    @property
    def exit_code(self) -> int:
        """0 finished, 1 holding or failed, 130 stopped, 2 for a dry run that has something to do."""
        if self.state == "dry-run":
            return 2 if any(self.summary.get(name) for name in ("create", "update", "hosts")) else 0
        return exit_code_of(self.error)


def exit_code_of(error: dict[str, Any] | None) -> int:
    """Of a run that ended in this process with an error as data, or without."""
    if error is None:
        return 0
    return Stopped.exit_code if error.get("code") == Stopped.code else 1


def read_plan(workspace: Workspace) -> Plan:
    """The saved plan, whole. Raises InputError with everything that is wrong with it."""
    plan = workspace.read(PLAN, Plan)
    problems = check_plan(plan)
    if problems:
        raise InputError(f"{workspace.path(PLAN)} is not a plan that can be applied.", problems)
    return plan


def keep_in_database(workspace: Workspace, url: str) -> None:
    """The journal of the saved plan's run is to be in this PostgreSQL, in a schema of its own. Raises Refused when it
    is elsewhere already, InputError for what is no URL."""
    workspace.keep_in_database(url, f"crossfade_{run_id_of(workspace.digest(PLAN))}")


async def apply(
    workspace: Workspace,
    services: Services,
    clock: Clock,
    make_engine: MakeEngine,
    *,
    dry_run: bool = False,
    synchronous: Literal["FULL", "NORMAL"] = "FULL",
    hook: Hook = _nothing,
    on_notice: OnNotice | None = None,
    stop: Stop | None = None,
    holder: str = "",
    without_classic: str = "",
) -> Applied:
    """Carry the saved plan out, or go on with it where it was interrupted. `on_notice` is told of each notice to people
    once its files are there; `stop` asks this process to end; `holder` is who works on it, for `status`: by default
    this process and its user.
    `without_classic`: who says that classic has gone while the run was under way; what is left then moves as in restore
    mode.

    Raises InputError for a plan that is none, PreflightFailed (refused, nothing written) when a machine gate does not
    hold or classic is said to have gone and answers, LeaseLost when another process works on this folder.
    """
    plan, digest = read_plan(workspace), workspace.digest(PLAN)
    run_id = run_id_of(digest)
    resumed = _known(workspace, run_id)
    outside = outside_of(workspace, run_id, plan, on_notice)
    if without_classic:
        await _may_leave_classic(plan, services, _answered_for(workspace, plan, clock), resumed=resumed)
    limits: list[Quota] = []
    if not resumed:
        refuse_another(workspace, run_id)
        limits = await check(plan, workspace, services)
    if dry_run:
        return Applied(run_id=run_id, state="dry-run", resumed=resumed, summary=_summary(plan), limits=limits)
    keep(workspace, plan, run_id)
    journal = Journal.open(workspace.journal, clock, holder=holder, synchronous=synchronous, hook=hook)
    try:
        if not resumed:
            _note_answers(journal, plan, run_id)
        if without_classic:
            forget_engines(workspace)  # they remember what was waited for
            _leave_classic(journal, plan, run_id, without_classic)
        outcome = await _run(workspace, plan, digest, journal, clock, services, make_engine, outside, stop)
        known = journal.get(Kind.RUN, run_id)
        state = known.state if known else "unknown"
    finally:
        journal.close()
    error = outcome.error if outcome.state is not WorkflowState.DONE else None
    return Applied(run_id=run_id, state=state, resumed=resumed, summary=_summary(plan), error=error, limits=limits)


async def _run(
    workspace: Workspace,
    plan: Plan,
    digest: str,
    journal: Journal,
    clock: Clock,
    services: Services,
    make_engine: MakeEngine,
    outside: Outside,
    stop: Stop | None,
) -> Outcome:
    """The run, while somebody may steer it from another terminal."""
    control = CommandControl(journal, clock, run_id_of(digest), stop)
    context = make_context(plan, digest, journal, clock, services, control, outside)
    control.attach(context)
    _deliver_again(context, outside)
    control.hear()
    _refuse_two_ways(context)
    if begins_again(context):
        forget_engines(workspace)
    return await steered(control, carry_out(context, make_engine))


def _answered_for(workspace: Workspace, plan: Plan, clock: Clock) -> frozenset[str]:
    """Ids of the findings that somebody answers for today, in the plan or in crossfade.toml since."""
    today = iso(clock.now())[:10]
    now: list[str] = []
    if workspace.has(INTENT):
        now = in_force(read_intent(workspace.read_bytes(INTENT), place=str(workspace.path(INTENT))), today)
    return preflight.accepted(plan, today) | frozenset(now)


async def _may_leave_classic(plan: Plan, services: Services, accepted: frozenset[str], *, resumed: bool) -> None:
    """Raises Refused for a run that has not begun, PreflightFailed while classic answers, whatever it says."""
    if not resumed:
        why = "Its run has not begun, so nothing is to be gone on with."
        mend = "Discover from exports (`crossfade discover --from FOLDER`), assess, plan, and apply that."
        raise Refused("This plan is not carried out without classic.", why, mend)
    problems = not_gone(await probe(plan, services), plan, accepted, then="say this again")
    if problems:
        raise PreflightFailed("The run does not go on without classic; nothing was written.", problems)


def _leave_classic(journal: Journal, plan: Plan, run_id: str, actor: str) -> None:
    """The word that classic has gone, for this process and every later one."""
    orders = Orders(journal, run_id, plan.settings, plan.mode)
    if orders.without_classic:
        return
    at_once = max(orders.settings.parallel_moves, AT_ONCE)
    orders.give(WITHOUT_CLASSIC, "run", actor=actor, values={"parallel_moves": at_once})
    run, why = journal.get(Kind.RUN, run_id), f"{actor} says that classic has gone"
    if run is not None and run.state == RunState.ROLLING_BACK:
        run = journal.move(Kind.RUN, run_id, RunState.HOLDING, reason=f"{why}: there is nothing to go back to")
    if run is not None and run.state in sources(Kind.RUN, RunState.RUNNING):
        journal.move(Kind.RUN, run_id, RunState.RUNNING, reason=why, data={"mode": RESTORE})


def _deliver_again(context: Context, outside: Outside) -> None:
    """What a crash left without its files."""
    for _, notice in issued(context.journal, context.run_id):
        if not outside.is_delivered(notice):
            context.notices.deliver(notice)


def _refuse_two_ways(context: Context) -> None:
    """A rollback that was begun comes to its end first: its hosts are between the services. Where classic has gone
    there is nothing to go back to."""
    of = unfinished(context.journal, context.journal.get(Kind.RUN, context.run_id))
    if of and not context.orders.without_classic:
        mend = f"Finish that first: `{words_of(of)}`."
        raise Refused("The run does not go forward.", f"The rollback of {of} was begun and is not finished.", mend)


async def steered(control: CommandControl, work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Work that goes on while its commands are heard."""
    running = asyncio.ensure_future(work)
    listening = asyncio.ensure_future(control.listen())
    stopping = asyncio.ensure_future(control.stopped())
    try:
        await asyncio.wait({running, listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done() and not running.done():
            listening.result()
        return await (stopping if stopping.done() and not running.done() else running)
    finally:
        tasks = (listening, stopping, running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def check(plan: Plan, workspace: Workspace, services: Services) -> list[Quota]:
    """All machine gates of design section 10, on what is there now; the limits as they are. Raises PreflightFailed with
    every problem."""
    inventory = await inventory_now(plan, workspace, services)
    target = await discover_target(
        services,
        inventory,
        _subscriptions(plan, workspace),
        people=plan.looked_up,
        groups=preflight.group_ids(plan),
        logs=preflight.log_workspace(plan),
    )
    accepted = preflight.accepted(plan, iso(services.clock.now())[:10])
    problems = [
        *(not_gone(await probe(plan, services), plan, accepted) if plan.mode == RESTORE else []),
        *preflight.conflicts(plan),
        *preflight.stale(plan, inventory, target, inventory_of(workspace, plan), target_of(workspace)),
        *preflight.rights(plan, target),
        *preflight.quotas(plan, target, accepted),
        *preflight.existing_groups(plan, target),
        *preflight.sign_in_policies(target.sign_in_policies, accepted),
    ]
    if problems:
        raise PreflightFailed("This plan cannot be applied as things stand; nothing was written.", problems)
    return counted(plan.operations, target, plan.subscription)


async def inventory_now(plan: Plan, workspace: Workspace, services: Services) -> Inventory:
    """The live estate; in restore mode there is none, and the saved one is what there is."""
    saved = inventory_of(workspace, plan)
    if plan.mode == RESTORE:
        return saved
    groups = {tenant.key.split("/")[0] for tenant in saved.tenants}
    names = {tenant.key.split("/")[1] for tenant in saved.tenants}
    return await discover(services, tenant_group=groups.pop() if len(groups) == 1 else None, tenants=sorted(names))


def _subscriptions(plan: Plan, workspace: Workspace) -> list[str]:
    target = target_of(workspace)
    return (list(target.subscriptions) if target is not None else []) or [plan.subscription]


def _known(workspace: Workspace, run_id: str) -> bool:
    """Whether the journal of this folder has this run already."""
    if not workspace.has_journal():
        return False
    with JournalReader.look(workspace.journal) as reader:
        return reader.get(Kind.RUN, run_id) is not None


def refuse_unbegun(workspace: Workspace) -> None:
    """Raises Refused where the saved plan has no run to go on with: only `apply` begins one."""
    run_id = run_id_of(workspace.digest(PLAN))
    if not _known(workspace, run_id):
        refuse_another(workspace, run_id)
        why = f"The plan in {workspace.folder} was never applied here."
        raise Refused("There is nothing to go on with.", why, "Begin with `crossfade apply`.")


def refuse_another(workspace: Workspace, run_id: str) -> None:
    """Raises Refused while the folder's journal holds another run that is not over: its plan was written over."""
    if not workspace.has_journal():
        return
    with JournalReader.look(workspace.journal) as reader:
        others = [run for run in reader.all(Kind.RUN) if run.id != run_id and run.state not in OVER]
    if others:
        copy = workspace.path(kept(PLAN, others[0].id))
        raise Refused(
            f"{workspace.path(PLAN)} is not the plan of run {others[0].id}, which is {others[0].state}.",
            "A folder holds one run at a time, and the plan was changed since that one began.",
            f"Put its plan back ({copy} is a copy) and resume or roll back, or apply this one in a folder of its own.",
        )


def _note_answers(journal: Journal, plan: Plan, run_id: str) -> None:
    """Who answers for what, into the record that nobody can edit."""
    for one in plan.answered:
        told = f"{one.by} answers for {one.finding} until {one.until}: {one.reason}"
        journal.note(ACCEPTED, told, run_id=run_id, data=msgspec.to_builtins(one))


def _summary(plan: Plan) -> dict[str, Any]:
    people = {person for group in plan.access for person in group.people}
    return {**totals(plan), "hosts": len(plan.hosts), "people": len(people), "waves": len(plan.waves)}
