"""The official ARM clients, one of each per subscription, made when first used, all on our own pipeline.

Bodies go in as JSON bytes, which the SDKs pass on unchanged (a dict would lose members that their models do not know),
and come out as the JSON that was answered.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

from azure.core.pipeline.policies import ContentDecodePolicy

from crossfade.cloud import lists, mapping
from crossfade.cloud.authentication import Bearer, Credential
from crossfade.cloud.calls import Call
from crossfade.cloud.lookout import Lookout
from crossfade.cloud.pipeline import Wiring, ours
from crossfade.cloud.retry import Retries
from crossfade.cloud.transport import Borrowed

Watching = AbstractContextManager[Callable[[float], float]]
POLL_S = 25
"""At least this long between two looks at a long-running operation."""
LATEST_LOOK_S = 600.0
"""At most this long, whatever the service asks for: somebody waits for what has ended meanwhile."""


class Sdk:
    """Clients by subscription. They are never closed: the transport below them is not theirs."""

    def __init__(self, wiring: Wiring, credential: Credential, bearer: Bearer, origin: str, scope: str) -> None:
        self._wiring = wiring
        self._credential = credential
        self._bearer = bearer
        self._origin = origin
        self._scope = scope
        self._clients: dict[tuple[str, str], Any] = {}
        self.lookout = Lookout()

    @property
    def retries(self) -> Retries:
        """For calls that are sent again together; each of them is made with `Call.once`."""
        return self._wiring.retries

    def desktop(self, subscription: str) -> Any:
        from azure.mgmt.desktopvirtualization.aio import DesktopVirtualizationMgmtClient

        return _without_models(self._client(DesktopVirtualizationMgmtClient, subscription))

    def authorization(self, subscription: str) -> Any:
        from azure.mgmt.authorization.aio import AuthorizationManagementClient

        return self._client(AuthorizationManagementClient, subscription)

    def compute(self, subscription: str) -> Any:
        from azure.mgmt.compute.aio import ComputeManagementClient

        return self._client(ComputeManagementClient, subscription)

    def resources(self, subscription: str) -> Any:
        from azure.mgmt.resource.resources.aio import ResourceManagementClient

        return self._client(ResourceManagementClient, subscription)

    def _client(self, make: Callable[..., Any], subscription: str) -> Any:
        key = (make.__name__, subscription.casefold())
        if key not in self._clients:
            self._clients[key] = make(
                self._credential,
                subscription,
                base_url=self._origin,
                credential_scopes=[self._scope],
                transport=Borrowed(self._wiring.transport),
                policies=self._wiring.policies("arm", self._bearer),
                retry_total=0,
                polling_interval=POLL_S,
            )
        return self._clients[key]


class _Plain:
    """Stands where the SDK makes models of answers. We hand the JSON on as it came, so the models were made to be
    thrown away, and took longer than everything else in a list of sessions."""

    def __call__(self, kind: str, response: Any) -> Any:
        pages = kind.endswith("List") and hasattr(response, "http_response")
        return SimpleNamespace(value=[], next_link=_next_link(_decoded(response))) if pages else None

    def failsafe_deserialize(self, *ignored: Any, **ignored_too: Any) -> None:
        """Errors are ours before the SDK looks at them."""


def _without_models(client: Any) -> Any:
    for group in vars(client).values():
        if hasattr(group, "_deserialize") and not isinstance(group._deserialize, _Plain):
            group._deserialize = _Plain()
    return client


def _next_link(body: Any) -> str | None:
    return (body.get("nextLink") or None) if isinstance(body, dict) else None


def _decoded(response: Any) -> Any:
    """The answer's JSON as the pipeline decoded it: once, however many of us look at it. None when it had no body."""
    return response.context.get(ContentDecodePolicy.CONTEXT_NAME)


def encoded(body: Any) -> bytes:
    """A body as the SDKs take it unchanged."""
    return json.dumps(body, ensure_ascii=False).encode()


def raw(response: Any, decoded: Any, headers: Any) -> Any:
    """The SDKs' `cls`: the answer as it came; an empty dict when it had no body."""
    body = _decoded(response)
    return {} if body is None else body


async def sent(call: Call, operation: Callable[..., Awaitable[Any]], *names: str, **options: Any) -> Any:
    """Call an SDK operation. Raises CloudError."""
    return await ours(call, lambda: operation(*names, cls=raw, **options))


async def awaited(
    call: Call, watching: Watching, operation: Callable[..., Awaitable[Any]], *names: str, **options: Any
) -> Any:
    """Call a long-running SDK operation and wait, on Clock, until it has ended. Raises CloudError."""

    async def work() -> Any:
        with watching as every_s:
            poller = await operation(*names, polling=_patient(every_s), **options)
            return await poller.result()

    return await ours(call, work)


def _patient(every_s: Callable[[float], float]) -> Any:
    """Polling that looks no more often than every POLL_S, and less often the more is in flight, though the service
    would allow it. It waits before its first look too: nothing that we begin has ended at once."""
    from azure.mgmt.core.polling.async_arm_polling import AsyncARMPolling

    class Patient(AsyncARMPolling):
        async def _poll(self) -> None:
            if not self.finished():
                await self._delay()
            await super()._poll()

        def _extract_delay(self) -> float:
            asked = mapping.retry_after_s(self._pipeline_response.http_response.headers)
            return max(min(asked or 0.0, LATEST_LOOK_S), every_s(POLL_S))

    return Patient(POLL_S)


async def listed(call: Call, operation: Callable[..., Any], *names: str, **options: Any) -> AsyncIterator[list[Any]]:
    """The pages of an SDK list as they came, empty ones left out. Raises CloudError."""
    pages: list[Any] = []
    pager = operation(*names, raw_response_hook=lambda response: pages.append(_decoded(response)), **options).by_page()
    links = lists.Links(call)

    async def turn() -> bool:
        try:
            await pager.__anext__()
        except StopAsyncIteration:
            return False
        return True

    while await ours(call, turn):
        body = pages.pop() if pages else None
        rows = lists.member(call, body, "value")
        links.follow(_next_link(body) or "")
        if rows:
            yield rows
