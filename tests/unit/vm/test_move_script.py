"""The move script keeps its promises."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import SCRIPT
from scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_promise(name: str) -> None:
    SCENARIOS[name](SCRIPT)
