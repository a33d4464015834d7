"""What faults do to a call on its way to a service and back (`faults.KINDS`, those that strike calls).

The effect of a call and the news of it are two things: `when: before` keeps the effect from happening, `after` only
the news of it from arriving.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from avdtwin import faults, mishaps, tokens
from avdtwin.clock import http_date
from avdtwin.entra.errors import refuse
from avdtwin.services import ENTRA, Service
from avdtwin.state import Fault, StaleAnswer
from avdtwin.wire import Request, Response
from avdtwin.world import World

GIVE_UP_S = 300.0
"""How long a call that is never answered hangs, unless its fault or its client says otherwise."""
STALE_S = 60.0
_DEFAULT_STATUS = {"throttled": 429, "error": 500, "unavailable": 503}
_DEFAULT_WAIT_S = 10
_READS = ("GET", "HEAD")

Call = Callable[[World, Service, Request], Response]
Deed = Callable[[World, Service, Request, Fault], Awaitable[Response | None]]
"""Does its work, and may answer in the service's place."""


async def answer(world: World, service: Service, request: Request, call: Call) -> Response:
    """One call with every fault that strikes it, in the order of the list. An answer given in the service's place keeps
    the effect from happening. Raises ConnectionError or TimeoutError where a client sees no answer.
    """
    struck = faults.of_call(world, service.name, request)
    for fault in struck:
        if faults.KINDS[fault.kind].strikes == "call":
            faults.told(world, fault, method=request.method, path=request.path)
        if fault.when == "before" and fault.kind in _DEEDS:
            given = await _DEEDS[fault.kind](world, service, request, fault)
            if given is not None:
                return given
    response = _effect(world, service, request, struck, call)
    for fault in struck:
        if fault.when == "after" and fault.kind in _DEEDS:
            response = await _DEEDS[fault.kind](world, service, request, fault) or response
    return response


def _effect(world: World, service: Service, request: Request, struck: list[Fault], call: Call) -> Response:
    """The service's own answer, under its own clock, from its own past, cut short, as faults will have it."""
    of_kind = {fault.kind: fault for fault in struck}
    skew, stale, cut = (of_kind.get(kind) for kind in ("clock_skew", "stale", "truncated"))
    world.skew_s = 0.0 if skew is None else faults.seconds(world, skew, 0.0)
    try:
        response = call(world, service, request) if stale is None else _past(world, service, request, stale, call)
        if skew is not None:
            response.headers["date"] = http_date(world.now + world.skew_s)
    finally:
        world.skew_s = 0.0
    if cut is not None:
        response.cut = 0.5 if cut.fraction is None else cut.fraction
    return response


# ---------------------------------------------------------------- deeds


async def _delay(world: World, service: Service, request: Request, fault: Fault) -> None:
    await world.clock.sleep(faults.seconds(world, fault, 0.0))
    world.settle()


async def _refusal(world: World, service: Service, request: Request, fault: Fault) -> Response:
    status = fault.status or _DEFAULT_STATUS[fault.kind]
    wait = fault.retry_after_s or (_DEFAULT_WAIT_S if status == 429 else None)
    headers = {} if wait is None else {"Retry-After": str(wait)}
    response = service.failure(world, request, status, fault.code, fault.message)
    response.headers = {**response.headers, **headers}
    return response


async def _reset(world: World, service: Service, request: Request, fault: Fault) -> None:
    raise ConnectionResetError("the connection was reset")


async def _refused(world: World, service: Service, request: Request, fault: Fault) -> None:
    raise ConnectionRefusedError("nobody takes the connection")


async def _timeout(world: World, service: Service, request: Request, fault: Fault) -> None:
    await world.clock.sleep(faults.seconds(world, fault, GIVE_UP_S))
    raise TimeoutError("there was no answer")


async def _expire(world: World, service: Service, request: Request, fault: Fault) -> Response | None:
    """The caller's token is over since a second ago, and everything else in it as it was."""
    if service is ENTRA:
        text = "The provided client secret keys are expired. Create new keys for your app, or use certificates."
        return refuse(world, request, 401, "invalid_client", 7000222, text).response
    with suppress(tokens.BadToken):  # the service will say so itself
        caller = tokens.read_access(world, request.headers.get("authorization"))
        request.headers["authorization"] = f"Bearer {tokens.issue_expired(world, caller)}"
    return None


async def _mishap(world: World, service: Service, request: Request, fault: Fault) -> None:
    mishaps.strike(world, fault, request.path)


_DEEDS: dict[str, Deed] = {
    "delay": _delay,
    "throttled": _refusal,
    "error": _refusal,
    "unavailable": _refusal,
    "reset": _reset,
    "refused": _refused,
    "timeout": _timeout,
    "expired_credential": _expire,
    **{name: _mishap for name, kind in faults.KINDS.items() if kind.strikes == "moment"},
}


# ---------------------------------------------------------------- the past


def _past(world: World, service: Service, request: Request, fault: Fault, call: Call) -> Response:
    """An answer that may have been true some seconds ago: a read repeats what it read first in that time, and what
    could be read of an object, and of the list that holds it, before a write.
    """
    until = world.now + faults.seconds(world, fault, STALE_S)
    if request.method in _READS:
        kept = _kept(world, service, request)
        if kept is not None:
            return Response(status=kept.status, body=kept.body, headers=dict(kept.headers))
        return _keep(world, service, request, until, call)
    for path in (request.path, request.path.rstrip("/").rpartition("/")[0]):
        reading = _reading(request, path)
        if _kept(world, service, reading) is None:
            _keep(world, service, reading, until, call)
    return call(world, service, request)


def _kept(world: World, service: Service, request: Request) -> StaleAnswer | None:
    kept = world.state.stale_answers.get(_key(service, request))
    return None if kept is None or kept.until <= world.now else kept


def _keep(world: World, service: Service, request: Request, until: float, call: Call) -> Response:
    """Ask, and keep the answer: as plain data, since what is in it may go on changing."""
    response = call(world, service, request)
    body = msgspec.json.decode(msgspec.json.encode(response.body))
    world.state.stale_answers[_key(service, request)] = StaleAnswer(
        until=until, status=response.status, headers=dict(response.headers), body=body
    )
    return response


def _reading(request: Request, path: str) -> Request:
    asked = {name: value for name, value in request.query.items() if name == "api-version"}
    return msgspec.structs.replace(request, method="GET", path=path, query=asked, body=b"", answer_headers={})


def _key(service: Service, request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in sorted(request.query.items()))
    return f"{service.name} {request.path.rstrip('/').lower()}?{query}"
