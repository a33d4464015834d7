"""Every host of a plan, one by one: the right VM in the right pool, well, open, and with the right person.

A host is known by its VM's resource id, never by its name. Status values: facts/arm-service 4.2.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, last_name, parent_key, same
from crossfade.model.target import ArmObject, VirtualMachine
from crossfade.plan.plan import HostMove, Plan
from crossfade.verification.facts import RunFacts
from crossfade.verification.verification import HostCheck

USABLE = frozenset({"available", "needsassistance"})
OFF = frozenset({"deallocated", "stopped"})
HEARTBEAT_FRESH_S = 900.0
"""Heartbeats come every half a minute or so; a snapshot of thousands of hosts takes some minutes to read."""
NOT_THERE = "not on the target"


def check_hosts(plan: Plan, target: TargetSnapshot, facts: RunFacts, *, made_at: str) -> list[HostCheck]:
    """In the plan's order. `made_at`: ISO UTC, when the snapshot was read."""
    index = _Hosts(target, made_at)
    return [index.check(move, facts) for move in plan.hosts]


class _Hosts:
    """The session hosts of a snapshot, by VM and by name."""

    def __init__(self, target: TargetSnapshot, made_at: str) -> None:
        self._now = _moment(made_at)
        self._machines = {fold(machine.id): machine for machine in target.machines}
        self._by_vm: dict[str, list[ArmObject]] = {}
        self._by_name: dict[tuple[str, str], ArmObject] = {}
        for item in target.objects:
            if fold(item.type).endswith("/sessionhosts"):
                self._by_vm.setdefault(fold(str(item.properties.get("resourceId") or "")), []).append(item)
                self._by_name[_pool(item), fold(last_name(item.id))] = item

    def check(self, move: HostMove, facts: RunFacts) -> HostCheck:
        registered = self._by_vm.get(fold(move.vm), [])
        host = next((item for item in registered if _pool(item) == fold(move.target_pool)), None)
        if host is None:
            return self._absent(move, registered, facts)
        owner = self._owner(move, host)
        elsewhere = [f"is also registered in {_pool_name(item)}" for item in registered if item is not host]
        problems = [*elsewhere, *owner, *self._health(move, host), *_door(move, host)]
        state = str(host.properties.get("status") or "unknown")
        return HostCheck(
            source=move.source, vm=move.vm, state=state, problems=problems, wrong=bool(owner), session_host=host.id
        )

    def _absent(self, move: HostMove, registered: list[ArmObject], facts: RunFacts) -> HostCheck:
        state, reason = facts.states.get(fold(move.source), ""), facts.reasons.get(fold(move.source), "")
        namesake = self._by_name.get((fold(move.target_pool), fold(move.host_name)))
        wrong = bool(registered or namesake)
        problems = [f"is in {_pool_name(item)}, not in {last_name(move.target_pool)}" for item in registered]
        if namesake is not None:
            problems.append(f"the host of this name is another VM: {namesake.properties.get('resourceId')}")
        if not wrong:
            problems.append(f"was not moved: {reason}" if reason else f"is not in {last_name(move.target_pool)}")
        return HostCheck(
            source=move.source, vm=move.vm, state=state or NOT_THERE, problems=problems, wrong=wrong, session_host=None
        )

    def _owner(self, move: HostMove, host: ArmObject) -> list[str]:
        """A person's desktop that is somebody else's. Nobody yet is fine where classic had nobody."""
        given, wanted = str(host.properties.get("assignedUser") or ""), move.assigned_user or ""
        if not move.personal or not wanted or same(given, wanted):
            return []
        return [f"belongs to {given or 'nobody'}, in classic to {wanted}"]

    def _health(self, move: HostMove, host: ArmObject) -> Iterator[str]:
        """A VM that was off before the move is off again after it, and that is well."""
        machine = self._machines.get(fold(move.vm))
        if move.start and machine is not None and machine.power in OFF:
            return
        status = str(host.properties.get("status") or "unknown")
        if fold(status) not in USABLE:
            yield f"its status is {status}{_power(machine)}"
            return
        beat = _moment(str(host.properties.get("lastHeartBeat") or ""))
        if beat is None:
            yield "it has sent no heartbeat"
        elif self._now is not None and self._now - beat > timedelta(seconds=HEARTBEAT_FRESH_S):
            yield f"its last heartbeat was at {host.properties['lastHeartBeat']}"


def _door(move: HostMove, host: ArmObject) -> list[str]:
    """Open, or closed where it was drained in classic."""
    closed = host.properties.get("allowNewSession") is False
    if closed == move.stays_closed:
        return []
    return ["accepts no new sessions"] if closed else ["accepts new sessions, in classic it was drained"]


def _power(machine: VirtualMachine | None) -> str:
    return f", its VM is {machine.power}" if machine is not None and machine.power != "running" else ""


def _pool(host: ArmObject) -> str:
    return parent_key(parent_key(fold(host.id)))


def _pool_name(host: ArmObject) -> str:
    return last_name(parent_key(parent_key(host.id)))


def _moment(text: str) -> datetime | None:
    """Aware UTC from ISO 8601, or None. The services' dates have up to seven digits of a second."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}+00:00")
