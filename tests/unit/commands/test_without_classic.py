"""What counts as a classic service that has gone, and what only as one that nobody could look at."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from crossfade.cloud.calls import Call
from crossfade.cloud.mapping import answer_error, elsewhere_error, unreadable_error
from crossfade.commands.without_classic import probe
from crossfade.errors import CloudError

READ = Call(service="classic", method="GET")


class Silent:
    def __init__(self, error: CloudError) -> None:
        self._error = error

    async def rows(self, collection: str, key: str) -> Any:
        raise self._error


@pytest.mark.parametrize(
    ("error", "hidden"),
    [
        (answer_error(READ, 403, {}, b""), True),
        (unreadable_error(READ, b"<html><title>Sign in to the proxy</title></html>"), True),
        (elsewhere_error(READ, 302), True),
        (answer_error(READ, 503, {}, b""), False),
        (answer_error(READ, 404, {}, b""), False),
    ],
)
def test_a_page_of_something_in_between_says_nothing_of_classic(error: CloudError, hidden: bool) -> None:
    plan: Any = SimpleNamespace(pools=[SimpleNamespace(source="g/t/p")])
    services: Any = SimpleNamespace(classic=Silent(error))
    assert asyncio.run(probe(plan, services)).hidden is hidden
