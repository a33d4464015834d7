"""One host's way forward, in the one order of design section 10.

    on_source → staged → draining → drained → saved → moving → registered → healthy → accepting

Every line of the way is a journalled step. A machine gate that fails before anybody was disturbed leaves the host where
it is; one that fails later sends it back (see `revert`). Giving up is journalled before anything is undone: whoever
goes on after a crash goes on with the way back, and never tries a step again on a host that serves people on classic.
"""

from typing import Any

from crossfade.errors import CloudError, MigrationError, StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Workflow
from crossfade.execution.hooks import host_variables
from crossfade.execution.machine import ScriptFailed
from crossfade.execution.orders import TAKEN_BACK
from crossfade.execution.steps import Facts, Steps, insist
from crossfade.execution.transitions import HostState, Kind
from crossfade.execution.workflows.disk import keep_disk
from crossfade.execution.workflows.drain import PeopleFirst, drain, still_empty
from crossfade.execution.workflows.objects import write
from crossfade.execution.workflows.revert import QUARANTINED, RETURNED, leave_target, revert
from crossfade.execution.workflows.showing import keep_shown
from crossfade.execution.workflows.tries import ARRIVED, FORWARD, GIVE_UP, THERE, WAITING, find_try, named
from crossfade.execution.workflows.vm import PAUSE_S, TRIES, installed, power_given_back, restarted, scripted
from crossfade.model.ids import fold
from crossfade.plan.plan import HostMove, Wave

POLL_S = 30.0
REGISTER_WITHIN_S = 1_800.0
HEALTHY_WITHIN_S = 1_200.0
HEARTBEAT_FRESH_S = 300.0
TURN_WITHIN_S = 14 * 86_400.0
NO_WAY_BACK = "Classic has gone, so it stays where it is until `crossfade retry`."
MOVED = "moved"
LEFT = "left"
WAITS = "waits"
"""The host is as it was: people of its wave go first, then it is tried again."""
"""Left alone or taken back, because a person said so."""
HELD = "held"
"""The host has arrived, its people are not all published: no way back by itself, nothing lost, somebody must look."""
RESTING = frozenset({HostState.ON_SOURCE, HostState.QUARANTINED})
ALREADY = "already"
STAGING = "staging"
MOVING = "moving"
RETURNING = "returning"


