"""From a spec to a world: the classic tenant, its VMs, the directory, and a subscription that knows nothing yet."""

from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

from avdtwin.clock import Clock
from avdtwin.estate import access, machines, remains
from avdtwin.estate.people import DAY_S, People
from avdtwin.estate.specs import AppSpec, EstateSpec, GroupSpec, PoolSpec
from avdtwin.state import (
    AppGroup,
    ClassicHost,
    ClassicHostPool,
    ClassicTenant,
    ClassicTenantGroup,
    Machine,
    Person,
    PublishedDesktop,
    RemoteApp,
    Resource,
    Session,
    Subscription,
)
from avdtwin.world import World

DESKTOP_GROUP = "Desktop Application Group"
DESKTOP_GROUP_TEXT = "The default desktop application group for the session host pool"
REMOTE_DESKTOP = "Remote Desktop"
PROVIDERS = ("Authorization", "Resources", "Compute", "Network", "Storage", "KeyVault", "Insights")


def tenant_id_of(spec: EstateSpec) -> str:
    """The directory's id: the same for every seed, so that a configuration outlives a seed."""
    return str(uuid5(NAMESPACE_URL, f"https://{spec.domain}/directory"))


def subscription_id_of(spec: EstateSpec) -> str:
    return str(uuid5(NAMESPACE_URL, f"https://{spec.domain}/subscription"))


def build_world(spec: EstateSpec, seed: int, clock: Clock) -> World:
    """Everything but the people's comings and goings (see `avdtwin.people.start`)."""
    world = World.empty(clock, tenant_id=tenant_id_of(spec), seed=seed, domain=spec.domain)
    _azure(world, spec)
    people = People(world, spec.domain)
    tenant = _tenant(world, spec)
    before: list[Person] = []
    for pool in spec.pools:
        before = _PoolBuilder(world, spec, pool, people, before).build(tenant)
    access.grant(world, spec, people)
    remains.leave(world, spec, tenant, subscription_id_of(spec))
    world.state.classic.alive = not spec.classic_gone
    return world


# ---------------------------------------------------------------- Azure


def _azure(world: World, spec: EstateSpec) -> None:
    subscription = subscription_id_of(spec)
    providers = {f"microsoft.{name.lower()}": "Registered" for name in PROVIDERS}
    providers["microsoft.desktopvirtualization"] = "Registered" if spec.provider_registered else "NotRegistered"
    if spec.log_days:
        providers["microsoft.operationalinsights"] = "Registered"
    world.state.arm.subscriptions[subscription] = Subscription(
        id=subscription, display_name=f"{spec.title or spec.tenant} production", providers=providers
    )
    for pool in spec.pools:
        _resource_group(world, subscription, pool.resource_group, pool.location)


def _resource_group(world: World, subscription: str, name: str, location: str) -> None:
    full = f"/subscriptions/{subscription}/resourceGroups/{name}"
    group = Resource(
        id=full,
        type="Microsoft.Resources/resourceGroups",
        name=name,
        location=location,
        properties={"provisioningState": "Succeeded"},
        created_at=world.now - 600 * DAY_S,
    )
    world.state.arm.resources.setdefault(full.lower(), group)


# ---------------------------------------------------------------- classic


def _tenant(world: World, spec: EstateSpec) -> ClassicTenant:
    tenant = ClassicTenant(
        name=spec.tenant,
        aad_tenant_id=world.state.directory.tenant_id,
        friendly_name=spec.title,
        description=spec.description,
        azure_subscription_id=subscription_id_of(spec),
    )
    if spec.single_sign_on:
        tenant.sso_adfs_authority = f"https://sts.{spec.domain}/adfs"
        tenant.sso_client_id = "https://mrs-prod.ame.gbl/mrs-RDInfra-prod"
        tenant.sso_client_secret, tenant.sso_secret_type = "PLANTED-sso-secret", 0
    if spec.workspace:
        tenant.log_analytics_workspace_id = world.guid("estate|workspace")
        tenant.log_analytics_primary_key = "PLANTED-log-analytics-key"
    group = ClassicTenantGroup(name=spec.tenant_group, tenants={spec.tenant.lower(): tenant})
    world.state.classic.groups[spec.tenant_group.lower()] = group
    return tenant


