"""Which host a person gets, or why none: the brokers of both services.

| Rule | Source |
|---|---|
| a person with a session in the pool is sent back to it, also on a drained host | facts/classic-service 1.5 |
| breadth-first: fewest sessions; depth-first: most under the limit; ties: the first host | facts/classic-service 1.5 |
| a drained host takes no new session | facts/arm-service 4.4 |
| a host takes people only while its agent is healthy and registered in this very pool | facts/arm-service 4.2 |
| personal, automatic: bound to a free host at first connection | facts/classic-service 1.7 |
| personal, direct: only to the host bound beforehand | facts/classic-service 1.7 |
| a profile container is held by one session at a time | design 9 |
"""

from typing import NamedTuple

import msgspec

from avdtwin import activity, sessions, windows
from avdtwin.arm import rights, store
from avdtwin.state import ClassicHost, ClassicHostPool, Machine, Resource, Session, User
from avdtwin.world import World

USE_APPLICATIONS = "Microsoft.DesktopVirtualization/applicationGroups/useApplications/action"

NOT_AUTHORIZED = "not_authorized"
SERVICE_GONE = "service_gone"
NO_HOST_AVAILABLE = "no_host_available"
NO_ASSIGNED_HOST = "no_assigned_host"
HOST_DOWN = "host_down"
PERSONAL_HOST_DOWN = "personal_host_down"
PERSONAL_HOST_DRAINED = "personal_host_drained"
PROFILE_LOCKED = "profile_locked"
CAUSES = (
    NOT_AUTHORIZED,
    SERVICE_GONE,
    NO_HOST_AVAILABLE,
    NO_ASSIGNED_HOST,
    HOST_DOWN,
    PERSONAL_HOST_DOWN,
    PERSONAL_HOST_DRAINED,
    PROFILE_LOCKED,
)


class Refusal(Exception):
    """A sign-in that was refused; `cause` is one of `CAUSES`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Host(NamedTuple):
    """A session host of either service, as far as a broker looks at it."""

    machine: Machine | None
    accepts: bool
    assigned: str
    """UPN, or empty."""
    record: ClassicHost | Resource


class Pool(msgspec.Struct, frozen=True):
    """A host pool of either service, as far as a broker looks at it."""

    service: str
    key: str
    personal: bool
    automatic: bool
    depth_first: bool
    limit: int


def connect_classic(world: World, user: User, pool_key: str, group_name: str, *, client: str = "") -> Session:
    """A session through classic for a resource of this group. Raises Refusal."""
    if not world.state.classic.alive:
        raise Refusal(SERVICE_GONE)
    record = classic_pool(world, pool_key)
    group = record.groups.get(group_name.lower()) if record else None
    if record is None or group is None:
        raise Refusal(NOT_AUTHORIZED)
    pool = Pool(
        service="classic",
        key=pool_key.lower(),
        personal=record.persistent,
        automatic=record.assignment_type != 2,
        depth_first=record.load_balancer_type == 1,
        limit=record.max_session_limit,
    )
    if user.upn.lower() not in group.users or not _living(user):
        raise _refusal(world, pool, user, client, NOT_AUTHORIZED)
    machines = world.state.machines
    hosts = [
        Host(machines.get(host.vm or ""), host.allow_new_session, host.assigned_user or "", host)
        for host in record.hosts.values()
    ]
    return _connect(world, pool, hosts, user, "Desktop" if group.resource_type == 1 else "RemoteApp", client)


def connect_arm(world: World, user: User, group_id: str, *, client: str = "") -> Session:
    """A session through Azure Virtual Desktop for a resource of this application group. Raises Refusal."""
    group = store.get(world, group_id)
    record = store.get(world, str(group.properties.get("hostPoolArmPath"))) if group else None
    if group is None or record is None:
        raise Refusal(NOT_AUTHORIZED)
    own = record.properties
    pool = Pool(
        service="arm",
        key=record.id.lower(),
        personal=str(own.get("hostPoolType")).lower() == "personal",
        automatic=str(own.get("personalDesktopAssignmentType")).lower() != "direct",
        depth_first=str(own.get("loadBalancerType")).lower() == "depthfirst",
        limit=int(own.get("maxSessionLimit") or 999999),
    )
    if not _living(user) or not may_use(world, user.id, group.id):
        raise _refusal(world, pool, user, client, NOT_AUTHORIZED)
    hosts = [_of_arm(world, host) for host in store.children(world, record.id, "sessionHosts")]
    desktop = str(group.properties.get("applicationGroupType")).lower() == "desktop"
    return _connect(world, pool, hosts, user, "Desktop" if desktop else "RemoteApp", client)


def may_use(world: World, user_id: str, group_id: str) -> bool:
    """Whether the ARM service lets this user open what an application group holds."""
    return rights.allows(world, user_id, USE_APPLICATIONS, group_id, data=True)


def classic_pool(world: World, pool_key: str) -> ClassicHostPool | None:
    """The classic pool of a key `tenant group/tenant/pool`, in any casing."""
    group_name, tenant_name, name = pool_key.lower().split("/")
    group = world.state.classic.groups.get(group_name)
    tenant = group.tenants.get(tenant_name) if group else None
    return tenant.pools.get(name) if tenant else None


def takes_people(world: World, service: str, pool_key: str, machine: Machine | None) -> bool:
    """Whether a machine is registered in this pool, runs, and its agent is healthy."""
    if machine is None or machine.agent.pool != pool_key or machine.agent.service != service:
        return False
    return machine.power == "running" and windows.healthy(world, machine)


# ---------------------------------------------------------------- the common rules


def _connect(world: World, pool: Pool, hosts: list[Host], user: User, application_type: str, client: str) -> Session:
    try:
        session = _session(world, pool, hosts, user, application_type, client)
    except Refusal as refusal:
        raise _refusal(world, pool, user, client, refusal.cause) from None
    activity.connected(world, session)
    return session


def _refusal(world: World, pool: Pool, user: User, client: str, cause: str) -> Refusal:
    """A refusal that the logs of the pool know of."""
    activity.refused(world, pool.service, pool.key, user.upn, client, cause)
    return Refusal(cause)


def _session(world: World, pool: Pool, hosts: list[Host], user: User, application_type: str, client: str) -> Session:
    present = _session_in_pool(world, pool, hosts, user.id)
    if present is not None:
        return _reconnect(world, pool, present, client)
    machine = _personal(world, pool, hosts, user) if pool.personal else _pooled(world, pool, hosts)
    if _profile_held(world, machine, user.id):
        raise Refusal(PROFILE_LOCKED)
    return sessions.open_session(
        world,
        machine,
        service=pool.service,
        pool=pool.key,
        user=user.id,
        upn=user.upn,
        application_type=application_type,
        client=client,
    )


def _session_in_pool(world: World, pool: Pool, hosts: list[Host], user_id: str) -> Session | None:
    """The person's session on a host of this pool: one that its machine brought along, or that was made here."""
    machines = world.state.machines
    for session in sessions.of_user(world, user_id):
        machine = machines[session.machine]
        here = machine.agent.service == pool.service and machine.agent.pool == pool.key
        made_here = session.service == pool.service and session.pool == pool.key
        if (here or made_here) and any(host.machine is machine for host in hosts):
            return session
    return None


