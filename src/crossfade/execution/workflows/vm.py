"""Steps on a VM that go forward and back alike: the move script and restarts, tried again where that can help."""

from crossfade.errors import CloudError, GateTimedOut, NotReady, StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.machine import ScriptFailed
from crossfade.execution.steps import Act, Facts, Observe, Steps, insist
from crossfade.execution.transitions import OUT_OF_SERVICE, HostState
from crossfade.plan.plan import HostMove

TRIES = 3
PAUSE_S = 60.0


def check_out_of_service(context: Context, move: HostMove) -> None:
    """What must hold before a VM's agent is touched. Raises NotReady."""
    state = context.progress.host_state(move.source)
    if state not in OUT_OF_SERVICE:
        raise NotReady(
            f"The VM of {move.host_name} is not touched.",
            f"The host is {state}: it is in service, or nobody has made sure that it is not.",
            "Nothing was done to it. See `crossfade journal show` for how it came there, then `crossfade retry`.",
        )


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

    async def act() -> Facts:
        check_out_of_service(context, move)
        return await context.machine.script(move, name)

    def then(_: Facts) -> None:
        if reached is not None:
            context.advance(move.source, reached, f"{name} done")

    return await insist(
        port,
        lambda: steps.perform(name, act, observe=observe, then=then),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )


async def installed(
    context: Context, port: Workflow, steps: Steps, move: HostMove, name: str, act: Act, observe: Observe
) -> Facts:
    """An installation with a token; a try that may have gone through is looked for first."""

    async def install() -> Facts:
        check_out_of_service(context, move)
        return await act()

    return await insist(
        port,
        lambda: steps.perform(name, install, observe=observe, only_again=True),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )


async def restarted(context: Context, port: Workflow, steps: Steps, move: HostMove, name: str, before: str) -> None:
    """Restart and see that the VM came up anew: its boot time is later than `before`, seen by the step just done."""

    async def restart() -> Facts:
        check_out_of_service(context, move)
        return await context.machine.restart(move, before)

    await insist(
        port,
        lambda: steps.perform(
            name,
            restart,
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
