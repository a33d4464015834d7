"""The managed form of run command: child resources of a machine, several at a time (facts/arm-service 7.2).

Protected parameters go to the script and nowhere else: no resource, record or answer holds them.
"""

from typing import Any

from avdtwin import faults
from avdtwin.arm import store
from avdtwin.arm.errors import bad_request, gateway, resource_not_found
from avdtwin.clock import iso
from avdtwin.compute import operations, power, scripts, vms
from avdtwin.compute.action import read_body, read_parameters
from avdtwin.compute.limits import Counted
from avdtwin.state import Machine, Operation, Resource, Script
from avdtwin.wire import Request, Response
from avdtwin.world import World

TYPE = "Microsoft.Compute/virtualMachines/runCommands"
_MANY = vms.ONE + "/runCommands"
_ONE = _MANY + "/{name}"
_SHOWN = (
    "parameters",
    "asyncExecution",
    "runAsUser",
    "timeoutInSeconds",
    "outputBlobUri",
    "errorBlobUri",
    "treatFailureAsDeploymentFailure",
)
_DEFAULT_TIMEOUT_S = 5400


def register(router: Counted) -> None:
    router.add("GET", _MANY, list_all)
    router.add("GET", _ONE, get)
    router.add("PUT", _ONE, put)
    router.add("PATCH", _ONE, patch)
    router.add("DELETE", _ONE, delete)


# ---------------------------------------------------------------- reading


def list_all(world: World, request: Request, subscription: str, group: str, vm: str) -> Response:
    resource, _machine = vms.find(world, request, "runCommands/read", subscription, group, vm)
    found = store.children(world, resource.id, "runCommands")
    return Response(body={"value": [_shape(command, _with_view(request)) for command in found]})


def get(world: World, request: Request, subscription: str, group: str, vm: str, name: str) -> Response:
    resource, _machine = vms.find(world, request, "runCommands/read", subscription, group, vm)
    return Response(body=_shape(_command(world, resource, group, name), _with_view(request)))


def _command(world: World, vm: Resource, group: str, name: str) -> Resource:
    found = store.get(world, f"{vm.id}/runCommands/{name}")
    if found is None:
        raise resource_not_found(f"{vms.TYPE}/{vm.name}/runCommands", name, group)
    return found


def _with_view(request: Request) -> bool:
    return request.query.get("expand", "").lower() == "instanceview"


def _shape(command: Resource, with_view: bool) -> dict[str, Any]:
    properties = {key: value for key, value in command.properties.items() if key != "instanceView" or with_view}
    return {
        "name": command.name,
        "id": command.id,
        "type": TYPE,
        "location": command.location,
        "tags": command.tags or {},
        "properties": properties,
    }


# ---------------------------------------------------------------- writing


def put(world: World, request: Request, subscription: str, group: str, vm: str, name: str) -> Response:
    """Make or replace a run command and start it; one of the same name that runs is cancelled."""
    resource, machine = vms.find(world, request, "runCommands/write", subscription, group, vm)
    body = read_body(request)
    if not body.get("location"):
        raise gateway(400, "LocationRequired", "The location property is required for this definition.")
    known = store.get(world, f"{resource.id}/runCommands/{name}")
    return _start(world, request, machine, resource, name, body, status=200 if known else 201)


def patch(world: World, request: Request, subscription: str, group: str, vm: str, name: str) -> Response:
    """Change a run command and start it anew. A blank script cancels."""
    resource, machine = vms.find(world, request, "runCommands/write", subscription, group, vm)
    known = _command(world, resource, group, name)
    body = read_body(request)
    kept = {key: value for key, value in known.properties.items() if key in ("source", *_SHOWN)}
    merged = {
        "location": known.location,
        "tags": body.get("tags", known.tags),
        "properties": {**kept, **(body.get("properties") or {})},
    }
    return _start(world, request, machine, resource, name, merged, status=200)


def _start(
    world: World,
    request: Request,
    machine: Machine,
    vm: Resource,
    name: str,
    body: dict[str, Any],
    status: int,
) -> Response:
    properties = body.get("properties") or {}
    script = _script_of(properties)
    parameters = read_parameters(properties.get("parameters"), "parameters")
    protected = read_parameters(properties.get("protectedParameters"), "protectedParameters")
    timeout_s = _timeout_of(properties)
    power.not_running(machine, "runCommands")
    busy = faults.hits(world, "run_command_busy", machine)
    if busy:
        raise gateway(409, "Conflict", busy.message or "Another run command is being processed. Please try again.")
    command = _resource(world, vm, name, body, properties)
    _cancel(world, machine, command)
    command = store.add(world, command)
    operation = operations.begin(world, vm, "runCommands")
    command.secrets = {"operation": operation.id}
    if not script.strip():
        _close(world, command, operation, "Canceled", 0, "", "")
        return operations.accepted(world, request, operation, status, _shape(command, False))
    scripts.ask(
        world,
        machine,
        kind="managed",
        target=command.id.lower(),
        script=script,
        parameters=[*parameters, *protected],
        timeout_s=timeout_s,
    )
    return operations.accepted(world, request, operation, status, _shape(command, False))


