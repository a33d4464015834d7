"""What goes wrong, as data: a list of faults in the state, each with a kind and whom, when and how often it strikes.

    {"kind": "throttled", "match": {"service": "arm", "method": "PUT", "nth": [2, 3]}, "retry_after_s": 17}

They come from a file (`avdtwin serve --faults`), from `/_twin/faults` or from `put_in`; `drawn` makes a list by seed.
Chance comes from the world's seed, so the same run meets the same faults. Three kinds of kind:

| strikes | when | who carries it out |
|---|---|---|
| `call` | a call matches | `interference` |
| `machine` | something happens on a machine | whoever asks `hits`: agents, run commands, sessions |
| `moment` | at `from`, or with a matching call | `mishaps` |
"""

import fnmatch
import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from avdtwin.state import Fault, FaultMatch, Machine
from avdtwin.wire import Request
from avdtwin.world import World


class Kind(msgspec.Struct, frozen=True):
    """A kind of fault: when it strikes, what a client sees, and which members it takes beside name, match, times."""

    strikes: str
    sees: str
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    "delay": Kind("call", "the answer comes late", ("seconds", "when"), ("seconds",)),
    "throttled": Kind("call", "429 with Retry-After in seconds", ("retry_after_s", "code", "message")),
    "error": Kind("call", "a 500, or `status`, as the service would say it", ("status", "code", "message", "when")),
    "unavailable": Kind("call", "503", ("retry_after_s", "code", "message", "when")),
    "reset": Kind("call", "the connection is reset without an answer", ("when",)),
    "refused": Kind("call", "nobody takes the connection: the call never arrived"),
    "timeout": Kind("call", "no answer for so long that a client gives up", ("seconds", "when")),
    "truncated": Kind("call", "the connection ends in the middle of the body", ("fraction",)),
    "stale": Kind("call", "reads tell of the past, for `seconds` after a write or a first read", ("seconds",)),
    "expired_credential": Kind("call", "401 as for a token that is over; at sign-in, a secret that is"),
    "clock_skew": Kind("call", "the service's clock is `seconds` ahead: Date, and the life of tokens", ("seconds",)),
    "host_clock_skew": Kind("machine", "a machine's clock is `seconds` ahead: its token is over", ("seconds",)),
    "run_command_busy": Kind("machine", "409: another run command is in progress", ("message",)),
    "run_command_fails": Kind("machine", "a script ends after `fraction` of its work, with exit code 1", ("fraction",)),
    "agent_stuck": Kind("machine", "an agent that has started does nothing more until it starts again"),
    "agent_update_hangs": Kind("machine", "a host whose agent updates stays Upgrading until that starts again"),
    "agent_update_fails": Kind("machine", "a host whose agent updates ends as UpgradeFailed"),
    "guest_agent_missing": Kind("moment", "the VM's guest agent does not report; run commands are lost"),
    "heartbeat_lost": Kind("moment", "an agent falls silent, and comes back after `until`"),
    "session_never_ends": Kind("moment", "sessions stay though their user or an administrator ends them"),
    "machine_off": Kind("moment", "a machine goes down, and stays down until it is started"),
    "classic_gone": Kind("moment", "the classic service is switched off; it is back after `until`"),
    "call": Kind("moment", "somebody else changes or deletes an object", ("call", "when"), ("call",)),
}

_PROGRESS = {"put_in_at", "seen", "struck", "hosts"}
_COMMON = {"kind", "name", "match", "times"} | _PROGRESS


class BadFaults(ValueError):
    """A list of faults that cannot be used; the text names every problem, by place."""


# ---------------------------------------------------------------- putting in


def read(given: Any) -> list[Fault]:
    """Faults from plain data, or from their JSON as bytes: a list, or an object with `value`. Raises BadFaults."""
    if isinstance(given, bytes):
        try:
            given = msgspec.json.decode(given)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadFaults(f"this is no JSON: {error}") from error
    if isinstance(given, dict):
        given = given.get("value")
    if not isinstance(given, list):
        raise BadFaults('say [{...}, ...] or {"value": [{...}, ...]}')
    found, problems = [], []
    for at, each in enumerate(given):
        try:
            fault = msgspec.convert(each, Fault)
            problems += [f"fault {at}: {problem}" for problem in _problems(fault)]
            found.append(fault)
        except msgspec.ValidationError as error:
            problems.append(f"fault {at}: {error}")
    if problems:
        raise BadFaults("; ".join(problems))
    return found


