"""What the boot loader and its agent do: register with a token, come back after a restart, send heartbeats.

Nothing here is told what a migration wants: the agent reads its own registry, as the real one does (facts/arm-service
11.3 to 11.7, facts/classic-service 5.2):

| IsRegistered | RegistrationToken | what a started boot loader does |
|---|---|---|
| 1 | whatever | reconnects to what the registry says: classic by BrokerURI, ARM by BrokerResourceIdURI |
| else | a token | registers with it; then IsRegistered 1, token emptied, broker addresses written |
| else | empty | nothing; `INVALID_REGISTRATION_TOKEN` in the event log |
"""

import math
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from avdtwin import faults, registry, tokens
from avdtwin.clock import iso
from avdtwin.products import AGENT_NAME, LOADER_SERVICE, STACK_BROKEN, STACK_NOT_LISTENING, installed
from avdtwin.state import Agent, ClassicHost, ClassicHostPool, Machine
from avdtwin.world import World, on

_BROKER_VALUES = {
    "BrokerURI": "BrokerUri",
    "BrokerURIGlobal": "GlobalBrokerUri",
    "DiagnosticsUri": "DiagnosticsUri",
    "BrokerResourceIdURI": "BrokerResourceIdUri",
    "BrokerResourceIdURIGlobal": "GlobalBrokerResourceIdUri",
}
"""Registry value -> claim of the registration token."""

_EVENT_CODES = ("EXPIRED_REGISTRATION_TOKEN", "NAME_ALREADY_REGISTERED")
"""What a broker may answer besides INVALID_REGISTRATION_TOKEN (facts/arm-service 11.6)."""


class AgentError(Exception):
    """The agent could not register or come back; its text is the code of the event log."""


# ---------------------------------------------------------------- starting and stopping


def loader_runs(machine: Machine) -> bool:
    service = machine.services.get(LOADER_SERVICE.lower())
    return machine.power == "running" and service is not None and service.state == "Running"


def start(world: World, machine: Machine, after_s: float = 0.0) -> None:
    """The boot loader has started (`after_s` from now): some time later its agent registers or reconnects."""
    agent = machine.agent
    agent.attempt += 1
    name = "agent_reconnect_s" if registry.read(machine, registry.AGENT, "IsRegistered") == 1 else "agent_register_s"
    delay = world.between(f"agent|{machine.vm}", world.setting(name))
    if "slow-agent" in machine.quirks:
        delay *= 5
    world.schedule(after_s + delay, "agent-connects", vm=machine.vm, attempt=agent.attempt)


def leave(world: World, machine: Machine) -> None:
    """The agent falls silent: stopped, uninstalled or without power. Whatever it was about to do is off."""
    agent = machine.agent
    agent.attempt += 1
    beat = heartbeat(world, machine)
    if beat is not None:
        agent.last_heartbeat = beat
        _keep_last_heartbeat(world, agent, beat)
    agent.connected_at = None
    agent.healthy_at = None
    agent.updating_to = None
    agent.update_failed = False


def forget(machine: Machine) -> None:
    """The agent was uninstalled: the machine is registered nowhere. Records of it in the services stay."""
    machine.agent.service = None
    machine.agent.pool = None
    machine.agent.host_name = None


def heartbeat(world: World, machine: Machine) -> float | None:
    """When the connected agent last sent a heartbeat; None while it sends none."""
    since = machine.agent.connected_at
    if since is None or world.now < since:
        return None
    period = float(world.setting("heartbeat_s"))
    return since + math.floor((world.now - since) / period) * period


def healthy(world: World, machine: Machine) -> bool:
    """Connected for long enough that its health checks pass, with a stack that listens and no update under way."""
    agent = machine.agent
    if STACK_NOT_LISTENING in machine.quirks or agent.updating_to is not None:
        return False
    return agent.connected_at is not None and agent.healthy_at is not None and world.now >= agent.healthy_at


def connect(world: World, machine: Machine, service: str, pool: str, host_name: str, *, new: bool = False) -> None:
    """Heartbeats begin. `new`: the agent has just registered."""
    from avdtwin import agent_updates  # it asks this module in its turn

    agent = machine.agent
    agent.service, agent.pool, agent.host_name = service, pool, host_name
    agent.connected_at = world.now
    agent.healthy_at = world.now + world.between(f"healthy|{machine.vm}", world.setting("agent_healthy_s"))
    agent.last_error = None
    agent.updating_to, agent.update_failed = None, False
    world.record("agent_connected", vm=machine.vm, service=service, pool=pool, host=host_name)
    agent_updates.consider(world, machine, new=new)


