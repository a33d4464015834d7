"""Which service answers a path. One origin serves them all, told apart by the beginning of the path."""

from collections.abc import Callable

import msgspec

from avdtwin import arm, classic, control, entra, graph, logs
from avdtwin.wire import Request, Response
from avdtwin.world import World


class Service(msgspec.Struct, frozen=True):
    name: str
    handle: Callable[[World, Request], Response]
    too_large: Callable[[World, Request], Response]
    failure: Callable[[World, Request, int, str | None, str | None], Response]
    """An error that faults want, in the service's envelope: status, code and message (None: the service's usual)."""
    body_limit: int = 16 * 1024 * 1024
    """Bytes."""


ARM = Service("arm", arm.handle, arm.too_large, arm.failure)
CLASSIC = Service("classic", classic.handle, classic.too_large, classic.failure)
GRAPH = Service("graph", graph.handle, graph.too_large, graph.failure)
ENTRA = Service("entra", entra.handle, entra.too_large, entra.failure)
LOGS = Service("logs", logs.handle, logs.too_large, logs.failure)
CONTROL = Service("control", control.handle, control.too_large, control.failure, body_limit=2**31)
SERVICES = (ARM, CLASSIC, GRAPH, ENTRA, LOGS, CONTROL)

_BY_PREFIX = {
    "rdsmanagement": CLASSIC,
    "rdmanagement": CLASSIC,
    "api": CLASSIC,
    "v1.0": GRAPH,
    "v1": LOGS,
    "_twin": CONTROL,
    "subscriptions": ARM,
    "providers": ARM,
    "metadata": ARM,
    "tenants": ARM,
}
_ENTRA_SECOND = {"oauth2", "v2.0", ".well-known", "discovery"}


def service_for(path: str) -> Service:
    """The service of a path; Entra's begin with a tenant, so they are known by their second segment."""
    parts = [part.lower() for part in path.split("/") if part]
    if len(parts) > 1 and parts[1] in _ENTRA_SECOND:
        return ENTRA
    return _BY_PREFIX.get(parts[0] if parts else "", ARM)
