"""The twin in the test's own process: official clients over transports that call its ASGI application.

Both transports below are azure-core's own interfaces, so the client's pipeline above them is the unmodified one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import msgspec
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from azure.core.rest._http_response_impl import HttpResponseImpl
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.mgmt.desktopvirtualization import DesktopVirtualizationMgmtClient
from azure.mgmt.desktopvirtualization.aio import DesktopVirtualizationMgmtClient as AsyncClient

from avdtwin import tokens
from avdtwin.asgi import TwinApp
from avdtwin.clock import ManualClock
from avdtwin.directory import add_user
from avdtwin.state import Machine, Resource, RoleAssignment, Subscription, User
from avdtwin.world import World

ORIGIN = "https://management.azure.com"
START = 1_790_000_000.0
TENANT = "72f988bf-0000-4000-a000-2d7cd011db47"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
ADMIN = "admin@contoso.example"
ADMIN_ID = "aaaaaaaa-0000-4000-a000-000000000001"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def make_world(*groups: str, **settings: Any) -> World:
    """A subscription with these resource groups (default: `rg`), an owner, and no latency."""
    world = World.empty(ManualClock(START), tenant_id=TENANT, domain="contoso.example")
    world.state.settings |= {"latency_s": (0.0, 0.0), **settings}
    providers = dict.fromkeys(("microsoft.desktopvirtualization", "microsoft.compute"), "Registered")
    arm = world.state.arm
    arm.subscriptions[SUBSCRIPTION] = Subscription(id=SUBSCRIPTION, display_name="Contoso", providers=providers)
    for group in groups or ("rg",):
        add_group(world, group)
    add_user(world, User(id=ADMIN_ID, upn=ADMIN))
    grant(world, ADMIN_ID, OWNER, f"/subscriptions/{SUBSCRIPTION}")
    return world


def add_group(world: World, name: str) -> None:
    group_id = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"
    kind = "Microsoft.Resources/resourceGroups"
    world.state.arm.resources[group_id.lower()] = Resource(
        id=group_id, type=kind, name=name, properties={"provisioningState": "Succeeded"}, location="westeurope"
    )


def grant(world: World, object_id: str, role: str, scope: str) -> None:
    """Assign a built-in role, in force at once."""
    name = world.guid("assignment")
    assignment_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    world.state.arm.role_assignments[assignment_id.lower()] = RoleAssignment(
        id=assignment_id,
        name=name,
        scope=scope,
        role_definition_id=f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        principal_id=object_id,
        principal_type="Group" if object_id in world.state.directory.groups else "User",
        created_at=world.now,
        effective_at=world.now,
    )


def add_machine(world: World, name: str, domain: str = "ad.contoso.example", group: str = "rg") -> Machine:
    """A running VM with an agent installed and registered nowhere."""
    resource_id = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    )
    machine = Machine(
        vm=resource_id.lower(),
        resource_id=resource_id,
        vm_id=world.guid("vm"),
        computer_name=name,
        fqdn=f"{name}.{domain}" if domain else name,
    )
    world.state.machines[machine.vm] = machine
    return machine


def token_for(world: World, object_id: str = ADMIN_ID, upn: str | None = ADMIN) -> str:
    return tokens.issue_access(world, object_id=object_id, app_id=None, upn=upn, audience=ORIGIN)


# ---------------------------------------------------------------- raw calls


class Answer(msgspec.Struct):
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content) if self.content else None

    def close(self) -> None: ...


class Twin:
    """A world served in-process, called synchronously. Always on the same event loop."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.app = TwinApp(world)

    def call(
        self, method: str, url: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Answer:
        """One call as the owner. `url` may be a path; `api_version` defaults to the newest stable one."""
        query = {"api-version": query.pop("api_version", "2025-10-10"), **query}
        if "api-version=" not in url:
            mark = "&" if "?" in url else "?"
            url += mark + "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        sent = {"authorization": f"Bearer {token_for(self.world)}", **(headers or {})}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return asyncio.run(ask(self.app, method, url, sent, content))


async def ask(app: TwinApp, method: str, url: str, headers: MutableMapping[str, str], content: bytes) -> Answer:
    """One ASGI call."""
    parts = urlsplit(url)
    host = parts.netloc or urlsplit(ORIGIN).netloc
    wire = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "scheme": parts.scheme or "https",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [*wire, (b"host", host.encode())],
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    return Answer(
        status=start["status"],
        headers={name.decode(): value.decode("latin-1") for name, value in start["headers"]},
        content=b"".join(message.get("body", b"") for message in rest),
    )


# ---------------------------------------------------------------- official clients


class StaticCredential:
    """A signed-in user: no authority is asked. Tokens are of the twin's own making."""

    def __init__(self, world: World, object_id: str = ADMIN_ID, upn: str | None = ADMIN) -> None:
        self._token = AccessToken(token_for(world, object_id, upn), 2**33)

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return self._token


class StaticAsyncCredential(StaticCredential, AbstractAsyncContextManager[Any]):
    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # type: ignore[override]
        return self._token

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def _parts(request: HttpRequest, answer: Answer) -> dict[str, Any]:
    return {
        "request": request,
        "internal_response": answer,
        "status_code": answer.status,
        "headers": answer.headers,
        "reason": "",
        "content_type": answer.headers.get("content-type"),
        "block_size": 1 << 16,
    }


def _content(request: HttpRequest) -> bytes:
    # Older generated clients send azure-core's older request, whose body is `data`.
    data: Any = request.content if hasattr(request, "content") else getattr(request, "data", None)
    if isinstance(data, str):
        data = data.encode()
    if hasattr(data, "read"):
        data = data.read()
    return data or b""


def _headers(request: HttpRequest) -> dict[str, str]:
    return dict(request.headers)


def _chunks(pipeline: Any, response: Any, **_: Any) -> Iterator[bytes]:
    return iter([response.internal_content])


async def _async_chunks(pipeline: Any, response: Any, **_: Any) -> AsyncIterator[bytes]:
    yield response.internal_content


class _Response(HttpResponseImpl):
    def __init__(self, request: HttpRequest, answer: Answer) -> None:
        super().__init__(stream_download_generator=_chunks, **_parts(request, answer))
        self._content = answer.content


class _AsyncResponse(AsyncHttpResponseImpl):
    def __init__(self, request: HttpRequest, answer: Answer) -> None:
        super().__init__(stream_download_generator=_async_chunks, **_parts(request, answer))
        self._content = answer.content

    async def close(self) -> None:
        self._is_closed = True


class InProcessTransport(HttpTransport[HttpRequest, HttpResponse], AbstractContextManager[Any]):
    """azure-core's synchronous transport over the ASGI application; waiting moves the twin's clock."""

    def __init__(self, app: TwinApp) -> None:
        self._app = app

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def sleep(self, duration: float) -> None:
        asyncio.run(self._app.world.clock.sleep(duration))

    def send(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return _Response(
            request, asyncio.run(ask(self._app, request.method, request.url, _headers(request), _content(request)))
        )


class InProcessAsyncTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """azure-core's asynchronous transport over the ASGI application; waiting moves the twin's clock."""

    def __init__(self, app: TwinApp) -> None:
        self._app = app

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def sleep(self, duration: float) -> None:
        await self._app.world.clock.sleep(duration)

    async def send(self, request: HttpRequest, **_: Any) -> AsyncHttpResponse:
        answer = await ask(self._app, request.method, request.url, _headers(request), _content(request))
        return _AsyncResponse(request, answer)


def sync_client(twin: Twin, **more: Any) -> DesktopVirtualizationMgmtClient:
    """The official synchronous client of azure-mgmt-desktopvirtualization, unmodified; in-process unless `more` holds
    another `base_url`.
    """
    credential = more.pop("credential", None) or StaticCredential(twin.world)
    where = {"base_url": ORIGIN, "transport": InProcessTransport(twin.app)} if "base_url" not in more else {}
    return DesktopVirtualizationMgmtClient(credential, SUBSCRIPTION, **{**where, **more})


def async_client(twin: Twin, **more: Any) -> AsyncClient:
    """The official asynchronous client, likewise."""
    credential = more.pop("credential", None) or StaticAsyncCredential(twin.world)
    where = {"base_url": ORIGIN, "transport": InProcessAsyncTransport(twin.app)} if "base_url" not in more else {}
    return AsyncClient(credential, SUBSCRIPTION, **{**where, **more})
