"""The machine as a whole: its times, disks and paths."""

from typing import Any

from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.values import Moment, Obj, number, text


@command("Start-Sleep", positional=("Seconds",), named=("Milliseconds",))
def _sleep(call: Call) -> list[Any]:
    milliseconds = call.get("Milliseconds")
    call.session.spend(number(call.get("Seconds", 0)) if milliseconds is None else number(milliseconds) / 1000)
    return []


@command("Set-StrictMode", named=("Version",))
def _strict(call: Call) -> list[Any]:
    """Scripts are always run in strict mode 2 here."""
    return []


@command("Get-CimInstance", positional=("ClassName",), seconds=0.5)
def _cim(call: Call) -> list[Any]:
    machine = call.machine
    name = call.text("ClassName").lower()
    if name == "win32_operatingsystem":
        return [Obj("cim", {"LastBootUpTime": Moment(machine.booted_at), "Version": "10.0.19044"})]
    if name == "win32_computersystem":
        domain = machine.fqdn.partition(".")[2] or "WORKGROUP"
        return [Obj("cim", {"DNSHostName": machine.computer_name, "Domain": domain, "Name": machine.computer_name})]
    raise Unsupported(f"Get-CimInstance {name}")


@command("Get-PSDrive", positional=("Name",))
def _drive(call: Call) -> list[Any]:
    if call.text("Name").lower() != "c":
        raise ScriptError(f"Cannot find drive. A drive with the name '{call.text('Name')}' does not exist.")
    free = 100_000_000 if "no-disk" in call.machine.quirks else call.machine.free_disk_bytes
    return [Obj("drive", {"Name": "C", "Free": free})]


@command("Join-Path", positional=("Path", "ChildPath"))
def _join(call: Call) -> list[Any]:
    return [text(call.get("Path")).rstrip("\\") + "\\" + text(call.get("ChildPath")).lstrip("\\")]


@command("Split-Path", positional=("Path",), switches=("Parent", "Leaf"))
def _split(call: Call) -> list[Any]:
    parent, _, leaf = text(call.get("Path")).rstrip("\\").rpartition("\\")
    return [leaf if call.flag("Leaf") else parent]
