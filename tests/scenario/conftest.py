"""Helpers of these tests are modules beside them."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

BOTH = ("test_move_forward", "test_rollback", "test_secrets", "test_stopping")
"""What is tried on the durable engine in every run; of the others that is left to `make soak`. That both engines write
the same journal is shown by `tests/contract/test_engines.py`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        given = getattr(item, "callspec", None)
        durable = given is not None and given.params.get("engine") == "dbos"
        if durable and HERE in item.path.parents and item.path.stem not in BOTH:
            item.add_marker(pytest.mark.long)
