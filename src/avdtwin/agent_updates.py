"""How an agent takes a newer release: by itself, in a flight of days, or in the maintenance windows of its pool.

| what | source |
|---|---|
| flights roll out over five days, so versions differ between hosts | facts/arm-service 11.7 |
| a new VM updates as soon as it is registered; 2 to 3 minutes, nobody is cut off | facts/arm-service 11.7 |
| meanwhile the host is `Upgrading` and takes nobody new; a failed one is `UpgradeFailed` | facts/arm-service 4.2 |
| the update is the same for both services; several versions stay listed | facts/arm-service 11.1, 11.2 |
| `agentUpdate` of type `Scheduled`: windows of two hours, by day and hour, in a zone | facts/arm-service 1.11 |

Unconfirmed: that a host whose update failed goes on taking people (facts say "maybe"), and that it does not try again
before its agent starts anew.
"""

import hashlib
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from avdtwin import agents, faults, products
from avdtwin.arm import store
from avdtwin.clock import iso
from avdtwin.state import AgentRelease, Machine
from avdtwin.world import World, on

FLIGHT_S = 432_000.0
WINDOW = timedelta(hours=2)
_SUCCEEDED, _STARTED, _FAILED = ("Succeeded", 3), ("Started", 2), ("Failed", 4)
"""`updateState`: as ARM says it, and as classic counts it (facts/classic-service 2.9)."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ZONES = {
    "utc": "Etc/UTC",
    "gmt standard time": "Europe/London",
    "w. europe standard time": "Europe/Berlin",
    "central europe standard time": "Europe/Budapest",
    "romance standard time": "Europe/Paris",
    "eastern standard time": "America/New_York",
    "central standard time": "America/Chicago",
    "mountain standard time": "America/Denver",
    "pacific standard time": "America/Los_Angeles",
    "india standard time": "Asia/Kolkata",
    "tokyo standard time": "Asia/Tokyo",
    "aus eastern standard time": "Australia/Sydney",
}
"""Windows zones that are known here; any other counts as UTC."""


class BadVersion(ValueError):
    """A version of an agent is four numbers with dots: `1.0.12000.0`."""


def release(world: World, version: str, within_s: float = FLIGHT_S) -> None:
    """A newer agent is out: hosts that are connected take it one after the other within `within_s` seconds, those that
    register later at once. Raises BadVersion.
    """
    _numbers(version)
    world.state.agent_release = AgentRelease(version=version, at=world.now, within_s=within_s)
    world.record("agent_release", version=version, within_s=within_s)
    for machine in world.state.machines.values():
        if machine.agent.connected_at is not None:
            consider(world, machine, new=False)


def consider(world: World, machine: Machine, *, new: bool) -> None:
    """An agent has connected, or a release came out: it plans its update, if there is one to take. `new`: it has just
    registered, and does not wait for its flight.
    """
    out = world.state.agent_release
    if out is None or not _older(machine, out.version):
        return
    due = world.now if new else max(world.now, out.at + out.within_s * _flight(machine, out.version))
    due = _in_window(world, machine, due)
    world.schedule_at(due, "agent-updates", vm=machine.vm, attempt=machine.agent.attempt, version=out.version)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise BadVersion(f"{version!r} is no version: four numbers with dots, as 1.0.12000.0")
    return tuple(map(int, parts))


def _older(machine: Machine, version: str) -> bool:
    versions = [found.version for found in products.installed(machine, products.AGENT_NAME)]
    return bool(versions) and max(map(_numbers, versions)) < _numbers(version)


def _flight(machine: Machine, version: str) -> float:
    """Where in the roll-out a machine is, from 0 to 1; the same whenever one asks."""
    digest = hashlib.blake2b(f"{machine.vm}|{version}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


# ---------------------------------------------------------------- maintenance windows


def _in_window(world: World, machine: Machine, due: float) -> float:
    """The first moment from `due` on that the pool's `agentUpdate` allows."""
    pool = store.get(world, machine.agent.pool or "") if machine.agent.service == "arm" else None
    rule: dict[str, Any] = (pool.properties.get("agentUpdate") if pool is not None else None) or {}
    windows = rule.get("maintenanceWindows") or []
    if rule.get("type") != "Scheduled" or not windows:
        return due
    zone = _zone(str(rule.get("maintenanceWindowTimeZone") or ""))
    return min(_opens(datetime.fromtimestamp(due, UTC).astimezone(zone), window) for window in windows)


def _zone(name: str) -> tzinfo:
    known = _ZONES.get(name.lower())
    return ZoneInfo(known) if known else UTC


def _opens(due: datetime, window: dict[str, Any]) -> float:
    """The first moment from `due` on that lies in a weekly window of two hours."""
    day = _DAYS.index(str(window.get("dayOfWeek") or "Sunday").capitalize())
    begin = due.replace(hour=int(window.get("hour") or 0), minute=0, second=0, microsecond=0)
    begin += timedelta(days=(day - begin.weekday()) % 7 - 7)
    while begin + WINDOW <= due:
        begin += timedelta(days=7)
    return max(begin, due).timestamp()


# ---------------------------------------------------------------- the update


@on("agent-updates")
def _updates(world: World, at: float, vm: str, attempt: int, version: str) -> None:
    machine = world.state.machines.get(vm)
    if machine is None or machine.agent.attempt != attempt or not _older(machine, version):
        return
    machine.agent.updating_to = version
    machine.agent.update_failed = False
    _tell(world, machine, _STARTED, "")
    world.record("agent_updating", vm=vm, version=version)
    if faults.hits(world, "agent_update_hangs", machine) is None:
        lasts = world.between(f"agent-update|{vm}", world.setting("agent_update_s"))
        world.schedule(lasts, "agent-updated", vm=vm, attempt=attempt, version=version)


@on("agent-updated")
def _updated(world: World, at: float, vm: str, attempt: int, version: str) -> None:
    machine = world.state.machines.get(vm)
    if machine is None or machine.agent.attempt != attempt:
        return
    machine.agent.updating_to = None
    if faults.hits(world, "agent_update_fails", machine) is not None:
        machine.agent.update_failed = True
        _tell(world, machine, _FAILED, "the update could not be installed")
        world.record("agent_update_failed", vm=vm, version=version)
        return
    products.add(machine, products.AGENT_NAME, version)
    _tell(world, machine, _SUCCEEDED, "", version)
    world.record("agent_updated", vm=vm, version=version)


def _tell(world: World, machine: Machine, state: tuple[str, int], error: str, version: str | None = None) -> None:
    """Write it into the record of the service where the machine is registered."""
    host = store.get(world, f"{machine.agent.pool}/sessionHosts/{machine.agent.host_name}")
    if machine.agent.service == "arm" and host is not None:
        host.properties |= {"updateState": state[0], "updateErrorMessage": error, "lastUpdateTime": iso(world.now)}
        host.properties |= {"agentVersion": version} if version else {}
    for pool, record in agents.classic_records(world, machine) if machine.agent.service == "classic" else ():
        if pool == machine.agent.pool:
            record.update_state, record.last_update_at = state[1], world.now
            record.agent_version = version or record.agent_version
