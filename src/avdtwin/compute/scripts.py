"""A script on a machine: asked for, begun after the guest agent's overhead, ended, cut short or lost.

It runs on a copy of the machine when it begins; what it changed is applied when it ends. When the machine goes down or
somebody cancels in between, only what it had done by then is applied.
"""

from collections.abc import Callable

from avdtwin import changes, faults, powershell, windows
from avdtwin.state import Machine, Script
from avdtwin.world import World, on

OUTPUT_BYTES = 4096
"""Both kinds of run command give the last so many bytes (facts/arm-service 7.2)."""

Ending = Callable[[World, Machine, Script, str], None]
"""`ending(world, machine, script, outcome)`; outcomes: Succeeded, Failed, TimedOut, Canceled, Interrupted, Lost."""

BEGIN: dict[str, Callable[[World, Machine, Script], None]] = {}
END: dict[str, Ending] = {}
"""Kind of run command -> who hears of a begin or an end."""


def ask(
    world: World,
    machine: Machine,
    *,
    kind: str,
    target: str,
    script: str,
    parameters: list[list[str]],
    timeout_s: float,
) -> Script:
    """Have a script run on a machine. Without a guest agent nothing happens for long, then it is given up."""
    entry = Script(
        key=world.guid("script"),
        kind=kind,
        target=target,
        script=script,
        parameters=parameters,
        timeout_s=timeout_s,
        asked_at=world.now,
    )
    machine.scripts[entry.key] = entry
    if not machine.guest_agent_ready:
        world.schedule(world.setting("guest_agent_wait_s"), "script-lost", vm=machine.vm, key=entry.key)
        return entry
    wait = max(0.0, (machine.boot_due or world.now) - world.now)
    overhead = world.between(f"script|{machine.vm}", world.setting("run_command_overhead_s"))
    world.schedule(wait + overhead, "script-begins", vm=machine.vm, key=entry.key)
    return entry


def tail(text: str) -> str:
    """The last 4,096 bytes of an output."""
    return text.encode()[-OUTPUT_BYTES:].decode(errors="ignore")


def cancel(world: World, machine: Machine, entry: Script) -> None:
    """Stop a script where it is."""
    _cut_short(world, machine, entry, "Canceled")


# ---------------------------------------------------------------- events


def _entry(world: World, vm: str, key: str) -> tuple[Machine, Script] | None:
    machine = world.state.machines.get(vm)
    entry = machine.scripts.get(key) if machine else None
    return (machine, entry) if machine and entry else None


@on("script-begins")
def _begins(world: World, at: float, vm: str, key: str) -> None:
    found = _entry(world, vm, key)
    if found is None:
        return
    machine, entry = found
    run = powershell.run(world, machine, entry.script, entry.parameters)
    entry.started_at = at
    entry.changes = run.changes
    entry.stdout, entry.stderr, entry.exit_code = run.stdout, run.stderr, run.exit_code
    entry.duration_s = run.duration_s
    _fail_midway(world, machine, entry)
    BEGIN[entry.kind](world, machine, entry)
    world.schedule(min(entry.duration_s, entry.timeout_s), "script-ends", vm=vm, key=key)


def _fail_midway(world: World, machine: Machine, entry: Script) -> None:
    """What it did by then stays; its own last words are not to be had."""
    fault = faults.hits(world, "run_command_fails", machine)
    if fault is None:
        return
    entry.duration_s *= 0.5 if fault.fraction is None else fault.fraction
    entry.stdout, entry.stderr, entry.exit_code = "", "The script was stopped half way.", 1


@on("script-ends")
def _ends(world: World, at: float, vm: str, key: str) -> None:
    found = _entry(world, vm, key)
    if found is None:
        return
    machine, entry = found
    if entry.duration_s > entry.timeout_s:
        _cut_short(world, machine, entry, "TimedOut")
    else:
        _end(world, machine, entry, entry.duration_s, "Failed" if entry.exit_code else "Succeeded")


@on("script-lost")
def _lost(world: World, at: float, vm: str, key: str) -> None:
    found = _entry(world, vm, key)
    if found is not None:
        _end(world, *found, -1.0, "Lost")


def _machine_goes_down(world: World, machine: Machine) -> None:
    for entry in list(machine.scripts.values()):
        _cut_short(world, machine, entry, "Interrupted")


windows.BEFORE_DOWN.append(_machine_goes_down)


def _cut_short(world: World, machine: Machine, entry: Script, outcome: str) -> None:
    """What it had done by now stays; it says nothing more."""
    elapsed = -1.0 if entry.started_at is None else world.now - entry.started_at
    entry.stdout, entry.stderr, entry.exit_code = "", "", -1
    _end(world, machine, entry, elapsed, outcome)


def _end(world: World, machine: Machine, entry: Script, second: float, outcome: str) -> None:
    del machine.scripts[entry.key]
    changes.apply_until(world, machine, entry.changes, second)
    END[entry.kind](world, machine, entry, outcome)