def host_body(context: Context) -> Body:
    """`args`: host (classic key), wave, time (how often its wave was begun before), rehearse (forward and back before
    going forward for good)."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        ended = await carry_out(port, args)
        if ended["outcome"] != WAITS and context.hooks.has("after_host"):
            await port.step("after", lambda: _after(context, args, ended))
        return ended

    async def carry_out(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        move = context.move(args["host"])
        left = await port.step("left alone", lambda: _left_alone(context, move))
        if left["why"]:
            return {"host": move.source, "outcome": LEFT, "why": left["why"]}
        found = await port.step("which try", lambda: find_try(context, move, args["time"]))
        given_up = found["given_up"]
        if given_up is None:
            try:
                given_up = await _try(context, port, move, args, found)
            except MigrationError as error:
                return {"host": move.source, "outcome": HELD, "why": str(error)}
        if given_up is None:
            return {"host": move.source, "outcome": MOVED}
        outcome = await _settle(context, port, move, given_up)
        return {"host": move.source, "outcome": outcome, "why": given_up["why"]}

    return body


async def _try(context: Context, port: Workflow, move: HostMove, args: dict[str, Any], found: Facts) -> Facts | None:
    """The whole way. Facts about giving up, or None. Raises MigrationError for a host that stays where it is."""
    number, time = found["number"], args["time"]
    if context.orders.without_classic:
        await port.step("turned round", lambda: _turned_round(context, move))
    if number:
        steps = context.steps(port, f"{move.source}#{named(FORWARD, number)}")
        try:
            await steps.perform("again", lambda: _again(context, move, found["last"]))
        except StepFailed as error:
            return {"way": steps.subject, "at": RETURNING, "why": str(error)}
    try:
        steps = context.steps(port, f"{move.source}#{named(FORWARD, number)}")
        await context.hooks.before(steps, "hook", "before_host", host_variables(move, args["wave"]))
    except StepFailed as error:
        return await _give_up(context, move, steps, way=named(FORWARD, number), at=STAGING, why=str(error), time=time)
    if args.get("rehearse"):
        given_up = await _move(context, port, move, named(THERE, number), args["wave"], time)
        if given_up is None:
            given_up = await _back(context, port, move, number, time)
        if given_up is not None:
            return given_up
    given_up = await _move(context, port, move, named(FORWARD, number), args["wave"], time, for_good=True)
    if given_up is None:
        await _publish(context, port, move, args["wave"])
        steps = context.steps(port, f"{move.source}#{named(FORWARD, number)}")
        if move.personal:
            await steps.perform("told", lambda: _tell(context, move, args["wave"]))
        await steps.perform(ARRIVED, _nothing)
    return given_up


async def _after(context: Context, args: dict[str, Any], ended: dict[str, Any]) -> Facts:
    given = host_variables(context.move(args["host"]), args["wave"])
    return await context.hooks.after("after_host", {**given, "OUTCOME": ended["outcome"], "WHY": ended.get("why", "")})


async def _left_alone(context: Context, move: HostMove) -> Facts:
    """Somebody's word that this host stays where it is; one that is on its way already goes on."""
    order, known = context.orders.leave(move.source), context.journal.get(Kind.HOST, move.source)
    resting = known is not None and known.state in RESTING
    return {"why": order.why if order is not None and resting else ""}


async def _again(context: Context, move: HostMove, last: Facts) -> Facts:
    """A host in quarantine may be tried again when it was never disturbed, or serves on classic again by now."""
    known = context.journal.get(Kind.HOST, move.source)
    assert known is not None, f"{move.source} is not in the journal"
    if context.orders.without_classic:
        if known.state == HostState.QUARANTINED:
            await leave_target(context, move)
            await context.target.remove(move)
            context.settle(Kind.HOST, move.source, HostState.ON_SOURCE, "tried again; classic has gone")
    elif known.state == HostState.QUARANTINED:
        if last["at"] != STAGING and not await context.source.is_alive(move, HEARTBEAT_FRESH_S):
            raise StepFailed(
                f"{move.host_name} stays in quarantine.",
                "It is not in service on classic.",
                "Bring it back there, or leave it out of the plan, then `crossfade resume`.",
            )
        context.settle(Kind.HOST, move.source, HostState.ON_SOURCE, "in service on classic, tried again")
    return {}


async def _turned_round(context: Context, move: HostMove) -> Facts:
    """A host that was on its way back when classic went: it goes to the target like the others."""
    known = context.journal.get(Kind.HOST, move.source)
    if known is not None and known.state == HostState.REVERTING:
        context.settle(Kind.HOST, move.source, HostState.ON_SOURCE, "classic has gone while it was on its way back")
    return {}


async def _move(
    context: Context, port: Workflow, move: HostMove, way: str, wave_id: str, time: int, *, for_good: bool = False
) -> Facts | None:
    """One way to the target. None when it got there, else facts about giving up, which are in the journal."""
    steps = context.steps(port, f"{move.source}#{way}")
    at = STAGING
    try:
        await _stage(context, port, steps, move)
        at = MOVING
        removed = await _leave(context, port, steps, move, context.wave(wave_id))
        if not removed.get(ALREADY):
            there = await _install(context, port, steps, move, removed["bootTime"])
            await restarted(context, port, steps, move, "restart-registered", there["bootTime"])
        elif not removed["in_use"]:
            await restarted(context, port, steps, move, "restart-registered", removed["bootTime"])
        await _arrive(context, steps, move)
        if for_good:
            await _open(context, steps, move)
    except PeopleFirst as error:
        return {"way": way, "at": WAITING, "why": str(error)}
    except MigrationError as error:
        return await _give_up(context, move, steps, way=way, at=at, why=str(error), time=time)
    return None


