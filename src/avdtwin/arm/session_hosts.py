"""Session hosts of ARM: they appear when an agent registers, and are drained, assigned and removed (facts 1.8, 4).

Status, heartbeat and session counts are computed when somebody looks:

| machine | its agent | status |
|---|---|---|
| gone | | Unavailable |
| stopped or deallocated | | Shutdown |
| running | connected here and healthy | Available (NeedsAssistance with that quirk) |
| running | installing a newer agent | Upgrading; UpgradeFailed after it failed |
| running | connected here, checks not passed yet | Unavailable |
| running | silent for less than `heartbeat_lost_s` | Disconnected |
| running | silent for longer | NoHeartbeat |
"""

from typing import Any

from avdtwin import agents, sessions
from avdtwin.arm import bodies, errors, fields, health, paging, registration, store, versions
from avdtwin.arm.fields import Field, boolean, text
from avdtwin.arm.ids import NAMESPACE, Place, place_of
from avdtwin.arm.routes import ROUTES
from avdtwin.clock import iso, parse_iso
from avdtwin.products import AGENT_NAME
from avdtwin.state import Machine, Resource
from avdtwin.wire import Request, Response, truthy
from avdtwin.world import World

POOLS = "hostPools"
KIND = "sessionHosts"
TYPE = f"{NAMESPACE}/{POOLS}/{KIND}"

FIELDS = (Field("friendlyName", text), Field("allowNewSession", boolean, True), Field("assignedUser", text))

_OFF = frozenset({"stopped", "deallocated", "deallocating"})


class NameAlreadyRegistered(Exception):
    """The pool has a session host of this name: it must be deleted first (facts 4.1, 11.6)."""


class UnknownPool(Exception):
    """There is no such host pool (any more)."""


class TokenRevoked(Exception):
    """The token was good once; its pool has deleted it since."""


# ---------------------------------------------------------------- the agent's side


def register(world: World, machine: Machine, pool_id: str, *, registration_id: str | None = None) -> Resource:
    """A session host for a machine whose agent came with a valid token of this pool (id in any casing). It accepts
    sessions at once. `registration_id` is the token's: with it, one that was revoked is refused.
    Raises NameAlreadyRegistered, UnknownPool, TokenRevoked.
    """
    pool = store.get(world, pool_id)
    if pool is None:
        raise UnknownPool(pool_id)
    if registration_id is not None and not registration.accepts(pool, registration_id):
        raise TokenRevoked(pool_id)
    place = place_of(pool.id).child(KIND, machine.fqdn or machine.computer_name)
    if store.get(world, place.key) is not None:
        raise NameAlreadyRegistered(place.id)
    at = iso(world.now)
    host = Resource(
        id=place.id,
        type=TYPE,
        name=place.name,
        vm=machine.vm,
        properties={
            "allowNewSession": True,
            "assignedUser": None,
            "friendlyName": None,
            "lastHeartBeat": at,
            "lastUpdateTime": at,
            "agentVersion": _version(machine, AGENT_NAME, "1.0.11814.0"),
            "sxSStackVersion": "rdp-sxs250616010",
            "osVersion": "10.0.19045.5965",
            "updateState": "Succeeded",
            "updateErrorMessage": "",
            "resourceId": machine.resource_id,
            "virtualMachineId": machine.vm_id,
            "objectId": world.guid("object"),
        },
        created_at=world.now,
        modified_at=world.now,
    )
    return store.add(world, host)


def delete_record(world: World, host: Resource) -> None:
    """Remove a session host. An agent that was connected as this host loses its registration; its sessions stay."""
    machine = world.state.machines.get(host.vm or "")
    if machine is not None and _belongs(machine, host):
        agents.leave(world, machine)
        agents.forget(machine)
    store.remove(world, host)


def of_machine(world: World, pool_key: str, vm: str) -> Resource | None:
    """The session host of a machine in a pool (lower-cased id), if it has one there."""
    machine = world.state.machines.get(vm)
    if machine is not None and machine.agent.pool == pool_key and machine.agent.host_name:
        host = store.get(world, f"{pool_key}/{KIND}/{machine.agent.host_name}")
        if host is not None and host.vm == vm:
            return host
    return next((host for host in store.children(world, pool_key, KIND) if host.vm == vm), None)


def pool_key_of(host: Resource) -> str:
    """The key of the pool a session host is in."""
    return host.id.lower().rpartition(f"/{KIND.lower()}/")[0]


def connected(world: World, host: Resource) -> bool:
    """Whether this host's machine sends heartbeats to this very pool now."""
    machine = world.state.machines.get(host.vm or "")
    return machine is not None and _belongs(machine, host) and agents.heartbeat(world, machine) is not None


def status(world: World, host: Resource) -> str:
    """See the table above."""
    machine = world.state.machines.get(host.vm or "")
    if machine is None:
        return "Unavailable"
    if machine.power in _OFF:
        return "Shutdown"
    if connected(world, host):
        if machine.agent.updating_to is not None:
            return "Upgrading"
        if machine.agent.update_failed:
            return "UpgradeFailed"
        if not agents.healthy(world, machine):
            return "Unavailable"
        return "NeedsAssistance" if "needs-assistance" in machine.quirks else "Available"
    silent_s = world.now - parse_iso(host.properties.get("lastHeartBeat") or "1970-01-01")
    return "Disconnected" if silent_s < float(world.setting("heartbeat_lost_s")) else "NoHeartbeat"


