"""not-read: something could not be read."""

from __future__ import annotations

import pytest
from asking import asked, without_target
from builders import Estate, plan_of

from crossfade.assessment.findings import Findings
from crossfade.assessment.rules.not_read import RULE
from crossfade.errors import PlanConflict
from crossfade.model.provenance import Gap
from crossfade.plan.intent import PoolIntent


def test_holds_once_per_subject() -> None:
    estate = Estate()
    estate.gaps += [
        Gap(subject="app group x", what="A.", why="W.", mend="M."),
        Gap(subject="app group x", what="B.", why="W.", mend="M."),
    ]
    target = estate.target(gaps=[Gap(subject="quota", what="Q.", why="W.", mend="M.")])
    group, quota = asked(RULE, estate, target)
    assert (group.what, group.why, quota.subject) == ("A. B.", "W.", "quota")


def test_people_apps_and_hosts_of_classic_that_did_not_come_are_a_blocker() -> None:
    estate = Estate()
    pool = estate.pool("Office")
    apps = estate.group(pool, "Apps")
    estate.gaps += [
        Gap(subject=f"the {what}", what="It could not be read.", why="W.", mend="M.")
        for what in (f"AssignedUsers of {apps}", f"RemoteApps of {apps}", f"Sessions of {pool}")
    ]
    estate.app(apps, "Excel")  # from an export
    lost, filled, live = asked(RULE, estate)
    assert (lost.severity, filled.severity, live.severity) == ("blocker", "warning", "warning")
    assert "people would lose it" in lost.why
    with pytest.raises(PlanConflict, match=f"the AssignedUsers of {apps}"):
        plan_of(estate, findings=Findings(findings=[lost]))
    estate.pool("Kept")
    assert plan_of(estate, findings=Findings(findings=[lost]), pools={pool: PoolIntent(skip=True)}).waves


def test_does_not_hold() -> None:
    assert asked(RULE, Estate()) == without_target(RULE, Estate()) == []
