"""The one retry policy. The SDKs are given none of their own."""

import random
from collections.abc import Awaitable, Callable, MutableMapping
from math import ceil
from typing import Any, TypeVar

import msgspec
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, ContentDecodePolicy

from crossfade.clock import Clock
from crossfade.cloud import mapping
from crossfade.cloud.calls import Call, current
from crossfade.cloud.heard import OnRetry, RetryDetails, tell_answer, tell_retry
from crossfade.cloud.redaction import secrets_of
from crossfade.errors import CloudError, OutcomeUnknown, ServiceFailed

T = TypeVar("T")


__all__ = ["Limits", "OnRetry", "Retries", "RetryDetails", "Retrying", "may_retry"]


class Limits(msgspec.Struct, frozen=True):
    """`attempts` in all, `total_s` of waiting in all, first wait `base_s` (doubling, half of it by chance) up to
    `longest_s`. A `Retry-After` is obeyed whatever its length, within `total_s`."""

    attempts: int = 6
    total_s: float = 1800.0
    base_s: float = 0.8
    longest_s: float = 60.0


class Retries:
    """Decides whether and when a failed call is sent again."""

    def __init__(
        self, clock: Clock, chance: random.Random, limits: Limits | None = None, hook: OnRetry = tell_retry
    ) -> None:
        self.clock = clock
        self.limits = limits or Limits()
        self._chance = chance
        self._hook = hook

    async def run(self, call: Call, attempt_once: Callable[[], Awaitable[T]]) -> T:
        """The result of `attempt_once`, called again while it raises what a further attempt can help."""
        waited_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            try:
                return await attempt_once()
            except CloudError as error:
                failure = error
            wait_s = self.wait_s(call, failure, attempt, waited_s)
            if wait_s is None:
                raise failure
            self.tell(call, failure, attempt, waited_s, wait_s)
            await self.clock.sleep(wait_s)
            waited_s += wait_s

    def tell(
        self, call: Call, failure: CloudError, attempt: int = 1, waited_s: float = 0.0, wait_s: float = 0.0
    ) -> None:
        """Tell the hook that this call is about to be sent again."""
        said = failure.as_data()
        self._hook(RetryDetails(call.service, call.subject, call.method, attempt, waited_s, wait_s, said))

    def wait_s(self, call: Call, failure: CloudError, attempt: int, waited_s: float) -> float | None:
        """Seconds before the next attempt, or None when there shall be none."""
        if attempt >= self.limits.attempts or not may_retry(call, failure):
            return None
        wait_s = max(self._backoff_s(attempt), failure.retry_after_s or 0.0)
        return wait_s if waited_s + wait_s <= self.limits.total_s else None

    def _backoff_s(self, attempt: int) -> float:
        ceiling = min(self.limits.longest_s, self.limits.base_s * 2.0 ** (attempt - 1))
        return ceiling / 2 + self._chance.random() * ceiling / 2


def may_retry(call: Call, failure: CloudError) -> bool:
    """Whether sending the same call again can help and cannot do harm::

    failure                                      read or repeatable   anything else
    -------------------------------------------  -------------------  -------------
    Throttled, Unreachable                       yes                  yes
    ServiceFailed: 503, or a code meaning busy   yes                  yes
    ServiceFailed otherwise                      yes                  no
    OutcomeUnknown                               yes                  no
    a failed sign-in, any other                  no                   no

    A call that is to be sent `once` is never sent again here.
    A token that the service did not take is no failure yet: `Bearer`, below us, sends the call once with a new one.
    """
    if call.once:
        return False
    if failure.service != call.service:
        return False  # a sign-in below us: it had its own attempts
    if isinstance(failure, OutcomeUnknown):
        return call.may_repeat
    if isinstance(failure, ServiceFailed) and not mapping.not_begun(failure):
        return call.may_repeat
    return failure.retryable


class Retrying(AsyncHTTPPolicy[Any, Any]):
    """The pipeline's retry policy: each request that a client sends, a poll and a page too, has its own attempts.

    Answers of 400 and more leave here as our errors, and so do the transport's failures; nothing foreign passes.
    """

    def __init__(self, service: str, retries: Retries) -> None:
        super().__init__()
        self._service = service
        self._retries = retries

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        call = current(self._service, request.http_request)
        return await self._retries.run(call, lambda: self._once(call, request))

    async def _once(self, call: Call, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        try:
            response = await self.next.send(request)
        except mapping.FOREIGN as error:
            failure = mapping.failure_error(call, error)
        else:
            answer = response.http_response
            bare = _is_prose(answer) or _is_error(response.context.get(ContentDecodePolicy.CONTEXT_NAME))
            if answer.status_code < 300 and not bare:
                tell_answer(call, answer.headers)
                _in_seconds(answer.headers)
                return response
            body, secrets = await read_answer(answer), secrets_of(request.http_request)
            if answer.status_code < 300:
                raise mapping.unreadable_error(call, body, secrets=secrets)
            if answer.status_code < 400:
                raise mapping.elsewhere_error(call, answer.status_code)
            failure = mapping.answer_error(call, answer.status_code, answer.headers, body, secrets=secrets)
        raise failure


def _is_prose(answer: Any) -> bool:
    """Whether a good status comes with text instead of JSON: a sign-in page or a proxy's, whose status is not theirs.

    Judged by the headers: a body that was asked for as a stream can be read only once, and not by us.
    """
    kind = str(answer.headers.get("Content-Type") or "").casefold()
    return kind.startswith(("text/html", "text/plain")) and answer.headers.get("Content-Length") != "0"


def _in_seconds(headers: MutableMapping[str, str]) -> None:
    """The SDKs read whole seconds where a date may stand too, and raise what nobody expects."""
    if not headers.get("Retry-After", "0").isdecimal():
        headers["Retry-After"] = str(ceil(mapping.retry_after_s(headers) or 0))


def _is_error(body: Any) -> bool:
    """Whether a good status comes with an error and nothing else. A poll names a status besides, a table its rows."""
    return isinstance(body, dict) and body.keys() == {"error"}


class Decoding(ContentDecodePolicy):
    """Decodes good answers only. What comes with a bad status may be a page of whatever stands in between, under any
    name; its status and its `Retry-After` count all the same."""

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        if response.http_response.status_code < 300:
            super().on_response(request, response)


async def read_answer(answer: Any) -> bytes:
    """The body, also of an answer that was asked for as a stream; what cannot be read is empty."""
    try:
        if hasattr(answer, "read"):
            await answer.read()
    except mapping.FOREIGN:
        return b""
    return mapping.body_of(answer)
