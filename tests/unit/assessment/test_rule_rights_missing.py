"""rights-missing: the caller lacks rights that the run needs."""

from __future__ import annotations

import pytest
from asking import asked, without_target
from builders import SUB, Estate

from crossfade.assessment.findings import Severity
from crossfade.assessment.rules.rights_missing import RULE
from crossfade.model.rights import NEEDED
from crossfade.model.target import Permission

SCOPE = f"/subscriptions/{SUB}"


def office(*permissions: Permission, subscriptions: tuple[str, ...] = (SUB,)) -> list:
    estate = Estate()
    estate.pool("Office")
    return asked(RULE, estate, estate.target(permissions=list(permissions), subscriptions=list(subscriptions)))


def test_holds_for_a_contributor_who_may_not_publish() -> None:
    (found,) = office(Permission(scope=SCOPE, actions=["*"], not_actions=["Microsoft.Authorization/*/Write"]))
    assert found.evidence["actions"] == ["Microsoft.Authorization/roleAssignments/write"]
    assert found.severity is Severity.BLOCKER


def test_holds_where_nothing_is_allowed() -> None:
    (found,) = office()
    assert found.evidence["actions"] == sorted(NEEDED)
    assert office(Permission(scope=f"{SCOPE}/resourceGroups/rg", actions=["*"]))


def test_of_several_subscriptions_it_is_a_warning() -> None:
    (found,) = office(Permission(scope=SCOPE, actions=["*"]), subscriptions=(SUB, "other"))
    assert (found.subject, found.severity) == ("/subscriptions/other", Severity.WARNING)


@pytest.mark.parametrize(
    "permissions",
    [
        [Permission(scope=SCOPE.upper(), actions=["*"])],
        [
            Permission(scope=SCOPE, actions=["*"], not_actions=["Microsoft.Authorization/*/Write"]),
            Permission(scope=SCOPE, actions=["microsoft.authorization/roleassignments/*"]),
        ],
        [Permission(scope=SCOPE, actions=list(NEEDED))],
    ],
)
def test_does_not_hold(permissions: list[Permission]) -> None:
    assert office(*permissions) == []


def test_does_not_hold_without_a_target() -> None:
    assert without_target(RULE, Estate()) == []
