"""conditional-access: sign-in policies that treat the two services differently, or that nobody could read."""

from __future__ import annotations

from typing import Any

import pytest
from asking import asked, without_target
from builders import Estate

from crossfade.assessment.findings import Finding
from crossfade.assessment.rules.conditional_access import RULE
from crossfade.model.provenance import Gap
from crossfade.model.sign_in import CLASSIC_APPS, NEW_APPS, policy_of

OLD, OLD_CLIENT = CLASSIC_APPS
NEW, NEW_CLIENT = NEW_APPS


def row(included: list[str], excluded: list[str] | None = None, **more: Any) -> dict[str, Any]:
    apps = {"includeApplications": included, "excludeApplications": excluded or []}
    return {"id": "P-1", "displayName": "Ask twice", "state": "enabled", "conditions": {"applications": apps}, **more}


def found(*rows: dict[str, Any]) -> list[Finding]:
    estate = Estate()
    return asked(RULE, estate, estate.target(sign_in_policies=[policy_of(one) for one in rows]))


@pytest.mark.parametrize(
    ("included", "excluded", "missing"),
    [
        ([OLD], [], [NEW, NEW_CLIENT]),
        ([OLD.upper(), OLD_CLIENT, NEW], [], [NEW_CLIENT]),
        ([OLD_CLIENT, NEW_CLIENT], [], [NEW]),
        (["All"], [NEW], [NEW]),
        ([OLD, NEW, NEW_CLIENT], [NEW_CLIENT], [NEW_CLIENT]),
    ],
)
def test_one_that_covers_classic_and_not_all_of_the_new_service(
    included: list[str], excluded: list[str], missing: list[str]
) -> None:
    (one,) = found(row(included, excluded))
    assert (one.id, one.severity) == ("conditional-access:p-1", "blocker")
    assert one.evidence["applications"] == missing
    assert "Ask twice covers the classic service and not" in one.what


@pytest.mark.parametrize(("excluded", "covered"), [([OLD], [NEW, NEW_CLIENT]), ([OLD, OLD_CLIENT, NEW], [NEW_CLIENT])])
def test_one_that_spares_classic_and_covers_the_new_service(excluded: list[str], covered: list[str]) -> None:
    rows = found(row(["All"], [*excluded, *([OLD_CLIENT] if OLD_CLIENT not in excluded else [])]))
    assert [one.evidence["applications"] for one in rows] == [covered]
    assert "for the first time" in rows[0].what


@pytest.mark.parametrize(
    "policy",
    [
        row(["All"]),
        row([OLD, OLD_CLIENT, NEW, NEW_CLIENT]),
        row(["All"], [OLD, OLD_CLIENT, NEW, NEW_CLIENT]),
        row(["00000002-0000-0ff1-ce00-000000000000"]),
        row([OLD], state="disabled"),
        row([NEW]),
    ],
)
def test_one_that_treats_both_alike_or_neither(policy: dict[str, Any]) -> None:
    assert found(policy) == []


def test_one_that_only_reports_counts() -> None:
    assert len(found(row([OLD], state="enabledForReportingButNotEnforced"))) == 1


@pytest.mark.parametrize("conditions", [None, {}, {"applications": None}, {"applications": "x"}])
def test_one_that_came_in_part_is_never_guessed(conditions: Any) -> None:
    (one,) = found({"id": "p-2", "displayName": "Half", "conditions": conditions})
    assert one.id == "conditional-access:p-2"
    assert "nobody knows" in one.what


def test_none_could_be_read() -> None:
    estate = Estate()
    (one,) = asked(RULE, estate, estate.target(sign_in_policies=None))
    assert (one.id, one.severity) == ("conditional-access:unread", "blocker")
    gap = Gap(subject="the Conditional Access policies", what="", why="The service is ill.", mend="")
    (one,) = asked(RULE, estate, estate.target(sign_in_policies=None, gaps=[gap]))
    assert one.why == "The service is ill."


def test_without_target() -> None:
    assert without_target(RULE, Estate()) == []
