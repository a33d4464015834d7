"""Small ASGI apps that misbehave on purpose, and pipelines onto them. For the tests of `cloud`."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from azure.core import AsyncPipelineClient

from crossfade.clock import SimulatedClock
from crossfade.cloud.heard import tell_retry
from crossfade.cloud.retry import Decoding, Limits, Retries, RetryDetails, Retrying
from crossfade.cloud.transport import AsgiTransport

START = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
ORIGIN = "https://cloud.test"
Answer = tuple[int, dict[str, str], Any] | BaseException


class Wire:
    """An ASGI app that gives these answers in order (the last one for ever) and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        self.requests.append(
            {
                "method": scope["method"],
                "path": scope["raw_path"].decode(),
                "query": query,
                "headers": headers,
                "body": body,
            }
        )
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        await write(send, *answer)


async def write(send: Callable[[Any], Any], status: int, headers: dict[str, str], body: Any) -> None:
    """Send an answer: bytes and text as they are, anything else as JSON."""
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        body = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json; charset=utf-8", **headers}
    wire = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": wire})
    await send({"type": "http.response.body", "body": body})


CLOCKS: list[SimulatedClock] = []
"""Those of the running test, closed after it."""


def clock(start: datetime = START) -> SimulatedClock:
    CLOCKS.append(SimulatedClock(start))
    return CLOCKS[-1]


def retries(at: SimulatedClock, told: list[RetryDetails] | None = None, **limits: Any) -> Retries:
    hook = tell_retry if told is None else told.append
    return Retries(at, random.Random(7), Limits(**limits), hook)


def client(app: Any, at: SimulatedClock, *, service: str = "arm", told: list[RetryDetails] | None = None) -> Any:
    """A bare pipeline client: decoding and our retry policy over the in-process transport."""
    policies = [Decoding(), Retrying(service, retries(at, told))]
    return AsyncPipelineClient(ORIGIN, policies=policies, transport=AsgiTransport(app, at))
