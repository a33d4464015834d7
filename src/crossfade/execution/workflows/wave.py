"""A wave: its hosts side by side, then its people, then a look at whether all stays well.

A wave that failed holds. Begun again by a resume, it tries the hosts anew that did not arrive; its `time` tells how
often that has happened, and names the steps that are done each time.
"""

from datetime import datetime, timedelta
from typing import Any

from crossfade.clock import parse_iso
from crossfade.errors import MigrationError, StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Outcome, Workflow, WorkflowState
from crossfade.execution.records import Entity
from crossfade.execution.seats import PEOPLE
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import ARRIVED, HostState, Kind, WaveState
from crossfade.execution.workflows import host as host_workflow
from crossfade.execution.workflows.icons import set_icons
from crossfade.execution.workflows.objects import write
from crossfade.execution.workflows.retract import retract
from crossfade.execution.workflows.showing import keep_shown
from crossfade.execution.workflows.tries import has_arrived, has_failed, named, step_facts
from crossfade.execution.workflows.vm import power_given_back
from crossfade.model.alerts import GATE
from crossfade.model.ids import fold, parent_key
from crossfade.plan.plan import Wave

SEEN_POLL_S = 600.0
CONFIRM_POLL_S = 60.0
CONFIRM_WITHIN_S = 900.0
WAVES = "waves"
YES = "yes"
YES_POLL_S = 15.0
YES_WITHIN_S = 30 * 86_400.0
LAST = "last-wave"
CHAINS = 8
"""So many people are published at once, where nobody waits for seats."""
CANARY = "canary-host"
MEND = "See `crossfade status`, mend the hosts or `crossfade skip` them, then `crossfade resume`."