def _script_of(properties: dict[str, Any]) -> str:
    source = properties.get("source") or {}
    if isinstance(source, dict) and isinstance(source.get("script"), str):
        return str(source["script"])
    if isinstance(source, dict) and (source.get("scriptUri") or source.get("commandId")):
        raise gateway(400, "BadRequest", "Only source.script can be run here.")
    raise bad_request("The value of parameter source.script is invalid.")


def _timeout_of(properties: dict[str, Any]) -> float:
    """0 and nothing mean the service's own limit."""
    value = properties.get("timeoutInSeconds") or _DEFAULT_TIMEOUT_S
    if not isinstance(value, int) or value < 0:
        raise bad_request("The value of parameter timeoutInSeconds is invalid.")
    return float(value)


def _resource(world: World, vm: Resource, name: str, body: dict[str, Any], properties: dict[str, Any]) -> Resource:
    shown = {key: properties[key] for key in _SHOWN if properties.get(key) is not None}
    return Resource(
        id=f"{vm.id}/runCommands/{name}",
        type=TYPE,
        name=name,
        location=body.get("location"),
        tags=body.get("tags"),
        created_at=world.now,
        properties={
            "source": {"script": _script_of(properties)},
            "asyncExecution": False,
            "timeoutInSeconds": _DEFAULT_TIMEOUT_S,
            **shown,
            "provisioningState": "Creating",
            "instanceView": _view("Pending", 0, "", ""),
        },
    )


def delete(world: World, request: Request, subscription: str, group: str, vm: str, name: str) -> Response:
    """Take it away; one that runs is cancelled. 204 when there is none."""
    resource, machine = vms.find(world, request, "runCommands/delete", subscription, group, vm)
    command = store.get(world, f"{resource.id}/runCommands/{name}")
    if command is None:
        return Response(status=204)
    _cancel(world, machine, command)
    store.remove(world, command)
    operation = operations.begin(world, resource, "runCommands", lasts_s=5.0)
    return operations.accepted(world, request, operation)


def _cancel(world: World, machine: Machine, command: Resource) -> None:
    for entry in list(machine.scripts.values()):
        if entry.kind == "managed" and entry.target == command.id.lower():
            scripts.cancel(world, machine, entry)


# ---------------------------------------------------------------- the life of the script


def _begins(world: World, machine: Machine, entry: Script) -> None:
    command = world.state.arm.resources.get(entry.target)
    if command is None:
        return
    command.properties["instanceView"] = _view("Running", 0, "", "") | {"startTime": iso(world.now, 7)}
    if command.properties.get("asyncExecution"):
        # With asyncExecution the PUT is done once the script has started.
        command.properties["provisioningState"] = "Succeeded"
        operations.finish(world, command.secrets["operation"])


def _ends(world: World, machine: Machine, entry: Script, outcome: str) -> None:
    command = world.state.arm.resources.get(entry.target)
    if command is None:
        return
    operation = world.state.arm.operations[command.secrets["operation"]]
    started = {"startTime": iso(entry.started_at, 7)} if entry.started_at is not None else {}
    state = {"Interrupted": "Failed", "Lost": "Failed"}.get(outcome, outcome)
    _close(world, command, operation, state, entry.exit_code, entry.stdout, entry.stderr)
    command.properties["instanceView"] |= {**started, "executionMessage": _MESSAGES.get(outcome, "")}


def _close(
    world: World, command: Resource, operation: Operation, state: str, exit_code: int, stdout: str, stderr: str
) -> None:
    command.properties["instanceView"] = _view(state, exit_code, stdout, stderr) | {"endTime": iso(world.now, 7)}
    failed = state != "Succeeded" and bool(command.properties.get("treatFailureAsDeploymentFailure"))
    command.properties["provisioningState"] = "Failed" if failed else "Succeeded"
    if operation.done_at is None:
        error = {"code": "VMExtensionProvisioningError", "message": "The script did not succeed."} if failed else None
        operations.finish(world, operation.id, error=error)


def _view(state: str, exit_code: int, stdout: str, stderr: str) -> dict[str, Any]:
    return {
        "executionState": state,
        "exitCode": exit_code,
        "output": scripts.tail(stdout),
        "error": scripts.tail(stderr),
        "statuses": [],
    }


_MESSAGES = {
    "Succeeded": "Execution completed",
    "Failed": "Execution completed with a non-zero exit code",
    "TimedOut": "Execution timed out",
    "Canceled": "Execution was canceled",
    "Interrupted": "The virtual machine went down during the execution",
    "Lost": "The VM agent did not report: VMAgentStatusCommunicationError",
}

scripts.BEGIN["managed"] = _begins
scripts.END["managed"] = _ends
