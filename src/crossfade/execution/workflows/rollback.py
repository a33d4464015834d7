"""Hosts, a wave or the whole run taken back: a second cutover with the same care.

1. Of each pool as many hosts go first as the others on the target can do without.
2. Where classic has seats again, its people are let in again; after a while, so that their clients have seen it, they
   are let out of the target, if all of the pool's hosts leave it.
3. The other hosts follow.
4. Of a whole run, all that it has written on the target is taken back, the last first.

So the people of a pool have, at every moment, a service that offers what it can also open. A personal host and its
person go as one, by themselves.
"""

import math
from collections.abc import Sequence
from typing import Any

from crossfade.errors import CannotRollBack, CloudError, MigrationError, StepFailed
from crossfade.execution.back_seats import arrived_in, needed_for
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Outcome, Workflow, WorkflowState
from crossfade.execution.orders import ROLLED_BACK
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import HostState, Kind, RunState, WaveState
from crossfade.execution.workflows import undo
from crossfade.execution.workflows.showing import keep_withdrawn
from crossfade.execution.workflows.take_back import GONE, RETURNED
from crossfade.model.ids import fold, same
from crossfade.plan.plan import HostMove, PoolPlan

FEED_S = 3_600.0
"""Clients read their feed about hourly: for so long both services offer a person what they may open."""


