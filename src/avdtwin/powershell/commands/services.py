"""Windows services."""

from typing import Any

from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import ScriptError
from avdtwin.powershell.values import Obj
from avdtwin.state import Service


def _find(call: Call) -> Service:
    """The service of `-Name`. Raises ScriptError when it is not there, or not yet."""
    name = call.text("Name")
    found = call.machine.services.get(name.lower())
    if found is None or call.session.elapsed_s < call.session.appears.get(name.lower(), 0.0):
        raise ScriptError(f"Cannot find any service with service name '{name}'.")
    return found


@command("Get-Service", positional=("Name",))
def _get(call: Call) -> list[Any]:
    found = _find(call)
    properties = {
        "Name": found.name,
        "DisplayName": found.display_name,
        "Status": found.state,
        "StartType": found.start_type,
    }
    return [Obj("servicecontroller", properties)]


@command("Start-Service", positional=("Name",), seconds=2.0)
def _start(call: Call) -> list[Any]:
    found = _find(call)
    if found.start_type == "Disabled":
        raise ScriptError(f"Service '{found.name}' cannot be started.")
    if found.state != "Running":
        call.session.change("set_service", found.name, "Running")
    return []


@command("Stop-Service", positional=("Name",), switches=("Force",), seconds=2.0)
def _stop(call: Call) -> list[Any]:
    found = _find(call)
    if found.state != "Stopped":
        call.session.change("set_service", found.name, "Stopped")
    return []


@command("Restart-Service", positional=("Name",), switches=("Force",), seconds=4.0)
def _restart(call: Call) -> list[Any]:
    found = _find(call)
    call.session.change("set_service", found.name, "Stopped")
    call.session.change("set_service", found.name, "Running")
    return []


@command("Set-Service", positional=("Name",), named=("StartupType",))
def _set(call: Call) -> list[Any]:
    call.session.change("start_type", _find(call).name, call.text("StartupType"))
    return []
