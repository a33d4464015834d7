"""An Azure role in the place of a classic one: granted on the twin after a yes, taken back with the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage, pooled, spec_of

from avdtwin.state import Resource
from crossfade.plan.intent import Diagnostics
from crossfade.plan.operations import Action, GrantRole
from crossfade.plan.rbac import PUBLISHERS_ONLY
from crossfade.plan.role_proposal import RoleProposal


def log_workspace(stage: Stage) -> str:
    """One that somebody has made before: its id."""
    group = f"/subscriptions/{stage.rehearsal.subscription}/resourceGroups/rg-logs"
    workspace = f"{group}/providers/Microsoft.OperationalInsights/workspaces/law"
    made = {
        group: ("Microsoft.Resources/resourceGroups", {}),
        workspace: ("Microsoft.OperationalInsights/workspaces", {"customerId": stage.world.guid("logs")}),
    }
    for one, (kind, properties) in made.items():
        found = Resource(id=one, type=kind, name=one.rpartition("/")[2], properties=properties, location="westeurope")
        stage.world.state.arm.resources[one.lower()] = found
    return workspace


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.of(spec_of(pooled()), tmp_path)


def grantable(stage: Stage) -> list[RoleProposal]:
    return [one for one in stage.make_plan().roles if not one.needs]


def held(stage: Stage) -> set[tuple[str, str, str]]:
    found = stage.world.state.arm.role_assignments.values()
    return {(one.scope.lower(), one.role_definition_id.lower()[-36:], one.principal_id.lower()) for one in found}


def test_after_a_yes_it_is_granted_and_without_one_it_is_not(stage: Stage) -> None:
    proposals = grantable(stage)
    assert proposals, "the estate has somebody with a classic role"
    chosen = proposals[0].id
    stage.make_plan(roles={chosen: "grant"})
    assert stage.apply().state == "finished"
    for one in proposals:
        wanted = (one.scope.lower(), one.role.lower(), one.principal.lower())
        assert (wanted in held(stage)) == (one.id == chosen), one


def test_the_reader_of_the_logs_is_there_already_when_it_is_planned_again(stage: Stage) -> None:
    """A role on a Log Analytics workspace: no role of the desktop service, and on no object of it."""
    scope = log_workspace(stage)
    logs = {"outage": "when-empty", "diagnostics": Diagnostics(workspace=scope)}
    (proposal,) = [one for one in stage.make_plan(**logs).roles if one.scope == scope]
    yes = {**logs, "roles": {proposal.id: "grant"}}

    def planned() -> Action:
        made = stage.make_plan(**yes)
        return next(one.action for one in made.operations if one.id == proposal.operation)

    assert planned() is Action.CREATE
    done = stage.apply()
    assert done.state == "finished", done.error
    assert planned() is Action.ADOPT


def test_an_owner_becomes_one_who_gives_access_to_desktops_and_to_nothing_else(stage: Stage) -> None:
    owners = {one.id for one in stage.make_plan().roles if one.condition and not one.needs}
    assert owners, "the estate has an owner in classic"
    stage.make_plan(outage="when-empty", roles=dict.fromkeys(owners, "grant"))
    done = stage.apply()
    assert done.state == "finished", done.error
    made = [one for one in stage.world.state.arm.role_assignments.values() if one.condition]
    assert {(one.condition, one.condition_version) for one in made} == {(PUBLISHERS_ONLY, "2.0")}
    again = stage.make_plan(outage="when-empty", roles=dict.fromkeys(owners, "grant"))
    conditional = [one for one in again.operations if isinstance(one, GrantRole) and one.condition]
    assert conditional
    assert {(str(one.action), one.reason) for one in conditional} == {("adopt", "is granted already")}
