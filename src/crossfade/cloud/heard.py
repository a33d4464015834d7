"""What the services said while somebody listened: the ids of the last write, and every call that is sent again.

    with listening(lambda details: ...) as heard:
        await services.arm.put(...)
    heard.request_id

Whoever listens has all calls made inside, by this task and by those it begins.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import msgspec

from crossfade.cloud import mapping
from crossfade.cloud.calls import Call


class RetryDetails(msgspec.Struct, frozen=True):
    """What is told before each wait. `attempt` counts from 1; seconds."""

    service: str
    subject: str
    method: str
    attempt: int
    waited_s: float
    wait_s: float
    error: dict[str, Any]


OnRetry = Callable[[RetryDetails], None]


class Heard(msgspec.Struct):
    """Ids by which the vendor finds the last write that was answered well; empty when there was none. `answered_at`:
    the service's time of the last answer that told it."""

    on_retry: OnRetry
    request_id: str = ""
    correlation_id: str = ""
    answered_at: datetime | None = None

    def answered(self, call: Call, headers: Mapping[str, str]) -> None:
        self.answered_at = mapping.answered_at(headers) or self.answered_at
        if not call.safe:
            self.request_id, self.correlation_id = mapping.ids_of(headers)


_HEARD: ContextVar[Heard | None] = ContextVar("crossfade_heard", default=None)


@contextmanager
def listening(on_retry: OnRetry) -> Iterator[Heard]:
    heard = Heard(on_retry)
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def tell_retry(details: RetryDetails) -> None:
    """Tell whoever listens; nobody need."""
    if (heard := _HEARD.get()) is not None:
        heard.on_retry(details)


def tell_answer(call: Call, headers: Mapping[str, str]) -> None:
    if (heard := _HEARD.get()) is not None:
        heard.answered(call, headers)
