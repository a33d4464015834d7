"""One host's way forward, in the one order of design section 10.

    on_source → staged → draining → drained → saved → moving → registered → healthy → accepting

Every line of `forward` is a journalled step. A machine gate that fails before anybody was disturbed leaves the host
where it is; one that fails later sends it back (see `revert`).
"""

from typing import Any

from crossfade.errors import CloudError, GateTimedOut, MigrationError, StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Body, Workflow
from crossfade.execution.machine import ScriptFailed
from crossfade.execution.steps import Facts, Steps, insist
from crossfade.execution.transitions import HostState
from crossfade.execution.workflows.drain import drain
from crossfade.execution.workflows.objects import write
from crossfade.execution.workflows.revert import revert
from crossfade.plan.plan import HostMove

POLL_S = 30.0
REGISTER_WITHIN_S = 1_800.0
HEALTHY_WITHIN_S = 1_200.0
TRIES = 3
PAUSE_S = 60.0
MOVED = "moved"
RETURNED = "returned"
QUARANTINED = "quarantined"
LEFT = "left"


def host_body(context: Context) -> Body:
    """`args`: host (classic key), wave, rehearse (forward and back before going forward for good)."""

    async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
        move = context.move(args["host"])
        if args.get("rehearse"):
            outcome = await _once(context, port, move, "there", args["wave"], until_healthy=True)
            if outcome["outcome"] != MOVED:
                return outcome
            await revert(context, port, move, "back", reason="the canary host goes back before it goes for good")
        return await _once(context, port, move, "forward", args["wave"], until_healthy=False)

    return body


async def _once(
    context: Context, port: Workflow, move: HostMove, way: str, wave_id: str, *, until_healthy: bool
) -> dict[str, Any]:
    steps = context.steps(port, f"{move.source}#{way}")
    try:
        await _stage(context, port, steps, move)
    except MigrationError as error:
        await _quarantine(context, steps, move, f"staging failed: {error}")
        return {"host": move.source, "outcome": QUARANTINED, "why": str(error)}
    try:
        await _leave(context, port, steps, move)
        await _arrive(context, port, steps, move)
        if not until_healthy:
            await _open(context, port, steps, move, wave_id)
    except MigrationError as error:
        outcome = await revert(context, port, move, f"{way}-undo", reason=str(error))
        return {"host": move.source, "outcome": outcome, "why": str(error)}
    return {"host": move.source, "outcome": MOVED}


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


async def _leave(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Out of service on classic, state kept, agent removed."""
    await drain(context, port, steps, move)
    await _scripted(context, port, steps, move, "save", HostState.SAVED)
    removed = await _scripted(context, port, steps, move, "uninstall", HostState.MOVING)
    await _restart(context, port, steps, move, "restart-clean", removed["bootTime"])


async def _arrive(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Registered with the target pool and healthy there, closed until both are known."""
    installed = await insist(
        port,
        lambda: steps.perform(
            "install",
            lambda: context.machine.install(move),
            observe=lambda: context.machine.is_installed(move),
            only_again=True,
        ),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )
    await _restart(context, port, steps, move, "restart-registered", installed["bootTime"])
    await steps.until(
        "register",
        lambda: context.target.registered(move),
        every_s=POLL_S,
        within_s=REGISTER_WITHIN_S,
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
        waiting_for="a fresh heartbeat and passed health checks",
        then=lambda _: context.advance(move.source, HostState.HEALTHY, "healthy on the target"),
    )


async def _open(context: Context, port: Workflow, steps: Steps, move: HostMove, wave_id: str) -> None:
    """Into service on the target; a personal host's person is published now and not before."""
    await steps.perform(
        "open",
        lambda: context.target.set_open(move, True),
        then=lambda _: context.advance(move.source, HostState.ACCEPTING, "accepts sessions on the target"),
    )
    wave = context.wave(wave_id)
    for operation_id in wave.publish_by_host.get(move.source, []) + wave.retract_by_host.get(move.source, []):
        await write(context, port, context.people(port), operation_id)


async def _scripted(
    context: Context, port: Workflow, steps: Steps, move: HostMove, name: str, reached: HostState
) -> Facts:
    """A step of the move script; it is idempotent on the VM, so a try that broke is simply tried again."""
    return await insist(
        port,
        lambda: steps.perform(
            name,
            lambda: context.machine.script(move, name),
            then=lambda _: context.advance(move.source, reached, f"{name} done"),
        ),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )


async def _restart(context: Context, port: Workflow, steps: Steps, move: HostMove, name: str, before: str) -> None:
    """Restart and see that the VM came up anew: its boot time is later than `before`, seen by the step just done."""
    await insist(
        port,
        lambda: steps.perform(
            name,
            lambda: context.machine.restart(move, before),
            observe=lambda: context.machine.booted_since(move, before),
            only_again=True,
        ),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed, StepFailed, GateTimedOut),
    )


async def _quarantine(context: Context, steps: Steps, move: HostMove, why: str) -> None:
    async def nothing() -> Facts:
        return {"owner": "operator"}

    await steps.perform(
        "quarantine",
        nothing,
        reason=why,
        then=lambda _: context.advance(move.source, HostState.QUARANTINED, f"{why} Owner: the operator."),
    )
