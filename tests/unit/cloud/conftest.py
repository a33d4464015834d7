"""`wires` is a module beside the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import wires


@pytest.fixture(autouse=True)
def _closed_clocks() -> Iterator[None]:
    yield
    while wires.CLOCKS:
        wires.CLOCKS.pop().close()
