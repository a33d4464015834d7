"""What stands against a plan, told all at once."""

from __future__ import annotations

import msgspec
import pytest
from builders import SUB, TENANT, Estate, intent, plan_of

from crossfade.assessment.findings import Finding, Findings, Severity
from crossfade.errors import PlanConflict
from crossfade.plan.intent import Accepted, Azure, Intent, PoolIntent
from crossfade.plan.planner import make_plan
from crossfade.plan.selfcheck import check_plan


def finding(subject: str = f"{TENANT}/Office", severity: Severity = Severity.BLOCKER) -> Finding:
    return Finding(
        id=f"r:{subject}", rule="r", severity=severity, subject=subject, what="It is so.", why="W.", mend="M."
    )


def office() -> Estate:
    estate = Estate()
    estate.pool("Office")
    estate.pool("Other")
    return estate


def refused(estate: Estate, findings: Findings | None = None, **members: object) -> list[str]:
    with pytest.raises(PlanConflict) as caught:
        plan_of(estate, findings=findings, **members)
    return [str(problem) for problem in caught.value.problems]


def test_what_is_missing_is_told_together() -> None:
    problems = refused(office(), azure=Azure(), pools={"g/t/nowhere": PoolIntent()}, rename={"g/t/x": "y"})
    assert len(problems) == 4
    assert any("subscription is not set" in problem for problem in problems)
    assert any("location is not set" in problem for problem in problems)


@pytest.mark.parametrize(
    ("azure", "told"),
    [
        (Azure(subscription="another", location="westeurope"), "not among the subscriptions"),
        (Azure(subscription="another", location="westeurope"), f"Write one that it was read from ({SUB})"),
        (Azure(location="westeurope"), f"subscription is not set. Write its id there: target.json was read from {SUB}"),
        (Azure(subscription=SUB, location="antarctica"), "antarctica cannot hold host pools"),
        (Azure(subscription=SUB, location="westeurope", tenant_id="other"), "was read from the directory"),
    ],
)
def test_a_target_that_was_not_read_is_no_target(azure: Azure, told: str) -> None:
    assert any(told in problem for problem in refused(office(), azure=azure))


def test_locations_are_compared_as_people_write_them() -> None:
    plan = plan_of(office(), azure=Azure(subscription=SUB.upper(), location="West Europe"))
    assert plan.waves


def test_a_blocker_stops_until_somebody_answers_for_it() -> None:
    found = Findings(findings=[finding(), finding("x", Severity.WARNING)])
    assert refused(office(), found) == [f"{TENANT}/Office: It is so. W. M."]
    answer = Accepted(finding=f"R:{TENANT}/office", by="Kim", reason="known", until="2026-06-01")
    plan = plan_of(office(), findings=found, accepted=[answer])
    assert plan.accepted == [answer.finding]
    late = msgspec.structs.replace(answer, until="2026-05-31")
    assert "ran out on 2026-05-31" in refused(office(), found, accepted=[late])[0]


def test_a_blocker_of_a_pool_that_is_left_out_stops_nobody() -> None:
    found = Findings(findings=[finding(f"{TENANT}/Office/host.x")])
    assert plan_of(office(), findings=found, pools={f"{TENANT}/OFFICE": PoolIntent(skip=True)}).hosts
    assert refused(office(), found, pools={f"{TENANT}/Off": PoolIntent(skip=True)})


def test_an_acceptance_that_answers_nothing_is_told() -> None:
    answers = [
        Accepted(finding=name, by="Kim", reason="r", until="2027-01-01")
        for name in ("typo:x", "conditional-access:unread")
    ]
    notes = plan_of(office(), accepted=answers).notes
    assert [note for note in notes if note.startswith("Accepted")] == [
        "Accepted is typo:x, which assessment did not find."
    ]


def test_findings_of_another_inventory_are_refused() -> None:
    estate = office()
    found = Findings(
        inputs={"inventory": estate.inventory().design_digest(), "target": estate.target().design_digest()}
    )
    assert plan_of(estate, findings=found).inputs["inventory"] == found.inputs["inventory"]
    estate.pool("New")
    assert "made from another inventory" in refused(estate, found)[0]


def test_the_intent_is_part_of_what_a_plan_is_made_from() -> None:
    one, two = plan_of(office()), plan_of(office(), tags={"owner": "kim"})
    assert one.inputs["intent"] != two.inputs["intent"]
    assert two.operations[2].body["tags"]["owner"] == "kim"  # type: ignore[union-attr]
    assert check_plan(one) == check_plan(two) == []


def test_an_empty_estate_is_an_empty_plan() -> None:
    estate = Estate()
    plan = make_plan(estate.inventory(), estate.target(), Findings(), intent(), today="2026-06-01")
    assert not plan.waves
    assert not check_plan(plan)
    assert isinstance(intent(), Intent)
