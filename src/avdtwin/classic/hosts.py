"""Session hosts: records that agents make by registering, and administrators drain, assign and remove.

Source: facts/classic-service 1.7. A record outlives its agent: a machine that went to another pool or service, or was
deleted, leaves it behind, silent.
"""

import json
from typing import Any

from avdtwin import agents, sessions, tokens
from avdtwin.classic import access, fields, places, pools
from avdtwin.classic.dates import wire_date
from avdtwin.classic.errors import refusal
from avdtwin.classic.paging import Order, drop, page_of, put
from avdtwin.classic.places import Path
from avdtwin.classic.routes import HOST, HOSTS, by_host, deleted, route
from avdtwin.classic.users import refuse_unknown
from avdtwin.products import AGENT_NAME
from avdtwin.state import ClassicHost, ClassicHostPool, Machine, Session
from avdtwin.wire import Request, Response, truthy
from avdtwin.world import World

ORDER = Order("SessionHostName", "SessionHostIncorrectSortField")

AVAILABLE, UNAVAILABLE, SHUTDOWN, DISCONNECTED, UPGRADING, UPGRADE_FAILED, NO_HEARTBEAT = range(7)
_HEALTH_CHECKS = ("DomainJoinedCheck", "DomainTrustCheck", "FSLogixHealthCheck", "SxSStackListenerCheck")


# ---------------------------------------------------------------- what agents do


def pool_of_object_id(world: World, object_id: str) -> str | None:
    """Key of the pool that a registration token names."""
    return pools.key_of_object_id(world, object_id)


def register(
    world: World, machine: Machine, pool_key: str, claims: tokens.RegistrationClaims | None = None
) -> ClassicHost:
    """The record of a machine whose agent brought a token of this pool: made, or the kept one with its drain state and
    user. Raises tokens.BadToken when the pool is gone, wants no such token any more, or has a living host of that name.

    `claims` None stands for a token that needs no check.
    """
    pool = places.by_pool_key(world, pool_key)
    if pool is None or not (claims is None or _is_wanted(world, pool, claims)):
        raise tokens.BadToken("INVALID_REGISTRATION_TOKEN", "No pool takes this token.")
    record = pool.hosts.get(machine.fqdn.lower())
    if record is None:
        record = ClassicHost(name=machine.fqdn, vm=machine.vm)
        put(world, pool.hosts, machine.fqdn.lower(), record)
    elif record.vm != machine.vm and attached(world, pool_key, record) is not None:
        raise tokens.BadToken("NAME_ALREADY_REGISTERED", f"{machine.fqdn} is the name of another host of the pool.")
    record.vm = machine.vm
    record.azure_vm_id, record.azure_resource_id = machine.vm_id, machine.resource_id
    record.agent_version = _agent_version(machine) or record.agent_version
    record.registered_at = record.last_update_at = world.now
    return record


def _is_wanted(world: World, pool: ClassicHostPool, claims: tokens.RegistrationClaims) -> bool:
    """Whether the token is the pool's present one: deleting the registration info ends the older."""
    if claims.service != "classic" or pool.registration is None:
        return False
    try:
        present = tokens.read_registration(world, pool.registration.token)
    except tokens.BadToken:
        return False
    return present.registration_id == claims.registration_id


def _agent_version(machine: Machine) -> str | None:
    versions = [product.version for product in machine.products if product.name == AGENT_NAME]
    return versions[-1] if versions else None


def attached(world: World, pool_key: str, record: ClassicHost) -> Machine | None:
    """The machine of a record while it is registered there; None for a record left behind."""
    machine = world.state.machines.get(record.vm) if record.vm else None
    if machine is None or machine.agent.service != "classic" or machine.agent.pool != pool_key:
        return None
    return machine if (machine.agent.host_name or "").lower() == record.name.lower() else None


# ---------------------------------------------------------------- how they are


def status(world: World, pool_key: str, record: ClassicHost) -> int:
    """A SessionHostStatus, from what the machine does at this moment."""
    machine = attached(world, pool_key, record)
    if machine is None:
        return record.status_when_silent
    if machine.power != "running":
        return SHUTDOWN
    beat = agents.heartbeat(world, machine)
    if beat is None:
        return UNAVAILABLE if _silent_s(world, record) < _patience_s(world) else record.status_when_silent
    if machine.agent.update_failed:
        return UPGRADE_FAILED
    if agents.healthy(world, machine):
        return AVAILABLE
    return UPGRADING


def _silent_s(world: World, record: ClassicHost) -> float:
    return world.now - (record.last_heartbeat or record.registered_at)


def _patience_s(world: World) -> float:
    return float(world.setting("heartbeat_lost_s"))


def usable(world: World, pool_key: str, record: ClassicHost) -> bool:
    """Whether the broker and the management service can reach it now."""
    return status(world, pool_key, record) == AVAILABLE


def any_usable(world: World, path: Path) -> bool:
    key = places.pool_key(path)
    return any(usable(world, key, record) for record in places.pool(world, path).hosts.values())