def wave_body(context: Context) -> Body:
    """`args`: wave. Gives hosts by outcome; raises StepFailed when more hosts failed than the budget allows."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        wave = context.wave(args["wave"])
        steps = context.steps(port, wave.id)
        if (await port.step("over", lambda: _over(context, wave)))["over"]:
            return {"wave": wave.id, "hosts": []}
        time = (await port.step("which time", lambda: _time(context, wave)))["time"]
        try:
            hosts = await _carry_out(context, port, steps, wave, time)
        except MigrationError as error:
            why = str(error)
            await port.step("hold", lambda: _hold(context, wave, why))
            await _after(context, port, wave, WaveState.HOLDING, why)
            raise
        await _after(context, port, wave, WaveState.CONFIRMED, "")
        return {"wave": wave.id, "hosts": hosts}

    return body


async def _carry_out(context: Context, port: Workflow, steps: Steps, wave: Wave, time: int) -> list[dict[str, Any]]:
    await context.hooks.before(steps, named("hook", time), "before_wave", _variables(wave))
    carried_over = _restored if context.orders.without_classic else _crossfaded
    outcomes = await carried_over(context, port, steps, wave, time)
    await _state(context, steps, wave, WaveState.SOAKING, time)
    await _soak(context, steps, time)
    await _approved(context, steps, wave, time)
    await _confirm(context, steps, wave, time)
    await _state(context, steps, wave, WaveState.CONFIRMED, time)
    return outcomes


async def _crossfaded(context: Context, port: Workflow, steps: Steps, wave: Wave, time: int) -> list[dict[str, Any]]:
    """Hosts and people from one service to the other, a seat for everybody all the while."""
    if wave.kind == LAST:
        await _state(context, steps, wave, WaveState.WAITING, time)
        await _hand_over(context, port, steps, wave, time)
    await _state(context, steps, wave, WaveState.MOVING, time)
    outcomes = await _move_all(context, port, steps, wave, time)
    if any(context.pool(pool).outage and context.pool(pool).host_count > 1 for pool in pools_of(context, wave)):
        await _admit_the_rest(context, port, steps, wave, time)
    await set_icons(context, port, steps, wave, time)
    await _retract(context, port, steps, wave, _alone(context, wave), time)
    return outcomes


async def _restored(context: Context, port: Workflow, steps: Steps, wave: Wave, time: int) -> list[dict[str, Any]]:
    """Where classic has gone: people are published while their hosts are on their way, whether there are seats yet or
    not; nobody is waited for, and nothing is taken out of classic."""
    await _state(context, steps, wave, WaveState.MOVING, time)
    hosts = (await steps.perform(named("pending", time), lambda: _pending(context, wave)))["hosts"]
    children = await _begin_hosts(context, port, wave, hosts, time, "")
    due = await steps.perform(named("everybody", time), lambda: _everybody(context, wave))
    if due["operations"]:
        await keep_shown(context, port, pools_of(context, wave))
    people = await begin_publishing(port, named("everybody", time), due["operations"])
    outcomes = await _ended_hosts(port, children)
    await published(port, people)
    await steps.perform(named("everybody told", time), lambda: _tell(context, wave))
    await _check_budget(context, port, wave, outcomes, named("failed", time))
    await set_icons(context, port, steps, wave, time)
    return outcomes


async def _everybody(context: Context, wave: Wave) -> Facts:
    return {"operations": context.seats.unpublished(wave)}


async def begin_publishing(port: Workflow, name: str, operations: list[str]) -> list[str]:
    """Many people side by side: ARM's and Graph's budgets decide how fast, not the way there and back. Workflow ids."""
    chains = {f"{port.id}/{name} {at}": operations[at::CHAINS] for at in range(min(CHAINS, len(operations)))}
    for child, mine in chains.items():
        await port.start("chain", child, {"subject": PEOPLE, "operations": mine})
    return list(chains)


async def published(port: Workflow, chains: list[str]) -> None:
    for outcome in (await port.wait(chains)).values():
        outcome.raise_if_failed()


def _variables(wave: Wave) -> dict[str, str]:
    """What its hooks are told."""
    return {"WAVE": wave.id, "KIND": wave.kind, "HOSTS": str(len(wave.hosts)), "PEOPLE": str(len(wave.cohort))}


async def _after(context: Context, port: Workflow, wave: Wave, state: WaveState, why: str) -> None:
    if context.hooks.has("after_wave"):
        given = {**_variables(wave), "OUTCOME": state, "WHY": why}
        await port.step("after", lambda: context.hooks.after("after_wave", given))


# -- which time, and holding


async def _time(context: Context, wave: Wave) -> Facts:
    """How often the wave was begun before. A wave that holds begins anew, and one that was taken back."""
    known = context.journal.get(Kind.WAVE, wave.id)
    assert known is not None, f"{wave.id} is not in the journal"
    time = int(known.data.get("time", 0))
    if known.state == WaveState.REVERTING:
        context.settle(Kind.WAVE, wave.id, WaveState.HOLDING, "its rollback was left, since classic has gone")
    if known.state in (WaveState.HOLDING, WaveState.REVERTED, WaveState.REVERTING):
        time += 1
        context.journal.move(Kind.WAVE, wave.id, WaveState.WAITING, reason="tried again", data={"time": time})
    return {"time": time}


async def _over(context: Context, wave: Wave) -> Facts:
    """Whether nothing is left to do: it is confirmed, or all its hosts stay where they are because somebody said so."""
    everything = bool(wave.hosts) and all(context.orders.leave(host) is not None for host in wave.hosts)
    known = context.journal.get(Kind.WAVE, wave.id)
    if everything and known is not None and known.state in (WaveState.PLANNED, WaveState.WAITING, WaveState.REVERTED):
        for state in (WaveState.WAITING, WaveState.SKIPPED):
            context.settle(Kind.WAVE, wave.id, state, "its hosts are left alone")
    return {"over": everything or (known is not None and _is_confirmed(context, known))}


def _is_confirmed(context: Context, wave: Entity) -> bool:
    """Said so, and the step that says so has its outcome: one cut off by a crash is to get it."""
    step = named(f"state {WaveState.CONFIRMED}", int(wave.data.get("time", 0)))
    return wave.state == WaveState.CONFIRMED and step_facts(context, f"{wave.id}/{step}") is not None


def wave_is_confirmed(context: Context, wave_id: str) -> bool:
    known = context.journal.get(Kind.WAVE, wave_id)
    return known is not None and _is_confirmed(context, known)


async def _hold(context: Context, wave: Wave, why: str) -> Facts:
    known = context.journal.get(Kind.WAVE, wave.id)
    assert known is not None, f"{wave.id} is not in the journal"
    if known.state in (WaveState.WAITING, WaveState.MOVING, WaveState.SOAKING):
        context.settle(Kind.WAVE, wave.id, WaveState.HOLDING, why)
    return {}


async def _state(context: Context, steps: Steps, wave: Wave, state: WaveState, time: int) -> None:
    async def move() -> Facts:
        context.settle(Kind.WAVE, wave.id, state)
        return {}

    await steps.perform(named(f"state {state}", time), move)


# -- hosts


async def _move_all(context: Context, port: Workflow, steps: Steps, wave: Wave, time: int) -> list[dict[str, Any]]:
    """Hosts, then the people who have seats now; then the hosts that let these people go first, and so on."""
    hosts = wave.hosts
    if time:
        hosts = (await steps.perform(named("pending", time), lambda: _pending(context, wave)))["hosts"]
    outcomes: list[dict[str, Any]] = []
    for turn in range(len(wave.hosts) + 1):
        name = named("admit", time) + (f" (turn {turn + 1})" if turn else "")
        ended = await _move_hosts(context, port, wave, hosts, time, turn)
        hosts = [item["host"] for item in ended if item["outcome"] == host_workflow.WAITS]
        outcomes += [item for item in ended if item["outcome"] != host_workflow.WAITS]
        await _check_budget(context, port, wave, outcomes, f"failed before turn {turn + 1}")
        await _publish(context, port, steps, wave, name, all_of_it=False)
        if not hosts:
            break
    return outcomes


async def _move_hosts(
    context: Context, port: Workflow, wave: Wave, hosts: list[str], time: int, turn: int
) -> list[dict[str, Any]]:
    """These hosts side by side."""
    children = await _begin_hosts(context, port, wave, hosts, time, f" (turn {turn + 1})" if turn else "")
    return await _ended_hosts(port, children)


async def _begin_hosts(
    context: Context, port: Workflow, wave: Wave, hosts: list[str], time: int, again: str
) -> dict[str, str]:
    """Workflow -> host."""
    rehearse = wave.kind == CANARY and context.plan.settings.canary_return and not context.orders.without_classic
    children = {f"{port.id}/{named(host, time)}{again}": host for host in hosts}
    for child, host in children.items():
        await port.start("host", child, {"host": host, "wave": wave.id, "time": time, "rehearse": rehearse})
    return children


async def _ended_hosts(port: Workflow, children: dict[str, str]) -> list[dict[str, Any]]:
    ended = await port.wait(list(children))
    return [_outcome(host, ended[child]) for child, host in children.items()]


async def _pending(context: Context, wave: Wave) -> Facts:
    return {"hosts": [host for host in wave.hosts if not has_arrived(context, host)]}


def _outcome(host: str, ended: Outcome) -> dict[str, Any]:
    """A host whose workflow broke is one failed host, not a failed wave."""
    if ended.state is WorkflowState.DONE:
        return dict(ended.result)
    why = (ended.error or {}).get("what", "its workflow was cancelled")
    return {"host": host, "outcome": "failed", "why": why}


async def _failed_elsewhere(context: Context, wave: Wave) -> Facts:
    """Hosts of other waves whose last try failed, and whom nobody has decided to leave alone."""
    mine = set(wave.hosts)
    others = [move.source for move in context.plan.hosts if move.source not in mine]
    return {"hosts": [host for host in others if has_failed(context, host)]}


async def _check_budget(
    context: Context, port: Workflow, wave: Wave, outcomes: list[dict[str, Any]], name: str
) -> None:
    """Raises StepFailed for more failed hosts than the budget of the wave or of the run allows, or for one that has
    left its person behind."""
    settings = context.plan.settings
    failed = [item for item in outcomes if item["outcome"] not in (host_workflow.MOVED, host_workflow.LEFT)]
    held = [item for item in failed if item["outcome"] == host_workflow.HELD]
    whys = sorted({item["why"] for item in held or failed})
    if held or len(failed) > settings.failure_budget:
        raise StepFailed(
            f"Wave {wave.id} holds: {len(failed)} of {len(wave.hosts)} hosts could not be moved.", "; ".join(whys), MEND
        )
    if not failed:
        return
    elsewhere = (await port.step(name, lambda: _failed_elsewhere(context, wave)))["hosts"]
    together = len(failed) + len(elsewhere)
    if together > settings.run_failure_budget:
        raise StepFailed(
            f"Wave {wave.id} holds: {together} hosts of the run could not be moved, {settings.run_failure_budget} may.",
            "; ".join([*whys, f"before: {', '.join(elsewhere)}" if elsewhere else ""]).rstrip("; "),
            MEND,
        )


# -- people


async def _publish(context: Context, port: Workflow, steps: Steps, wave: Wave, name: str, *, all_of_it: bool) -> None:
    """The people whose target seats are there get the target; the others wait for a later wave."""
    admitted = await steps.perform(name, lambda: _admit(context, wave, all_of_it))
    if admitted["operations"]:
        await keep_shown(context, port, pools_of(context, wave))
    for operation_id in admitted["operations"]:
        await write(context, port, context.people(port), operation_id)
    await steps.perform(f"{name}: told", lambda: _tell(context, wave))


async def _admit_the_rest(context: Context, port: Workflow, steps: Steps, wave: Wave, time: int) -> None:
    """Of a pool whose hosts have all moved at one go nobody stays behind: classic has no seats for them any more. Where
    no host has arrived, all are on classic still."""
    name = named("admit the rest", time)
    there = await steps.perform(f"{name}: seats", lambda: _arrived(context, wave))
    if there["hosts"]:
        await _publish(context, port, steps, wave, name, all_of_it=True)


async def _tell(context: Context, wave: Wave) -> Facts:
    return await context.hooks.noticed(context.notices.moved(wave))


async def _admit(context: Context, wave: Wave, all_of_it: bool) -> Facts:
    return context.seats.admit(wave, all_of_it=all_of_it)


async def _hand_over(context: Context, port: Workflow, steps: Steps, wave: Wave, time: int) -> None:
    """Before the last classic hosts leave: everybody has the target, has been there, and is out of classic.

    A pool that moves at one go has no target seat before that: its people change over after it.
    """
    shared = pools_of(context, wave) - _alone(context, wave)
    if shared:
        await _publish(context, port, steps, wave, named("admit everybody", time), all_of_it=True)
        await _everybody_seen(context, steps, wave, shared)
        await _retract(context, port, steps, wave, shared, time)


async def _retract(context: Context, port: Workflow, steps: Steps, wave: Wave, pools: set[str], time: int) -> None:
    """People out of classic, in those of these pools whose target takes them: nobody is left without any."""
    if not wave.retract or not pools:
        return
    name = named(f"retract {' '.join(sorted(pools))}", time)
    due = await steps.perform(name, lambda: _to_retract(context, wave, pools))
    await retract(context, port, steps, name, due["operations"])


async def _to_retract(context: Context, wave: Wave, pools: set[str]) -> Facts:
    moves = [move for move in context.plan.hosts if fold(move.source_pool) in pools]
    states = {move.source: context.journal.get(Kind.HOST, move.source) for move in moves}
    there = {fold(move.source_pool) for move in moves if (known := states[move.source]) and known.state in ARRIVED}
    names = [name for name in wave.retract if fold(parent_key(context.operation(name).group)) in there]
    return {"operations": names}


def pools_of(context: Context, wave: Wave) -> set[str]:
    """Folded keys of the wave's pools."""
    return {fold(move.source_pool) for move in map(context.move, wave.hosts)}