def _reconnect(world: World, pool: Pool, session: Session, client: str) -> Session:
    if not takes_people(world, pool.service, pool.key, world.state.machines[session.machine]):
        raise Refusal(PERSONAL_HOST_DOWN if pool.personal else HOST_DOWN)
    sessions.reconnect(world, session, service=pool.service, pool=pool.key, client=client)
    return session


def _pooled(world: World, pool: Pool, hosts: list[Host]) -> Machine:
    """The host that load balancing picks."""
    best: Machine | None = None
    best_count = 0
    count_on = sessions.counter(world)
    for machine, accepts, _assigned, _record in hosts:
        if machine is None or not accepts:
            continue
        count = count_on(machine.vm)
        better = best is None or (count > best_count if pool.depth_first else count < best_count)
        if better and count < pool.limit and takes_people(world, pool.service, pool.key, machine):
            best, best_count = machine, count
    if best is None:
        raise Refusal(NO_HOST_AVAILABLE)
    return best


def _personal(world: World, pool: Pool, hosts: list[Host], user: User) -> Machine:
    """The person's own host, or a free one that becomes it."""
    upn = user.upn.lower()
    host = next((host for host in hosts if host.assigned.lower() == upn), None)
    if host is None:
        if not pool.automatic:
            raise Refusal(NO_ASSIGNED_HOST)
        free = (host for host in hosts if not host.assigned and host.accepts)
        host = next((h for h in free if takes_people(world, pool.service, pool.key, h.machine)), None)
        if host is None:
            raise Refusal(NO_HOST_AVAILABLE)
        _assign(host, user.upn)
    if host.machine is None or not takes_people(world, pool.service, pool.key, host.machine):
        raise Refusal(PERSONAL_HOST_DOWN)
    if not host.accepts:
        raise Refusal(PERSONAL_HOST_DRAINED)
    return host.machine


def _profile_held(world: World, machine: Machine, user_id: str) -> bool:
    """Whether a session elsewhere holds the profile container that this machine would mount."""
    if not machine.profile_share:
        return False
    machines = world.state.machines
    return any(
        session.machine != machine.vm and machines[session.machine].profile_share == machine.profile_share
        for session in sessions.of_user(world, user_id)
    )


def _living(user: User) -> bool:
    return user.enabled and not user.deleted


# ---------------------------------------------------------------- hosts of the two services


def _of_arm(world: World, host: Resource) -> Host:
    own = host.properties
    accepts = own.get("allowNewSession") is not False
    return Host(world.state.machines.get(host.vm or ""), accepts, str(own.get("assignedUser") or ""), host)


def _assign(host: Host, upn: str) -> None:
    if isinstance(host.record, ClassicHost):
        host.record.assigned_user = upn
    else:
        host.record.properties["assignedUser"] = upn
