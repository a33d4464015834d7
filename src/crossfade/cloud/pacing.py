"""Keeps our calls under the services' limits, so that a 429 is the exception. All waiting is on Clock.

    service   what                                   rule                                  source
    --------  -------------------------------------  ------------------------------------  ---------------------
    arm       reads of a subscription (or tenant)    bucket of 250, 25 more per second     facts/arm-service 9.1
              writes (PUT, PATCH, POST actions)      200, 10/s                             9.1
              deletes                                200, 10/s                             9.1
              lists of session hosts                 6,000 per window of 5 minutes         9.4
              all calls of the desktop provider      10,000 per window of 5 minutes        9.4
              Compute's own policies                 as its answers tell                   9.3
              queries of Resource Graph              15 per 5 seconds                      7.4
    graph     resource units                         3,500 per 10 s, as 1,750 and 175/s    8
              writes                                 3,000 per 150 s, as 500 and 16/s      8
    classic   reads / everything else                none published: 100, 20/s / 40, 10/s  our own, modest
    logs      queries                                200 per 30 s, as 50 and 5/s           its documentation

What the answers say corrects our count: remaining-quota headers only ever lower it. A 429 holds everybody who would
make such a call, for as long as it says, but half an hour at most.

Where several processes share a service's limits, each has a share of every rule, and of what the answers say is left:
whatever each of them does, the sum stays inside.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from crossfade.clock import Clock, parse_iso
from crossfade.cloud.calls import current
from crossfade.cloud.mapping import retry_after_s
from crossfade.model.ids import segments

WINDOW_S = 300.0
MARGIN_S = 0.02
"""Later than the very instant at which a token is due: the service's clock is not ours."""


LONGEST_HOLD_S = 1800.0
"""As long as one call waits in all (`retry.Limits`): who is told to wait longer fails, and so do the others, in words,
instead of standing still in silence."""


class Gate(Protocol):
    """Something that lets only so many calls through."""

    async def take(self, units: int) -> None: ...

    def lower(self, remaining: float) -> None: ...

    def hold(self, seconds: float) -> None: ...


class Bucket:
    """A token bucket. Who comes when it is empty gets a place in its future: first come, first served."""

    def __init__(self, clock: Clock, capacity: float, per_s: float, share: float = 1.0) -> None:
        self._clock = clock
        self._share = share
        self._capacity = capacity * share
        self._per_s = per_s * share
        self._level = self._capacity
        self._at = _seconds(clock)
        self._held_until = 0.0

    async def take(self, units: int = 1) -> None:
        now = self._refill()
        self._level -= units
        wait_s = MARGIN_S - self._level / self._per_s if self._level < 0 else 0.0
        while wait_s > 0 or self._held_until > now:
            await self._clock.sleep(max(wait_s, self._held_until - now))
            now, wait_s = _seconds(self._clock), 0.0

    def lower(self, remaining: float) -> None:
        """The service says that this much is left. What it says may be old: it never raises our count."""
        self._refill()
        self._level = min(self._level, remaining * self._share)

    def hold(self, seconds: float) -> None:
        self._held_until = max(self._held_until, _seconds(self._clock) + seconds)

    def _refill(self) -> float:
        now = _seconds(self._clock)
        self._level = min(self._capacity, self._level + (now - self._at) * self._per_s)
        self._at = now
        return now


class Window:
    """So many calls per window; the window opens with the first call."""

    def __init__(self, clock: Clock, limit: int, period_s: float = WINDOW_S, share: float = 1.0) -> None:
        self._clock = clock
        self._share = share
        self._limit = limit * share
        self._period_s = period_s
        self._ends_at = 0.0
        self._left = self._limit
        self._held_until = 0.0

    async def take(self, units: int = 1) -> None:
        while True:
            now = _seconds(self._clock)
            if now >= self._ends_at:
                self._ends_at, self._left = now + self._period_s, self._limit
            if self._left >= units and now >= self._held_until:
                self._left -= units
                return
            until = self._held_until if self._left >= units else max(self._ends_at, self._held_until)
            await self._clock.sleep(until - now)

    def lower(self, remaining: float) -> None:
        self._left = min(self._left, remaining * self._share)

    def hold(self, seconds: float) -> None:
        self._held_until = max(self._held_until, _seconds(self._clock) + seconds)

    def until(self, moment: datetime) -> None:
        """The service says when its window ends, by its own clock: two windows from now is the latest we believe."""
        latest = _seconds(self._clock) + 2 * self._period_s
        self._ends_at = max(self._ends_at, min(moment.timestamp(), latest))


class Told(msgspec.Struct):
    """One policy of a `Quota`: calls left until `ends_at`, by its last answer and what was sent since."""

    left: float
    ends_at: float