def _alone(context: Context, wave: Wave) -> set[str]:
    """Folded keys of the wave's pools that move at one go, which are never on both sides at once."""
    return {pool for pool in pools_of(context, wave) if context.pool(pool).at_one_go}


async def _everybody_seen(context: Context, steps: Steps, wave: Wave, pools: set[str]) -> None:
    """Last seats on classic go only when everybody published has been seen on the target, or at the due date."""

    async def look() -> Facts | None:
        await context.control.checkpoint()
        unseen = context.seats.unseen(pools)
        overdue = (
            context.clock.now() - _waiting_since(context)
        ).total_seconds() >= context.plan.settings.last_wave_due_s
        return {"unseen": sorted(unseen)} if not unseen or overdue else None

    await steps.until(
        context.named("seen"),
        look,
        every_s=SEEN_POLL_S,
        within_s=context.plan.settings.last_wave_due_s + 3_600.0,
        waiting_for="everybody published to be seen on the target, or the due date",
    )


def _waiting_since(context: Context) -> datetime:
    """When the first of the last waves began to wait: all of them share one due date."""
    waits = [
        context.journal.get(Kind.STEP, f"{wave.id}/{context.named('seen')}")
        for wave in context.plan.waves
        if wave.kind == LAST
    ]
    return min((parse_iso(wait.added_at) for wait in waits if wait), default=context.clock.now())


