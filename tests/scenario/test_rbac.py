"""Roles on the twin: power that is on the target already is found by what it allows, whatever the role is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage, pooled, spec_of

from avdtwin.state import CustomRole, RoleAssignment
from crossfade.assessment.findings import Findings
from crossfade.commands.assess import assess
from crossfade.commands.verify import verify
from crossfade.commands.workspace import FINDINGS, INVENTORY, TARGET
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.report.plan_text import automation, roles

EVERYTHING, OPENER, DESKS = (f"0000000{n}-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
USE = "Microsoft.DesktopVirtualization/applicationGroups/useApplications/action"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage.of(spec_of(pooled(hosts=1)), tmp_path)
    made.world.state.arm.custom_roles = {
        EVERYTHING: CustomRole(guid=EVERYTHING, name="Reader of reports", actions=["*"]),
        OPENER: CustomRole(guid=OPENER, name="Lunch menu", data_actions=[USE]),
        DESKS: CustomRole(guid=DESKS, name="Desktop team", actions=["Microsoft.DesktopVirtualization/*"]),
    }
    return made


def give(stage: Stage, role: str, person: str, scope: str) -> None:
    number = len(stage.world.state.arm.role_assignments)
    name = f"00000000-0000-4000-8000-{number:012d}"
    made = RoleAssignment(
        id=f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        name=name,
        scope=scope,
        role_definition_id=f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        principal_id=person,
        principal_type="User",
        created_at=stage.world.now,
        effective_at=stage.world.now,
    )
    stage.world.state.arm.role_assignments[made.id.lower()] = made


def a_stranger(stage: Stage) -> tuple[str, str]:
    """Somebody of the directory to whom classic gives nothing: UPN and object id."""
    inventory = stage.workspace.read(INVENTORY, Inventory)
    assigned = {item.upn.casefold() for item in inventory.assignments}
    people = stage.world.state.directory.users.values()
    found = next(user for user in people if user.upn.lower() not in assigned and user.enabled)
    return found.upn, found.id


def test_power_is_found_by_its_actions(stage: Stage) -> None:
    stage.discover()
    _, person = a_stranger(stage)
    subscription = f"/subscriptions/{stage.rehearsal.subscription}"
    for role in (EVERYTHING, DESKS):
        give(stage, role, person, subscription)
    stage.discover()
    assess(stage.workspace, stage.rehearsal.clock)
    found = [one for one in stage.workspace.read(FINDINGS, Findings).findings if one.rule == "role-inherited"]
    told = {one.evidence["role"]: one for one in found}
    assert "Reader of reports" in told
    assert "Desktop team" not in told
    assert "give anybody any desktop" in told["Reader of reports"].why
    assert told["Reader of reports"].evidence["actions"] == ["*"]
    assert {"Contributor", "User Access Administrator"} <= told.keys()  # the operator's own


def test_a_role_that_opens_desktops_under_another_name_is_a_gain(stage: Stage) -> None:
    stage.make_plan(outage="when-empty")
    upn, person = a_stranger(stage)
    assert stage.apply().state == "finished"
    give(stage, OPENER, person, f"/subscriptions/{stage.rehearsal.subscription}")
    stage.wait(900)
    proof = stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))
    assert {one.person.casefold() for one in proof.gained} == {upn.casefold()}
    assert proof.lost == []
    stage.discover()
    assess(stage.workspace, stage.rehearsal.clock)
    found = [one for one in stage.workspace.read(FINDINGS, Findings).findings if one.rule == "role-inherited"]
    assert any(one.evidence["role"] == "Lunch menu" and "gain access" in one.why for one in found)
    assert stage.workspace.read(TARGET, TargetSnapshot).role(OPENER) is not None


def test_proposals_tell_the_difference_and_each_application_what_it_becomes(stage: Stage) -> None:
    plan = stage.make_plan(outage="when-empty")
    assert plan.roles
    assert not {one.operation for one in plan.roles if one.operation} & {op.id for op in plan.operations}
    told = roles(plan)
    assert any("Less:" in line or "More:" in line for line in told)
    robots = {role.app_id for role in stage.workspace.read(INVENTORY, Inventory).roles if role.app_id}
    assert robots
    lines = "\n".join(automation(plan))
    assert all(app in lines for app in robots)
    known = stage.world.state.directory.service_principals.values()
    names = {one.display_name for one in known if one.app_id in robots}
    assert names
    assert names <= {one.principal_label for one in plan.roles}, "classic keeps no names of applications"
    assert "https://management.azure.com" in lines
