"""Steps on a VM that go forward and back alike: the move script and restarts, tried again where that can help."""

from crossfade.errors import CloudError, GateTimedOut, StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.machine import ScriptFailed
from crossfade.execution.steps import Act, Facts, Observe, Steps, insist
from crossfade.execution.transitions import HostState
from crossfade.plan.plan import HostMove

TRIES = 3
PAUSE_S = 60.0


async def scripted(
    context: Context,
    port: Workflow,
    steps: Steps,
    move: HostMove,
    name: str,
    reached: HostState | None = None,
    observe: Observe | None = None,
) -> Facts:
    """A step of the move script; it is idempotent on the VM, so a try that broke is simply tried again."""

    def then(_: Facts) -> None:
        if reached is not None:
            context.advance(move.source, reached, f"{name} done")

    return await insist(
        port,
        lambda: steps.perform(name, lambda: context.machine.script(move, name), observe=observe, then=then),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )


async def installed(port: Workflow, steps: Steps, name: str, act: Act, observe: Observe) -> Facts:
    """An installation with a token; a try that may have gone through is looked for first."""
    return await insist(
        port,
        lambda: steps.perform(name, act, observe=observe, only_again=True),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )


async def restarted(context: Context, port: Workflow, steps: Steps, move: HostMove, name: str, before: str) -> None:
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


async def power_given_back(context: Context, steps: Steps, move: HostMove) -> None:
    """A VM that this run started goes back to sleep, if nobody uses it by now."""
    if not move.start:
        return

    async def deallocate() -> Facts:
        left = [] if context.orders.without_classic else await context.source.sessions(move, fresh=True)
        if left or await context.target.sessions(move):
            return {"deallocated": False, "why": "somebody works on it"}
        return await context.machine.deallocate(move.vm)

    await steps.perform(f"deallocate {move.source}", deallocate)
