"""A plan is stale when something that it depends on has changed, and only then: an estate moves in parts."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from builders import DAG, SUB, TENANT, Estate, applied, grants, identity, oid, plan_of, vm_id

from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, fold
from crossfade.model.target import ArmObject, DirectoryGroup, RoleGrant
from crossfade.plan import preflight
from crossfade.plan.intent import PoolIntent
from crossfade.plan.plan import Plan

OFFICE, LAB = f"{TENANT}/Office", f"{TENANT}/Lab"
PROVIDER = f"/subscriptions/{SUB}/resourceGroups/rg-x/providers/Microsoft.DesktopVirtualization"


def estate() -> Estate:
    made = Estate()
    made.pool("Office", people=2)
    made.pool("Lab", people=2)
    made.app(made.group(LAB, "Lab Apps", people=["guest@contoso.com"]), "Calc")
    return made


def part(of: Estate, out: str, target: TargetSnapshot | None = None) -> Plan:
    return plan_of(of, target, pools={out: PoolIntent(skip=True)})


def stale(plan: Plan, was: Estate, now: Estate, target: TargetSnapshot) -> str:
    found = preflight.stale(plan, now.inventory(), target, was.inventory(), was.target())
    return " ".join(f"{problem.where} {problem.what}" for problem in found)


def after_the_other(was: Estate, other: Plan) -> tuple[Estate, TargetSnapshot]:
    """The world once the run of the other part has ended: its people have left classic and hold the target."""
    now = estate()
    now.assignments = [one for one in now.assignments if not one.key.startswith(LAB)]
    now.change(f"{LAB}/lab-0.corp.contoso.com", allow_new_session=False)
    target = applied(other, was.target())
    host = ArmObject(
        id=f"{next(name.target for name in other.names if name.source == LAB)}/sessionHosts/lab-0.corp.contoso.com",
        type="Microsoft.DesktopVirtualization/hostPools/sessionHosts",
        name="lab-0.corp.contoso.com",
        properties={"resourceId": vm_id("lab-0")},
    )
    given = [
        RoleGrant(
            id=one.subject,
            scope=one.scope,
            role=one.role,
            principal_id=one.principal,
            principal_type=one.principal_type,
        )
        for one in grants(other)
    ]
    group = DirectoryGroup(id="lab-group", display_name="Lab people", members=[oid("guest@contoso.com")])
    given.append(
        RoleGrant(id="/g", scope=given[0].scope, role=given[0].role, principal_id="lab-group", principal_type="Group")
    )
    people = [identity(f"office{n}@contoso.com") for n in range(2)] + [identity("guest@contoso.com")]
    workspace = next(name.target for name in other.names if name.source == TENANT)
    told = [
        msgspec.structs.replace(one, properties={**one.properties, "workspaceArmPath": workspace})
        if one.type.endswith("/applicationGroups")
        else one
        for one in target.objects
    ]
    objects = sorted([*told, host], key=lambda one: fold(one.id))
    more = {"objects": objects, "grants": given, "identities": people, "directory_groups": [group]}
    return now, msgspec.structs.replace(target, **more)


def test_what_the_run_of_another_part_does_is_nothing_to_a_plan() -> None:
    """Also in the resource group and the workspace that both would make."""
    was = estate()
    mine, other = part(was, LAB), part(was, OFFICE)
    now, target = after_the_other(was, other)
    assert {one.type.rpartition("/")[2] for one in target.objects} >= {"resourceGroups", "workspaces", "sessionHosts"}
    assert stale(mine, was, now, target) == ""


def test_parts_planned_one_after_the_other_stay_fresh_too() -> None:
    was = estate()
    _, target = after_the_other(was, part(was, OFFICE))
    mine = part(was, LAB, target)
    again = msgspec.structs.replace(target, grants=[], directory_groups=[])
    assert preflight.stale(mine, was.inventory(), again) == [], "the other part was rolled back meanwhile"


def test_a_plan_of_the_whole_estate_depends_on_all_of_it() -> None:
    was, now = estate(), estate()
    now.assignments.pop()
    assert "guest@contoso.com is no longer assigned to Lab/Lab Apps" in stale(plan_of(was), was, now, was.target())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda now: now.change(OFFICE, max_session_limit=3), f"pool {OFFICE} is another now (max_session_limit)"),
        (lambda now: now.group(OFFICE, "New"), f"app group {OFFICE}/New is new"),
        (lambda now: now.hosts.pop(0), "host Default Tenant Group/Contoso/Office/office-0.corp.contoso.com is gone"),
        (lambda now: now.assignments.pop(0), f"office0@contoso.com is no longer assigned to Office/{DAG}"),
        (lambda now: now.change(TENANT, friendly_name="Other"), f"tenant {TENANT} is another now (friendly_name)"),
        (lambda now: now.pool("Fresh", hosts=0, people=0), f"pool {TENANT}/Fresh is new"),
    ],
    ids=["pool", "group", "host", "person", "tenant", "a pool that nobody has decided about"],
)
def test_what_changes_in_its_own_part_of_classic_makes_it_stale(change: Callable[[Estate], None], told: str) -> None:
    was, now = estate(), estate()
    change(now)
    assert told in stale(part(was, LAB), was, now, was.target())


def grant_at(scope: str, name: str = "/g/1") -> RoleGrant:
    return RoleGrant(
        id=name, scope=scope, role=DESKTOP_USER_ROLE, principal_id=oid("stranger@contoso.com"), principal_type="User"
    )


def own_ids(plan: Plan) -> tuple[str, str, str]:
    """Its pool, its desktop group, its workspace."""
    by = {name.source: name.target for name in plan.names}
    return by[OFFICE], by[f"{OFFICE}/{DAG}"], by[TENANT]


def changes(plan: Plan) -> dict[str, TargetSnapshot]:
    """Changes on the target that concern the plan's part, one at a time."""
    pool, group, _ = own_ids(plan)
    fresh = estate().target()

    def with_object(id: str, type: str, **properties: object) -> TargetSnapshot:
        made = ArmObject(id=id, type=f"Microsoft.DesktopVirtualization/{type}", name="x", properties=properties)
        return msgspec.structs.replace(fresh, objects=[made])

    return {
        "its pool is there already": with_object(pool, "hostPools"),
        "something below its pool": with_object(f"{pool}/sessionHosts/h", "hostPools/sessionHosts"),
        "its VM in another pool": with_object(
            f"{PROVIDER}/hostPools/p/sessionHosts/h", "hostPools/sessionHosts", resourceId=vm_id("office-1")
        ),
        "a foreign scaling plan on its pool": with_object(
            f"{PROVIDER}/scalingPlans/s", "scalingPlans", hostPoolReferences=[{"hostPoolArmPath": pool.upper()}]
        ),
        "its group in a foreign workspace": with_object(
            f"{PROVIDER}/workspaces/w", "workspaces", applicationGroupReferences=[group]
        ),
        "a grant on its group": msgspec.structs.replace(fresh, grants=[grant_at(group)]),
        "a grant that reaches down to it": msgspec.structs.replace(fresh, grants=[grant_at(f"/subscriptions/{SUB}")]),
        "one of its people is disabled": msgspec.structs.replace(
            fresh, identities=[identity("office0@contoso.com", state="disabled"), *fresh.identities[1:]]
        ),
        "one of its machines is gone": msgspec.structs.replace(
            fresh, machines=[one for one in fresh.machines if one.name != "office-1"]
        ),
    }


