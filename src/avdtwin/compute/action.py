"""The action form of run command: one at a time on a machine, its output in the operation (facts/arm-service 7.2)."""

from typing import Any

from avdtwin import faults
from avdtwin.arm.errors import bad_request, gateway
from avdtwin.compute import operations, power, scripts, vms
from avdtwin.compute.limits import Counted
from avdtwin.state import Machine, Script
from avdtwin.wire import Request, Response
from avdtwin.world import World

COMMAND_ID = "RunPowerShellScript"
_BUSY = "Run command extension execution is in progress. Please wait for completion before invoking a run command."


def register(router: Counted) -> None:
    router.add("POST", vms.ONE + "/runCommand", start)


def start(world: World, request: Request, subscription: str, group: str, vm: str) -> Response:
    resource, machine = vms.find(world, request, "runCommand/action", subscription, group, vm)
    body = read_body(request)
    power.not_running(machine, "runCommand")
    script, parameters = _command(body, resource.location or "")
    busy = faults.hits(world, "run_command_busy", machine)
    if busy or any(entry.kind == "action" for entry in machine.scripts.values()):
        raise gateway(
            409,
            "Conflict",
            (busy and busy.message) or _BUSY,
        )
    operation = operations.begin(world, resource, "runCommand")
    scripts.ask(
        world,
        machine,
        kind="action",
        target=operation.id,
        script=script,
        parameters=parameters,
        timeout_s=float(world.setting("run_command_limit_s")),
    )
    return operations.accepted(world, request, operation)


def read_body(request: Request) -> dict[str, Any]:
    """The JSON object of a call. Raises ARM's 400 when it is none."""
    try:
        body = request.json()
    except ValueError as error:
        raise bad_request(f"The request content was invalid and could not be deserialized: '{error}'.") from error
    if not isinstance(body, dict):
        raise bad_request("The request content was invalid: an object was expected.")
    return body


def _command(body: dict[str, Any], location: str) -> tuple[str, list[list[str]]]:
    if str(body.get("commandId", "")).lower() != COMMAND_ID.lower():
        message = f"The entity was not found in this Azure location: '{body.get('commandId')}', {location}."
        raise gateway(404, "NotFound", message)
    lines = body.get("script") or []
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise bad_request("The value of parameter script is invalid: an array of strings was expected.")
    return "\n".join(lines), read_parameters(body.get("parameters"), "parameters")


def read_parameters(value: Any, name: str) -> list[list[str]]:
    """`[{name, value}]` as pairs. The message of an error holds no value."""
    value = value or []
    good = isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("value"), str)
        for item in value
    )
    if not good:
        raise bad_request(f"The value of parameter {name} is invalid: name and value must be strings.")
    return [[item["name"], item["value"]] for item in value]


# ---------------------------------------------------------------- the end


def _begins(world: World, machine: Machine, entry: Script) -> None:
    """Nobody hears of it: the operation stays in progress."""


def _ends(world: World, machine: Machine, entry: Script, outcome: str) -> None:
    error = _ERRORS.get(outcome)
    if error is not None:
        code, message = error
        operations.finish(world, entry.target, error={"code": code, "message": message})
        return
    # It succeeds even when the script did not: its exit code is nowhere (facts/arm-service 7.2).
    result = {"value": [_status("StdOut", entry.stdout), _status("StdErr", entry.stderr)]}
    operations.finish(world, entry.target, result=result)


def _status(stream: str, text: str) -> dict[str, str]:
    return {
        "code": f"ComponentStatus/{stream}/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "message": scripts.tail(text),
    }


_ERRORS = {
    "TimedOut": ("VMExtensionProvisioningTimeout", "Provisioning of VM extension RunCommandWindows has timed out."),
    "Interrupted": (
        "VMExtensionProvisioningError",
        "VM has reported a failure when processing extension 'RunCommandWindows': the machine went down meanwhile.",
    ),
    "Lost": (
        "VMAgentStatusCommunicationError",
        "VM has not reported status for VM agent or extensions. Verify that the VM has a running VM agent and can "
        "establish outbound connections to Azure storage.",
    ),
}

scripts.BEGIN["action"] = _begins
scripts.END["action"] = _ends
