"""name-rewritten: a name is not one that the new service takes."""

from __future__ import annotations

import pytest
from asking import without_target
from builders import Estate

from crossfade.assessment.rules.name_rewritten import RULE


@pytest.mark.parametrize(
    ("pool", "group", "app", "told"),
    [
        ("x" * 65, "Apps", "Excel", "65 characters, 64 are allowed"),
        ("Pool", "Treasury & Tax", "Excel", "holds &"),
        ("Pool", "Apps", "General Ledger and Consolidation", "32 characters, 24 are allowed"),
        ("Pool", "Apps", "R", "fewer than 3"),
        ("Büro", "Apps", "Excel", "holds ü"),
    ],
)
def test_holds(pool: str, group: str, app: str, told: str) -> None:
    estate = Estate()
    estate.app(estate.group(estate.pool(pool), group), app)
    (found,) = without_target(RULE, estate)
    assert told in found.what


def test_does_not_hold() -> None:
    estate = Estate()
    estate.app(estate.group(estate.pool("x" * 64), "A.b_c-d @1"), "y" * 24)
    assert without_target(RULE, estate) == []
