"""`classic_desk` is a module beside the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from classic_desk import Desk


@pytest.fixture
def desk() -> Desk:
    """A classic service with one tenant, `contoso`, and nobody's pools yet."""
    return Desk()