# ---------------------------------------------------------------- the event


@on("agent-connects")
def _connects(world: World, at: float, vm: str, attempt: int) -> None:
    machine = world.state.machines.get(vm)
    if machine is None or machine.agent.attempt != attempt or not _able(machine):
        return
    if faults.holds(world, "heartbeat_lost", machine) or faults.hits(world, "agent_stuck", machine):
        return
    if not _admitted(world):
        delay = world.between(f"agent|{vm}", world.setting("registration_retry_s"))
        world.schedule(delay, "agent-connects", vm=vm, attempt=attempt)
        return
    skew = faults.hits(world, "host_clock_skew", machine)
    world.skew_s = 0.0 if skew is None else faults.seconds(world, skew, 0.0)
    try:
        _register_or_return(world, machine)
    except AgentError as error:
        machine.agent.last_error = str(error)
        world.record("agent_error", vm=vm, code=str(error))
    finally:
        world.skew_s = 0.0


def _able(machine: Machine) -> bool:
    hindered = {"never-registers", STACK_BROKEN}.intersection(machine.quirks)
    return bool(installed(machine, AGENT_NAME)) and loader_runs(machine) and not hindered


def _admitted(world: World) -> bool:
    """Broad parallel registration gets throttled (facts/classic-service 5.6): a bucket shared by all agents."""
    if not world.setting("registration_throttled"):
        return True
    burst = float(world.setting("registration_burst"))
    bucket = world.state.limits.setdefault("registration", {"tokens": burst, "at": world.now})
    refilled = (world.now - bucket["at"]) * float(world.setting("registration_refill_per_s"))
    bucket["tokens"] = min(burst, bucket["tokens"] + refilled)
    bucket["at"] = world.now
    if bucket["tokens"] < 1:
        return False
    bucket["tokens"] -= 1
    return True


def _register_or_return(world: World, machine: Machine) -> None:
    token = registry.read(machine, registry.AGENT, "RegistrationToken") or ""
    if registry.read(machine, registry.AGENT, "IsRegistered") == 1:
        _reconnect(world, machine)
    elif token:
        _register(world, machine, str(token))
    else:
        raise AgentError("INVALID_REGISTRATION_TOKEN")


# ---------------------------------------------------------------- with a token


def _register(world: World, machine: Machine, token: str) -> None:
    from avdtwin import activity  # the services import this module in their turn

    try:
        claims = tokens.read_registration(world, token)
        pool, host_name = _JOIN[claims.service](world, machine, claims)
    except tokens.BadToken as error:
        registry.write(machine, registry.AGENT, "IsRegistered", 0)
        raise AgentError(error.code if error.code in _EVENT_CODES else "INVALID_REGISTRATION_TOKEN") from error
    _note_registered(machine, claims)
    if claims.service == "arm":
        activity.registered(world, pool, host_name)
    connect(world, machine, claims.service, pool, host_name, new=True)


def _join_classic(world: World, machine: Machine, claims: tokens.RegistrationClaims) -> tuple[str, str]:
    from avdtwin.classic import hosts  # the services import this module in their turn

    if not world.state.classic.alive:
        raise AgentError("ENDPOINT_NOT_FOUND")
    pool = hosts.pool_of_object_id(world, claims.pool_object_id)
    if pool is None:
        raise AgentError("INVALID_REGISTRATION_TOKEN")
    return pool, hosts.register(world, machine, pool, claims).name


def _join_arm(world: World, machine: Machine, claims: tokens.RegistrationClaims) -> tuple[str, str]:
    from avdtwin.arm import session_hosts

    pool = arm_pool_of(world, claims.pool_object_id)
    if pool is None:
        raise AgentError("INVALID_REGISTRATION_TOKEN")
    try:
        host = session_hosts.register(world, machine, pool, registration_id=claims.registration_id)
    except session_hosts.NameAlreadyRegistered as error:
        raise AgentError("NAME_ALREADY_REGISTERED") from error
    except (session_hosts.UnknownPool, session_hosts.TokenRevoked) as error:
        raise AgentError("INVALID_REGISTRATION_TOKEN") from error
    return pool, host.name.rpartition("/")[2]


_JOIN: dict[str, Callable[[World, Machine, tokens.RegistrationClaims], tuple[str, str]]] = {
    "classic": _join_classic,
    "arm": _join_arm,
}


def _note_registered(machine: Machine, claims: tokens.RegistrationClaims) -> None:
    """What the agent writes after success. The ResourceId pair belongs to ARM only, so it is how the two are told
    apart (facts/classic-service 5.4).
    """
    write_registered(machine, claims.claims)
    registry.write(machine, registry.AGENT, "RegistrationToken", "")


