"""Long-running operations of Microsoft.Compute: 202 with both headers, then polled at one address.

`Azure-AsyncOperation` answers the status, `Location` (the same with `monitor=true`) 202 until the end and then the
result (facts/arm-service 7.2; what azure-core expects of each).
"""

from typing import Any

from avdtwin.arm.errors import gateway
from avdtwin.clock import iso
from avdtwin.compute.limits import Counted
from avdtwin.state import Operation, Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

_ROUTE = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{operation}"


def register(router: Counted) -> None:
    router.add("GET", _ROUTE, poll)


def begin(world: World, resource: Resource, kind: str, *, lasts_s: float | None = None) -> Operation:
    """A new operation on a resource. With `lasts_s` it ends by itself then; without, somebody calls `finish`."""
    operation = Operation(
        id=world.guid("operation"),
        kind=kind,
        subscription=resource.id.split("/")[2],
        location=resource.location or "westeurope",
        started_at=world.now,
        done_at=None if lasts_s is None else world.now + lasts_s,
        target=resource.id,
    )
    world.state.arm.operations[operation.id] = operation
    return operation


def finish(
    world: World, operation_id: str, *, result: dict[str, Any] | None = None, error: dict[str, Any] | None = None
) -> None:
    """End an operation now. `error` is the inner object with code and message."""
    operation = world.state.arm.operations[operation_id]
    operation.done_at = world.now
    operation.result = result
    operation.error = error


def accepted(world: World, request: Request, operation: Operation, status: int = 202, body: Any = None) -> Response:
    """The answer that sends the caller polling."""
    path = _ROUTE.format(subscription=operation.subscription, location=operation.location, operation=operation.id)
    version = request.query.get("api-version", "2024-07-01")
    address = f"{request.origin}{path}?api-version={version}"
    headers = {
        "Azure-AsyncOperation": address,
        "Location": f"{address}&monitor=true",
        "Retry-After": str(world.setting("compute_retry_after_s")),
    }
    return Response(status=status, body=body, headers=headers)


def poll(world: World, request: Request, subscription: str, location: str, operation: str) -> Response:
    found = world.state.arm.operations.get(operation.lower())
    if found is None or found.subscription.lower() != subscription.lower():
        raise gateway(404, "NotFound", f"The operation '{operation}' was not found in location '{location}'.")
    running = found.done_at is None or found.done_at > world.now
    retry = {"Retry-After": str(world.setting("compute_retry_after_s"))} if running else {}
    if request.query.get("monitor") == "true":
        return Response(status=202, headers=retry) if running else _result(found)
    return Response(body=_status(found, running), headers=retry)


def _status(operation: Operation, running: bool) -> dict[str, Any]:
    status = "InProgress" if running else "Failed" if operation.error else "Succeeded"
    body: dict[str, Any] = {"startTime": iso(operation.started_at, 7), "status": status, "name": operation.id}
    if not running:
        body["endTime"] = iso(operation.done_at, 7)
    if not running and operation.error:
        body["error"] = operation.error
    elif not running and operation.result is not None:
        body["properties"] = {"output": operation.result}
    return body


def _result(operation: Operation) -> Response:
    if operation.error:
        return Response(status=409, body={"error": operation.error})
    return Response(status=200, body=operation.result)
