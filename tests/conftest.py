"""Shared by all tests, and kept small: what belongs to one package's tests lives in that folder's conftest."""

from __future__ import annotations

import os
import random
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from postgres_kit import postgres as postgres
from postgres_kit import postgres_server as postgres_server

settings.register_profile("crossfade", deadline=None, print_blob=True)
settings.load_profile("crossfade")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of a random test, printed with the command that replays it.

    CROSSFADE_SEED sets it; `random` draws a new one. By default each test has its own, the same in every run.
    """
    wanted = os.environ.get("CROSSFADE_SEED", "")
    if wanted == "random":
        value = random.SystemRandom().randrange(2**31)
    elif wanted:
        value = int(wanted)
    else:
        value = zlib.crc32(request.node.nodeid.encode()) & 0x7FFFFFFF
    print(f"seed {value}; replay: CROSSFADE_SEED={value} python3 scripts/test.py '{request.node.nodeid}'")
    return value
