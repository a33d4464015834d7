"""Faults that strike at a moment or get hold of machines (`faults.KINDS`): what each does, and how it is over.

A fault with `from` or `until` has an event for each; both are data, so a snapshot in between has the same future.
"""

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from avdtwin import agents, faults, sessions, tokens, windows
from avdtwin.state import Fault, FaultCall, Machine
from avdtwin.wire import Request, Response, WireError, parse_query
from avdtwin.world import World, on

ORIGIN = "https://twin.invalid"
_AUDIENCE = {
    "arm": "https://management.azure.com",
    "graph": "https://graph.microsoft.com",
    "classic": "https://mrs-prod.ame.gbl/mrs-rdinfra-prod",
}


def plan(world: World) -> None:
    """Schedule what the faults of a world will do by themselves."""
    for fault in world.state.faults:
        if faults.KINDS[fault.kind].strikes == "moment":
            _plan(world, fault, fault.match.start or 0.0, fault.match.until)


def _plan(world: World, fault: Fault, start: float, until: float | None) -> None:
    named = {"fault": fault.name, "put_in_at": fault.put_in_at}
    if start and not faults.by_call(fault):
        world.schedule(start, "fault-strikes", **named)
    elif not faults.by_call(fault):
        _strikes(world, world.now, fault.name, fault.put_in_at or 0.0)
    if until is not None:
        world.schedule(until, "fault-is-over", **named)


def strike(world: World, fault: Fault, path: str) -> None:
    """Carry a fault out now; `path` is that of the call it goes with, empty without one."""
    if fault.kind == "call":
        assert fault.call is not None, "checked when it was put in"
        status = somebody_else(world, fault.call, path).status
        faults.told(world, fault, status=status)
        return
    faults.told(world, fault)
    if fault.kind == "classic_gone":
        world.state.classic.alive = False
        return
    for machine in faults.chosen(world, fault):
        if machine.vm not in fault.hosts:
            fault.hosts.append(machine.vm)
        _STRIKES[fault.kind](world, machine)


def over(world: World, fault: Fault) -> None:
    """Undo what a fault still holds."""
    if fault.kind == "classic_gone" and fault.struck:
        world.state.classic.alive = True
    held, fault.hosts = fault.hosts, []
    for machine in (world.state.machines.get(vm) for vm in held):
        if machine is not None and fault.kind in _ENDS:
            _ENDS[fault.kind](world, machine)


def _named(world: World, name: str, put_in_at: float) -> Fault | None:
    found = (each for each in world.state.faults if each.name == name and each.put_in_at == put_in_at)
    return next(found, None)


@on("fault-strikes")
def _strikes(world: World, at: float, fault: str, put_in_at: float) -> None:
    found = _named(world, fault, put_in_at)
    if found is not None:
        found.struck += 1
        strike(world, found, "")


@on("fault-is-over")
def _is_over(world: World, at: float, fault: str, put_in_at: float) -> None:
    found = _named(world, fault, put_in_at)
    if found is not None:
        over(world, found)
        found.struck = 0


# ---------------------------------------------------------------- on machines


def _guest_agent_goes(world: World, machine: Machine) -> None:
    machine.guest_agent_ready = False


def _guest_agent_back(world: World, machine: Machine) -> None:
    machine.guest_agent_ready = "guest-agent-missing" not in machine.quirks


def _falls_silent(world: World, machine: Machine) -> None:
    if machine.agent.connected_at is not None:
        agents.leave(world, machine)


def _speaks_again(world: World, machine: Machine) -> None:
    if agents.loader_runs(machine):
        agents.start(world, machine)


def _sessions_hang(world: World, machine: Machine) -> None:
    for session in sessions.of_machine(world, machine.vm):
        session.never_ends = True


def _goes_off(world: World, machine: Machine) -> None:
    if machine.power == "running":
        windows.power_off(world, machine, deallocate=False)


_STRIKES: dict[str, Callable[[World, Machine], None]] = {
    "guest_agent_missing": _guest_agent_goes,
    "heartbeat_lost": _falls_silent,
    "session_never_ends": _sessions_hang,
    "machine_off": _goes_off,
}
_ENDS: dict[str, Callable[[World, Machine], None]] = {
    "guest_agent_missing": _guest_agent_back,
    "heartbeat_lost": _speaks_again,
}


# ---------------------------------------------------------------- somebody else


def somebody_else(world: World, call: FaultCall, path: str) -> Response:
    """A call by somebody who may do everything, through the service's own route; its answer goes nowhere."""
    from avdtwin.services import service_for  # the services import the agents, which ask for faults

    target, _, query = call.path.partition("?")
    target = path if target == "." else target
    service = service_for(target)
    token = tokens.issue_access(
        world, object_id="somebody-else", app_id=None, upn=call.upn, audience=_AUDIENCE.get(service.name, ORIGIN)
    )
    asked = {"api-version": "2024-04-03"} if service.name == "arm" else {}
    request = Request(
        method=call.method.upper(),
        path=quote(target, safe="/%"),
        query=asked | parse_query(query),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        body=b"" if call.body is None else msgspec.json.encode(call.body),
        origin=ORIGIN,
    )
    own = {name: world.state.settings.get(name) for name in _OPEN}
    world.state.settings |= _OPEN
    try:
        return service.handle(world, request)
    except WireError as error:
        return error.response
    except ConnectionError:
        return Response(status=0)
    finally:
        for name, value in own.items():
            world.state.settings.pop(name) if value is None else world.state.settings.update({name: value})


_OPEN = {"rights_enforced": False, "limits_enforced": False}
__all__ = ["over", "plan", "somebody_else", "strike"]