class Quota:
    """So many calls per window, where nobody publishes how many: each answer names its policies and what is left of
    them, `Microsoft.Compute/UpdateVM3Min;1499`. A window opens with the first answer that is heard of it."""

    def __init__(self, clock: Clock, share: float = 1.0) -> None:
        self._clock = clock
        self._share = share
        self._told: dict[str, Told] = {}
        self._held_until = 0.0

    async def take(self, units: int = 1) -> None:
        while (wait_s := self._wait_s()) > 0:
            await self._clock.sleep(wait_s)
        for told in self._told.values():
            told.left -= units

    def lower(self, remaining: float) -> None:
        for told in self._told.values():
            told.left = min(told.left, remaining * self._share)

    def hold(self, seconds: float) -> None:
        self._held_until = max(self._held_until, _seconds(self._clock) + seconds)

    def heard(self, policy: str, left: float, period_s: float) -> None:
        now, told = _seconds(self._clock), self._told.get(policy)
        if told is None or now >= told.ends_at:
            self._told[policy] = Told(left * self._share, now + period_s + MARGIN_S)
        else:
            told.left = min(told.left, left * self._share)

    def _wait_s(self) -> float:
        now = _seconds(self._clock)
        spent = (told.ends_at for told in self._told.values() if told.left < 1 and now < told.ends_at)
        return max((self._held_until, *spent)) - now


class Asked(msgspec.Struct, frozen=True):
    """What pacing needs to know of a request. `kind` is reads, writes or deletes."""

    kind: str
    path: str
    units: int


Key = tuple[str, ...]
Maker = Callable[[Clock, float], Gate]

_ARM_RATES = {"reads": (250.0, 25.0), "writes": (200.0, 10.0), "deletes": (200.0, 10.0)}
_KINDS = {"GET": "reads", "HEAD": "reads", "OPTIONS": "reads", "DELETE": "deletes"}
_POLICY = re.compile(r"([\w.]+/\w+?(\d+)Min);(\d+)")
_SESSION_HOST_LIST = re.compile(r"/hostpools/[^/]+/sessionhosts/?$", re.I)
_NEVER = float("inf")


def _arm_gates(asked: Asked) -> dict[Key, Maker]:
    """All gates of an ARM call; the last one is where a 429 of the resource provider itself is obeyed."""
    parts = segments(asked.path)
    place, provider = parts.get("subscriptions", "tenant"), parts.get("providers", "").casefold()
    capacity, per_s = _ARM_RATES[asked.kind]
    gates: dict[Key, Maker] = {("arm", place, asked.kind): lambda clock, share: Bucket(clock, capacity, per_s, share)}
    if provider == "microsoft.desktopvirtualization":
        gates["arm", place, "desktop"] = lambda clock, share: Window(clock, 10_000, share=share)
    if asked.kind == "reads" and _SESSION_HOST_LIST.search(asked.path):
        gates["arm", place, "session-host-list"] = lambda clock, share: Window(clock, 6_000, share=share)
    if provider == "microsoft.resourcegraph":
        gates["arm", "resource-graph"] = lambda clock, share: Window(clock, 15, 5.0, share)
    if provider == "microsoft.compute":
        gates["arm", place, "compute", _compute_kind(asked)] = Quota
    gates["arm", place, provider, asked.kind] = lambda clock, share: Bucket(clock, _NEVER, 1.0)
    return gates


def _compute_kind(asked: Asked) -> str:
    """Calls that its policies count together, as far as posted headers show: lists cost most, polling has its own."""
    if asked.kind != "reads":
        return "changes"
    if "/operations/" in asked.path:
        return "operations"
    return "lists" if asked.path.casefold().endswith("/virtualmachines") else "looks"


def _graph_gates(asked: Asked) -> dict[Key, Maker]:
    gates: dict[Key, Maker] = {("graph", "units"): lambda clock, share: Bucket(clock, 1750, 175, share)}
    if asked.kind != "reads" and not asked.path.endswith(("/$batch", "/getByIds")):
        gates["graph", "writes"] = lambda clock, share: Bucket(clock, 500, 16, share)
    return gates


def _classic_gates(asked: Asked) -> dict[Key, Maker]:
    if asked.kind == "reads":
        return {("classic", "reads"): lambda clock, share: Bucket(clock, 100, 20, share)}
    return {("classic", "writes"): lambda clock, share: Bucket(clock, 40, 10, share)}


def _entra_gates(asked: Asked) -> dict[Key, Maker]:
    return {("entra",): lambda clock, share: Bucket(clock, 50, 5, share)}


def _logs_gates(asked: Asked) -> dict[Key, Maker]:
    return {("logs",): lambda clock, share: Bucket(clock, 50, 5, share)}


