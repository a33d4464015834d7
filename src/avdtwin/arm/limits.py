"""What ARM and the provider let through: token buckets by principal and subscription, and the provider's windows.

Buckets are after facts/arm-service 9.1 (and 2.3 for the headers), windows after 9.4. The scope of the windows is not
known; here it is the subscription, all principals together, the strictest reading that keeps pools apart from tenants.
"""

import math

import msgspec

from avdtwin.arm import errors
from avdtwin.clock import iso
from avdtwin.settings import DEFAULTS
from avdtwin.wire import Principal, WireError
from avdtwin.world import World


class Rate(msgspec.Struct, frozen=True):
    """A token bucket: how much it holds and how much flows in per second."""

    size: float
    per_s: float


_OPERATIONS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}

WINDOW_S = 300.0
_NO_RULE = {"X-Rate-Limit-Limit": "0", "X-Rate-Limit-Remaining": "9223372036854775807", "X-Rate-Limit-Reset": "0"}


def take(world: World, principal: Principal, subscription: str | None, method: str) -> dict[str, str]:
    """Take one call out of the buckets; returns the headers that tell what is left. Raises 429."""
    operation = _OPERATIONS.get(method, "writes")
    rate = rate_of(world, operation)
    enforced = world.setting("limits_enforced") and world.setting("arm_limits_enforced")
    own = _draw(world, f"arm|{subscription or 'tenant'}|{principal.object_id}|{operation}", rate)
    if own < 0 and enforced:
        raise _throttled(operation, subscription, principal, rate)
    if subscription is None:
        return {f"x-ms-ratelimit-remaining-tenant-{operation}": str(max(own, 0))}
    factor = float(world.setting("arm_rates_of_all"))
    everybody = Rate(rate.size * factor, rate.per_s * factor)
    shared = _draw(world, f"arm|{subscription}|*|{operation}", everybody)
    if shared < 0 and enforced:
        raise _throttled(operation, subscription, principal, everybody)
    return {
        f"x-ms-ratelimit-remaining-subscription-{operation}": str(max(own, 0)),
        f"x-ms-ratelimit-remaining-subscription-global-{operation}": str(max(shared, 0)),
    }


def rate_of(world: World, operation: str) -> Rate:
    """For one principal in one subscription, and in the tenant for calls without a subscription. A run may change one
    of them and leave the others as documented.
    """
    size, per_s = world.setting("arm_rates").get(operation) or DEFAULTS["arm_rates"][operation]
    return Rate(size, per_s)


def _draw(world: World, name: str, rate: Rate) -> int:
    """Whole calls left after this one; -1 when there was none, and then nothing is taken."""
    bucket = world.state.limits.get(name)
    if bucket is None:
        bucket = world.state.limits[name] = [rate.size, world.now]
    tokens = min(rate.size, bucket[0] + (world.now - bucket[1]) * rate.per_s)
    allowed = tokens >= 1
    bucket[0] = tokens - 1 if allowed else tokens
    bucket[1] = world.now
    return math.floor(bucket[0]) if allowed else -1


def _throttled(operation: str, subscription: str | None, principal: Principal, rate: Rate) -> WireError:
    """Says when the next token will be there; asking earlier is refused again."""
    seconds = max(1, math.ceil(1 / rate.per_s)) if rate.per_s else 3600
    verb, scope = operation.removesuffix("s"), subscription or "tenant"
    return errors.gateway(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of '{verb}' requests for subscription '{scope}' actor '{principal.object_id}' exceeded. Please "
        f"try again after '{seconds}' seconds after additional tokens are available. "
        "Refer to https://aka.ms/arm-throttling for additional information.",
        {"Retry-After": str(seconds)},
    )


# ---------------------------------------------------------------- the provider's windows


def count(world: World, subscription: str, *, session_host_list: bool) -> dict[str, str]:
    """Count one call that the provider answers; returns its X-Rate-Limit headers. Raises 429 beyond the limit.

    A window opens with the first call and ends five minutes later, whatever comes in between.
    """
    name = "session_host_list_limit" if session_host_list else "provider_call_limit"
    limit = int(world.setting(name) or 0)
    if not limit:
        return dict(_NO_RULE)
    key = f"avd|{subscription}|{name}"
    window = world.state.limits.get(key)
    if window is None or world.now >= window[0]:
        window = world.state.limits[key] = [world.now + WINDOW_S, limit]
    window[1] -= 1
    headers = {
        "X-Rate-Limit-Limit": "5m",
        "X-Rate-Limit-Remaining": str(max(window[1], 0)),
        "X-Rate-Limit-Reset": iso(window[0], 7) or "",
    }
    if window[1] < 0 and world.setting("limits_enforced"):
        wait = max(1, math.ceil(window[0] - world.now))
        raise errors.ProviderError(
            429, "Too many requests, please try again later", {**headers, "Retry-After": str(wait)}
        )
    return headers
