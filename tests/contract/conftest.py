"""A twin for contract tests: in the test's own process, and over TLS from a server that all tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _furnished import furnish
from _inprocess import Twin, make_world

from avdtwin.clock import ManualClock
from avdtwin.server import Endpoint, serve
from avdtwin.world import World


@pytest.fixture
def world() -> World:
    """A furnished world under virtual time, with one resource group and no latency."""
    return furnish(make_world())


@pytest.fixture
def twin(world: World) -> Twin:
    """The world in-process; `twin.call` speaks for its owner."""
    return Twin(world)


@pytest.fixture(scope="session")
def _shared() -> Iterator[Endpoint]:
    with serve(make_world()) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(_shared: Endpoint, world: World) -> Endpoint:
    """The world over TLS, at its own moment: tests let hours pass. `endpoint.call(function)` runs `function(world)`
    between two calls of clients."""
    fresh = msgspec.json.decode(world.snapshot(), type=type(world.state))

    def begin(served: World) -> None:
        served.clock = ManualClock(world.clock.now())
        served.adopt(fresh)

    _shared.call(begin)
    return _shared


@pytest.fixture
def later(endpoint: Endpoint) -> Callable[[float], Any]:
    """Let so many seconds of the served world pass."""

    def wait(seconds: float) -> None:
        def move(world: World) -> None:
            world.clock.advance(seconds)  # type: ignore[attr-defined]
            world.settle()

        endpoint.call(move)

    return wait
