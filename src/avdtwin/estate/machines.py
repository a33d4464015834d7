"""The VMs of an estate: made, registered to classic, with the installers of the new service laid ready."""

from avdtwin import windows
from avdtwin.estate.specs import PoolSpec
from avdtwin.state import Machine
from avdtwin.world import World

INSTALLER_FOLDER = "C:\\ProgramData\\Crossfade"
AGENT_INSTALLER = "Microsoft.RDInfra.RDAgent.Installer-x64.msi"
BOOT_LOADER_INSTALLER = "Microsoft.RDInfra.RDAgentBootLoader.Installer-x64.msi"
INSTALLERS = {
    AGENT_INSTALLER: (windows.AGENT_NAME, "1.0.11814.1000", 42_000_000),
    BOOT_LOADER_INSTALLER: (windows.BOOT_LOADER_NAME, "1.0.11388.1600", 2_400_000),
}
"""File name -> product, version, size in bytes."""
SIGNER = "CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US"

AGENT_VERSIONS = ("1.0.2990.1500", "1.0.3050.2500", "1.0.3130.2900")


def make(world: World, spec: PoolSpec, number: int, *, subscription: str, pool_key: str, ad_domain: str) -> Machine:
    """VM `number` of a pool, registered to the classic pool with this key. The record there is the caller's to make."""
    name = f"{spec.prefix}-{number}"
    machine = windows.build(
        world,
        resource_id=_resource_id(subscription, spec.resource_group, name),
        computer_name=name,
        fqdn=f"{name}.{ad_domain}",
        vm_id=world.guid("estate|vm"),
        agent_version=AGENT_VERSIONS[-1 if number % 5 else -2],
        older_agents=AGENT_VERSIONS[:1] if number % 4 == 3 else (),
        registration=windows.Registration(service="classic", pool=pool_key, connected=number not in spec.silent),
        power="deallocated" if number in spec.off else "running",
        location=spec.location,
        tags={"costCenter": "4711", "pool": spec.prefix} if number % 2 else None,
        quirks=("stack-broken",) if number in spec.silent else (),
    )
    machine.profile_share = "" if spec.personal else f"\\\\files.{ad_domain}\\profiles-{spec.prefix}"
    if number not in spec.no_installers:
        lay_installers(machine)
    return machine


def lay_installers(machine: Machine) -> None:
    """Put both installers on the disk, signed and of the expected version."""
    for file, (product, version, size) in INSTALLERS.items():
        path = f"{INSTALLER_FOLDER}\\{file}".lower()
        machine.files[path] = {"size": size, "signed_by": SIGNER, "version": version, "product": product}


def _resource_id(subscription: str, group: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
