"""person-recased: one person under several casings."""

from __future__ import annotations

from asking import without_target
from builders import Estate

from crossfade.assessment.rules.person_recased import RULE


def test_holds() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=1)
    estate.group(pool, "Apps", people=["Office0@Contoso.com"])
    (found,) = without_target(RULE, estate)
    assert found.subject == "office0@contoso.com"
    assert found.evidence["spellings"] == ["Office0@Contoso.com", "office0@contoso.com"]


def test_does_not_hold() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=2)
    estate.group(pool, "Apps", people=["office0@contoso.com"])
    assert without_target(RULE, estate) == []
