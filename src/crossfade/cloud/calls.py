"""What a call is about: said by the client that makes it, read by the policies below it, counted per collection."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REPEATABLE = _SAFE | {"PUT", "DELETE", "PATCH"}
"""PATCH too: what we patch are absolute values."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `subject` is in the field's words. `reads`: a POST that changes nothing; `repeatable`: may be sent
    again when its outcome is unknown (None: by its method). `units`: what it costs where a service counts units.
    `verb`: what it does to the subject, where the method does not say. `once`: never sent again by itself, since its
    maker begins anew with the call before it."""

    service: str
    subject: str = ""
    method: str = ""
    reads: bool | None = None
    repeatable: bool | None = None
    units: int = 1
    verb: str = ""
    once: bool = False

    @property
    def safe(self) -> bool:
        return self.method in _SAFE if self.reads is None else self.reads

    @property
    def may_repeat(self) -> bool:
        if self.repeatable is not None:
            return self.repeatable
        return self.safe or self.method in _REPEATABLE


_CURRENT: ContextVar[Call | None] = ContextVar("crossfade_call", default=None)


@contextmanager
def calling(call: Call) -> Iterator[None]:
    """Let the policies know what the calls made inside are about."""
    token = _CURRENT.set(call)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current(service: str, http_request: Any) -> Call:
    """The call that this request belongs to; without one, a call named by its path."""
    call = _CURRENT.get() or Call(service=service)
    subject = call.subject or unquote(urlsplit(http_request.url).path)
    # A poll or a page inside a write is a read; what the caller said holds for its own method only.
    safe_request = http_request.method in _SAFE and call.method not in ("", http_request.method)
    said = (None, None) if safe_request else (call.reads, call.repeatable)
    return Call(
        service=service,
        subject=subject,
        method=http_request.method,
        reads=said[0],
        repeatable=said[1],
        units=call.units,
        verb="" if safe_request else call.verb,
        once=call.once,
    )


_CLASSIC_COLLECTIONS = (
    *("TenantGroups", "Tenants", "HostPools", "AppGroups", "AssignedUsers", "RemoteApps", "Desktop", "StartMenuApps"),
    *("SessionHosts", "Sessions", "RegistrationInfos", "Deployments", "DiagnosticActivities"),
)
_CLASSIC_WORDS = {word.casefold(): word for word in _CLASSIC_COLLECTIONS}


def collection(service: str, path: str) -> str:
    """What a path is about, without names: `hostPools/sessionHosts`, `HostPools/AppGroups`, `groups/members`."""
    parts = [unquote(part) for part in urlsplit(path).path.split("/") if part]
    return _NAMERS[service](parts)


def _arm(parts: list[str]) -> str:
    lowered = [part.casefold() for part in parts]
    if "providers" not in lowered:
        return "/".join(parts[::2])
    at = len(lowered) - 1 - lowered[::-1].index("providers")
    return "/".join(parts[at + 2 :][::2]) or "providers"


def _classic(parts: list[str]) -> str:
    lowered = [part.casefold() for part in parts]
    if "rds.authorization" in lowered:
        return "/".join(parts[lowered.index("rds.authorization") + 1 :][:1])
    words = [_CLASSIC_WORDS[part] for part in lowered[2::2] if part in _CLASSIC_WORDS]
    action = parts[-1:] if lowered[-2:-1] == ["actions"] else []
    return "/".join(words[-1:] + action)


def _graph(parts: list[str]) -> str:
    rest = parts[1:]
    return "/".join([*rest[:1], *rest[2:3]])


def _entra(parts: list[str]) -> str:
    return parts[-1] if parts else ""


def _logs(parts: list[str]) -> str:
    return "/".join(parts[1::2])


_NAMERS = {"arm": _arm, "classic": _classic, "graph": _graph, "entra": _entra, "logs": _logs}


class Permitted(AsyncHTTPPolicy[Any, Any]):
    """Nothing goes out before `permit` has returned: the last thing that is asked before a call."""

    def __init__(self, permit: Callable[[], Awaitable[None]]) -> None:
        self._permit = permit

    @staticmethod
    async def always() -> None:
        return

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        await self._permit()
        return await self.next.send(request)


class Counted(AsyncHTTPPolicy[Any, Any]):
    """Counts each attempt that is sent, under `service method collection`."""

    def __init__(self, service: str, counts: "Counter[str]") -> None:
        super().__init__()
        self._service = service
        self.counts = counts

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        http_request = request.http_request
        self.counts[f"{self._service} {http_request.method} {collection(self._service, http_request.url)}"] += 1
        return await self.next.send(request)
