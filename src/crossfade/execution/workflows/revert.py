"""A host's way back to classic (design section 10): (a) the kept registry on the kept record, else (b) a new
registration with a classic token. Whatever happens, the host ends on its source or in quarantine with an owner."""

from crossfade.errors import CloudError, MigrationError
from crossfade.execution.context import Context
from crossfade.execution.engine import Workflow
from crossfade.execution.machine import ScriptFailed
from crossfade.execution.steps import Facts, Steps, insist
from crossfade.execution.transitions import HostState, Kind
from crossfade.plan.plan import HostMove

POLL_S = 30.0
BACK_WITHIN_S = 1_200.0
TRIES = 3
PAUSE_S = 60.0
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
    begun = await steps.perform("begin", lambda: _begin(context, move, reason))
    try:
        if begun["touched"]:
            await _give_back(context, port, steps, move)
        await steps.perform("forget", lambda: context.target.remove(move), observe=lambda: context.target.absent(move))
        await steps.perform(
            "reopen",
            lambda: context.source.set_open(move, move.prior_allow_new_session),
            then=lambda _: context.advance(move.source, HostState.ON_SOURCE, "in service on classic again"),
        )
    except MigrationError as error:
        why = f"the way back failed: {error} Owner: the operator."
        await steps.perform(
            "quarantine",
            _owner,
            reason=why,
            then=lambda _: context.advance(move.source, HostState.QUARANTINED, why),
        )
        return "quarantined"
    return "returned"


async def _begin(context: Context, move: HostMove, reason: str) -> Facts:
    """Note from which state it goes back: that decides what must be undone on the VM."""
    known = context.journal.get(Kind.HOST, move.source)
    assert known is not None, f"{move.source} is not in the journal"
    touched = known.data.get("reverting_from", known.state) in TOUCHED
    if known.state not in (HostState.REVERTING, HostState.ON_SOURCE, HostState.STAGED):
        data = {"reverting_from": known.state}
        context.journal.move(Kind.HOST, move.source, HostState.REVERTING, reason=reason, data=data)
    return {"touched": touched, "from": known.data.get("reverting_from", known.state)}


async def _give_back(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    try:
        await _restore(context, port, steps, move)
    except MigrationError:
        await _reinstall(context, port, steps, move)


async def _restore(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Way (a). What was uninstalled needs its restart before anything can be installed again."""
    look = await steps.perform("look", lambda: context.machine.script(move, "observe"))
    if look.get("restartNeeded"):
        await steps.perform(
            "restart-first",
            lambda: context.machine.restart(move, look["bootTime"]),
            observe=lambda: context.machine.booted_since(move, look["bootTime"]),
            only_again=True,
        )
    since = await steps.perform("restore-since", context.source.moment)
    await _script(context, port, steps, move, "restore")
    await steps.until(
        "restored",
        lambda: context.source.alive_since(move, since["at"]),
        every_s=POLL_S,
        within_s=BACK_WITHIN_S,
        waiting_for="a heartbeat on the kept classic record",
    )


async def _reinstall(context: Context, port: Workflow, steps: Steps, move: HostMove) -> None:
    """Way (b): the record is made anew, so its person and drain state are set again."""
    await _script(context, port, steps, move, "uninstall")
    before = await steps.perform("again-before", lambda: context.machine.boot_time(move))
    await steps.perform(
        "again-restart",
        lambda: context.machine.restart(move, before["booted_at"]),
        observe=lambda: context.machine.booted_since(move, before["booted_at"]),
        only_again=True,
    )
    since = await steps.perform("again-since", context.source.moment)
    await steps.perform("again-remove", lambda: context.source.remove(move))
    await steps.perform("again-install", lambda: context.machine.install_classic(move, context.source))
    await steps.until(
        "again-registered",
        lambda: context.source.alive_since(move, since["at"]),
        every_s=POLL_S,
        within_s=BACK_WITHIN_S,
        waiting_for="the host to register with classic again",
    )
    if move.personal and move.assigned_user:
        await steps.perform("again-assign", lambda: context.source.assign(move))


async def _script(context: Context, port: Workflow, steps: Steps, move: HostMove, name: str) -> Facts:
    return await insist(
        port,
        lambda: steps.perform(name, lambda: context.machine.script(move, name)),
        tries=TRIES,
        pause_s=PAUSE_S,
        on=(CloudError, ScriptFailed),
    )


async def _owner() -> Facts:
    return {"owner": "operator"}
