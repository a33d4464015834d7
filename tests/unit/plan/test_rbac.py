"""Classic roles: a proposal for each, at the narrowest scope; granted only after a yes, and never more than it says."""

from __future__ import annotations

import msgspec
import pytest
from builders import DAG, SUB, TENANT, Estate, grants, oid, plan_of

from crossfade.errors import PlanConflict
from crossfade.model.classic import RoleAssignment
from crossfade.model.ids import DESKTOP_USER_ROLE
from crossfade.model.target import RoleGrant
from crossfade.plan.intent import Diagnostics
from crossfade.plan.operations import Action, AnyOperation, GrantRole
from crossfade.plan.plan import Plan
from crossfade.plan.rbac import PUBLISHERS_ONLY, ROLES
from crossfade.plan.selfcheck import check_plan
from crossfade.report.plan_text import automation

POOL = f"{TENANT}/Office"
SCOPES = ["", "Default Tenant Group", TENANT, POOL, f"{POOL}/{DAG}"]


def role(key: str, name: str, **members: str) -> RoleAssignment:
    members = {"object_id": oid("admin"), "object_type": "User", "sign_in_name": "admin@contoso.com", **members}
    return RoleAssignment(key=key, role=name, **members)


def plan(*roles: RoleAssignment, **members: object) -> Plan:
    estate = Estate()
    estate.pool("Office", people=2)
    estate.roles += roles
    return plan_of(estate, **members)


def extra(made: Plan) -> list[GrantRole]:
    return [grant for grant in grants(made) if grant.role != DESKTOP_USER_ROLE]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", ["RDS Owner", "RDS Contributor", "RDS Reader", "RDS Operator", "Custom"])
def test_every_role_at_every_scope_is_proposed_and_none_granted(name: str, scope: str) -> None:
    made = plan(role(scope, name))
    assert made.roles
    assert all(one.reason and one.difference for one in made.roles)
    assert all(one.needs or (one.scope and one.role in ROLES.values()) for one in made.roles)
    assert extra(made) == []
    assert not check_plan(made)


@pytest.mark.parametrize(
    ("scope", "kinds"),
    [
        (TENANT, ["resourcegroups"]),
        (POOL, ["applicationgroups", "hostpools"]),
        (f"{POOL}/{DAG}", ["applicationgroups"]),
    ],
)
def test_the_scope_is_the_narrowest(scope: str, kinds: list[str]) -> None:
    made = plan(role(scope, "RDS Contributor"))
    assert sorted(one.scope.rsplit("/", 2)[1].lower() for one in made.roles) == kinds


def test_a_yes_makes_operations_of_what_the_proposal_says() -> None:
    decided = {f"{POOL}#RDS Contributor#{oid('admin')}".upper(): "grant"}
    made = plan(role(POOL, "RDS Contributor"), roles=decided)
    assert {(grant.scope, grant.role) for grant in extra(made)} == {(one.scope, one.role) for one in made.roles}
    assert all(grant.principal == oid("admin") and grant.source is None for grant in extra(made))
    assert not any(grant.id in wave.publish for wave in made.waves for grant in extra(made))
    assert not check_plan(made)
    assert extra(plan(role(POOL, "RDS Contributor"), roles={next(iter(decided)): "skip"})) == []


def test_an_owner_gives_access_under_a_condition_and_no_other_role() -> None:
    made = plan(role(POOL, "RDS Owner"), roles={f"{POOL}#RDS Owner#{oid('admin')}": "grant"})
    assert not any(one.needs for one in made.roles)
    conditions = {grant.role: grant.condition for grant in extra(made)}
    giver = ROLES["Role Based Access Control Administrator"]
    assert conditions == {ROLES["Desktop Virtualization Contributor"]: "", giver: PUBLISHERS_ONLY}
    assert PUBLISHERS_ONLY.count(DESKTOP_USER_ROLE) == 2
    assert PUBLISHERS_ONLY.count("(") == PUBLISHERS_ONLY.count(")")
    assert not check_plan(made)
    wide = [msgspec.structs.replace(one, condition="") if one in extra(made) else one for one in made.operations]
    assert any("is not what the proposal" in problem.what for problem in check_plan(replaced(made, wide)))


def replaced(made: Plan, operations: list[AnyOperation]) -> Plan:
    return msgspec.structs.replace(made, operations=operations)


