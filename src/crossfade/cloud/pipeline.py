"""The pipelines: for every client the same policies in the same order, whatever package the client comes from.

    request id → user agent → hooks → retry → decode → sign → pace → permit → count → transport

Retry stands above signing, so a fresh token is had for a late attempt, and above decoding, so an answer that cannot be
read is an error like another. Nothing logs: bodies and headers hold secrets. Nothing follows redirects, and nothing
registers resource providers behind our back, as the SDKs' own policies do (facts/arm-service 12.4).
"""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from azure.core import AsyncPipelineClient
from azure.core.pipeline.policies import CustomHookPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest

from crossfade import __version__
from crossfade.clock import Clock
from crossfade.cloud import lists, mapping
from crossfade.cloud.authentication import Bearer, Tokens
from crossfade.cloud.calls import Call, Counted, Permitted, calling
from crossfade.cloud.pacing import Paced, Pacing
from crossfade.cloud.retry import Decoding, Limits, Retries, Retrying
from crossfade.cloud.transport import Borrowed

T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True):
    """A good answer. `headers` by lower-case name; `body` decoded from JSON, None when there was none (`blank`)."""

    status: int
    headers: dict[str, str]
    body: Any
    blank: bool = False


class Wiring:
    """What all pipelines share."""

    def __init__(self, transport: Any, clock: Clock, retries: Retries, share: float = 1.0) -> None:
        self.transport = transport
        self.clock = clock
        self.retries = retries
        self._once = Retries(clock, random.Random(0), Limits(attempts=1))
        self.pacing = Pacing(clock, share)
        self.calls: Counter[str] = Counter()
        self.permit: Callable[[], Awaitable[None]] = Permitted.always

    def policies(self, service: str, signing: Bearer | None) -> list[Any]:
        """The policies of a client of this service, outermost first. Sign-ins are tried again by `Tokens` instead."""
        retries = self._once if service == "entra" else self.retries
        return [
            RequestIdPolicy(),
            UserAgentPolicy(base_user_agent=f"crossfade/{__version__}"),
            CustomHookPolicy(),
            Retrying(service, retries),
            Decoding(),
            *([signing] if signing else []),
            Paced(service, self.pacing),
            Permitted(lambda: self.permit()),
            Counted(service, self.calls),
        ]

    def bearer(self, service: str, tokens: Tokens, scope: str, origin: str) -> Bearer:
        return Bearer(service, tokens, scope, origin)

    def client(self, service: str, origin: str, signing: Bearer | None = None) -> AsyncPipelineClient[Any, Any]:
        """A bare client of azure-core's; closing it closes nothing, the transport is ours."""
        return AsyncPipelineClient(origin, policies=self.policies(service, signing), transport=Borrowed(self.transport))


class Line:
    """JSON calls to one origin."""

    def __init__(self, service: str, origin: str, client: AsyncPipelineClient[Any, Any], read_timeout_s: float) -> None:
        self.service = service
        self.origin = origin
        self._client = client
        self._read_timeout_s = read_timeout_s

    async def send(
        self,
        method: str,
        path: str,
        *,
        subject: str = "",
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        reads: bool | None = None,
        repeatable: bool | None = None,
        units: int = 1,
        verb: str = "",
    ) -> Answer:
        """One call. `path` is percent-encoded, or a whole link at our own origin. Raises CloudError."""
        url = path if "://" in path else self.origin + path
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote)
        request = HttpRequest(method, url, json=body, headers={"Accept": "application/json", **(headers or {})})
        call = Call(
            service=self.service,
            subject=subject,
            method=method,
            reads=reads,
            repeatable=repeatable,
            units=units,
            verb=verb,
        )

        async def send() -> Answer:
            response = await self._client.send_request(request, read_timeout=self._read_timeout_s)
            return _answer(response)

        return await ours(call, send)

    async def pages(
        self, path: str, *, subject: str = "", query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, link: str = "nextLink", units: int = 1,
    ) -> AsyncIterator[list[dict[str, Any]]]:  # fmt: skip
        """The pages of a list that comes as `value` and a link to the next page. An empty list has no page."""
        call = Call(service=self.service, subject=subject, method="GET")
        links, place, asked = lists.Links(call), path, query
        while place:
            answer = await self.send("GET", place, subject=subject, query=asked, headers=headers, units=units)
            rows = lists.member(call, answer.body, "value")
            if rows:
                yield rows
            place, asked = links.follow(answer.body.get(link) or ""), None

    async def rows(self, path: str, **options: Any) -> list[dict[str, Any]]:
        """All rows of `pages`."""
        return [row async for page in self.pages(path, **options) for row in page]


def _answer(response: Any) -> Answer:
    headers = {name.casefold(): value for name, value in response.headers.items()}
    text = response.content.strip()
    return Answer(response.status_code, headers, json.loads(text) if text else None, blank=not text)


async def ours(call: Call, work: Callable[[], Awaitable[T]]) -> T:
    """Do what a client does, known to the policies as `call`; whatever foreign comes out of it becomes ours."""
    with calling(call):
        try:
            return await work()
        except mapping.FOREIGN as error:
            failure = mapping.failure_error(call, error)
    raise failure
