"""One rollback, from its decision to its end: what it is of, set up, started or gone on with, waited for."""

from collections.abc import Iterator
from typing import Any

import msgspec

from crossfade.errors import CannotRollBack, InputError, Problem
from crossfade.execution.context import Context
from crossfade.execution.engine import Bodies, Outcome
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import Entity
from crossfade.execution.run import MakeEngine, worked_on
from crossfade.execution.steering import find_host
from crossfade.execution.transitions import FINISHED_STEPS, HostState, Kind, RunState
from crossfade.execution.workflows.complete import COMPLETE
from crossfade.execution.workflows.rollback import classic_answers, rollback_body
from crossfade.execution.workflows.take_back import take_back_body
from crossfade.execution.workflows.undo import undo_body
from crossfade.model.ids import same
from crossfade.plan.plan import Plan

NO_WAY_BACK = {
    RunState.COMPLETED: "The classic objects have been removed.",
    RunState.FROZEN: "The classic service does not answer. When it does, `crossfade resume` first.",
    RunState.ROLLED_BACK: "It was rolled back already.",
}

GONE = "It goes on without classic, which has gone: there is nothing to go back to."
ONWARD = "A host that failed is tried again with `crossfade retry HOST`, then `crossfade resume`."

WHOLE = "run"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken back. `of`: run, a wave's id or a host's key, as it is written down in the journal."""

    of: str
    hosts: list[str]
    waves: list[str] = []
    whole: bool = False


def scope_of(plan: Plan, of: str) -> Scope:
    """`run`, the id of a wave, a host's key, or its name where only one host has it. Raises InputError."""
    if of in ("", WHOLE):
        return Scope(of=WHOLE, hosts=[m.source for m in plan.hosts], waves=[w.id for w in plan.waves], whole=True)
    for wave in plan.waves:
        if same(wave.id, of):
            return Scope(of=wave.id, hosts=list(wave.hosts), waves=[wave.id])
    host = find_host(plan, of, else_what="is no host and no wave of this plan.")
    return Scope(of=host, hosts=[host])


def words_of(of: str) -> str:
    """The command that begins the rollback of something, or goes on with it, as a person types it: host keys have
    spaces."""
    return f'crossfade rollback "{of}"' if " " in of else f"crossfade rollback {of}"


def may_go_back(context: Context, run: Entity | None) -> Entity:
    """The run, if there is a way back. Raises CannotRollBack."""
    if run is None:
        raise never_applied()
    why = NO_WAY_BACK.get(RunState(run.state))
    if context.orders.without_classic:
        why = GONE
    if any(step.state in FINISHED_STEPS for step in context.journal.all(Kind.STEP, parent=COMPLETE)):
        why = "`crossfade complete` has begun to remove the classic objects."
    if why:
        mend = f"Nothing was changed. {ONWARD if why is GONE else ''}".strip()
        raise CannotRollBack(f"Run {run.id} cannot be rolled back.", why, mend)
    return run


def unfinished(journal: JournalReader, run: Entity | None) -> str:
    """What the last rollback is of that was begun and has not come to its end: it is under way, or the run holds since.
    Its hosts are between the services, so nothing may go forward. Empty where there is none."""
    if run is None or run.state not in (RunState.ROLLING_BACK, RunState.HOLDING):
        return ""
    if run.state == RunState.ROLLING_BACK:
        return str(run.data["rollback"]["of"])
    left: list[str] = []
    for number, of in _begun(journal, run):
        ended = journal.get(Kind.STEP, f"rollback {number}/end")
        is_over = ended is not None and ended.state in FINISHED_STEPS
        left = [one for one in left if one != of and not (is_over and of == WHOLE)] + ([] if is_over else [of])
    return left[-1] if left else ""


def _begun(journal: JournalReader, run: Entity) -> Iterator[tuple[int, str]]:
    """Number and scope of every rollback of a run, in order."""
    for event in journal.events(kind=Kind.RUN, subject=run.id):
        if event.to_state == RunState.ROLLING_BACK:
            yield int(event.data["rollback"]["number"]), str(event.data["rollback"]["of"])


def never_applied() -> CannotRollBack:
    mend = "There is nothing to take back."
    return CannotRollBack("This plan was never applied in this folder.", "Its run is not in the journal.", mend)


async def take_back(context: Context, scope: Scope, actor: str, make_engine: MakeEngine) -> Outcome:
    """Roll back, or go on with the rollback that was interrupted.

    Raises CannotRollBack where there is no way back, InputError when another rollback is under way.
    """
    run = may_go_back(context, context.journal.get(Kind.RUN, context.run_id))
    await classic_answers(context, scope.hosts)
    number = _begin(context, run, scope, f"{actor} asked to roll back {scope.of}")
    hosts = [host for host in scope.hosts if _is_away(context, host, number)]
    args = {
        "number": number,
        "of": scope.of,
        "scope": scope.hosts,
        "hosts": hosts,
        "waves": scope.waves,
        "whole": scope.whole,
        "reason": f"{actor} asked to roll back {scope.of}",
    }
    return await worked_on(context, make_engine, _bodies(context), "rollback", f"{run.id}/rollback {number}", args)


def _bodies(context: Context) -> Bodies:
    return {"rollback": rollback_body(context), "take-back": take_back_body(context), "undo": undo_body(context)}


def _begin(context: Context, run: Entity, scope: Scope, why: str) -> int:
    """Its number: that of the one under way, or the next."""
    known: dict[str, Any] = run.data.get("rollback") or {"number": 0, "of": ""}
    if run.state == RunState.ROLLING_BACK:
        if not same(known["of"], scope.of):
            what = f"is another rollback: that of {known['of']} is under way."
            mend = f"Finish it first: `{words_of(known['of'])}`."
            raise InputError("Nothing was done.", [Problem(scope.of, what, mend)])
        return int(known["number"])
    number = int(known["number"]) + 1
    data = {"rollback": {"number": number, "of": scope.of}}
    context.journal.move(Kind.RUN, run.id, RunState.ROLLING_BACK, reason=why, data=data)
    return number


def _is_away(context: Context, host: str, number: int) -> bool:
    """Whether a host is to be taken back: it is not on classic, or this very rollback has begun with it."""
    known = context.journal.get(Kind.HOST, host)
    begun = context.journal.all(Kind.STEP, parent=f"{host}#rollback {number}")
    return bool(begun) or (known is not None and known.state not in (HostState.ON_SOURCE,))