def write_registered(machine: Machine, claims: dict[str, object]) -> None:
    """The registry of a registered agent, from the claims of its token."""
    registry.write(machine, registry.AGENT, "IsRegistered", 1)
    for value, claim in _BROKER_VALUES.items():
        registry.remove_value(machine, registry.AGENT, value)
        if claim in claims:
            registry.write(machine, registry.AGENT, value, claims[claim])


# ---------------------------------------------------------------- coming back


def _reconnect(world: World, machine: Machine) -> None:
    """By what the registry says, to a record that the service still has of this very VM."""
    if "off-for-weeks" in machine.quirks:
        raise AgentError("EXPIRED_MACHINE_TOKEN")
    labelled = registry.read(machine, registry.AGENT, "BrokerResourceIdURI")
    find = _own_arm_host if labelled else _own_classic_host
    service = "arm" if labelled else "classic"
    pool, host_name = find(world, machine)
    connect(world, machine, service, pool, host_name)


def _own_classic_host(world: World, machine: Machine) -> tuple[str, str]:
    if not world.state.classic.alive or not registry.read(machine, registry.AGENT, "BrokerURI"):
        raise AgentError("ENDPOINT_NOT_FOUND")
    found = max(classic_records(world, machine), key=lambda pair: pair[1].registered_at, default=None)
    if found is None:
        raise AgentError("INVALID_FORM")
    return found[0], found[1].name


def classic_records(world: World, machine: Machine) -> Iterator[tuple[str, ClassicHost]]:
    """Records of this VM that the classic service has, each with its pool's key, stale ones too."""
    for group in world.state.classic.groups.values():
        for tenant in group.tenants.values():
            for pool in tenant.pools.values():
                for host in _of_machine(pool, machine):
                    yield f"{group.name}/{tenant.name}/{pool.name}".lower(), host


def _of_machine(pool: ClassicHostPool, machine: Machine) -> list[ClassicHost]:
    names = {name.lower() for name in (machine.fqdn, machine.computer_name, machine.agent.host_name or "")}
    records = (pool.hosts.get(name) for name in names)
    return [record for record in records if record is not None and record.vm == machine.vm]


def _own_arm_host(world: World, machine: Machine) -> tuple[str, str]:
    address = str(registry.read(machine, registry.AGENT, "BrokerResourceIdURI"))
    object_id = (urlsplit(address).hostname or "").partition(".")[0]
    pool = arm_pool_of(world, object_id)
    if pool is None:
        raise AgentError("ENDPOINT_NOT_FOUND")
    names = (machine.agent.host_name or "", machine.fqdn, machine.computer_name)
    hosts = (world.state.arm.resources.get(f"{pool}/sessionhosts/{name.lower()}") for name in names)
    host = next((host for host in hosts if host is not None and host.vm == machine.vm), None)
    if host is None:
        raise AgentError("INVALID_FORM")
    return pool, host.name.rpartition("/")[2]


def arm_pool_of(world: World, object_id: str) -> str | None:
    """Key of the ARM host pool with this object id."""
    index = world.derived.setdefault("agents.arm_pools", {})
    assert isinstance(index, dict)
    wanted = object_id.lower()
    if not _is_pool(world, index.get(wanted, ""), wanted):
        index.clear()
        for key, resource in world.state.arm.resources.items():
            if resource.type.lower() == "microsoft.desktopvirtualization/hostpools":
                index[str(resource.properties.get("objectId")).lower()] = key
    found: str | None = index.get(wanted)
    return found


def _is_pool(world: World, key: str, object_id: str) -> bool:
    resource = world.state.arm.resources.get(key)
    return resource is not None and str(resource.properties.get("objectId")).lower() == object_id


def _keep_last_heartbeat(world: World, agent: Agent, beat: float) -> None:
    """Write the last heartbeat into the record of the service that will still list the host."""
    if agent.pool is None or agent.host_name is None:
        return
    if agent.service == "classic":
        group, tenant, pool = agent.pool.split("/")
        found = world.state.classic.groups.get(group)
        record = None
        if found and tenant in found.tenants and pool in found.tenants[tenant].pools:
            record = found.tenants[tenant].pools[pool].hosts.get(agent.host_name.lower())
        if record is not None:
            record.last_heartbeat = beat
        return
    host = world.state.arm.resources.get(f"{agent.pool}/sessionhosts/{agent.host_name.lower()}")
    if host is not None:
        host.properties["lastHeartBeat"] = iso(beat)
