"""What Compute lets through by policies of its own: windows of 3 and of 30 minutes for each kind of call, by
subscription (facts/arm-service 9.3; form of headers and error: Microsoft Learn, "Troubleshooting API throttling").

No numbers are published. HighCostGet, LowCostGet and GetOperation are a little above the most that posted headers show
left; UpdateVM is an assumption. All of them are the setting `compute_rates`: kind -> [in 3 minutes, in 30 minutes].
"""

import math

from avdtwin.arm.errors import gateway
from avdtwin.wire import Handler, Request, Response, Router
from avdtwin.world import World

WINDOWS_S = {"3Min": 180.0, "30Min": 1800.0}


class Counted:
    """A router that has every call to its routes counted first."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def add(self, method: str, template: str, handler: Handler) -> None:
        kind = kind_of(method, template)

        def counted(world: World, request: Request, **names: str) -> Response:
            request.answer_headers |= take(world, names["subscription"].lower(), kind)
            return handler(world, request, **names)

        self._router.add(method, template, counted)


def kind_of(method: str, template: str) -> str:
    """Lists of machines cost most; polling has room of its own; whatever is no GET changes the VM."""
    if method != "GET":
        return "UpdateVM"
    if "/operations/" in template:
        return "GetOperation"
    return "HighCostGet" if template.endswith("/virtualMachines") else "LowCostGet"


def take(world: World, subscription: str, kind: str) -> dict[str, str]:
    """Count one call; returns the headers that tell what is left. Raises 429."""
    rates = world.setting("compute_rates").get(kind)
    if rates is None:
        return {}
    left: dict[str, int] = {}
    ends: dict[str, float] = {}
    for (name, length), most in zip(WINDOWS_S.items(), rates, strict=True):
        key = f"compute|{subscription}|{kind}{name}"
        window = world.state.limits.get(key)
        if window is None or world.now >= window[0]:
            window = world.state.limits[key] = [world.now + length, int(most)]
        ends[name], left[name] = window[0], window[1] - 1
        window[1] = max(left[name], 0)
    told = ",".join(f"Microsoft.Compute/{kind}{name};{max(count, 0)}" for name, count in left.items())
    headers = {"x-ms-ratelimit-remaining-resource": told, "x-ms-request-charge": "1"}
    spent = [name for name, count in left.items() if count < 0]
    if spent and world.setting("limits_enforced") and world.setting("compute_limits_enforced"):
        wait = max(math.ceil(ends[name] - world.now) for name in spent)
        text = "The server rejected the request because too many requests have been received for this subscription."
        raise gateway(429, "OperationNotAllowed", text, {**headers, "Retry-After": str(max(wait, 1))})
    return headers