def _problems(fault: Fault) -> Iterator[str]:
    kind = KINDS.get(fault.kind)
    if kind is None:
        yield f"there is no kind {fault.kind}; there are {', '.join(KINDS)}"
        return
    given = set(msgspec.to_builtins(fault)) - _COMMON
    for name in sorted(given - set(kind.takes)):
        yield f"{fault.kind} takes no {name}"
    for name in sorted(set(kind.needs) - given):
        yield f"{fault.kind} needs {name}"
    if not 0 <= fault.match.probability <= 1:
        yield "probability lies between 0 and 1"
    if fault.fraction is not None and not 0 <= fault.fraction <= 1:
        yield "fraction lies between 0 and 1"
    if fault.kind == "error" and not 400 <= (fault.status or 500) <= 599:
        yield "status lies between 400 and 599"
    negative = min(fault.seconds) if isinstance(fault.seconds, tuple) else fault.seconds or 0.0
    if negative < 0 and "clock_skew" not in fault.kind:
        yield "seconds are not negative"
    if fault.match.every is not None and fault.match.every < 1:
        yield "every is at least 1"


def put_in(world: World, faults: Iterable[Fault | dict[str, Any]]) -> list[Fault]:
    """Replace the faults of a world; the clocks and counts of the new ones begin now. Raises BadFaults."""
    from avdtwin import mishaps  # it carries faults out, so it imports this

    fresh = read([msgspec.to_builtins(each) if isinstance(each, Fault) else each for each in faults])
    for fault in world.state.faults:
        mishaps.over(world, fault)
    for number, fault in enumerate(fresh):
        world.state.next_seq += 1
        fault.name = fault.name or f"{fault.kind}-{number + 1}"
        fault.put_in_at, fault.seen, fault.struck, fault.hosts = world.now, 0, 0, []
    world.state.faults[:] = fresh
    world.state.stale_answers.clear()
    mishaps.plan(world)
    return fresh


# ---------------------------------------------------------------- matching


def by_call(fault: Fault) -> bool:
    """Whether a fault of a moment waits for a call rather than for the time."""
    match = fault.match
    return any(part is not None for part in (match.service, match.method, match.route, match.nth, match.every))


def of_call(world: World, service: str, request: Request) -> list[Fault]:
    """The faults that strike this call, in order; they are counted."""
    names = _services(service, request.path)
    return [fault for fault in world.state.faults if _meets(fault, names, request) and _strikes(world, fault)]


def hits(world: World, kind: str, machine: Machine) -> Fault | None:
    """The fault of this kind that strikes on a machine now, if any; it is counted."""
    if not world.state.faults:
        return None
    for fault in world.state.faults:
        if fault.kind == kind and of_machine(fault, machine) and _strikes(world, fault):
            told(world, fault, vm=machine.vm)
            return fault
    return None


def holds(world: World, kind: str, machine: Machine) -> bool:
    """Whether a fault of this kind has got hold of a machine."""
    return any(fault.kind == kind and machine.vm in fault.hosts for fault in world.state.faults)


def of_machine(fault: Fault, machine: Machine) -> bool:
    """Whether a machine is one of those that the fault is for."""
    wanted = fault.match.host
    if wanted is None:
        return True
    names = {machine.computer_name.lower(), machine.fqdn.lower(), machine.resource_id.rpartition("/")[2].lower()}
    return any(fnmatch.fnmatchcase(name, wanted.lower()) for name in names)


def in_time(world: World, fault: Fault) -> bool:
    """Whether the world is inside the fault's window."""
    since = world.now - (fault.put_in_at or 0.0)
    match = fault.match
    return (match.start or 0.0) <= since and (match.until is None or since < match.until)


def told(world: World, fault: Fault, **data: Any) -> None:
    """Put a strike into the records; delays are only counted."""
    tell = world.note if fault.kind in ("delay", "stale", "clock_skew") else world.record
    tell("fault", fault=fault.name, what=fault.kind, **data)


def seconds(world: World, fault: Fault, default: float) -> float:
    """The fault's seconds: as given, or drawn between the two given."""
    if isinstance(fault.seconds, tuple):
        return world.between(f"fault|{fault.name}|seconds", fault.seconds)
    return default if fault.seconds is None else fault.seconds


def _meets(fault: Fault, services: set[str], request: Request) -> bool:
    kind, match = KINDS[fault.kind], fault.match
    if kind.strikes == "machine" or (kind.strikes == "moment" and not by_call(fault)):
        return False
    if match.service is not None and match.service.lower() not in services:
        return False
    if match.method is not None and request.method not in _many(match.method):
        return False
    if match.route is not None and not _route(match.route).fullmatch(request.path.lower()):
        return False
    return kind.strikes == "moment" or match.host is None or _names_host(match.host, request.path)


