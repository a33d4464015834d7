"""The MSIs of the service on a machine, and what installing or removing one does to Windows.

Sources: facts/classic-service 5.1, facts/arm-service 11.1 to 11.3 and 11.7.
"""

from uuid import NAMESPACE_URL, uuid5

from avdtwin import registry
from avdtwin.state import Machine, Product, Service

AGENT_NAME = "Remote Desktop Services Infrastructure Agent"
BOOT_LOADER_NAME = "Remote Desktop Agent Boot Loader"
GENEVA_NAME = "Remote Desktop Services Infrastructure Geneva Agent"
STACK_NAME = "Remote Desktop Services SxS Network Stack"
COMPONENTS = (BOOT_LOADER_NAME, AGENT_NAME, GENEVA_NAME, STACK_NAME)
"""All that belongs to the service, in the documented order of removal."""

LOADER_SERVICE = "RDAgentBootLoader"
LOADER_DISPLAY_NAME = "Remote Desktop Agent Loader"
MICROSOFT = "CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US"

BOOT_LOADER_VERSION = "1.0.8925.0"
GENEVA_VERSION = "45.1.1"
STACK_VERSION = "1.0.2108.06001"

STACK_BROKEN = "stack-broken"
"""Quirk of a machine whose agent was installed while the removal of the old stack still waited for a restart."""
STACK_NOT_LISTENING = "stack-not-listening"
"""Quirk of a machine with a new stack that listens after the next restart only."""


def product(name: str, version: str) -> Product:
    """An installed product; its code follows from name and version, as every build of an MSI has its own."""
    code = str(uuid5(NAMESPACE_URL, f"{name} {version}")).upper()
    return Product(name=name, version=version, code="{" + code + "}")


def installed(machine: Machine, name: str) -> list[Product]:
    """Every listed version of one component."""
    return [found for found in machine.products if found.name == name]


def by_code(machine: Machine, code: str) -> Product | None:
    return next((found for found in machine.products if found.code.lower() == code.lower()), None)


def add(machine: Machine, name: str, version: str) -> None:
    """List a product; one with the same code is there once."""
    new = product(name, version)
    if by_code(machine, new.code) is None:
        machine.products.append(new)


def install_agent(machine: Machine, version: str, token: str) -> None:
    """The agent's MSI: writes the token, brings Geneva agent and stack where they are missing."""
    add(machine, AGENT_NAME, version)
    if registry.read(machine, registry.AGENT, "IsRegistered") is None:
        registry.write(machine, registry.AGENT, "IsRegistered", 0)
    registry.write(machine, registry.AGENT, "RegistrationToken", token)
    if not installed(machine, GENEVA_NAME):
        add(machine, GENEVA_NAME, GENEVA_VERSION)
    if not installed(machine, STACK_NAME):
        add(machine, STACK_NAME, STACK_VERSION)
        set_quirk(machine, STACK_NOT_LISTENING, True)
        set_quirk(machine, STACK_BROKEN, machine.pending_reboot)


def install_boot_loader(machine: Machine, version: str) -> None:
    """The boot loader's MSI: its service is there afterwards, stopped, to start with Windows."""
    add(machine, BOOT_LOADER_NAME, version)
    registry.write(machine, registry.BOOT_LOADER, "CurrentBootLoaderVersion", version)
    machine.services.setdefault(
        LOADER_SERVICE.lower(), Service(name=LOADER_SERVICE, display_name=LOADER_DISPLAY_NAME, state="Stopped")
    )


def uninstall(machine: Machine, code: str) -> str | None:
    """Remove a product; returns its name, or None when none has this code. The agent's MSI takes its registry key
    along (facts/classic-service 5.1); the stack's leaves a restart pending.
    """
    found = by_code(machine, code)
    if found is None:
        return None
    machine.products.remove(found)
    if found.name == AGENT_NAME:
        registry.remove(machine, registry.AGENT)
    elif found.name == BOOT_LOADER_NAME and not installed(machine, BOOT_LOADER_NAME):
        registry.remove(machine, registry.BOOT_LOADER)
        machine.services.pop(LOADER_SERVICE.lower(), None)
    elif found.name == STACK_NAME:
        machine.pending_reboot = True
    return found.name


def set_quirk(machine: Machine, quirk: str, present: bool) -> None:
    machine.quirks = sorted({*machine.quirks, quirk} if present else {*machine.quirks} - {quirk})
