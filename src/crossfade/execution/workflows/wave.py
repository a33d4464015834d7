"""A wave: its hosts side by side, then its people, then a look at whether all stays well."""

from datetime import datetime
from typing import Any

from crossfade.clock import parse_iso
from crossfade.errors import StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Outcome, Workflow, WorkflowState
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import HostState, Kind, WaveState
from crossfade.execution.workflows import host as host_workflow
from crossfade.execution.workflows.objects import write
from crossfade.model.ids import fold
from crossfade.plan.plan import HostMove, Wave

SEEN_POLL_S = 600.0
CONFIRM_POLL_S = 60.0
CONFIRM_WITHIN_S = 900.0
LAST = "last-wave"
SECURED = frozenset({HostState.ACCEPTING, HostState.CONFIRMED})
CANARY = "canary-host"


def wave_body(context: Context) -> Body:
    """`args`: wave. Gives hosts by outcome; raises StepFailed when more hosts failed than the budget allows."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        wave = context.wave(args["wave"])
        steps = context.steps(port, wave.id)
        if wave.kind == LAST:
            await _hand_over(context, port, steps, wave)
        await _state(context, steps, wave, WaveState.MOVING)
        outcomes = await _move_hosts(context, port, wave)
        failed = [item for item in outcomes if item["outcome"] != host_workflow.MOVED]
        if len(failed) > context.plan.settings.failure_budget:
            await _state(context, steps, wave, WaveState.HOLDING)
            raise StepFailed(
                f"Wave {wave.id} holds: {len(failed)} of {len(wave.hosts)} hosts could not be moved.",
                "; ".join(sorted({item["why"] for item in failed})),
                "See `crossfade status`, mend the hosts, then `crossfade resume`.",
            )
        await _publish(context, port, steps, wave, all_of_it=False)
        await _state(context, steps, wave, WaveState.SOAKING)
        await port.sleep(context.plan.settings.soak_s)
        await _confirm(context, port, steps, wave)
        await _state(context, steps, wave, WaveState.CONFIRMED)
        return {"wave": wave.id, "hosts": outcomes}

    return body


async def _move_hosts(context: Context, port: Workflow, wave: Wave) -> list[dict[str, Any]]:
    children = {f"{port.id}/{host}": host for host in wave.hosts}
    for child, host in children.items():
        rehearse = wave.kind == CANARY and context.plan.settings.canary_return
        await port.start("host", child, {"host": host, "wave": wave.id, "rehearse": rehearse})
    ended = await port.wait(list(children))
    return [_outcome(host, ended[child]) for child, host in children.items()]


def _outcome(host: str, ended: Outcome) -> dict[str, Any]:
    """A host whose workflow broke is one failed host, not a failed wave."""
    if ended.state is WorkflowState.DONE:
        return dict(ended.result)
    why = (ended.error or {}).get("what", "its workflow was cancelled")
    return {"host": host, "outcome": "failed", "why": why}


async def _publish(context: Context, port: Workflow, steps: Steps, wave: Wave, *, all_of_it: bool) -> None:
    """The people whose target seats are there get the target; the others wait for a later wave."""
    name = "admit everybody" if all_of_it else "admit"
    admitted = await steps.perform(name, lambda: _admit(context, wave, all_of_it))
    for operation_id in admitted["operations"]:
        await write(context, port, context.people(port), operation_id)


async def _admit(context: Context, wave: Wave, all_of_it: bool) -> Facts:
    return context.seats.admit(wave, all_of_it=all_of_it)


async def _confirm(context: Context, port: Workflow, steps: Steps, wave: Wave) -> None:
    arrived = await steps.perform("arrived", lambda: _arrived(context, wave))
    for host in arrived["hosts"]:
        move = context.move(host)
        await steps.until(
            f"confirm {host}",
            lambda move=move: context.target.healthy(move),  # type: ignore[misc]
            every_s=CONFIRM_POLL_S,
            within_s=CONFIRM_WITHIN_S,
            waiting_for="the host to be well at the end of its soak time",
            then=lambda _, host=host: context.advance(host, HostState.CONFIRMED, "well after its soak time"),  # type: ignore[misc]
        )
        if move.start:
            await _give_power_back(context, steps, move)


async def _arrived(context: Context, wave: Wave) -> Facts:
    known = [context.journal.get(Kind.HOST, host) for host in wave.hosts]
    return {"hosts": [host.id for host in known if host is not None and host.state in SECURED]}


async def _give_power_back(context: Context, steps: Steps, move: HostMove) -> None:
    """A VM that this run started goes back to sleep, if nobody uses it by now."""

    async def deallocate() -> Facts:
        if await context.target.sessions(move):
            return {"deallocated": False, "why": "somebody works on it"}
        return await context.machine.deallocate(move.vm)

    await steps.perform(f"deallocate {move.source}", deallocate)


async def _hand_over(context: Context, port: Workflow, steps: Steps, wave: Wave) -> None:
    """Before the last classic hosts leave: everybody has the target, has been there, and is out of classic.

    A pool of one host has no target seat before that host has arrived: its people change over with it.
    """
    if _shared(context, wave):
        await _publish(context, port, steps, wave, all_of_it=True)
        await _everybody_seen(context, steps, wave)
    for operation_id in wave.retract:
        await write(context, port, context.people(port), operation_id)


def _shared(context: Context, wave: Wave) -> set[str]:
    """Folded keys of the wave's pools that have hosts on both sides by now."""
    pools = {fold(move.source_pool) for move in map(context.move, wave.hosts)}
    return {pool for pool in pools if context.pool(pool).host_count > 1}


async def _everybody_seen(context: Context, steps: Steps, wave: Wave) -> None:
    """Last seats on classic go only when everybody published has been seen on the target, or at the due date."""
    pools = _shared(context, wave)

    async def look() -> Facts | None:
        await context.control.checkpoint()
        unseen = context.seats.unseen(pools)
        overdue = (
            context.clock.now() - _waiting_since(context)
        ).total_seconds() >= context.plan.settings.last_wave_due_s
        return {"unseen": sorted(unseen)} if not unseen or overdue else None

    await steps.until(
        "seen",
        look,
        every_s=SEEN_POLL_S,
        within_s=context.plan.settings.last_wave_due_s + 3_600.0,
        waiting_for="everybody published to be seen on the target, or the due date",
    )


def _waiting_since(context: Context) -> datetime:
    """When the first of the last waves began to wait: all of them share one due date."""
    waits = [context.journal.get(Kind.STEP, f"{wave.id}/seen") for wave in context.plan.waves if wave.kind == LAST]
    return min((parse_iso(wait.added_at) for wait in waits if wait), default=context.clock.now())


async def _state(context: Context, steps: Steps, wave: Wave, state: WaveState) -> None:
    async def move() -> Facts:
        context.settle(Kind.WAVE, wave.id, state)
        return {}

    await steps.perform(f"state {state}", move)
