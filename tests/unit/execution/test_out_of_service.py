"""A VM's agent is touched only while its host is out of service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from crossfade.errors import NotReady
from crossfade.execution.transitions import OUT_OF_SERVICE, HostState
from crossfade.execution.workflows.vm import installed, restarted, scripted

MOVE: Any = SimpleNamespace(source="g/t/p/h0", host_name="h0", vm="/vm")


class At:
    """A context in which the host stands somewhere; what is done to its VM is counted."""

    def __init__(self, state: str) -> None:
        self.done: list[str] = []
        self.progress = SimpleNamespace(host_state=lambda _: state)
        self.machine = SimpleNamespace(script=self._do, restart=self._do)

    async def _do(self, *what: Any) -> dict[str, Any]:
        self.done.append(str(what[-1]))
        return {}

    async def install(self) -> dict[str, Any]:
        return await self._do("install")

    async def perform(self, name: str, act: Callable[[], Awaitable[Any]], **_: Any) -> Any:
        return await act()


def touch(at: Any) -> None:
    async def nothing() -> None:
        return None

    async def all_three() -> None:
        await scripted(at, at, at, MOVE, "uninstall")
        await restarted(at, at, at, MOVE, "restart-clean", "then")
        await installed(at, at, at, MOVE, "install", at.install, nothing)

    asyncio.run(all_three())


@pytest.mark.parametrize("state", sorted(set(HostState) - OUT_OF_SERVICE))
def test_a_host_in_service_is_refused(state: str) -> None:
    at = At(state)
    with pytest.raises(NotReady, match=f"The host is {state}"):
        touch(at)
    assert at.done == []


@pytest.mark.parametrize("state", sorted(OUT_OF_SERVICE))
def test_a_host_out_of_service_is_worked_on(state: str) -> None:
    at = At(state)
    touch(at)
    assert at.done == ["uninstall", "then", "install"]
