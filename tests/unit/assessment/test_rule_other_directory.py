"""other-directory: tenant and target are of different directories."""

from __future__ import annotations

from asking import asked, without_target
from builders import DIRECTORY, Estate

from crossfade.assessment.rules.other_directory import RULE


def test_holds() -> None:
    estate = Estate()
    (found,) = asked(RULE, estate, estate.target(tenant_id="somewhere-else"))
    assert found.evidence == {"tenant": DIRECTORY, "target": "somewhere-else"}


def test_does_not_hold() -> None:
    estate = Estate()
    assert asked(RULE, estate, estate.target(tenant_id=DIRECTORY.upper())) == []
    assert asked(RULE, estate, estate.target(tenant_id="")) == without_target(RULE, estate) == []