def rollback_body(context: Context) -> Body:
    """`args`: number (of this rollback), of (run, a wave's id or a host's key), scope (classic keys of its hosts),
    hosts (those of them that are not on classic), waves (ids that go as a whole), whole, reason."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        name = f"rollback {args['number']}"
        steps = context.steps(port, name)
        try:
            await steps.perform("classic answers", lambda: classic_answers(context, args["scope"]))
            await context.hooks.before(steps, "hook", "before_rollback", _variables(args))
            await steps.perform("waves", lambda: _waves(context, args, WaveState.REVERTING))
            lots = await steps.perform("lots", lambda: _lots(context, args["scope"], args["hosts"]))
            await _hosts(context, port, lots["first"], args, closed=False)
            for pool in lots["pools"]:
                await _people(context, port, steps, pool, args)
            await _hosts(context, port, lots["rest"], args, closed=True)
            await steps.perform("told", lambda: _tell(context, hosts=args["scope"]))
            if args["whole"]:
                await _objects(context, port)
        except MigrationError as error:
            why = str(error)
            await port.step("hold", lambda: _settle(context, RunState.HOLDING, why))
            await _after(context, port, args, RunState.HOLDING, why)
            raise
        ended = await steps.perform("end", lambda: _end(context, args))
        await _after(context, port, args, _ends_as(args), "")
        await port.step("settled", lambda: _settled(context, args))
        return dict(ended)

    return body


def _variables(args: dict[str, Any]) -> dict[str, str]:
    """What its hooks are told."""
    return {"OF": args["of"], "HOSTS": str(len(args["hosts"]))}


async def _after(context: Context, port: Workflow, args: dict[str, Any], state: RunState, why: str) -> None:
    if context.hooks.has("after_rollback"):
        given = {**_variables(args), "OUTCOME": state, "WHY": why}
        await port.step("after", lambda: context.hooks.after("after_rollback", given))


def _ends_as(args: dict[str, Any]) -> RunState:
    return RunState.ROLLED_BACK if args["whole"] else RunState.HOLDING


async def classic_answers(context: Context, hosts: list[str]) -> Facts:
    """Raises CannotRollBack when there is no service to go back to."""
    pools = sorted({context.move(host).source_pool for host in hosts} or {pool.source for pool in context.plan.pools})
    for pool in pools:
        try:
            await context.source.look(pool, fresh_s=0.0)
        except CloudError as error:
            raise CannotRollBack(
                f"There is no way back: the classic service does not answer for {pool}.",
                str(error),
                "Nothing was changed. If it is gone for good, `crossfade resume --without-classic` goes forward.",
            ) from error
    return {"pools": len(pools)}


# -- hosts


async def _lots(context: Context, scope: list[str], hosts: list[str]) -> Facts:
    """Who goes first, who goes once the people of the pool are back, and the pools whose people are asked for."""
    first: list[str] = []
    rest: list[str] = []
    moves = [context.move(host) for host in hosts]
    asked = [context.move(host) for host in scope]
    pooled = {fold(move.source_pool): context.pool(move.source_pool) for move in asked if not move.personal}
    for pool in pooled.values():
        mine = [move for move in moves if same(move.source_pool, pool.source)]
        going, waiting = _of_pool(context, pool, mine)
        first += going
        rest += waiting
    first += [move.source for move in moves if move.personal]
    return {"first": first, "rest": rest, "pools": [pool.source for pool in pooled.values()]}


def _of_pool(context: Context, pool: PoolPlan, mine: list[HostMove]) -> tuple[list[str], list[str]]:
    arrived = {fold(host) for host in arrived_in(context, pool.source)}
    here = [move.source for move in mine if fold(move.source) in arrived]
    elsewhere = [move.source for move in mine if fold(move.source) not in arrived]
    if len(here) < len(arrived) or len(here) <= 1:
        return elsewhere + here, []
    keep = max(1, min(len(here) - 1, math.ceil(needed_for(context, pool) / max(1, pool.capacity))))
    return elsewhere + here[:-keep], here[-keep:]


async def _hosts(context: Context, port: Workflow, hosts: list[str], args: dict[str, Any], *, closed: bool) -> None:
    """Side by side, as many as the seats allow. Raises StepFailed when one could not go back."""
    way = f"rollback {args['number']}"
    children = {f"{port.id}/{host}": host for host in hosts}
    for child, host in children.items():
        found = {"host": host, "way": way, "closed": closed, "reason": args["reason"]}
        await port.start("take-back", child, found)
    ended = await port.wait(list(children))
    stuck = {host: _why(ended[child]) for child, host in children.items() if not _is_back(ended[child])}
    if stuck:
        raise StepFailed(
            f"{len(stuck)} hosts could not be taken back: {', '.join(sorted(stuck))}.",
            "; ".join(sorted(set(stuck.values()))),
            "Mend them, then `crossfade rollback` again: what is back stays back.",
        )


def _is_back(ended: Outcome) -> bool:
    """Or as far back as it can be."""
    return ended.state is WorkflowState.DONE and ended.result["outcome"] in (RETURNED, GONE)


def _why(ended: Outcome) -> str:
    return str(ended.result["why"] if ended.state is WorkflowState.DONE else (ended.error or {}).get("what", ""))


# -- people of pooled pools


async def _people(context: Context, port: Workflow, steps: Steps, pool: str, args: dict[str, Any]) -> None:
    """Into classic again where it has seats for them; out of the target where nothing of their pool stays there."""
    seats = await steps.perform(f"seats of {pool}", lambda: _seats(context, pool, args["scope"]))
    if not seats["classic"]:
        return
    found = await port.step(f"retracted from {pool}", lambda: _effects(undo.retractions(context, pool)))
    await _undo(port, f"into {pool}", found["effects"], whole=False)
    if not seats["leaves"]:
        return
    told = await port.step(
        f"published to {pool}", lambda: _effects(undo.publications(context, pool, whole=args["whole"]))
    )
    if told["effects"]:
        await steps.perform(f"told of {pool}", lambda: _tell(context, pool=pool))
        await port.sleep(FEED_S)
        await _undo(port, f"out of {pool}", told["effects"], whole=args["whole"])


async def _tell(context: Context, *, pool: str = "", hosts: Sequence[str] = ()) -> Facts:
    return await context.hooks.noticed(context.notices.returned(pool or "rollback", pool=pool, hosts=hosts))


async def _seats(context: Context, pool: str, hosts: list[str]) -> Facts:
    """`leaves`: no host of the pool stays on the target. `classic`: its people are let in there again, since what stays
    on the target has fewer seats than they want at their peak: both services together have them all."""
    going = {fold(host) for host in hosts}
    staying = [host for host in arrived_in(context, pool) if fold(host) not in going]
    there = sum(context.move(host).capacity for host in staying)
    here = sum(move.capacity for move in _back_on_classic(context, pool, going))
    wanted = needed_for(context, context.pool(pool))
    return {"leaves": not staying, "classic": not staying or (there < wanted and here > 0), "wanted": wanted}


def _back_on_classic(context: Context, pool: str, going: set[str]) -> list[HostMove]:
    states = {fold(host.id): host.state for host in context.journal.all(Kind.HOST)}
    mine = [move for move in context.plan.hosts if same(move.source_pool, pool)]
    return [m for m in mine if fold(m.source) in going or states.get(fold(m.source)) == HostState.ON_SOURCE]


async def _effects(found: list[Any]) -> Facts:
    return {"effects": undo.as_data(found)}


async def _undo(port: Workflow, name: str, found: list[Any], *, whole: bool) -> None:
    child = f"{port.id}/{name}"
    await port.start("undo", child, {"effects": found, "whole": whole})
    ended = await port.wait([child])
    ended[child].raise_if_failed()


# -- objects, end


async def _objects(context: Context, port: Workflow) -> None:
    """All that is left, the last written first."""
    found = await port.step("what is left", lambda: _effects(undo.everything(context)))
    await _undo(port, "objects", found["effects"], whole=True)
    await keep_withdrawn(context, port)


async def _waves(context: Context, args: dict[str, Any], state: WaveState) -> Facts:
    for wave_id in args["waves"]:
        known = context.journal.get(Kind.WAVE, wave_id)
        if known is not None and known.state in _MAY[state]:
            context.settle(Kind.WAVE, wave_id, state, args["reason"])
    return {"waves": len(args["waves"])}


_MAY = {
    WaveState.REVERTING: {WaveState.MOVING, WaveState.SOAKING, WaveState.HOLDING, WaveState.CONFIRMED},
    WaveState.REVERTED: {WaveState.REVERTING},
}


async def _end(context: Context, args: dict[str, Any]) -> Facts:
    await _waves(context, args, WaveState.REVERTED)
    if args["whole"] and not context.orders.is_rolled_back(args["number"]):
        context.orders.give(ROLLED_BACK, "run", why=args["reason"], values={"rollback": args["number"]})
    return {"hosts": len(args["hosts"])}


async def _settled(context: Context, args: dict[str, Any]) -> Facts:
    """The last write: a run that is called rolled back has nothing left to do."""
    found = [context.journal.get(Kind.HOST, host) for host in args["hosts"]]
    stuck = [host.id for host in found if host is not None and host.state == HostState.QUARANTINED]
    why = f"{len(found) - len(stuck)} hosts are back on classic; `crossfade resume` goes on without them."
    gone = f" No VM is left of {', '.join(stuck)}." if stuck else ""
    return await _settle(context, _ends_as(args), (args["reason"] if args["whole"] else why) + gone)


async def _settle(context: Context, state: RunState, why: str) -> Facts:
    context.settle(Kind.RUN, context.run_id, state, why)
    return {}


__all__ = ["classic_answers", "rollback_body"]
