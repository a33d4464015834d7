"""The in-process transport says what a wire would say."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import IncompleteReadError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.pipeline.transport import HttpRequest as LegacyRequest
from azure.core.rest import HttpRequest
from multidict import CIMultiDict, CIMultiDictProxy
from wires import ORIGIN, Wire, clock
from yarl import URL

from crossfade.clock import SystemClock
from crossfade.cloud.transport import AsgiTransport, Borrowed, TlsTransport, never_sent


def send(app: Any, request: Any, **options: Any) -> Any:
    at = clock()
    return at.run(AsgiTransport(app, at).send(request, **options))


def test_request_and_answer_arrive_whole() -> None:
    wire = Wire((201, {"x-one": "1"}, {"name": "Büro"}))
    request = HttpRequest("PUT", f"{ORIGIN}/a%20b/c?api-version=1&x=%2F", json={"k": "ü"}, headers={"X-Two": "2"})
    response = send(wire, request)
    assert (response.status_code, response.headers["X-One"], response.json()) == (201, "1", {"name": "Büro"})
    seen = wire.requests[0]
    assert (seen["method"], seen["path"], seen["query"]) == ("PUT", "/a%20b/c", "api-version=1&x=%2F")
    assert seen["headers"]["x-two"] == "2"
    assert seen["headers"]["host"] == "cloud.test"
    assert seen["body"] == '{"k": "ü"}'.encode() or b"\\u00fc" in seen["body"]


def test_forms_of_the_older_request_kind() -> None:
    wire = Wire((200, {}, {"ok": True}))
    request = LegacyRequest("POST", f"{ORIGIN}/token", data={"grant_type": "client_credentials", "scope": "a b"})
    response = send(wire, request)
    assert wire.requests[0]["body"] == b"grant_type=client_credentials&scope=a+b"
    assert response.body() == b'{"ok": true}'


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ConnectionRefusedError(), ServiceRequestError),
        (ConnectionResetError(), ServiceResponseError),
        (TimeoutError(), ServiceResponseError),
    ],
)
def test_what_a_broken_connection_looks_like(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        send(Wire(raised), HttpRequest("GET", ORIGIN))


def test_an_answer_that_never_comes_ends_at_the_read_timeout_of_virtual_time() -> None:
    at = clock()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await at.sleep(4000)

    with pytest.raises(ServiceResponseError, match="within 30"):
        at.run(AsgiTransport(slow, at).send(HttpRequest("GET", ORIGIN), read_timeout=30))
    assert at.loop.time() == pytest.approx(30)


@pytest.mark.parametrize("header", [{}, {"content-length": "100"}])
def test_a_truncated_body_is_not_an_answer(header: dict[str, str]) -> None:
    async def cut(scope: Any, receive: Any, send: Any) -> None:
        headers = [(name.encode(), value.encode()) for name, value in header.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": not header})

    with pytest.raises(IncompleteReadError):
        send(cut, HttpRequest("GET", ORIGIN))


def test_streams_hand_on_the_chunks() -> None:
    async def chunked(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ab", "more_body": True})
        await send({"type": "http.response.body", "body": b"c"})

    async def read() -> list[bytes]:
        response = await AsgiTransport(chunked, at).send(HttpRequest("GET", ORIGIN), stream=True)
        return [chunk async for chunk in response.iter_bytes()]

    at = clock()
    assert at.run(read()) == [b"ab", b"c"]


def test_waiting_is_on_our_clock_also_through_a_borrowed_transport() -> None:
    at = clock()
    at.run(Borrowed(AsgiTransport(Wire((200, {}, None)), at)).sleep(3600))
    assert at.loop.time() == pytest.approx(3600)


def test_a_lost_connection_is_not_one_that_was_never_made() -> None:
    refused = aiohttp.ClientConnectorError(connection_key=None, os_error=OSError(111, "refused"))  # type: ignore[arg-type]
    assert never_sent(refused)
    assert not never_sent(aiohttp.ServerDisconnectedError())
    assert not never_sent(aiohttp.ClientOSError(104, "reset"))


def test_what_a_proxy_refuses_was_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = aiohttp.RequestInfo(URL("https://cloud.test"), "CONNECT", CIMultiDictProxy(CIMultiDict()))
    refused = aiohttp.ClientHttpProxyError(asked, (), status=407, message="Proxy Authentication Required")

    async def send(self: Any, request: Any, **config: Any) -> Any:
        raise ServiceResponseError(refused, error=refused)

    monkeypatch.setattr(AioHttpTransport, "send", send)
    with pytest.raises(ServiceRequestError, match="let nothing through: 407 Proxy Authentication Required"):
        asyncio.run(TlsTransport(SystemClock()).send(HttpRequest("POST", "https://cloud.test")))
