"""What is in Azure of a classic estate: deployments and extensions of the templates that built it, logs of connections.

It outlives the classic service. Templates tell the state at creation only (facts/classic-service 5.5), logs who
connected to which host (6.2).
"""

from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from avdtwin import windows
from avdtwin.arm import log_workspaces
from avdtwin.clock import iso
from avdtwin.estate.people import DAY_S
from avdtwin.estate.specs import EstateSpec, PoolSpec
from avdtwin.state import ClassicHostPool, ClassicTenant, LogRow, Machine, Resource
from avdtwin.world import World

BROKER = "https://rdbroker.wvd.microsoft.com"
MODULES = (
    "https://raw.githubusercontent.com/Azure/RDS-Templates/master/wvd-templates/Create and provision WVD host pool/"
    "DSC/Configuration.zip"
)
_MACHINES = "providers/Microsoft.Compute/virtualMachines"
BUILT_DAYS_AGO = 600


def leave(world: World, spec: EstateSpec, tenant: ClassicTenant, subscription: str) -> None:
    """Put the traces in; of the last pool of several, the deployment has been pruned."""
    for position, pool in enumerate(spec.pools):
        record = tenant.pools[pool.name.lower()]
        machines = [world.state.machines[host.vm] for host in record.hosts.values() if host.vm is not None]
        made = [machine for number, machine in enumerate(machines) if number not in pool.by_hand]
        if position < len(spec.pools) - 1 or not position:
            _deployment(world, spec, pool, record, made, subscription)
        for number, machine in enumerate(made):
            _extend(world, machine, "joindomain", pool.location, _join(spec))
            _extend(world, machine, "dscextension", pool.location, _dsc(world, spec, pool, record, first=number == 0))
            if not pool.personal:
                group = machine.resource_id.partition("/providers/")[0]
                available = f"{group}/providers/Microsoft.Compute/availabilitySets/{pool.prefix}-availabilitySet"
                world.state.arm.resources[machine.vm].properties["availabilitySet"] = {"id": available}
    for name in spec.strangers:
        _stranger(world, spec, name, subscription)
    if spec.log_days:
        _logs(world, spec, tenant, subscription)


def _stranger(world: World, spec: EstateSpec, name: str, subscription: str) -> None:
    """A VM that has nothing to do with desktops."""
    pool = spec.pools[0]
    vm = f"/subscriptions/{subscription}/resourceGroups/{pool.resource_group}/{_MACHINES}/{name}"
    windows.build(
        world,
        resource_id=vm,
        computer_name=name,
        fqdn=f"{name}.{spec.ad_domain}",
        installed=False,
        location=pool.location,
    )


def _logs(world: World, spec: EstateSpec, tenant: ClassicTenant, subscription: str) -> None:
    """The workspace that the tenant sends to, with a connection a week of each person, to the host that is theirs or
    to one after the other; none in the last three days.
    """
    pool = spec.pools[0]
    customer = str(uuid5(NAMESPACE_URL, f"https://{spec.domain}/logs"))
    tenant.log_analytics_workspace_id = customer
    workspace = log_workspaces.lay(
        world,
        f"/subscriptions/{subscription}/resourceGroups/{pool.resource_group}",
        f"logs-{spec.name}",
        location=pool.location,
        customer_id=customer,
        days=max(30, spec.log_days + 30),
    )
    workspace.created_at = world.now - BUILT_DAYS_AGO * DAY_S
    rows = [row for record in tenant.pools.values() for row in _connections(world, spec, record)]
    world.state.logs[customer] = sorted(rows, key=lambda row: row.at)


def _connections(world: World, spec: EstateSpec, record: ClassicHostPool) -> Iterator[LogRow]:
    hosts = [host for host in record.hosts.values() if host.last_heartbeat is None]
    upns = {key: upn for group in record.groups.values() for key, upn in group.users.items()}
    for number, (key, upn) in enumerate(sorted(upns.items())):
        own = [host for host in hosts if (host.assigned_user or "").lower() == key]
        mine = own if record.persistent else hosts
        for week, days_ago in enumerate(range(3 + number % 5, spec.log_days, 7) if mine else ()):
            host = mine[(number + week) % len(mine)]
            yield _connection(world, record, host.name, upn, world.now - days_ago * DAY_S)


def _connection(world: World, record: ClassicHostPool, host: str, upn: str, begin: float) -> LogRow:
    values = {
        "TimeGenerated": begin + 8 * 3600,
        "_ResourceId": "",
        "Type_s": "Connection",
        "Id_g": str(uuid5(NAMESPACE_URL, f"{record.name}|{host}|{upn}|{begin}")),
        "Outcome_s": "Success",
        "UserName_s": upn,
        "ClientType_s": "new",
        "SessionHostName_s": host,
        "SessionHostPoolName_s": record.name,
        "StartTime_t": begin,
        "EndTime_t": begin + 8 * 3600,
    }
    return LogRow(at=begin + 8 * 3600, table="WVDActivityV1_CL", values=values)