@pytest.mark.parametrize("name", sorted(changes(part(estate(), LAB))))
def test_what_changes_in_its_own_part_of_the_target_makes_it_stale(name: str) -> None:
    was = estate()
    plan = part(was, LAB)
    assert stale(plan, was, was, changes(plan)[name]).startswith("target has changed since")


def test_of_a_workspace_that_is_there_only_the_own_references_count() -> None:
    was = estate()
    _, group, workspace = own_ids(part(was, LAB))
    there = ArmObject(
        id=workspace, type="Microsoft.DesktopVirtualization/workspaces", name="w", properties={"friendlyName": "W"}
    )
    target = was.target(objects=[there])
    plan = plan_of(was, target, pools={LAB: PoolIntent(skip=True)}, conflicts={workspace: "adopt"})

    def changed(**properties: object) -> bool:
        now = msgspec.structs.replace(there, properties={"friendlyName": "W", **properties})
        return bool(preflight.stale(plan, was.inventory(), was.target(objects=[now])))

    assert not changed()
    assert not changed(applicationGroupReferences=[f"{PROVIDER}/applicationGroups/of-others"])
    assert changed(applicationGroupReferences=[group])
    assert changed(friendlyName="V")


def test_a_plan_of_an_earlier_version_depends_on_everything() -> None:
    was, now = estate(), estate()
    earlier = msgspec.structs.replace(part(was, LAB), scope={})
    assert stale(earlier, was, was, was.target()) == ""
    now.change(LAB, max_session_limit=3)
    assert f"pool {LAB} is another now" in stale(earlier, was, now, was.target())
