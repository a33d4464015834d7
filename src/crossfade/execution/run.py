"""One run, from its first line in the journal to its end: set up, started or resumed, waited for."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

from crossfade.clock import Clock
from crossfade.cloud.services import Services
from crossfade.errors import JournalMismatch
from crossfade.execution.alerts import Alerts
from crossfade.execution.context import Context
from crossfade.execution.engine import Bodies, Engine, Outcome
from crossfade.execution.handlers.table import Handlers
from crossfade.execution.hooks import Hooks
from crossfade.execution.journal import Journal
from crossfade.execution.machine import Machine
from crossfade.execution.notices import Notices
from crossfade.execution.orders import Orders
from crossfade.execution.outside import NOTHING, Outside
from crossfade.execution.own_tokens import OwnTokens
from crossfade.execution.seats import Seats
from crossfade.execution.source import Source
from crossfade.execution.steps import Control
from crossfade.execution.target import Target
from crossfade.execution.target_sessions import TargetSessions
from crossfade.execution.transitions import Kind, RunState
from crossfade.execution.workflows.bodies import bodies
from crossfade.model.ids import stable_id
from crossfade.plan.plan import Plan

__all__ = ["MakeEngine", "Services", "carry_out", "enter", "make_context", "run_id_of", "worked_on"]

HEARTBEAT_S = 20.0
MakeEngine = Callable[[Bodies], Engine]


def run_id_of(plan_digest: str) -> str:
    """The id of the one run that a plan can have: applying it again finds the same run. The digest is that of the
    plan's file: a newer version of Crossfade, whose plans have more members, finds it too."""
    return stable_id("run", plan_digest)[:8]


def make_context(
    plan: Plan,
    plan_digest: str,
    journal: Journal,
    clock: Clock,
    services: Services,
    control: Control,
    outside: Outside = NOTHING,
) -> Context:
    """A run's context over real services. `outside`: whom it tells, beside the services."""
    run_id = run_id_of(plan_digest)
    source = Source(services.classic, clock)
    target = Target(services.arm, clock, OwnTokens(journal, run_id))
    orders = Orders(journal, run_id, plan.settings, plan.mode)
    seats = Seats(plan, journal, clock, source, target, orders)
    hooks = Hooks(plan.settings, journal, run_id, outside.folder)
    return Context(
        run_id=run_id,
        plan=plan,
        plan_digest=plan_digest,
        journal=journal,
        clock=clock,
        source=source,
        target=target,
        machine=Machine(services.arm, target, clock, plan.settings, run_id),
        handlers=Handlers(services, plan, clock),
        orders=orders,
        seats=seats,
        sessions=TargetSessions(services.arm, clock),
        notices=Notices(plan, journal, clock, orders, seats, outside.deliver),
        hooks=hooks,
        alerts=Alerts(journal, clock, run_id, hooks, outside.alert),
        control=control,
    )


def enter(context: Context) -> bool:
    """Put the run, its waves and its hosts into the journal. False when they were there: this is a resumption.

    Raises JournalMismatch when the journal holds another run that is not over.
    """
    journal, plan, run_id = context.journal, context.plan, context.run_id
    _refuse_a_second(journal, run_id)
    fresh = journal.add(Kind.RUN, run_id, run_id=run_id, data={"plan": context.plan_digest, "mode": plan.mode})
    for wave in plan.waves:
        data = {"kind": wave.kind, "hosts": len(wave.hosts), "people": len(wave.cohort)}
        journal.add(Kind.WAVE, wave.id, run_id=run_id, parent=run_id, data=data)
        for host in wave.hosts:
            move = context.move(host)
            journal.add(Kind.HOST, host, run_id=run_id, parent=wave.id, data={"pool": move.source_pool, "vm": move.vm})
    known = journal.get(Kind.RUN, run_id)
    if known is None or known.state != RunState.FINISHED:
        context.settle(Kind.RUN, run_id, RunState.RUNNING, "begun" if fresh else "resumed")
    return fresh


def _refuse_a_second(journal: Journal, run_id: str) -> None:
    over = {RunState.FINISHED, RunState.ROLLED_BACK, RunState.COMPLETED}
    for other in journal.all(Kind.RUN):
        if other.id != run_id and other.state not in over:
            raise JournalMismatch(
                f"Run {other.id} in this folder is {other.state}.",
                "A folder holds one run at a time, and this plan is another one's.",
                "Resume or roll back that run, or apply this plan in a folder of its own.",
            )


async def carry_out(context: Context, make_engine: MakeEngine) -> Outcome:
    """Start the run or go on with it, and wait for its end. Safe to call again after any kind of interruption."""
    enter(context)
    return await worked_on(context, make_engine, bodies(context), "run", context.run_id, {})


async def worked_on(
    context: Context, make_engine: MakeEngine, known: Bodies, body: str, workflow_id: str, args: dict[str, Any]
) -> Outcome:
    """One workflow to its end, begun or gone on with, while the journal's lease says that somebody is there."""
    engine = make_engine(known)
    engine.follow(context.journal.last_seq)
    beating = asyncio.create_task(_heartbeat(context))
    working = asyncio.create_task(_to_its_end(engine, body, workflow_id, args))
    try:
        await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
        return await (working if working.done() else beating)
    finally:
        # Shielded: whoever is cancelled while it ends must not leave workflows behind.
        await asyncio.shield(_ended(engine, working, beating))


async def _ended(engine: Engine, *tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await engine.close()


async def _to_its_end(engine: Engine, body: str, workflow_id: str, args: dict[str, Any]) -> Outcome:
    await engine.open()
    await engine.recover()
    await engine.start(body, workflow_id, args)
    await engine.resume(workflow_id)
    ended = await engine.wait([workflow_id])
    return ended[workflow_id]


async def _heartbeat(context: Context) -> NoReturn:
    """Raises LeaseLost when another process has taken over, JournalMismatch when the journal cannot be reached."""
    while True:
        context.journal.heartbeat()
        await context.clock.sleep(HEARTBEAT_S)