_GATES = {
    "arm": _arm_gates,
    "graph": _graph_gates,
    "classic": _classic_gates,
    "entra": _entra_gates,
    "logs": _logs_gates,
}


class Pacing:
    """All gates of one program, shared by its clients. `share`: its part of the limits, above 0, at most 1."""

    def __init__(self, clock: Clock, share: float = 1.0) -> None:
        self._clock = clock
        self._share = share
        self._gates: dict[Key, Gate] = {}

    def gates(self, service: str, asked: Asked) -> dict[Key, Gate]:
        found = {}
        for key, make in _GATES[service](asked).items():
            if key not in self._gates:
                self._gates[key] = make(self._clock, self._share)
            found[key] = self._gates[key]
        return found


class Paced(AsyncHTTPPolicy[Any, Any]):
    """Lets each attempt wait for its turn, and listens to what the answer says about the turns left."""

    def __init__(self, service: str, pacing: Pacing) -> None:
        super().__init__()
        self._service = service
        self._pacing = pacing

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        http_request = request.http_request
        asked = _asked(self._service, http_request)
        gates = self._pacing.gates(self._service, asked)
        for key, gate in gates.items():
            await gate.take(asked.units if key[-1] == "units" else 1)
        response = await self.next.send(request)
        answer = response.http_response
        headers = {name.casefold(): value for name, value in answer.headers.items()}
        _HEEDS[self._service](gates, asked, headers)
        if answer.status_code == 429:
            _hold(gates, headers)
        return response


def _asked(service: str, http_request: Any) -> Asked:
    path = http_request.url.partition("?")[0].partition("://")[2].partition("/")[2]
    call = current(service, http_request)
    return Asked(_KINDS.get(http_request.method, "writes"), "/" + path, call.units)


def _hold(gates: dict[Key, Gate], headers: Mapping[str, str]) -> None:
    """A 429 of ARM's own buckets says that none is left; any other one comes from the provider behind it."""
    kept = list(gates.values())
    empty = any(name.startswith("x-ms-ratelimit-remaining-") and value == "0" for name, value in headers.items())
    (kept[0] if empty else kept[-1]).hold(min(retry_after_s(headers) or 1.0, LONGEST_HOLD_S))


def _heed_arm(gates: dict[Key, Gate], asked: Asked, headers: Mapping[str, str]) -> None:
    place = "tenant" if ("arm", "tenant", asked.kind) in gates else "subscription"
    remaining = headers.get(f"x-ms-ratelimit-remaining-{place}-{asked.kind}", "")
    if remaining.isdigit():
        next(iter(gates.values())).lower(int(remaining))
    _heed_window(gates, headers)
    _heed_quota(gates, headers)


def _heed_quota(gates: dict[Key, Gate], headers: Mapping[str, str]) -> None:
    """`Microsoft.Compute/LowCostGet3Min;3999,Microsoft.Compute/LowCostGet30Min;31999` (facts/arm-service 9.3)."""
    for quota in (gate for gate in gates.values() if isinstance(gate, Quota)):
        for policy, minutes, left in _POLICY.findall(headers.get("x-ms-ratelimit-remaining-resource", "")):
            quota.heard(policy, float(left), float(minutes) * 60)


def _heed_window(gates: dict[Key, Gate], headers: Mapping[str, str]) -> None:
    """The provider's own rule: window, calls left, end (facts/arm-service 2.3). A limit of 0 means that it has none."""
    windows = [gate for gate in gates.values() if isinstance(gate, Window)]
    remaining = headers.get("x-rate-limit-remaining", "")
    if not windows or headers.get("x-rate-limit-limit", "0") == "0" or not remaining.isdigit():
        return
    windows[-1].lower(int(remaining))
    try:
        windows[-1].until(parse_iso(headers["x-rate-limit-reset"]))
    except (KeyError, ValueError):
        return


def _heed_graph(gates: dict[Key, Gate], asked: Asked, headers: Mapping[str, str]) -> None:
    """From 0.8 on, Graph says which part of the limit is used."""
    try:
        used = float(headers.get("x-ms-throttle-limit-percentage", ""))
    except ValueError:
        return
    gates["graph", "units"].lower(max(0.0, 1.0 - used) * 3500)


def _heed_nothing(gates: dict[Key, Gate], asked: Asked, headers: Mapping[str, str]) -> None:
    pass


_HEEDS = {
    "arm": _heed_arm,
    "graph": _heed_graph,
    "classic": _heed_nothing,
    "entra": _heed_nothing,
    "logs": _heed_nothing,
}


def _seconds(clock: Clock) -> float:
    return clock.now().timestamp()