async def _back(context: Context, port: Workflow, move: HostMove, number: int, time: int) -> Facts | None:
    """The canary goes back before it goes for good. Facts about giving up when it cannot."""
    reason = "the canary host goes back before it goes for good"
    if await revert(context, port, move, named("back", number), reason=reason) == RETURNED:
        return None
    steps = context.steps(port, f"{move.source}#{named(THERE, number)}")
    return await _give_up(
        context, move, steps, way=named(THERE, number), at=RETURNING, why="It could not go back.", time=time
    )


async def _give_up(context: Context, move: HostMove, steps: Steps, *, way: str, at: str, why: str, time: int) -> Facts:
    async def decide() -> Facts:
        left = context.orders.leave(move.source) is not None
        return {"way": way, "at": at, "why": why, "time": time, "left": left}

    return await steps.perform(GIVE_UP, decide, reason=why)


async def _settle(context: Context, port: Workflow, move: HostMove, given_up: Facts) -> str:
    """What follows from giving up: quarantine where nobody was disturbed, else the way back."""
    steps = context.steps(port, f"{move.source}#{given_up['way']}")
    if given_up["at"] == RETURNING:
        return QUARANTINED
    if given_up["at"] == WAITING:
        return WAITS
    if given_up["at"] == TAKEN_BACK:
        return LEFT
    if given_up["at"] == STAGING or context.orders.without_classic:
        why = f"staging failed: {given_up['why']}" if given_up["at"] == STAGING else f"{given_up['why']} {NO_WAY_BACK}"
        await steps.perform(
            "quarantine",
            _nothing,
            reason=why,
            then=lambda _: context.quarantine(move, why),
        )
        outcome = QUARANTINED
    else:
        outcome = await revert(context, port, move, f"{given_up['way']}-undo", reason=given_up["why"])
    if outcome == RETURNED or given_up["at"] == STAGING:
        await power_given_back(context, steps, move)
    return LEFT if outcome == RETURNED and given_up["left"] else outcome


