"""When a person is off, judged by what was seen of them."""

from datetime import UTC, datetime, timedelta

import pytest

from crossfade.execution.presence import Presence
from crossfade.execution.source import LiveSession

HOST = "Group/Tenant/Pool/pc-1.example"
START = datetime(2026, 6, 8, 7, tzinfo=UTC)
WORKING = [LiveSession(session_id=3, upn="ann@example.com", disconnected=False)]
AWAY = [LiveSession(session_id=3, upn="ann@example.com", disconnected=True)]


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


def off(*looks: tuple[float, list[LiveSession]], quiet: bool = False) -> bool:
    """Whether the person is off at the last of these looks: hours since the start, and the sessions then."""
    clock = Hand()
    presence = Presence(clock)
    verdict = False
    for hours, sessions in looks:
        clock.at = START + timedelta(hours=hours)
        verdict, why = presence.is_off(HOST, sessions, quiet=quiet)
        assert why
    return verdict


@pytest.mark.parametrize(
    ("looks", "wanted"),
    [
        ([(0, WORKING)], False),
        ([(0, WORKING), (1, [])], False),
        ([(0, WORKING), (3, AWAY)], False),
        ([(0, WORKING), (4, [])], True),
        ([(0, WORKING), (5, AWAY)], True),
        ([(0, WORKING), (10, [])], False),
        ([(0, WORKING), (3, []), (3.1, WORKING), (5, [])], False),
        ([(0, [])], False),
    ],
)
def test_an_ended_day_is_told_from_a_pause(looks: list[tuple[float, list[LiveSession]]], wanted: bool) -> None:
    assert off(*looks) is wanted
    assert off(*looks, quiet=True) is wanted


def test_who_was_not_seen_for_a_day_is_off_in_a_quiet_hour_only() -> None:
    assert not off((0, []), (25, []))
    assert not off((0, []), (20, []), quiet=True)
    assert off((0, []), (25, []), quiet=True)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ([(0, WORKING), (1, [])], [(4, [])], True),
        ([(0, WORKING), (1, [])], [(3, [])], False),
        ([(0, [])], [(25, [])], True),
        ([(0, WORKING)], [(5, [])], False),
        ([(0, WORKING)], [(5, []), (8, [])], False),
        ([(0, WORKING)], [(5, []), (9, [])], True),
        ([(0, WORKING)], [(5, WORKING), (6, [])], False),
    ],
)
def test_a_restart_forgets_nothing_and_takes_nobody_for_gone_too_early(
    before: list[tuple[float, list[LiveSession]]], after: list[tuple[float, list[LiveSession]]], wanted: bool
) -> None:
    clock, journal = Hand(), []
    presence = Presence(clock, keep=journal.append)
    for hours, sessions in before:
        clock.at = START + timedelta(hours=hours)
        presence.note(HOST, sessions)
    restarted = Presence(clock, kept=list(journal), keep=journal.append)
    verdict = not wanted
    for hours, sessions in after:
        clock.at = START + timedelta(hours=hours)
        verdict, _ = restarted.is_off(HOST, sessions, quiet=True)
    assert verdict is wanted


def test_only_what_changes_is_kept() -> None:
    clock = Hand()
    kept: list[dict[str, object]] = []
    presence = Presence(clock, keep=kept.append)
    for hours, sessions in enumerate([[], [], WORKING, WORKING, AWAY, AWAY]):
        clock.at = START + timedelta(hours=hours)
        presence.note(HOST, sessions)
    assert [one["working"] for one in kept] == [False, True, False]
