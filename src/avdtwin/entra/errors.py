"""Errors of the sign-in service: OAuth's words with an AADSTS number, a text and ids to quote (Microsoft Learn,
"Microsoft Entra authentication and authorization error codes").
"""

from avdtwin.clock import to_datetime
from avdtwin.wire import Request, Response, WireError
from avdtwin.world import World


def refuse(world: World, request: Request, status: int, error: str, number: int, text: str) -> WireError:
    """An answer in Entra's envelope; `number` is the AADSTS code."""
    trace = world.guid("entra")
    correlation = request.headers.get("client-request-id") or world.guid("entra")
    at = to_datetime(world.now).strftime("%Y-%m-%d %H:%M:%SZ")
    body = {
        "error": error,
        "error_description": f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
        "error_codes": [number],
        "timestamp": at,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
    return WireError(Response(status=status, body=body, headers=NO_STORE))


NO_STORE = {"cache-control": "no-store, no-cache", "pragma": "no-cache"}
