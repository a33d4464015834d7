"""The verbs that change what a run will do: approve, set, skip, retry. Each answers in words, or refuses in words."""

from collections.abc import Callable

from crossfade.errors import InputError, Problem, Refused
from crossfade.execution.bounds import setting
from crossfade.execution.context import Context
from crossfade.execution.orders import APPROVE, RETRY, SET, SKIP
from crossfade.execution.records import Command
from crossfade.execution.transitions import HostState, Kind, WaveState
from crossfade.execution.workflows.tries import has_arrived, next_try
from crossfade.execution.workflows.wave import WAVES, YES
from crossfade.model.ids import same
from crossfade.plan.plan import Plan

Verb = Callable[[Command], str]
STILL = frozenset({HostState.ON_SOURCE, HostState.STAGED, HostState.QUARANTINED})
"""States of hosts that nothing is being done to, or nothing yet that anybody would notice."""


def verbs(context: Context) -> dict[str, Verb]:
    table = {"approve": approve, "set": change, "skip": skip, "retry": retry}
    return {name: lambda command, act=act: act(context, command) for name, act in table.items()}  # type: ignore[misc]


def approve(context: Context, command: Command) -> str:
    """Of the wave that is named, or of the one that waits."""
    if context.plan.settings.people_gate != WAVES:
        why = "The plan asks for nobody's yes: waves.people_gate is none."
        raise Refused("Nothing waits for an approval.", why, "Set it in crossfade.toml and plan again to be asked.")
    wave = _wave(context.plan, command.subject) if command.subject else _waiting(context)
    known = context.journal.get(Kind.WAVE, wave)
    if known is not None and known.state in (WaveState.CONFIRMED, WaveState.SKIPPED):
        raise Refused(f"{wave} needs no approval.", f"It is {known.state}.", "See `crossfade status`.")
    context.orders.give(APPROVE, wave, actor=command.actor)
    return f"{wave} is approved by {command.actor}."


def change(context: Context, command: Command) -> str:
    name = str(command.args.get("name", "")).replace("-", "_")
    value = setting(name, str(command.args.get("value", "")))
    context.orders.give(SET, name, actor=command.actor, values={name: value})
    return f"{name} is {value:g} from now on."


def skip(context: Context, command: Command) -> str:
    host = find_host(context.plan, command.subject)
    known = context.journal.get(Kind.HOST, host)
    if known is not None and known.state not in STILL:
        why = f"It is {known.state}."
        raise Refused(
            f"{host} cannot be left alone now.", why, "When it has arrived, `crossfade rollback` takes it back."
        )
    context.orders.give(SKIP, host, actor=command.actor)
    return f"{host} stays on classic. `crossfade retry` moves it after all."


def retry(context: Context, command: Command) -> str:
    host = find_host(context.plan, command.subject)
    known = context.journal.get(Kind.HOST, host)
    if has_arrived(context, host) or (known is not None and known.state not in STILL):
        state = known.state if known is not None else "unknown"
        raise Refused(f"{host} needs no other try.", f"It is {state}.", "See `crossfade status`.")
    context.orders.give(RETRY, host, actor=command.actor, values={"number": next_try(context, host)})
    return f"{host} is tried again with its wave, or after the last one."


def find_host(plan: Plan, name: str, *, else_what: str = "is no host of this plan.") -> str:
    """Classic key of a host from its key, its full name or its first label. Raises InputError."""
    found = [
        move.source
        for move in plan.hosts
        if any(same(name, known) for known in (move.source, move.host_name, move.host_name.partition(".")[0]))
    ]
    if len(found) == 1:
        return found[0]
    what = else_what if not found else f"could be any of {', '.join(found)}."
    raise InputError("Nothing was done.", [Problem(name or "HOST", what, "See `crossfade status` for their names.")])


def _wave(plan: Plan, name: str) -> str:
    found = next((wave.id for wave in plan.waves if same(wave.id, name)), None)
    if found is None:
        problem = Problem(name, "is no wave of this plan.", f"They are {', '.join(wave.id for wave in plan.waves)}.")
        raise InputError("Nothing was approved.", [problem])
    return found


def _waiting(context: Context) -> str:
    """The wave whose people gate is shut now."""
    steps = context.journal.unknown_steps()
    waves = [wave.id for wave in context.plan.waves for step in steps if step.id.startswith(f"{wave.id}/{YES}")]
    if not waves:
        mend = "Name a wave to approve it beforehand: `crossfade approve WAVE`."
        raise Refused("Nothing waits for an approval.", "No wave has come to its people gate.", mend)
    return waves[0]