async def _stage(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Everything that can be known before anybody is disturbed."""
    if move.start:
        await steps.perform(
            "start-vm",
            lambda: context.machine.start(move.vm),
            observe=lambda: context.machine.is_running(move.vm),
            reason="the VM was off; this run starts it and deallocates it again",
        )
    await insist(
        port,
        lambda: steps.perform(
            "stage",
            lambda: context.machine.script(move, "stage"),
            then=lambda _: context.advance(move.source, HostState.STAGED, "installers and prerequisites are there"),
        ),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )


async def _leave(context: Context, port: Workflow, steps: Steps, move: HostMove, wave: Wave) -> Facts:
    """Out of service on classic, state kept, agent removed; `already` when it has moved before this journal knew.
    Where classic has gone there is nobody to wait for."""
    if context.orders.without_classic:
        await _take_turn(context, steps, move)
        await keep_disk(context, port, steps, move)
        await scripted(context, port, steps, move, "save", HostState.SAVED)
    else:
        await drain(context, port, steps, move, wave)
        await keep_disk(context, port, steps, move)
        await scripted(context, port, steps, move, "save", HostState.SAVED)
        await still_empty(context, steps, move)
    return await scripted(
        context, port, steps, move, "uninstall", HostState.MOVING, observe=lambda: _already(context, move)
    )


async def _take_turn(context: Context, steps: Steps, move: HostMove) -> None:
    """Where classic has gone: hosts begin in the order of the plan, as many side by side as may be."""

    async def look() -> Facts | None:
        await context.control.checkpoint()
        order, known = context.orders.leave(move.source), context.journal.get(Kind.HOST, move.source)
        if order is not None:
            raise StepFailed(f"{move.host_name} is left alone.", order.why, f"`crossfade retry {move.host_name}`.")
        waits = known is not None and known.state == HostState.STAGED
        return None if waits and not context.seats.turn(move) else {}

    await steps.until(
        "turn",
        look,
        every_s=POLL_S,
        within_s=TURN_WITHIN_S,
        waiting_for="its turn: as many hosts are on their way as may be",
        then=lambda _: context.advance(move.source, HostState.MOVING, "classic has gone: nobody is waited for"),
    )


async def _already(context: Context, move: HostMove) -> Facts | None:
    """Facts when the host serves on the target and this journal does not know: it was put back from an older copy.
    People may be on it: nothing is removed."""
    there = await context.machine.is_installed(move) if await context.target.registered(move) is not None else None
    if there is None:
        return None
    in_use = bool(await context.target.healthy(move)) or await context.target.sessions(move) > 0
    return {ALREADY: True, "bootTime": there["bootTime"], "in_use": in_use}


async def _install(context: Context, port: Workflow, steps: Steps, move: HostMove, booted: str) -> Facts:
    """The new agent, on a VM that was restarted since the old one was removed at the latest."""
    await restarted(context, port, steps, move, "restart-clean", booted)

    async def install() -> Facts:
        if await context.target.registered(move) is not None and await context.machine.is_bare(move):
            await context.target.remove(move)  # a record that is left would keep the new agent out
        return await context.machine.install(move)

    return await installed(context, port, steps, move, "install", install, lambda: context.machine.is_installed(move))


async def _arrive(context: Context, steps: Steps, move: HostMove) -> None:
    """Registered with the target pool and healthy there, closed until both are known."""
    await steps.until(
        "register",
        lambda: context.target.registered(move),
        every_s=POLL_S,
        within_s=REGISTER_WITHIN_S,
        told=lambda: context.target.told(move),
        waiting_for="the session host to appear in the target pool",
    )
    await steps.perform(
        "close",
        lambda: context.target.set_open(move, False),
        then=lambda _: context.advance(move.source, HostState.REGISTERED, "registered and closed to new sessions"),
    )
    if move.personal and move.assigned_user:
        await steps.perform(
            "assign",
            lambda: context.target.assign(move),
            observe=lambda: context.target.is_assigned(move),
        )
    await steps.until(
        "healthy",
        lambda: context.target.healthy(move),
        every_s=POLL_S,
        within_s=HEALTHY_WITHIN_S,
        told=lambda: context.target.told(move),
        waiting_for="a fresh heartbeat and passed health checks",
        then=lambda _: context.advance(move.source, HostState.HEALTHY, "healthy on the target"),
    )


async def _open(context: Context, steps: Steps, move: HostMove) -> None:
    """Into service on the target; closed as it was in classic, where somebody had drained it."""
    if move.stays_closed:
        await steps.perform(
            "stay-closed",
            _nothing,
            then=lambda _: context.advance(move.source, HostState.ACCEPTING, "stays closed, as it was in classic"),
        )
        return
    await steps.perform(
        "open",
        lambda: context.target.set_open(move, True),
        then=lambda _: context.advance(move.source, HostState.ACCEPTING, "accepts sessions on the target"),
    )


async def _publish(context: Context, port: Workflow, move: HostMove, wave_id: str) -> None:
    """A personal host's person gets the target now and not before, and loses what classic offered."""
    wave = context.wave(wave_id)
    leaving = [] if context.orders.without_classic else wave.retract_by_host.get(move.source, [])
    coming = wave.publish_by_host.get(move.source, [])
    if coming:
        await keep_shown(context, port, {fold(move.source_pool)})
    for operation_id in coming + leaving:
        await write(context, port, context.people(port), operation_id)


async def _tell(context: Context, move: HostMove, wave_id: str) -> Facts:
    return await context.hooks.noticed(context.notices.moved_host(move.source, context.wave(wave_id)))


async def _nothing() -> Facts:
    return {}