class _PoolBuilder:
    """One host pool, from its machines to its people."""

    def __init__(self, world: World, spec: EstateSpec, pool: PoolSpec, people: People, before: list[Person]) -> None:
        self._world = world
        self._spec = spec
        self._pool = pool
        self._people = people
        self._before = before
        self._path = f"{spec.tenant_group}/{spec.tenant}/{pool.name}"

    def build(self, tenant: ClassicTenant) -> list[Person]:
        """Returns the people who are new with this pool."""
        record = _pool_record(self._pool)
        tenant.pools[self._pool.name.lower()] = record
        for number in range(self._pool.hosts):
            host = self._host(number)
            record.hosts[host.name.lower()] = host
        groups = self._fill_groups(record)
        self._borrow(record)
        self._leavers(record)
        if self._pool.personal:
            self._assign(record, groups[DESKTOP_GROUP])
        self._never_ending(record)
        return [person for people in groups.values() for person in people]

    def _host(self, number: int) -> ClassicHost:
        machine = machines.make(
            self._world,
            self._pool,
            number,
            subscription=subscription_id_of(self._spec),
            pool_key=self._path.lower(),
            ad_domain=self._spec.ad_domain,
        )
        now = self._world.now
        silent = number in self._pool.silent or number in self._pool.off
        return ClassicHost(
            name=machine.fqdn,
            vm=machine.vm,
            allow_new_session=number not in self._pool.drained,
            azure_vm_id=machine.vm_id,
            azure_resource_id=_as_reported(machine, number),
            agent_version=machine.products[0].version,
            registered_at=now - 300 * DAY_S,
            last_heartbeat=now - 9 * DAY_S if silent else None,
            status_when_silent=2 if number in self._pool.off else 6,
            last_update_at=now - (20 + number % 7) * DAY_S,
        )

    def _fill_groups(self, record: ClassicHostPool) -> dict[str, list[Person]]:
        """People of the desktop group and of each RemoteApp group; those shared by two groups come once."""
        found: dict[str, list[Person]] = {}
        desktop = record.groups[DESKTOP_GROUP.lower()]
        found[DESKTOP_GROUP] = self._enlist(desktop, self._workers(self._pool.desktop_people), (REMOTE_DESKTOP,))
        previous: list[Person] = []
        for group in self._pool.groups:
            app_group = _app_group(group)
            record.groups[group.name.lower()] = app_group
            shown = tuple(app.name for app in group.apps if app.shown)
            new = self._enlist(app_group, self._workers(group.people), shown)
            self._enlist(app_group, previous[: group.shared], shown)
            found[group.name] = previous = new
        return found

    def _workers(self, count: int) -> list[Person]:
        return [self._people.worker() for _ in range(count)]

    def _enlist(self, group: AppGroup, people: Iterable[Person], items: tuple[str, ...]) -> list[Person]:
        """Assign people to a group; what they open of it is one of its items."""
        people = list(people)
        for position, person in enumerate(people):
            group.users[person.upn.lower()] = person.upn
            if items:
                person.resources.append(f"{self._path}/{group.name}/{items[position % len(items)]}")
        return people

    def _borrow(self, record: ClassicHostPool) -> None:
        """People of the pool before who use this one too, some written in another casing here."""
        group = _roomiest(record)
        for position, person in enumerate(self._before[: self._pool.borrowed]):
            upn = _recased(person.upn) if position < self._pool.recased else person.upn
            group.users[upn.lower()] = upn
            shown = [app.name for app in group.apps.values() if app.show_in_web_feed is not False]
            items = shown if group.apps else [REMOTE_DESKTOP]
            if items and (group.apps or group.resource_type == 1):
                person.resources.append(f"{self._path}/{group.name}/{items[position % len(items)]}")

    def _leavers(self, record: ClassicHostPool) -> None:
        groups = list(record.groups.values())
        for position in range(self._pool.leavers):
            user = self._people.leaver()
            groups[position % len(groups)].users[user.upn.lower()] = user.upn

    def _assign(self, record: ClassicHostPool, people: list[Person]) -> None:
        """One host, one person. Who got none waits for one; direct assignment gives them nothing to open."""
        hosts = list(record.hosts.values())
        for host, person in zip(hosts, people[: self._pool.assigned], strict=False):
            host.assigned_user = person.upn
            if host.vm is not None and self._world.state.machines[host.vm].power != "running":
                person.simulated, person.workdays = False, []
        if not self._pool.automatic:
            for person in people[self._pool.assigned :]:
                person.simulated, person.workdays = False, []

    def _never_ending(self, record: ClassicHostPool) -> None:
        """Disconnected sessions of people on leave, weeks old, that nothing ends."""
        world = self._world
        group = record.groups[DESKTOP_GROUP.lower()]
        hosts = [host for host in record.hosts.values() if host.vm and host.last_heartbeat is None]
        for position in range(min(self._pool.never_ending, len(hosts))):
            person = self._people.absent()
            group.users[person.upn.lower()] = person.upn
            person.resources.append(f"{self._path}/{group.name}/{REMOTE_DESKTOP}")
            vm = hosts[-1 - position].vm
            assert vm is not None
            _stale_session(world, world.state.machines[vm], self._path.lower(), person)


