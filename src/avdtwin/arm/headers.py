"""The headers ARM and the provider put on every answer (facts/arm-service 2.3)."""

from avdtwin.arm.errors import GatewayResponse
from avdtwin.clock import to_datetime
from avdtwin.wire import Request, Response
from avdtwin.world import World

_REGION = "WESTEUROPE"


def stamp(world: World, request: Request, response: Response, activity_id: str) -> Response:
    """Put the ids and what is left of the limits on an answer. `activity_id` is the provider's own id of the call.

    Provider answers echo the client's id; what ARM answers by itself carries ARM's, and nothing of the provider's.
    """
    correlation_id = world.guid("arm-correlation")
    failed_at_gateway = response.headers.get("x-ms-failure-cause") == "gateway"
    moment = to_datetime(world.now).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "x-ms-request-id": correlation_id,
        "x-ms-correlation-request-id": correlation_id,
        "x-ms-routing-request-id": f"{_REGION}:{moment}:{correlation_id}",
        "Cache-Control": "no-cache",
    }
    if not failed_at_gateway:
        headers |= _limits(request, of_provider=False)
        if not isinstance(response, GatewayResponse):
            headers["x-ms-request-id"] = request.headers.get("x-ms-client-request-id", activity_id)
            headers["x-ms-correlation-id"] = activity_id
            headers |= _limits(request, of_provider=True)
    response.headers = headers | response.headers
    if world.setting("arm_location") == "absolute" and response.headers.get("Location", "").startswith("/"):
        response.headers["Location"] = _absolute(request, response.headers["Location"])
    return response


def _absolute(request: Request, location: str) -> str:
    """With origin and version, so that it can be read. The service sends relative ones (facts 2.3)."""
    return f"{request.origin}{location}?api-version={request.query.get('api-version', '')}"


def _limits(request: Request, *, of_provider: bool) -> dict[str, str]:
    gathered = request.answer_headers.items()
    return {name: value for name, value in gathered if name.startswith("X-Rate-Limit") is of_provider}
