r"""The registry of a machine: keys by lower-cased path with the hive as a drive, values by name without regard to case.

`HKLM:\SOFTWARE\X`, `HKEY_LOCAL_MACHINE\SOFTWARE\X` and `Registry::HKEY_LOCAL_MACHINE\SOFTWARE\X` are one key.
"""

from typing import Any

from avdtwin.state import Machine

AGENT = r"hklm:\software\microsoft\rdinfraagent"
BOOT_LOADER = r"hklm:\software\microsoft\rdagentbootloader"
UNINSTALL = r"hklm:\software\microsoft\windows\currentversion\uninstall"
UNINSTALL_32 = r"hklm:\software\wow6432node\microsoft\windows\currentversion\uninstall"
DOTNET = r"hklm:\software\microsoft\net framework setup\ndp\v4\full"
REGISTRY_POLICY = r"hklm:\software\microsoft\windows\currentversion\policies\system"
REBOOT_PENDING = r"hklm:\software\microsoft\windows\currentversion\component based servicing\rebootpending"
INSTALLER_POLICY = r"hklm:\software\policies\microsoft\windows\installer"

_HIVES = {"hkey_local_machine": "hklm:", "hklm": "hklm:", "hkey_current_user": "hkcu:", "hkcu": "hkcu:"}


def key_of(path: str) -> str:
    """The key that a path means, in the one spelling used here."""
    text = path.replace("/", "\\").strip().lower().removeprefix("microsoft.powershell.core\\")
    text = text.removeprefix("registry::").rstrip("\\")
    hive, separator, rest = text.partition("\\")
    return _HIVES.get(hive.rstrip(":"), hive) + separator + rest


def has(machine: Machine, key: str) -> bool:
    """Whether a key is there, itself or by a key below it."""
    return key in machine.registry or any(other.startswith(key + "\\") for other in machine.registry)


def read(machine: Machine, key: str, name: str, default: Any = None) -> Any:
    """One value, or `default`."""
    values = machine.registry.get(key)
    if not values:
        return default
    if name in values:
        return values[name]
    wanted = name.lower()
    return next((value for other, value in values.items() if other.lower() == wanted), default)


def write(machine: Machine, key: str, name: str, value: Any) -> None:
    """Set one value; the key is made when it is not there. A value keeps the spelling of its first name."""
    values = machine.registry.setdefault(key, {})
    spelling = next((other for other in values if other.lower() == name.lower()), name)
    values[spelling] = value


def remove_value(machine: Machine, key: str, name: str) -> None:
    values = machine.registry.get(key, {})
    for other in [other for other in values if other.lower() == name.lower()]:
        del values[other]


def remove(machine: Machine, key: str) -> None:
    """Remove a key with everything below it."""
    for other in [other for other in machine.registry if other == key or other.startswith(key + "\\")]:
        del machine.registry[other]
        machine.registry_acl.pop(other, None)


def children(machine: Machine, key: str) -> list[str]:
    """Full paths of the keys directly below, sorted."""
    prefix = key + "\\"
    found = {prefix + other[len(prefix) :].split("\\")[0] for other in machine.registry if other.startswith(prefix)}
    return sorted(found)


def seen(machine: Machine) -> dict[str, dict[str, Any]]:
    """The whole registry as a script sees it: what is kept, and what follows from the rest of the machine."""
    derived: dict[str, dict[str, Any]] = {
        "hklm:\\software\\microsoft": {},
        DOTNET: {"Release": 394802 if "old-dotnet" in machine.quirks else 528040},
        UNINSTALL: {},
        UNINSTALL_32: {},
    }
    for product in machine.products:
        derived[f"{UNINSTALL}\\{product.code.lower()}"] = {
            "DisplayName": product.name,
            "DisplayVersion": product.version,
            "UninstallString": "MsiExec.exe /X" + product.code,
            "WindowsInstaller": 1,
        }
    # Programs that are no MSI have neither a product code nor, some of them, a name.
    derived[UNINSTALL + "\\connection manager"] = {"SystemComponent": 1}
    derived[UNINSTALL_32 + "\\microsoft edge"] = {"DisplayName": "Microsoft Edge", "DisplayVersion": "118.0.2088.76"}
    if machine.pending_reboot:
        derived[REBOOT_PENDING] = {}
    if "msi-blocked" in machine.quirks:
        derived[INSTALLER_POLICY] = {"DisableMSI": 2}
    if "registry-locked" in machine.quirks:
        derived[REGISTRY_POLICY] = {"DisableRegistryTools": 1}
    return {**derived, **machine.registry}
