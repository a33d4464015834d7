"""Transports below azure-core's pipelines: one calls an ASGI app in-process, one goes over TLS. Both wait on Clock.

They tell apart, more strictly than azure-core's own aiohttp transport, what was certainly never sent
(`ServiceRequestError`) from what may have had its effect (`ServiceResponseError`): there, a connection that was lost
while the answer was awaited counts as never sent (azure-core 1.41, read 2026-11-23).
"""

import asyncio
import http
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import aiohttp
from azure.core.exceptions import (
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse
from multidict import CIMultiDict

from crossfade.clock import Clock

Message = MutableMapping[str, Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

CONNECT_TIMEOUT_S = 60.0
READ_TIMEOUT_S = 120.0
"""How long an answer may take, unless the call says otherwise."""


class AsgiTransport(AsyncHttpTransport[Any, Any]):
    """Calls an ASGI app in-process, on the loop's time; nothing touches a socket.

    The app may raise, to say what a wire would: `ConnectionRefusedError` for a call that never arrived, any other
    `ConnectionError` for one whose answer was lost, `TimeoutError` for one that was never answered. An app that stops
    in the middle of a body leaves a truncated one. Anything else it raises is its own bug and comes through.
    """

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def sleep(self, duration: float) -> None:
        await self._clock.sleep(duration)

    async def send(self, request: Any, *, stream: bool = False, **config: Any) -> "AsgiResponse":
        """Send a request of either of azure-core's kinds. `read_timeout` (seconds) among the options is obeyed."""
        limit_s = config.get("read_timeout") or READ_TIMEOUT_S
        exchange = _Exchange(_body(request))
        try:
            async with asyncio.timeout(limit_s):
                await self._app(_scope(request, exchange.body), exchange.receive, exchange.send)
        except ConnectionRefusedError as error:
            raise ServiceRequestError("the connection was refused", error=error) from error
        except TimeoutError as error:
            raise ServiceResponseTimeoutError(f"no answer within {limit_s} s", error=error) from error
        except ConnectionError as error:
            if exchange.status is None:
                raise ServiceResponseError("the connection was lost", error=error) from error
        return _finished(request, exchange, stream)


def _finished(request: Any, exchange: "_Exchange", stream: bool) -> "AsgiResponse":
    if exchange.status is None:
        raise ServiceResponseError("the connection was closed without an answer")
    response = AsgiResponse(request, exchange)
    if not stream:
        response.load()
    return response


class _Exchange:
    """Both ends of one ASGI call."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.status: int | None = None
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.chunks: list[bytes] = []
        self.complete = False
        self._asked = False

    async def receive(self) -> Message:
        if self._asked:
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            for name, value in message.get("headers", ()):
                self.headers.add(name.decode("latin-1"), value.decode("latin-1"))
        elif message["type"] == "http.response.body":
            self.chunks.append(bytes(message.get("body", b"")))
            self.complete = not message.get("more_body", False)

    @property
    def truncated(self) -> bool:
        """Whether the body ended before the app said so, or before the length it had announced."""
        announced = self.headers.get("content-length", "")
        short = announced.isdigit() and sum(map(len, self.chunks)) < int(announced)
        return not self.complete or (short and self.status not in (204, 304))


class AsgiResponse(AsyncHttpResponse):
    """The answer of an ASGI app, for callers of either of azure-core's kinds. Bodies are handed on as they came."""

    def __init__(self, request: Any, exchange: _Exchange) -> None:
        self._request = request
        self._exchange = exchange
        self._content: bytes | None = None
        self._encoding: str | None = None
        self._is_closed = False
        self.block_size = 64 * 1024
        self.internal_response = exchange

    def __repr__(self) -> str:
        return f"<AsgiResponse: {self.status_code}>"

    @property
    def request(self) -> Any:
        return self._request

    @property
    def status_code(self) -> int:
        assert self._exchange.status is not None
        return self._exchange.status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._exchange.headers

    @property
    def reason(self) -> str:
        try:
            return http.HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    @property
    def content_type(self) -> str | None:
        return self._exchange.headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def is_stream_consumed(self) -> bool:
        return self._content is not None

    @property
    def encoding(self) -> str | None:
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        return str(self._request.url)

    @property
    def content(self) -> bytes:
        return self.load()

    def load(self) -> bytes:
        """The whole body. Raises IncompleteReadError when it was cut off."""
        if self._exchange.truncated:
            raise IncompleteReadError("the answer was cut off")
        self._content = b"".join(self._exchange.chunks)
        return self._content

    def body(self) -> bytes:
        return self.load()

    async def load_body(self) -> None:
        self.load()

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(encoding or self._encoding or "utf-8-sig", "replace")

    def json(self) -> Any:
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    async def read(self) -> bytes:
        return self.load()

    async def iter_raw(self, **kwargs: Any) -> AsyncIterator[bytes]:
        for chunk in self._exchange.chunks:
            yield chunk
        self.load()

    async def iter_bytes(self, **kwargs: Any) -> AsyncIterator[bytes]:
        async for chunk in self.iter_raw():
            yield chunk

    def stream_download(self, pipeline: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        return self.iter_raw()

    async def close(self) -> None:
        self._is_closed = True

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def _scope(request: Any, body: bytes) -> MutableMapping[str, Any]:
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.setdefault("host", parts.netloc)
    if body or request.method in ("POST", "PUT", "PATCH"):
        headers["content-length"] = str(len(body))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": unquote(parts.path) or "/",
        "raw_path": (parts.path or "/").encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "headers": [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": (parts.hostname, parts.port or 443),
    }


def _body(request: Any) -> bytes:
    """The request's body. Bytes, text, a form (mapping) and a readable file are what the SDKs give."""
    data = request.data
    if data is None:
        return b""
    if isinstance(data, Mapping):
        return urlencode(data, doseq=True).encode()
    if hasattr(data, "read"):
        data = data.read()
    return data.encode() if isinstance(data, str) else bytes(data)


class TlsTransport(AioHttpTransport):  # type: ignore[misc]
    """The ordinary transport over TLS, waiting on our Clock. `ca_file`: PEM file of a private CA to trust instead.

    One TLS context for all calls: azure-core builds a new one for each when it is given a CA file.
    """

    def __init__(self, clock: Clock, *, ca_file: str | None = None, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        super().__init__(connection_timeout=CONNECT_TIMEOUT_S, read_timeout=read_timeout_s)
        self.session: aiohttp.ClientSession | None
        self._clock = clock
        self._ca_file = ca_file

    async def open(self) -> None:
        if self.session is None and not self._has_been_opened:
            connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=self._ca_file))
            self.session = aiohttp.ClientSession(
                connector=connector, trust_env=True, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        await super().open()

    async def sleep(self, duration: float) -> None:
        await self._clock.sleep(duration)

    async def send(self, request: Any, *, stream: bool = False, **config: Any) -> Any:
        try:
            return await super().send(request, stream=stream, **config)
        except ServiceRequestError as error:
            if never_sent(error.inner_exception):
                raise
            raise ServiceResponseError("the connection was lost", error=error.inner_exception) from error
        except ServiceResponseError as error:
            refused = error.inner_exception
            if not isinstance(refused, aiohttp.ClientHttpProxyError):
                raise
            told = f"the proxy let nothing through: {refused.status} {refused.message}".rstrip()
            raise ServiceRequestError(told, error=refused) from error


_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


def never_sent(error: BaseException | None) -> bool:
    """Whether aiohttp failed before the first byte of the request went out."""
    return isinstance(error, _NEVER_SENT)


class Borrowed(AsyncHttpTransport[Any, Any]):
    """Somebody else's transport: used, never opened or closed. For clients that close what they are given."""

    def __init__(self, owner: AsyncHttpTransport[Any, Any]) -> None:
        self._owner = owner

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def sleep(self, duration: float) -> None:
        await self._owner.sleep(duration)

    async def send(self, request: Any, **config: Any) -> Any:
        return await self._owner.send(request, **config)
