"""The one retry policy, under virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.rest import HttpRequest
from wires import ORIGIN, Wire, client, clock, retries

from crossfade import errors
from crossfade.cloud.calls import Call, calling
from crossfade.cloud.retry import RetryDetails

OK = (200, {}, {"ok": True})
THROTTLED = (429, {"Retry-After": "17"}, {"error": {"code": "TooManyRequests", "message": "slow down"}})
RESET = ConnectionResetError()


def ask(wire: Wire, method: str = "GET", *, call: Call | None = None) -> tuple[Any, float, list[RetryDetails]]:
    """Status or error, virtual seconds, what the hook was told."""
    at, told = clock(), list[RetryDetails]()
    at_wire = client(wire, at, told=told)

    async def send() -> Any:
        with calling(call or Call(service="arm", subject="host pool hp-1", method=method)):
            return (await at_wire.send_request(HttpRequest(method, f"{ORIGIN}/x"))).status_code

    try:
        outcome = at.run(send())
    except errors.CloudError as error:
        outcome = error
    return outcome, at.loop.time(), told


def test_retry_after_is_obeyed_and_the_hook_is_told() -> None:
    outcome, seconds, told = ask(Wire(THROTTLED, THROTTLED, THROTTLED, OK), "POST")
    assert outcome == 200
    assert seconds == pytest.approx(51)
    assert [(details.attempt, details.wait_s, details.waited_s) for details in told] == [
        (1, 17.0, 0.0), (2, 17.0, 17.0), (3, 17.0, 34.0),
    ]  # fmt: skip
    assert told[0].error["code"] == "throttled"
    assert told[0].subject == "host pool hp-1"


def test_attempts_are_capped() -> None:
    wire = Wire(THROTTLED)
    outcome, _, told = ask(wire)
    assert isinstance(outcome, errors.Throttled)
    assert len(wire.requests) == 6
    assert len(told) == 5


def test_total_seconds_are_capped_before_the_wait_not_after() -> None:
    wire = Wire((429, {"Retry-After": "1000"}, None))
    outcome, seconds, _ = ask(wire)
    assert isinstance(outcome, errors.Throttled)
    assert outcome.retry_after_s == 1000
    assert len(wire.requests) == 2
    assert seconds == pytest.approx(1000)


@pytest.mark.parametrize(
    ("fault", "method", "sent", "expected"),
    [
        (RESET, "GET", 2, 200),
        (RESET, "PUT", 2, 200),
        (RESET, "DELETE", 2, 200),
        (RESET, "POST", 1, errors.OutcomeUnknown),
        (TimeoutError(), "POST", 1, errors.OutcomeUnknown),
        (ConnectionRefusedError(), "POST", 2, 200),
        ((500, {}, "boom"), "PUT", 2, 200),
        ((500, {}, "boom"), "POST", 1, errors.ServiceFailed),
        ((503, {}, ""), "POST", 2, 200),
        ((409, {}, {"error": {"code": "14", "message": "busy"}}), "POST", 2, 200),
        ((409, {}, {"error": {"code": "Conflict", "message": "no"}}), "PUT", 1, errors.Conflict),
        ((404, {}, None), "GET", 1, errors.NotFound),
        ((200, {"content-length": "99"}, b"{"), "GET", 2, 200),
        ((200, {"content-length": "99"}, b"{"), "POST", 1, errors.OutcomeUnknown),
    ],
)
def test_what_is_sent_again(fault: Any, method: str, sent: int, expected: Any) -> None:
    wire = Wire(fault, OK)
    outcome, _, _ = ask(wire, method)
    assert len(wire.requests) == sent
    assert outcome == expected or type(outcome) is expected


def test_a_post_that_only_reads_is_repeated_and_a_put_that_is_not_repeatable_is_not() -> None:
    reading = Call(service="arm", subject="token", method="POST", reads=True)
    assert ask(Wire(RESET, OK), "POST", call=reading)[0] == 200
    once = Call(service="arm", subject="token", method="PATCH", repeatable=False)
    assert isinstance(ask(Wire(RESET, OK), "PATCH", call=once)[0], errors.OutcomeUnknown)


def test_a_poll_inside_a_write_is_a_read() -> None:
    once = Call(service="arm", subject="run command", method="POST", repeatable=False)
    assert ask(Wire(RESET, OK), "GET", call=once)[0] == 200


def test_waits_grow_with_jitter_from_the_given_chance() -> None:
    policy = retries(clock(), base_s=1.0, longest_s=8.0)
    failure = errors.Unreachable("x", service="arm")
    call = Call(service="arm", method="GET")
    waits = [policy.wait_s(call, failure, attempt, 0.0) or 0.0 for attempt in range(1, 6)]
    assert all(low <= wait <= high for wait, low, high in zip(waits, [0.5, 1, 2, 4, 4], [1, 2, 4, 8, 8], strict=True))
    again = retries(clock(), base_s=1.0, longest_s=8.0)
    assert waits == [again.wait_s(call, failure, attempt, 0.0) for attempt in range(1, 6)]


def test_nothing_foreign_hangs_on_the_error() -> None:
    outcome, _, _ = ask(Wire(RESET), "POST")
    assert outcome.__cause__ is None
    assert outcome.__context__ is None
