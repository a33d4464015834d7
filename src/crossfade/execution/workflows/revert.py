"""A host's way back to classic (design section 10): (a) the kept registry on the kept record, else (b) a new
registration with a classic token. Whatever happens, the host ends on its source or in quarantine with an owner."""

from crossfade.errors import MigrationError, StepFailed
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.steps import Facts, Steps
from crossfade.execution.transitions import HostState, Kind
from crossfade.execution.workflows.disk import forget_disk
from crossfade.execution.workflows.tries import step_facts
from crossfade.execution.workflows.vm import installed, restarted, scripted
from crossfade.plan.plan import HostMove

POLL_S = 30.0
BACK_WITHIN_S = 1_200.0
COMPONENTS = 4
"""Agent, boot loader, Geneva agent and network stack."""
RETURNED = "returned"
QUARANTINED = "quarantined"
TOUCHED = frozenset(
    {
        HostState.SAVED,
        HostState.MOVING,
        HostState.REGISTERED,
        HostState.HEALTHY,
        HostState.ACCEPTING,
        HostState.CONFIRMED,
    }
)
"""States in which the VM's agent is, or may be, no longer the one that classic knows."""


async def revert(context: Context, port: Workflow, move: HostMove, way: str, *, reason: str) -> str:
    """Take a host back. Gives `returned` or `quarantined`."""
    steps = context.steps(port, f"{move.source}#{way}")
    ended = await port.step(f"{way} ended", lambda: _ended(context, steps.subject))
    if ended["as"]:
        return str(ended["as"])
    begun = await steps.perform("begin", lambda: _begin(context, move, reason))
    try:
        if begun["touched"]:
            await steps.perform("leave-target", lambda: leave_target(context, move))
            await _give_back(context, port, steps, move)
        await forget_disk(context, port, move)
        await steps.perform("forget", lambda: context.target.remove(move), observe=lambda: context.target.absent(move))
        await steps.perform(
            "reopen",
            lambda: _reopen(context, move),
            then=lambda _: context.settle(
                Kind.HOST, move.source, HostState.ON_SOURCE, f"in service on classic again, since {reason}"
            ),
        )
    except MigrationError as error:
        why = f"the way back failed: {error} It began because {reason}"
        await steps.perform(
            "quarantine",
            lambda: _owner(context, move),
            reason=why,
            then=lambda _: context.quarantine(move, why),
        )
        return QUARANTINED
    return RETURNED


async def _reopen(context: Context, move: HostMove) -> Facts:
    """Raises StepFailed where there is no VM any more: its record would be offered to people, and answer nobody."""
    if not await context.machine.exists(move.vm):
        mend = "Take it out of classic, or make the VM anew and say `crossfade retry`."
        raise StepFailed(f"The VM of {move.host_name} is not there any more.", "Somebody deleted it.", mend)
    return await context.source.set_open(move, move.prior_allow_new_session)


async def _ended(context: Context, subject: str) -> Facts:
    """How this way back ended in an earlier life, so that nothing of it is tried again."""
    ends = {"reopen": RETURNED, "quarantine": QUARANTINED}
    found = (end for step, end in ends.items() if step_facts(context, f"{subject}/{step}") is not None)
    return {"as": next(found, "")}


async def _begin(context: Context, move: HostMove, reason: str) -> Facts:
    """Note from which state it goes back: that decides what must be undone on the VM."""
    known = context.journal.get(Kind.HOST, move.source)
    assert known is not None, f"{move.source} is not in the journal"
    before = known.data["reverting_from"] if known.state == HostState.REVERTING else known.state
    if known.state not in (HostState.REVERTING, HostState.ON_SOURCE, HostState.STAGED):
        context.journal.move(
            Kind.HOST, move.source, HostState.REVERTING, reason=reason, data={"reverting_from": before}
        )
    return {"touched": before in TOUCHED, "from": before}


async def leave_target(context: Context, move: HostMove) -> Facts:
    """Closed on the target first. Whoever works there by now is not moved by us: only a person may decide that."""
    found = await context.target.close(move)
    if found["sessions"]:
        raise StepFailed(
            f"{move.host_name} stays on the target.",
            f"{found['sessions']} sessions are on it there.",
            "It is closed to new ones. Take it back when they have ended, or mend it and open it again.",
        )
    return found


async def _give_back(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    try:
        await _restore(context, port, steps, move)
    except MigrationError:
        await _reinstall(context, port, steps, move)


async def _restore(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Way (a). What was uninstalled needs its restart before anything can be installed again, and what is installed
    needs one before its network stack listens."""
    look = await steps.perform("look", lambda: context.machine.script(move, "observe"))
    if look.get("restartNeeded"):
        await restarted(context, port, steps, move, "restart-first", look["bootTime"])
    since = await steps.perform("restore-since", context.source.moment)
    restored = await scripted(context, port, steps, move, "restore")
    if len(look["products"]) < COMPONENTS:
        await restarted(context, port, steps, move, "restart-last", restored["bootTime"])
    await steps.until(
        "restored",
        lambda: context.source.alive_since(move, since["at"]),
        every_s=POLL_S,
        within_s=BACK_WITHIN_S,
        waiting_for="a heartbeat on the kept classic record",
    )


async def _reinstall(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Way (b): the record is made anew, so its person and drain state are set again, before it takes anybody."""
    removed = await scripted(context, port, steps, move, "uninstall")
    await restarted(context, port, steps, move, "again-restart", removed["bootTime"])
    since = await steps.perform("again-since", context.source.moment)
    await steps.perform("again-remove", lambda: context.source.remove(move))
    again = await installed(
        context,
        port,
        steps,
        move,
        "again-install",
        lambda: context.machine.install_classic(move, context.source),
        lambda: context.machine.is_installed_classic(move),
    )
    await restarted(context, port, steps, move, "again-restart-last", again["bootTime"])
    await steps.until(
        "again-registered",
        lambda: context.source.registered(move),
        every_s=POLL_S,
        within_s=BACK_WITHIN_S,
        waiting_for="the host to register with classic again",
    )
    await steps.perform("again-close", lambda: context.source.set_open(move, False))
    if move.personal and move.assigned_user:
        await steps.perform("again-assign", lambda: context.source.assign(move))
    await steps.until(
        "again-alive",
        lambda: context.source.alive_since(move, since["at"]),
        every_s=POLL_S,
        within_s=BACK_WITHIN_S,
        waiting_for="the host to be in service with classic again",
    )


async def _owner(context: Context, move: HostMove) -> Facts:
    return {"owner": context.owner(move)}
