"""The twin as one ASGI application: takes a call, settles the world, finds the service, answers on the twin's clock."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from avdtwin import interference, mishaps, people  # events must be playable in a world that was read back
from avdtwin.clock import http_date
from avdtwin.services import CONTROL, SERVICES, Service, service_for
from avdtwin.wire import Request, Response, WireError, parse_query
from avdtwin.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class TwinApp:
    """ASGI over a `World`. Lifespan calls are accepted; anything but http is refused."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        assert scope["type"] == "http", f"{scope['type']} is not served"
        request = await _read(scope, receive, service_for(scope["path"]).body_limit)
        try:
            response = await self.answer(request)
        except (ConnectionError, TimeoutError) as error:
            await _drop(receive, send, error)
            return
        await _write(response, receive, send)

    async def answer(self, request: Request) -> Response:
        """One call: half of the latency before the effect, half after it. The twin's own controls have none."""
        world = self.world
        service = service_for(request.path)
        latency = 0.0 if service is CONTROL else world.between("latency", world.setting("latency_s"))
        await world.clock.sleep(latency / 2)
        world.settle()
        try:
            if world.state.faults and service is not CONTROL:
                response = await interference.answer(world, service, request, _call)
            else:
                response = _call(world, service, request)
        except (ConnectionError, TimeoutError):
            world.count_call(service.name, request.method, 0)
            await world.clock.sleep(latency / 2)
            raise
        world.count_call(service.name, request.method, response.status)
        response.headers.setdefault("date", http_date(world.now))
        await world.clock.sleep(latency / 2 + response.delay_s)
        return response


def _call(world: World, service: Service, request: Request) -> Response:
    if len(request.body) > service.body_limit:
        return service.too_large(world, request)
    try:
        return service.handle(world, request)
    except WireError as error:
        return error.response


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read(scope: Scope, receive: Receive, limit: int) -> Request:
    """The call as a `Request`. Of a body over the limit one byte more than the limit is kept: enough to know."""
    chunks = []
    room = limit + 1
    while True:
        message = await receive()
        chunk = message.get("body", b"")[:room]
        room -= len(chunk)
        chunks.append(chunk)
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"].upper(),
        path=raw.decode("latin-1").split("?")[0],
        query=parse_query(scope["query_string"].decode("latin-1")),
        headers=headers,
        body=b"".join(chunks),
        origin=f"{scope.get('scheme', 'https')}://{headers.get('host', 'twin.invalid')}",
    )


async def _drop(receive: Receive, send: Send, error: OSError) -> None:
    """Reset the connection where there is one (uvicorn's), else let the caller in this process see the error."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise error
    transport.abort()
    await receive()  # until the server has noticed, so that it does not answer in our place


async def _write(response: Response, receive: Receive, send: Send) -> None:
    body, kind = _encode(response.body)
    headers = {name.lower(): value for name, value in response.headers.items()}
    if kind and "content-type" not in headers:
        headers["content-type"] = kind
    headers["content-length"] = str(len(body))
    wire = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": wire})
    if response.cut is None or not body:
        await send({"type": "http.response.body", "body": body})
        return
    # The beginning of what was announced, and then the connection ends.
    await send({"type": "http.response.body", "body": body[: int(len(body) * response.cut)], "more_body": True})
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.close()
        await receive()


def _encode(body: Any) -> tuple[bytes, str | None]:
    if body is None:
        return b"", None
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    try:
        return msgspec.json.encode(body), "application/json; charset=utf-8"
    except TypeError:
        return json.dumps(body, default=str).encode(), "application/json; charset=utf-8"


__all__ = ["SERVICES", "TwinApp", "mishaps", "people"]