# -- is all well?


async def _soak(context: Context, steps: Steps, time: int) -> None:
    """Let the wave's hosts work for a while; an interruption adds nothing to it."""
    name = named("soak", time)

    async def wait() -> Facts:
        left = steps.deadline(name, context.plan.settings.soak_s) - context.clock.now()
        await context.clock.sleep(max(0.0, left.total_seconds()))
        return {}

    await steps.perform(
        name, wait, within_s=context.plan.settings.soak_s, reason="waiting for the end of the soak time"
    )


async def _approved(context: Context, steps: Steps, wave: Wave, time: int) -> None:
    """The people gate, where one is asked for: the wave waits for somebody's yes."""
    if context.plan.settings.people_gate != WAVES:
        return

    command = f"crossfade approve {wave.id}"

    async def call() -> Facts:
        if context.orders.approval(wave.id) is not None:
            return {}
        until = context.clock.now() + timedelta(seconds=YES_WITHIN_S)
        why = f"{wave.id} has soaked and waits for somebody's yes."
        return await context.alerts.call(GATE, wave.id, why, command, until)

    await steps.perform(named("alert", time), call)

    async def look() -> Facts | None:
        order = context.orders.approval(wave.id)
        return {"by": order.actor} if order is not None else None

    await steps.until(
        named(YES, time),
        look,
        every_s=YES_POLL_S,
        within_s=YES_WITHIN_S,
        waiting_for=f"somebody's yes: `{command}`",
    )


async def _confirm(context: Context, steps: Steps, wave: Wave, time: int) -> None:
    arrived = await steps.perform(named("arrived", time), lambda: _arrived(context, wave))
    for host in arrived["hosts"]:
        move = context.move(host)
        await steps.until(
            named(f"confirm {host}", time),
            lambda move=move: context.target.healthy(move),  # type: ignore[misc]
            every_s=CONFIRM_POLL_S,
            within_s=CONFIRM_WITHIN_S,
            told=lambda move=move: context.target.told(move),  # type: ignore[misc]
            waiting_for=f"{move.host_name} to be well at the end of its soak time",
            then=lambda _, host=host: context.advance(host, HostState.CONFIRMED, "well after its soak time"),  # type: ignore[misc]
        )
        await power_given_back(context, steps, move)


async def _arrived(context: Context, wave: Wave) -> Facts:
    known = [context.journal.get(Kind.HOST, host) for host in wave.hosts]
    return {"hosts": [host.id for host in known if host is not None and host.state in ARRIVED]}
