"""Whether this machine's clock is as Azure's: tokens, quiet hours and waiting for hosts go by it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from crossfade.cloud.mapping import answered_at
from crossfade.commands.doctor import _clock

THEIRS = datetime(2026, 6, 8, 20, 0, 0, tzinfo=UTC)


def services(ours: datetime, theirs: datetime | None) -> Any:
    async def time() -> datetime | None:
        return theirs

    return SimpleNamespace(clock=SimpleNamespace(now=lambda: ours), arm=SimpleNamespace(time=time))


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        (0, "as Azure's"),
        (1, "as Azure's"),
        (-1, "as Azure's"),
        (20, "20 minutes ahead of Azure's"),
        (-3, "3 minutes behind Azure's"),
    ],
)
def test_a_clock_that_is_wrong_is_told_with_its_mend(minutes: int, found: str) -> None:
    told, mend = asyncio.run(_clock(services(THEIRS + timedelta(minutes=minutes), THEIRS)))
    assert told == found
    assert bool(mend) is ("minutes" in found)


def test_a_service_that_does_not_say_is_no_fault() -> None:
    assert asyncio.run(_clock(services(THEIRS, None))) == ("Azure did not say what time it is", "")


@pytest.mark.parametrize("text", ["Mon, 08 Jun 2026 20:00:00 GMT", "Mon, 08 Jun 2026 22:00:00 +0200"])
def test_the_time_of_an_answer(text: str) -> None:
    assert answered_at({"date": text}) == answered_at({"Date": text}) == THEIRS


@pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "soon"}])
def test_an_answer_without_a_time(headers: dict[str, str]) -> None:
    assert answered_at(headers) is None
