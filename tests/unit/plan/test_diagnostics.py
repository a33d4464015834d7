"""Diagnostic settings in a plan: one for each new object, what is sent already is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from builders import SUB, Estate, plan_of

from crossfade.errors import InputError, PlanConflict
from crossfade.model.diagnostics import CATEGORIES, LATER, TYPE, body_of, setting_id
from crossfade.model.provenance import Gap
from crossfade.model.target import ArmObject, Permission
from crossfade.plan import preflight
from crossfade.plan.intent import Diagnostics, Intent
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.operations import Action, SendLogs
from crossfade.plan.plan import Plan

LOGS = f"/subscriptions/{SUB}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/law"
ELSEWHERE = LOGS.replace("/law", "/other")
POOL = f"/subscriptions/{SUB}/resourceGroups/rg-avd-Contoso/providers/Microsoft.DesktopVirtualization/hostPools/Office"


def planned(*there: ArmObject, gaps: list[Gap] | None = None, **more: Any) -> Plan:
    estate = Estate()
    estate.pool("Office")
    target = estate.target(objects=list(there), gaps=gaps or [])
    return plan_of(estate, target, diagnostics=Diagnostics(workspace=LOGS), **more)


def setting(name: str, body: dict[str, Any], resource: str = POOL) -> ArmObject:
    return ArmObject(id=setting_id(resource, name), type=TYPE, name=name, properties=body["properties"])


def of_pool(plan: Plan) -> SendLogs:
    return next(op for op in plan.operations if isinstance(op, SendLogs) and "/hostPools/" in op.resource)


def test_every_pool_group_and_workspace_sends_its_categories() -> None:
    found = {op.resource.split("/")[-2]: op for op in planned().operations if isinstance(op, SendLogs)}
    assert found.keys() == {"hostPools", "applicationGroups", "workspaces"}
    assert {op.action for op in found.values()} == {Action.CREATE}
    for kind, op in found.items():
        assert op.categories == list(CATEGORIES[kind.casefold()])
        assert op.subject == f"{op.resource}/providers/Microsoft.Insights/diagnosticSettings/crossfade"
    assert found["hostPools"].offered == list(LATER["hostpools"])


def test_none_without_a_workspace() -> None:
    estate = Estate()
    estate.pool("Office")
    assert not [op for op in plan_of(estate).operations if isinstance(op, SendLogs)]


def test_what_another_setting_sends_is_left_to_it() -> None:
    op = of_pool(planned(setting("theirs", body_of(LOGS.upper(), ["Connection", "Error"]))))
    assert op.action is Action.CREATE
    assert {"Connection", "Error"}.isdisjoint(op.categories)
    assert len(op.categories) == len(CATEGORIES["hostpools"]) - 2


def test_all_logs_of_another_setting_are_everything() -> None:
    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    op = of_pool(planned(setting("theirs", {"properties": {"workspaceId": LOGS, "logs": logs}})))
    assert (op.action, op.categories, op.offered) == (Action.ADOPT, [], [])
    assert "theirs" in op.reason


def test_another_workspace_or_a_category_switched_off_is_not_ours() -> None:
    off = [{"category": "Connection", "enabled": False}]
    op = of_pool(
        planned(
            setting("elsewhere", body_of(ELSEWHERE, CATEGORIES["hostpools"])),
            setting("off", {"properties": {"workspaceId": LOGS, "logs": off}}),
        )
    )
    assert (op.action, op.categories) == (Action.CREATE, list(CATEGORIES["hostpools"]))


def test_planned_again_it_is_there() -> None:
    op = of_pool(planned(setting("crossfade", body_of(LOGS, CATEGORIES["hostpools"]))))
    assert (op.action, op.reason) == (Action.ADOPT, "exists and matches")


@pytest.mark.parametrize(
    ("decision", "action"), [("", Action.CONFLICT), ("update", Action.UPDATE), ("adopt", Action.ADOPT)]
)
def test_one_of_our_name_that_differs_is_decided_by_the_operator(decision: str, action: Action) -> None:
    theirs = setting("crossfade", body_of(ELSEWHERE, ["Error"]))
    op = of_pool(planned(theirs, conflicts={theirs.id: decision} if decision else {}))
    assert op.action is action
    assert "another place" in op.reason
    assert op.prior == {"properties": theirs.properties}


def test_five_settings_are_all_that_an_object_takes() -> None:
    others = [setting(f"s{n}", body_of(f"{ELSEWHERE}{n}", ["Error"])) for n in range(5)]
    op = of_pool(planned(*others))
    assert op.action is Action.CONFLICT
    assert "5 diagnostic settings" in op.reason


def test_settings_that_could_not_be_read_stop_the_plan() -> None:
    gap = Gap(subject=f"the diagnostic settings of {POOL}", what="It could not be read.", why="No right.", mend="")
    with pytest.raises(PlanConflict) as caught:
        planned(gaps=[gap])
    assert [problem.where for problem in caught.value.problems] == [gap.subject]
    estate = Estate()
    estate.pool("Office")
    plan_of(estate, estate.target(gaps=[gap]))  # without [diagnostics] nobody needs to know


def test_classics_link_is_told_with_what_takes_its_place() -> None:
    estate = Estate(log_analytics_workspace_id="1234")
    estate.pool("Office")
    for diagnostics, words in ((Diagnostics(), "other tables"), (Diagnostics(workspace=LOGS), LOGS)):
        plan = plan_of(estate, diagnostics=diagnostics)
        (row,) = [row for row in plan.not_carried if row.property == "log_analytics_workspace_id"]
        assert words in row.why


@pytest.mark.parametrize("line", ['workspace = "law"', 'workspace = "/subscriptions/x"', 'name = "a/b"', 'name = ""'])
def test_a_wrong_setting_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(InputError) as caught:
        read_intent(f"[diagnostics]\n{line}\n".encode())
    assert [problem.where for problem in caught.value.problems] == ["crossfade.toml:2"]
    assert isinstance(read_intent(f'[diagnostics]\nworkspace = "{LOGS}"\n'.encode()), Intent)


def test_the_right_to_write_them_is_asked_for_only_where_they_are_written() -> None:
    estate = Estate()
    estate.pool("Office")
    mine = [Permission(scope=f"/subscriptions/{SUB}", actions=["*"], not_actions=["Microsoft.Insights/*"])]
    target = estate.target(permissions=mine)
    assert preflight.rights(plan_of(estate, target), target) == []
    (missing, link) = preflight.rights(plan_of(estate, target, diagnostics=Diagnostics(workspace=LOGS)), target)
    assert link.where == LOGS
    assert "may not send logs to this workspace" in link.what
    assert "send their logs" in missing.what
