"""What Graph lets through: resource units and writes of one application in the tenant (facts/arm-service 8; Microsoft
Learn, "Microsoft Graph service-specific throttling limits", identity and access).

| tenant | units in 10 s |
|---|---|
| under 50 users | 3,500 |
| 50 to 500 | 5,000 |
| more | 8,000 |

and 3,000 writes in 150 s. Settings: `graph_limits_enforced`, `graph_units_per_10s` (None: by size), and
`graph_writes_per_150s`. Every step of a batch counts, and is throttled, by itself.
"""

import math

from avdtwin.graph import errors
from avdtwin.wire import Request
from avdtwin.world import World

UNITS_S, WRITES_S = 10.0, 150.0
_SIZES = ((50, 3500), (501, 5000))
_LARGE = 8000
_TOLD_FROM = 0.8
_COSTS = {"members": 3, "transitivemembers": 5, "getbyids": 3, "users": 2}
_FEW = 20


def take(world: World, request: Request) -> dict[str, str]:
    """Count one call; returns the headers that tell of it. Raises 429 with Retry-After."""
    assert request.principal is not None, "the call was not authenticated"
    caller = request.principal.app_id or request.principal.object_id
    cost = cost_of(request)
    headers = {"x-ms-resource-unit": str(cost)}
    share, wait = _count(world, f"graph|{caller}|units", cost, _units(world), UNITS_S)
    if request.method not in ("GET", "HEAD") and _segments(request)[-1:] != ["getbyids"]:
        writes, later = _count(world, f"graph|{caller}|writes", 1, world.setting("graph_writes_per_150s"), WRITES_S)
        share, wait = max(share, writes), max(wait, later)
    if share >= _TOLD_FROM:
        headers["x-ms-throttle-limit-percentage"] = f"{share:.2f}"
    if wait and world.setting("limits_enforced") and world.setting("graph_limits_enforced"):
        error = errors.refuse(world, request, 429, "TooManyRequests", "Please retry again later.")
        error.response.headers |= {**headers, "Retry-After": str(wait)}
        raise error
    return headers


def cost_of(request: Request) -> int:
    """Resource units of a call: by its route, less with `$select` or a small `$top`, more with `$expand`."""
    segments = [part for part in _segments(request) if not part.startswith("microsoft.graph")]
    cost = next((_COSTS[part] for part in reversed(segments) if part in _COSTS), 1)
    top = request.query.get("top", "")
    cost -= "select" in request.query
    cost -= top.isdecimal() and int(top[:9]) < _FEW
    cost += "expand" in request.query
    return max(cost, 1)


def _segments(request: Request) -> list[str]:
    return [part for part in request.path.lower().split("/") if part]


def _units(world: World) -> int:
    given = world.setting("graph_units_per_10s")
    if given is not None:
        return int(given)
    people = len(world.state.directory.users)
    return next((units for below, units in _SIZES if people < below), _LARGE)


def _count(world: World, key: str, cost: int, most: int, length_s: float) -> tuple[float, int]:
    """Share of the window that is used, and the seconds to wait: 0 when the call has room."""
    window = world.state.limits.get(key)
    if window is None or world.now >= window[0]:
        window = world.state.limits[key] = [world.now + length_s, 0]
    if window[1] + cost > most:
        return 1.0, max(1, math.ceil(window[0] - world.now))
    window[1] += cost
    return window[1] / max(most, 1), 0
