"""Caps and the request rate of the classic service. Both exist, without published numbers (facts/classic-service 7):
off unless a setting gives one.
"""

import math

from avdtwin.classic.errors import refusal
from avdtwin.wire import Principal, Response, WireError
from avdtwin.world import World


def refuse_above(world: World, setting: str, count: int, code: str) -> None:
    """Refuse one more when there are already as many as the setting allows."""
    most = world.setting(setting)
    if most is not None and count >= most:
        raise refusal(world, code)


def take_token(world: World, principal: Principal) -> None:
    """Count a call against its caller's rate. Raises 429: a text body, `Retry-After` in seconds (2.10)."""
    rate = world.setting("classic_rate_per_s")
    if rate is None or not world.setting("limits_enforced"):
        return
    burst = float(world.setting("classic_burst"))
    bucket = world.state.limits.setdefault(f"classic|{principal.object_id}", {"tokens": burst, "at": world.now})
    bucket["tokens"] = min(burst, bucket["tokens"] + (world.now - bucket["at"]) * rate)
    bucket["at"] = world.now
    if bucket["tokens"] < 1:
        wait = max(1, math.ceil((1 - bucket["tokens"]) / rate))
        text = f"Too many requests. Please try again after {wait} seconds."
        raise WireError(Response(status=429, body=text, headers={"Retry-After": str(wait)}))
    bucket["tokens"] -= 1