def last_heartbeat(world: World, host: Resource) -> float | None:
    """When a host's agent was last heard of by this pool."""
    machine = world.state.machines.get(host.vm or "")
    if machine is not None and _belongs(machine, host):
        beat = agents.heartbeat(world, machine)
        if beat is not None:
            return beat
    kept = host.properties.get("lastHeartBeat")
    return parse_iso(kept) if kept else None


# ---------------------------------------------------------------- routes


@ROUTES.item("GET", POOLS, KIND)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_body(world, require(world, place), versions.is_preview(request)))


@ROUTES.item("PATCH", POOLS, KIND)
def patch(world: World, request: Request, place: Place) -> Response:
    host = require(world, place)
    changed = fields.for_patch(FIELDS, fields.properties_of(fields.body_of(request)))
    if "assignedUser" in changed:
        changed["assignedUser"] = changed["assignedUser"] or None
        _require_assignable(world, host, changed["assignedUser"], truthy(request.query.get("force")))
    host.properties |= changed
    bodies.touch(world, host, request.principal)
    return Response(body=_body(world, host, versions.is_preview(request)))


@ROUTES.item("DELETE", POOLS, KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    """200 with the host as it was; without `force` only when nobody has a session on it (facts 4.4)."""
    host = store.get(world, place.key)
    if host is None:
        return Response(status=204)
    if sessions_on(world, host) and not truthy(request.query.get("force")):
        raise errors.provider(
            400,
            f"The SessionHost {host.name} could not be deleted because it still has UserSessions associated with it. "
            "Please log off all UserSessions from the SessionHost or use force and retry the operation.",
        )
    body = _body(world, host, versions.is_preview(request))
    delete_record(world, host)
    return Response(body=body)


@ROUTES.listing(POOLS, KIND)
def list_in_pool(world: World, request: Request, place: Place) -> Response:
    preview = versions.is_preview(request)
    resources = world.state.arm.resources
    keys = store.keys(world, place.key, KIND)
    return paging.of_provider(world, request, keys, lambda key: _body(world, resources[key], preview))


def require(world: World, place: Place) -> Resource:
    """The session host of a place. Raises the provider's 404."""
    host = store.get(world, place.key)
    if host is None:
        raise errors.provider(404, "SessionHost does not exist")
    return host


def sessions_on(world: World, host: Resource) -> list[Any]:
    """Sessions that this service's broker made on the host, by id."""
    pool = pool_key_of(host)
    found = sessions.of_machine(world, host.vm or "")
    return [session for session in found if session.service == "arm" and session.pool == pool]


# ---------------------------------------------------------------- parts


def _require_assignable(world: World, host: Resource, user: str | None, force: bool) -> None:
    """Only hosts of personal pools have a person, and theirs is not taken away without `force` (facts 4.4)."""
    pool = store.get(world, pool_key_of(host))
    if pool is None or pool.properties.get("hostPoolType") != "Personal":
        raise errors.provider(400, "AssignedUser can only be set on a SessionHost of a HostPool of type Personal")
    present = host.properties.get("assignedUser")
    if present and present.lower() != (user or "").lower() and not force:
        raise errors.provider(
            400, f"SessionHost {host.name} is already assigned to {present}. Use force to change the assignment"
        )


def _belongs(machine: Machine, host: Resource) -> bool:
    agent = machine.agent
    name = (agent.host_name or "").lower()
    return agent.service == "arm" and agent.pool == pool_key_of(host) and name == host.name.lower()


def _version(machine: Machine, product: str, default: str) -> str:
    versions_found = [found.version for found in machine.products if found.name == product]
    return versions_found[-1] if versions_found else default


def _body(world: World, host: Resource, preview: bool) -> dict[str, Any]:
    kept = host.properties
    now = status(world, host)
    on = sessions_on(world, host)
    properties = {
        **(_preview_members(on) if preview else {}),
        "friendlyName": kept.get("friendlyName"),
        "lastHeartBeat": iso(last_heartbeat(world, host)),
        "statusTimestamp": None,
        "lastUpdateTime": kept.get("lastUpdateTime"),
        "sessions": len(on),
        "agentVersion": kept.get("agentVersion"),
        "allowNewSession": kept.get("allowNewSession", True),
        "assignedUser": kept.get("assignedUser"),
        "status": now,
        "osVersion": kept.get("osVersion"),
        "sxSStackVersion": kept.get("sxSStackVersion"),
        "updateState": kept.get("updateState", "Succeeded"),
        "updateErrorMessage": kept.get("updateErrorMessage", ""),
        "sessionHostHealthCheckResults": health.results(world, host, now),
        "resourceId": kept.get("resourceId"),
        "virtualMachineId": kept.get("virtualMachineId"),
        "objectId": kept.get("objectId"),
    }
    return bodies.child(host, properties)


def _preview_members(on: list[Any]) -> dict[str, Any]:
    active = sum(session.state == "Active" for session in on)
    return {
        "activeSessions": active,
        "disconnectedSessions": len(on) - active,
        "pendingSessions": 0,
        "sessionHostConfiguration": None,
    }