def test_one_that_is_there_without_the_condition_is_adopted_and_told() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    estate.roles.append(role(TENANT, "RDS Owner"))
    yes = {f"{TENANT}#RDS Owner#{oid('admin')}": "grant"}
    first = next(one for one in extra(plan_of(estate, roles=yes)) if one.condition)
    there = RoleGrant(
        id="by-hand", scope=first.scope, role=first.role, principal_id=first.principal, principal_type="User"
    )
    again = {one.id: one for one in extra(plan_of(estate, estate.target(powerful=[there]), roles=yes))}
    assert again[first.id].action is Action.ADOPT
    assert "without the condition: it may grant any role" in again[first.id].reason


def test_what_is_granted_already_is_adopted() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    estate.roles.append(role(POOL, "RDS Reader"))
    yes = {f"{POOL}#RDS Reader#{oid('admin')}": "grant"}
    first = extra(plan_of(estate, roles=yes))[0]
    there = RoleGrant(
        id="by-hand", scope=first.scope, role=first.role, principal_id=first.principal, principal_type="User"
    )
    again = {grant.id: grant for grant in extra(plan_of(estate, estate.target(grants=[there]), roles=yes))}
    assert (again[first.id].action, again[first.id].subject) == (Action.ADOPT, "by-hand")


def test_a_group_is_granted_as_a_group_where_classic_does_not_say_what_it_is() -> None:
    group = RoleAssignment(key=POOL, role="RDS Reader", group_object_id="g-1", display_name="Helpdesk")
    made = plan(group, roles={f"{POOL}#RDS Reader#g-1": "grant"})
    assert {(one.principal, one.principal_type) for one in extra(made)} == {("g-1", "Group")}
    assert not check_plan(made)


def test_automation_is_told_what_it_must_become() -> None:
    made = plan(role(TENANT, "RDS Contributor", object_type="ServicePrincipal", sign_in_name="", app_id="app-1"))
    assert all("Azure Resource Manager" in one.automation for one in made.roles)
    assert {one.principal_type for one in made.roles} == {"ServicePrincipal"}
    assert {one.app_id for one in made.roles} == {"app-1"}


def test_each_application_is_listed_once_with_everything_it_must_become() -> None:
    robot = {"object_type": "ServicePrincipal", "sign_in_name": "", "app_id": "app-1", "display_name": "Scaler"}
    made = plan(role(TENANT, "RDS Contributor", **robot), role(POOL, "RDS Reader", **robot), role(TENANT, "RDS Reader"))
    lines = automation(made)
    assert lines[0] == "Scaler (application app-1)"
    assert sum("application app-1" in line for line in lines) == 1
    text = "\n".join(lines)
    for name in ("Desktop Virtualization Contributor", "Host Pool Reader", "9cdead84", "https://management.azure.com"):
        assert name in text
    assert "admin@contoso.com" not in text


@pytest.mark.parametrize(
    ("key", "told"), [("nothing#of#this", "is no classic role"), (f"{TENANT}#RDS Operator#{oid('admin')}", "workspace")]
)
def test_a_yes_that_cannot_be_followed_makes_no_plan(key: str, told: str) -> None:
    with pytest.raises(PlanConflict, match=told):
        plan(role(TENANT, "RDS Operator"), roles={key: "grant"})


def test_a_plan_whose_grant_is_not_its_proposal_is_not_whole() -> None:
    made = plan(role(POOL, "RDS Reader"), roles={f"{POOL}#RDS Reader#{oid('admin')}": "grant"})
    worse = [
        msgspec.structs.replace(one, role="8e3af657-a8ff-443c-a75c-2fe8c4bcb635") if one in extra(made) else one
        for one in made.operations
    ]
    assert check_plan(msgspec.structs.replace(made, operations=worse))
    assert check_plan(msgspec.structs.replace(made, roles=[]))


def test_an_operator_reads_the_logs_of_the_workspace_that_is_named() -> None:
    logs = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/law"
    named = Diagnostics(workspace=logs)
    (one,) = plan(role(POOL, "RDS Operator"), diagnostics=named).roles
    assert (one.scope, one.role_name, one.needs) == (logs, "Log Analytics Reader", "")
    made = plan(role(POOL, "RDS Operator"), diagnostics=named, roles={one.id: "grant"})
    assert [grant.scope for grant in extra(made)] == [logs]
    assert not check_plan(made)
