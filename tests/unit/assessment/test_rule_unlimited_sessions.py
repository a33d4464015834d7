"""unlimited-sessions: a pool has no session limit."""

from __future__ import annotations

import pytest
from asking import without_target
from builders import Estate

from crossfade.assessment.rules.unlimited_sessions import NO_REAL_LIMIT, RULE
from crossfade.model.classic import LoadBalancer
from crossfade.plan import hosts


@pytest.mark.parametrize("limit", [None, 999_999, 99_999])
def test_holds(limit: int | None) -> None:
    estate = Estate()
    estate.pool("Office", max_session_limit=limit, load_balancer=LoadBalancer.DEPTH_FIRST)
    (found,) = without_target(RULE, estate)
    assert "depth-first" in found.why


def test_does_not_hold() -> None:
    estate = Estate()
    estate.pool("Office", max_session_limit=16)
    estate.pool("Own", personal=True)
    assert without_target(RULE, estate) == []


def test_the_planner_draws_the_same_line() -> None:
    assert hosts.NO_REAL_LIMIT == NO_REAL_LIMIT