def _strikes(world: World, fault: Fault) -> bool:
    """Whether a match becomes a strike; both are counted."""
    if not in_time(world, fault):
        return False
    fault.seen += 1
    match = fault.match
    if fault.times is not None and fault.struck >= fault.times:
        return False
    if match.nth is not None and fault.seen not in _many(match.nth):
        return False
    if match.every is not None and fault.seen % match.every:
        return False
    if match.probability < 1 and world.chance(f"fault|{fault.name}") >= match.probability:
        return False
    fault.struck += 1
    return True


def chosen(world: World, fault: Fault) -> list[Machine]:
    """The machines that a fault of a moment is for; with a probability, each by its own chance."""
    found = [machine for machine in world.state.machines.values() if of_machine(fault, machine)]
    if fault.match.probability >= 1:
        return found
    return [each for each in found if world.chance(f"fault|{fault.name}|host") < fault.match.probability]


def _many(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _services(service: str, path: str) -> set[str]:
    """The service of a call and, in ARM, the provider it is for: the last one named in the path."""
    _, found, rest = path.lower().rpartition("/providers/")
    provider = rest.partition("/")[0].rpartition(".")[2] if found else ""
    return {service, provider or "resources"} if service == "arm" else {service}


def _names_host(pattern: str, path: str) -> bool:
    return any(fnmatch.fnmatchcase(segment, pattern.lower()) for segment in path.lower().split("/"))


@lru_cache(maxsize=256)
def _route(pattern: str) -> re.Pattern[str]:
    parts = [
        "[^/]+" if segment.startswith("{") else ".*".join(map(re.escape, segment.split("*")))
        for segment in pattern.lower().strip("/").split("/")
    ]
    return re.compile(f"{'/' if pattern.startswith('/') else '(?:.*/)?'}{'/'.join(parts)}/?")


# ---------------------------------------------------------------- by seed


def _on_calls(kind: str, **members: Any) -> Callable[[random.Random, dict[str, Any]], dict[str, Any]]:
    """A kind that strikes a few calls of one service in the window."""

    def draw(chance: random.Random, window: dict[str, Any]) -> dict[str, Any]:
        service = chance.choice(("arm", "arm", "arm", "classic", "graph"))
        match = {**window, "service": service, "probability": round(chance.uniform(0.01, 0.2), 3)}
        return {"kind": kind, "match": match, "times": chance.randint(1, 12), **members}

    return draw


def _on_hosts(kind: str, **members: Any) -> Callable[[random.Random, dict[str, Any]], dict[str, Any]]:
    """A kind that strikes some machines in the window."""

    def draw(chance: random.Random, window: dict[str, Any]) -> dict[str, Any]:
        match = {**window, "probability": round(chance.uniform(0.02, 0.2), 3)}
        return {"kind": kind, "match": match, **members}

    return draw


_DRAWS = (
    _on_calls("delay", seconds=[1.0, 45.0]),
    _on_calls("throttled", retry_after_s=20),
    _on_calls("error"),
    _on_calls("error", when="after"),
    _on_calls("unavailable", retry_after_s=10),
    _on_calls("reset"),
    _on_calls("reset", when="after"),
    _on_calls("timeout"),
    _on_calls("timeout", when="after"),
    _on_calls("truncated"),
    _on_calls("stale", seconds=30.0),
    _on_calls("expired_credential"),
    _on_hosts("run_command_busy", times=5),
    _on_hosts("run_command_fails", times=5),
    _on_hosts("agent_stuck", times=3),
    _on_hosts("guest_agent_missing"),
    _on_hosts("heartbeat_lost"),
    _on_hosts("session_never_ends"),
)


def drawn(seed: int, count: int = 10, *, spread_s: float = 86_400.0) -> list[Fault]:
    """So many faults by seed, spread over the seconds to come; the same seed gives the same ones.

    None of them is for ever, and none switches a service off or touches what others own: see `KINDS` for those.
    """
    chance = random.Random(seed)
    found = []
    for number in range(count):
        start = chance.uniform(0.0, spread_s)
        window = {"from": round(start, 1), "until": round(start + chance.uniform(60.0, spread_s / 10 + 60.0), 1)}
        found.append({**chance.choice(_DRAWS)(chance, window), "name": f"seed-{seed}-{number + 1}"})
    return read(found)


__all__ = [
    "KINDS",
    "BadFaults",
    "Fault",
    "FaultMatch",
    "by_call",
    "chosen",
    "drawn",
    "hits",
    "holds",
    "put_in",
    "read",
]
