"""Logs on the twin: every new object sends its own to the chosen workspace, and no longer after a rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from back_kit import take_back, target_of
from logs_kit import CUSTOMER, lay_workspace, workspace_of
from stage import Stage, pooled, spec_of

from avdtwin import faults
from avdtwin.arm import diagnostics as twin
from avdtwin.arm import rights
from avdtwin.estate import OPERATOR_APP_ID
from avdtwin.state import RoleAssignment, Subscription
from crossfade.commands.discover import discover_target
from crossfade.commands.doctor import look_there
from crossfade.commands.workspace import INVENTORY
from crossfade.errors import PreflightFailed
from crossfade.inventory.inventory import Inventory
from crossfade.model.ids import LOG_READER_ROLE
from crossfade.plan.intent import Diagnostics
from crossfade.verification.settings import check_settings
from crossfade.verification.verification import SettingCheck

SETTINGS = "microsoft.insights/diagnosticsettings"


def settings_of(stage: Stage) -> dict[str, dict[str, Any]]:
    """Name of the object -> properties of its setting."""
    found = (one for one in stage.world.state.arm.resources.values() if one.type.lower() == SETTINGS)
    return {one.id.split("/providers/Microsoft.Insights")[0].split("/")[-1]: one.properties for one in found}


def checks(stage: Stage) -> list[SettingCheck]:
    inventory = stage.workspace.read(INVENTORY, Inventory)
    target = stage.with_services(lambda services: discover_target(services, inventory, [stage.rehearsal.subscription]))
    return [check for check in check_settings(stage.plan, target) if check.property == "diagnostics"]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage.of(spec_of(pooled(hosts=1)), tmp_path)
    lay_workspace(made.world, workspace_of(made))
    made.make_plan(outage="when-empty", diagnostics=Diagnostics(workspace=workspace_of(made)))
    return made


def test_there_after_the_run_proven_and_gone_after_a_rollback(stage: Stage) -> None:
    before = target_of(stage)
    assert stage.apply().state == "finished"
    found = settings_of(stage)
    assert found.keys() == {"Office Pool", "Office Pool-DAG", "Office Pool-Office Apps", "stage"}
    sent = {name: {log["category"] for log in one["logs"]} for name, one in found.items()}
    assert sent["Office Pool"] == set(twin.CATEGORIES["microsoft.desktopvirtualization/hostpools"])
    assert sent["stage"] == {"Checkpoint", "Error", "Management", "Feed"}
    assert {one["workspaceId"] for one in found.values()} == {workspace_of(stage)}
    assert {check.verdict for check in checks(stage)} == {"translated"}

    found["stage"]["logs"] = found["stage"]["logs"][:1]
    (lost,) = [check for check in checks(stage) if check.verdict == "different"]
    assert lost.subject.endswith("/workspaces/stage")

    assert take_back(stage).state == "rolled_back"
    assert settings_of(stage) == {}
    assert target_of(stage) == before


def test_a_cloud_that_knows_fewer_categories_gets_those(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    older = {kind: names[:8] for kind, names in twin.CATEGORIES.items()}
    monkeypatch.setattr(twin, "CATEGORIES", older)
    assert stage.apply().state == "finished"
    assert len(settings_of(stage)["Office Pool"]["logs"]) == 8
    assert {check.verdict for check in checks(stage)} == {"translated"}


def test_moved_and_planned_again_nothing_is_left_to_do(stage: Stage) -> None:
    assert stage.apply().state == "finished"
    plan = stage.make_plan(outage="when-empty", diagnostics=Diagnostics(workspace=workspace_of(stage)))
    logs = [op for op in plan.operations if type(op).__name__ == "SendLogs"]
    assert {str(op.action) for op in logs} == {"adopt"}


def test_the_doctor_asks_for_what_the_plan_of_the_folder_needs(stage: Stage) -> None:
    subscription = stage.rehearsal.subscription
    found = stage.with_services(lambda services: look_there(stage.workspace, services, [subscription]))
    action = "Microsoft.Insights/diagnosticSettings/write"
    assert [check.found for check in found if check.name == action] == ["may have the new objects send their logs"]
    linked = [check for check in found if check.name.endswith("workspaces/sharedKeys/action")]
    assert [check.found for check in linked] == ["may send logs to this workspace"]
    stage.make_plan(outage="when-empty")
    found = stage.with_services(lambda services: look_there(stage.workspace, services, [subscription]))
    assert not [check for check in found if check.name == action]


def test_settings_that_nobody_may_read_are_not_called_right(stage: Stage) -> None:
    assert stage.apply().state == "finished"
    fault = {"kind": "error", "status": 403, "match": {"service": "arm", "route": "providers/Microsoft.Insights/*"}}
    faults.put_in(stage.world, [fault])
    assert {(check.found, check.verdict) for check in checks(stage)} == {("could not be read", "different")}


def test_a_workspace_that_is_there_hears_of_the_move(stage: Stage) -> None:
    """Hosts register and report, changes are told with who made them, and no host is missing in the end."""
    world, customer_id = stage.world, CUSTOMER
    assert stage.apply().state == "finished"
    stage.wait(600)
    told: dict[str, list[dict[str, Any]]] = {}
    for row in world.state.logs[customer_id]:
        told.setdefault(row.table, []).append(row.values)
    hosts = {machine.fqdn for machine in world.state.machines.values()}
    assert {row["SessionHostName"] for row in told["WVDHostRegistrations"]} == hosts
    newest = {row["SessionHostName"]: row["Status"] for row in told["WVDAgentHealthStatus"]}
    assert newest == dict.fromkeys(hosts, "Available")
    operators = {each.app_id for each in world.state.directory.service_principals.values()}
    assert {row["UserName"] for row in told["WVDManagement"]} <= operators
    assert sum(row["ObjectsUpdated"] for row in told["WVDManagement"]) > 0


OTHER = "0f000000-0000-4000-a000-0000000000aa"
ELSEWHERE = f"/subscriptions/{OTHER}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/law"
READER, CONTRIBUTOR = "43d0d8ad-25c7-4714-9337-8ba259a9fe05", "92aaf0da-9dab-42b6-94a3-d43ce8d16293"


def given(stage: Stage, role: str, principal: str, scope: str = ELSEWHERE, kind: str = "ServicePrincipal") -> None:
    name = stage.world.guid(f"given {role} {principal}")
    rights.put(
        stage.world,
        RoleAssignment(
            id=f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
            name=name,
            scope=scope,
            role_definition_id=f"/subscriptions/{OTHER}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            principal_id=principal,
            principal_type=kind,
            created_at=stage.world.now,
            effective_at=stage.world.now,
        ),
    )


@pytest.fixture
def abroad(tmp_path: Path) -> Stage:
    """The workspace is in a subscription in which the caller may read at most."""
    made = Stage.of(spec_of(pooled(hosts=1)), tmp_path)
    made.world.state.arm.subscriptions[OTHER] = Subscription(id=OTHER, display_name="Central logs")
    lay_workspace(made.world, ELSEWHERE)
    made.logs = ELSEWHERE
    return made


def operator(stage: Stage) -> str:
    return next(
        one.id for one in stage.world.state.directory.service_principals.values() if one.app_id == OPERATOR_APP_ID
    )


def test_whoever_may_not_send_to_a_workspace_elsewhere_is_told_before_the_first_write(abroad: Stage) -> None:
    abroad.make_plan(outage="when-empty", diagnostics=Diagnostics(workspace=ELSEWHERE))
    with pytest.raises(PreflightFailed, match="could not be read") as caught:
        abroad.apply()
    assert [problem.where for problem in caught.value.problems] == [ELSEWHERE]
    given(abroad, READER, operator(abroad))
    with pytest.raises(PreflightFailed, match="may not send logs to this workspace") as caught:
        abroad.apply()
    assert "sharedKeys/action" in caught.value.problems[0].mend
    assert abroad.writes() == 0
    given(abroad, CONTRIBUTOR, operator(abroad))
    assert abroad.apply().state == "finished"
    assert {one["workspaceId"] for one in settings_of(abroad).values()} == {ELSEWHERE}


def test_who_reads_the_logs_elsewhere_is_known_and_not_let_in_again(abroad: Stage) -> None:
    given(abroad, READER, operator(abroad))
    logs: dict[str, Any] = {"outage": "when-empty", "diagnostics": Diagnostics(workspace=ELSEWHERE)}
    (proposal,) = [one for one in abroad.make_plan(**logs).roles if one.scope == ELSEWHERE]
    yes = {**logs, "roles": {proposal.id: "grant"}}

    def planned() -> str:
        return next(str(one.action) for one in abroad.make_plan(**yes).operations if one.id == proposal.operation)

    assert planned() == "create"
    with pytest.raises(PreflightFailed, match="may not let people read the logs"):
        abroad.apply()
    given(abroad, LOG_READER_ROLE, proposal.principal, kind=proposal.principal_type)
    assert planned() == "adopt"