def _default_users(record: ClassicHostPool) -> list[str]:
    """Whom the operator typed in: the first few of the desktop group."""
    return list(record.groups["desktop application group"].users.values())[:3]


def _deployment(
    world: World,
    spec: EstateSpec,
    pool: PoolSpec,
    record: ClassicHostPool,
    machines: list[Machine],
    subscription: str,
) -> None:
    at = world.now - BUILT_DAYS_AGO * DAY_S
    stamp = (iso(at, 0) or "").replace("-", "").replace(":", "").replace("T", "").rstrip("Z")
    name = f"rds.wvd-provision-host-pool-{stamp}-{pool.prefix}"
    group = f"/subscriptions/{subscription}/resourceGroups/{pool.resource_group}"
    full = f"{group}/providers/Microsoft.Resources/deployments/{name}"
    world.state.arm.deployments[full.lower()] = {
        "id": full,
        "name": name,
        "type": "Microsoft.Resources/deployments",
        "properties": {
            "provisioningState": "Succeeded",
            "timestamp": iso(at, 6),
            "mode": "Incremental",
            "parameters": _parameters(world, spec, pool, record),
            "outputs": {
                "rdshVmNamesObject": {
                    "type": "Object",
                    "value": {"rdshVmNamesCopy": [{"name": machine.computer_name} for machine in machines]},
                }
            },
        },
    }


def _parameters(world: World, spec: EstateSpec, pool: PoolSpec, record: ClassicHostPool) -> dict[str, Any]:
    """Secure ones come back without a value."""
    texts = {
        "rdshNamePrefix": pool.prefix,
        "rdshImageSource": "CustomImage",
        "rdshVmSize": "Standard_D8s_v3",
        "domainToJoin": spec.ad_domain,
        "existingDomainUPN": f"joiner@{spec.domain}",
        "rdBrokerURL": BROKER,
        "existingTenantGroupName": spec.tenant_group,
        "existingTenantName": spec.tenant,
        "hostPoolName": pool.name,
        "serviceMetadataLocation": "United States",
        "defaultDesktopUsers": ",".join(_default_users(record)),
        "tenantAdminUpnOrApplicationId": f"admin@{spec.domain}",
        "aadTenantId": world.state.directory.tenant_id,
        "location": pool.location,
    }
    found: dict[str, Any] = {name: {"type": "String", "value": value} for name, value in texts.items()}
    found["rdshNumberOfInstances"] = {"type": "Int", "value": pool.hosts - len(pool.by_hand)}
    found["enablePersistentDesktop"] = {"type": "Bool", "value": pool.personal}
    found["isServicePrincipal"] = {"type": "Bool", "value": False}
    found |= {name: {"type": "SecureString"} for name in ("existingDomainPassword", "tenantAdminPassword")}
    return found


def _extend(world: World, machine: Machine, name: str, location: str, properties: dict[str, Any]) -> None:
    full = f"{machine.resource_id}/extensions/{name}"
    world.state.arm.resources[full.lower()] = Resource(
        id=full,
        type="Microsoft.Compute/virtualMachines/extensions",
        name=name,
        location=location,
        properties=properties,
        created_at=world.now - BUILT_DAYS_AGO * DAY_S,
    )


def _join(spec: EstateSpec) -> dict[str, Any]:
    settings = {
        "name": spec.ad_domain,
        "ouPath": "",
        "user": f"joiner@{spec.domain}",
        "restart": "true",
        "options": "3",
    }
    return _extension("Microsoft.Compute", "JsonADDomainExtension", "1.3", settings)


def _dsc(world: World, spec: EstateSpec, pool: PoolSpec, record: ClassicHostPool, *, first: bool) -> dict[str, Any]:
    inner: dict[str, Any] = {
        "TenantAdminCredentials": {
            "userName": f"admin@{spec.domain}",
            "password": "PrivateSettingsRef:tenantAdminPassword",
        },
        "RDBrokerURL": BROKER,
        "DefinedTenantGroupName": spec.tenant_group,
        "TenantName": spec.tenant,
        "HostPoolName": pool.name,
        "Hours": "48",
        "isServicePrincipal": "False",
        "AadTenantId": world.state.directory.tenant_id,
    }
    if first:
        inner |= {
            "Description": "Created through ARM template",
            "FriendlyName": pool.name,
            "EnablePersistentDesktop": str(pool.personal),
            "defaultDesktopUsers": '"' + ",".join(_default_users(record)) + '"',
        }
    function = "CreateHostPoolAndRegisterSessionHost" if first else "RegisterSessionHost"
    settings = {
        "modulesUrl": MODULES,
        "configurationFunction": f"Configuration.ps1\\{function}",
        "properties": inner,
    }
    return _extension("Microsoft.Powershell", "DSC", "2.73", settings)


def _extension(publisher: str, kind: str, version: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "publisher": publisher,
        "type": kind,
        "typeHandlerVersion": version,
        "autoUpgradeMinorVersion": True,
        "settings": settings,
        "provisioningState": "Succeeded",
    }