def last_heartbeat(world: World, pool_key: str, record: ClassicHost) -> float:
    """When the last one came; for a host that never sent any, when it registered: the wire has no null here (2.8)."""
    machine = attached(world, pool_key, record)
    live = agents.heartbeat(world, machine) if machine else None
    return live or record.last_heartbeat or record.registered_at


def sessions_of(world: World, pool_key: str, record: ClassicHost) -> list[Session]:
    """Sessions that this pool's broker lists on a host."""
    if record.vm is None:
        return []
    return [s for s in sessions.of_machine(world, record.vm) if s.service == "classic" and s.pool == pool_key]


def row(world: World, path: Path, names: dict[str, str], record: ClassicHost) -> dict[str, Any]:
    key = places.pool_key(path)
    return {
        "sessionHostName": record.name,
        "tenantName": names["tenantName"],
        "tenantGroupName": names["tenantGroupName"],
        "hostPoolName": names["hostPoolName"],
        "allowNewSession": record.allow_new_session,
        "azureVmId": record.azure_vm_id,
        "azureResourceId": record.azure_resource_id,
        "sessions": len(sessions_of(world, key, record)),
        "lastHeartBeat": wire_date(last_heartbeat(world, key, record)),
        "agentVersion": record.agent_version,
        "assignedUser": record.assigned_user,
        "osVersion": record.os_version,
        "sxSStackVersion": record.sxs_version,
        "status": status(world, key, record),
        "sessionHostHealthCheckResult": _health(world, key, record),
        "updateState": record.update_state,
        "lastUpdateTime": wire_date(record.last_update_at),
        "updateErrorMessage": None,
    }


def _health(world: World, pool_key: str, record: ClassicHost) -> str | None:
    """The agent's checks as a JSON text, null while no agent speaks. Array and names are inferences."""
    machine = attached(world, pool_key, record)
    beat = agents.heartbeat(world, machine) if machine else None
    if machine is None or beat is None:
        return None
    outcome = "HealthCheckSucceeded" if agents.healthy(world, machine) else "Unknown"
    details = {"Message": "", "ErrorCode": 0, "LastHealthCheckInUTC": wire_date(beat)}
    checks = [
        {"HealthCheckName": name, "HealthCheckResult": outcome, "AdditionalFailureDetails": details}
        for name in _HEALTH_CHECKS
    ]
    return json.dumps(checks, separators=(",", ":"))


# ---------------------------------------------------------------- routes


def find(world: World, path: Path, host: str) -> ClassicHost:
    record = places.pool(world, path).hosts.get(host.lower())
    if record is None:
        raise refusal(world, "SessionHostNotFound", f"SessionHostNotFound: '{host}'.")
    return record


@route("GET", HOSTS)
def list_hosts(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    names = places.names(world, path)
    records = places.pool(world, path).hosts
    return page_of(world, request, records, ORDER, lambda record: row(world, path, names, record))


@route("GET", HOST)
def get_host(world: World, request: Request, host: str, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    record = find(world, path, host)
    return Response(body=row(world, path, places.names(world, path), record))


@route("PATCH", HOST)
def change_host(world: World, request: Request, host: str, **parents: str) -> Response:
    """Drain mode and, once, the user of a personal desktop."""
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    record = find(world, path, host)
    body = fields.read_under(world, request, path, sessionHostName=host)
    allow, upn = body.get("allownewsession"), body.get("assigneduser")
    accepts = record.allow_new_session if allow is None else fields.flag(world, "allowNewSession", allow)
    if upn:
        _assign(world, places.pool(world, path), record, str(fields.text(world, "assignedUser", upn)))
    record.allow_new_session = accepts
    return Response(body=row(world, path, places.names(world, path), record))


def _assign(world: World, pool: ClassicHostPool, record: ClassicHost, upn: str) -> None:
    """One user per host, one host per user and pool; the same again is no change."""
    if record.assigned_user and record.assigned_user.lower() == upn.lower():
        return
    if not pool.persistent:
        raise refusal(world, "HostPoolTypeIsNotPersonalDesktop")
    if record.assigned_user:
        raise refusal(world, "SesionHostAlreadyAssignedToUser")
    if any((other.assigned_user or "").lower() == upn.lower() for other in pool.hosts.values()):
        raise refusal(world, "UserAlreadyAssignedOneSessionHostInPool")
    refuse_unknown(world, upn)
    record.assigned_user = upn


@route("DELETE", HOST)
def remove_host(world: World, request: Request, host: str, **parents: str) -> Response:
    """Sessions block it unless forced. Forced or not, nobody is logged off and the VM is not touched: its agent loses
    its place and needs a token to come back.
    """
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    record = find(world, path, host)
    key = places.pool_key(path)
    listed = sessions_of(world, key, record)
    if listed and not truthy(request.query.get("force")):
        raise refusal(world, "SessionHostUserSessionsExist")
    for session in listed:
        sessions.unlist(world, session)
    machine = attached(world, key, record)
    if machine is not None:
        agents.leave(world, machine)
        agents.forget(machine)
    drop(world, places.pool(world, path).hosts, record.name.lower())
    world.state.classic.removed_hosts.append(f"{key}/{record.name.lower()}")
    answer = deleted(world)
    answer.delay_s = by_host(world, request).delay_s if listed else 0.0
    return answer