def _pool_record(pool: PoolSpec) -> ClassicHostPool:
    desktop = AppGroup(
        name=DESKTOP_GROUP,
        resource_type=1,
        friendly_name=DESKTOP_GROUP,
        description=DESKTOP_GROUP_TEXT,
        desktop=PublishedDesktop(friendly_name=pool.desktop_title),
    )
    return ClassicHostPool(
        name=pool.name,
        friendly_name=pool.title,
        description=pool.description,
        persistent=pool.personal,
        custom_rdp_property=pool.rdp,
        max_session_limit=pool.limit,
        load_balancer_type=2 if pool.personal else int(pool.depth_first),
        validation_env=pool.validation,
        ring=pool.ring,
        assignment_type=(1 if pool.automatic else 2) if pool.personal else None,
        groups={DESKTOP_GROUP.lower(): desktop},
    )


def _app_group(spec: GroupSpec) -> AppGroup:
    return AppGroup(
        name=spec.name,
        resource_type=0,
        friendly_name=spec.title,
        description=spec.description,
        apps={app.name.lower(): _app(app) for app in spec.apps},
    )


def _app(spec: AppSpec) -> RemoteApp:
    return RemoteApp(
        name=spec.name,
        file_path=spec.path,
        command_line_setting=2 if spec.arguments else int(spec.allow_arguments),
        description=spec.description,
        friendly_name=spec.title or spec.name,
        icon_index=spec.icon_index,
        icon_path=spec.icon or spec.path,
        required_command_line=spec.arguments,
        show_in_web_feed=spec.shown,
    )


def _roomiest(record: ClassicHostPool) -> AppGroup:
    """The RemoteApp group with most people, else the desktop group: where borrowed people go."""
    remote = [group for group in record.groups.values() if group.resource_type == 0]
    return max(remote or record.groups.values(), key=lambda group: len(group.users))


def _recased(upn: str) -> str:
    """`amy.adams@contoso.com` as `Amy.Adams@Contoso.com`."""
    name, _, domain = upn.partition("@")
    return f"{name.title()}@{domain.capitalize()}"


def _as_reported(machine: Machine, number: int) -> str | None:
    """The resource id as the host's agent reported it: now and then with the group in capitals, and an old agent
    reported none (facts/classic-service 1.7).
    """
    if number == 9:
        return None
    if number % 3 == 2:
        group = machine.resource_id.split("/")[4]
        return machine.resource_id.replace(f"/{group}/", f"/{group.upper()}/")
    return machine.resource_id


def _stale_session(world: World, machine: Machine, pool_key: str, person: Person) -> None:
    session = Session(
        key=f"{machine.vm}#{machine.next_session_id}",
        machine=machine.vm,
        id=machine.next_session_id,
        service="classic",
        pool=pool_key,
        user=person.user,
        upn=person.upn,
        state="Disconnected",
        created_at=world.now - 23 * DAY_S,
        disconnected_at=world.now - 22 * DAY_S,
        never_ends=True,
        client="old",
    )
    machine.next_session_id += 1
    world.state.sessions[session.key] = session
