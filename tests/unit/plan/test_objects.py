"""Operations against what is there: create, adopt, update, conflict; and nothing that is there is overwritten."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from builders import Estate, applied, plan_of

from crossfade.inventory.target import TargetSnapshot
from crossfade.model import rdp
from crossfade.model.classic import AssignmentType
from crossfade.model.ids import fold, last_name
from crossfade.plan import diff
from crossfade.plan.compare import differences
from crossfade.plan.operations import (
    Action,
    PatchHostPool,
    PatchResource,
    PutResource,
    ReferenceGroup,
    RegisterProvider,
)
from crossfade.plan.plan import Plan


def office() -> Estate:
    estate = Estate(friendly_name="Contoso")
    pool = estate.pool("Office", friendly_name="Office", custom_rdp_property="audiomode:i:0;drivestoredirect:s:*;")
    estate.app(estate.group(pool, "Apps", people=["x@contoso.com"]), "Excel")
    estate.change(f"{pool}/Desktop Application Group", friendly_name="My desktop")
    return estate


def changed(target: TargetSnapshot, name: str, **properties: Any) -> TargetSnapshot:
    """The object with this last name, with other properties."""
    objects = [
        msgspec.structs.replace(item, properties={**item.properties, **properties}) if item.name == name else item
        for item in target.objects
    ]
    return msgspec.structs.replace(target, objects=objects)


def of(plan: Plan, name: str) -> PutResource | PatchResource:
    (found,) = [
        op for op in plan.operations if isinstance(op, PutResource | PatchResource) and last_name(op.subject) == name
    ]
    return found


def test_the_order_of_writing() -> None:
    kinds = [
        op.type.rsplit("/", 1)[-1] if isinstance(op, PutResource) else type(op).__name__
        for op in plan_of(office()).operations
    ]
    order = ["resourceGroups", "hostPools", "applicationGroups", "applications", "workspaces", "ReferenceGroup"]
    assert [kind for kind in dict.fromkeys(kinds) if kind in order] == order


def test_everything_is_created_where_nothing_is() -> None:
    plan = plan_of(office())
    puts = [op for op in plan.operations if isinstance(op, PutResource)]
    assert {op.action for op in puts} == {Action.CREATE}
    assert all(op.prior is None for op in puts)
    assert all(op.body["tags"]["crossfade-source"] for op in puts if "tags" in op.body and op.source)


def test_planning_again_after_all_was_written_changes_nothing() -> None:
    estate = office()
    target = applied(plan_of(estate), estate.target())
    again = plan_of(estate, target)
    objects = [op for op in again.operations if isinstance(op, PutResource | PatchResource | ReferenceGroup)]
    assert {op.action for op in objects} == {Action.ADOPT}
    assert not diff.conflicts(again)
    assert all(op.prior for op in objects if isinstance(op, PutResource))


def test_an_object_that_differs_is_a_conflict_until_decided() -> None:
    estate = office()
    target = changed(applied(plan_of(estate), estate.target()), "Office", friendlyName="Sales", maxSessionLimit=3)
    conflict = of(plan_of(estate, target), "Office")
    assert conflict.action is Action.CONFLICT
    assert "friendlyName: 'Sales', wanted 'Office'" in conflict.reason
    (row,) = diff.conflicts(plan_of(estate, target))
    assert row.subject == conflict.subject
    adopted = of(plan_of(estate, target, conflicts={conflict.subject.upper(): "adopt"}), "Office")
    assert (type(adopted), adopted.action) == (PutResource, Action.ADOPT)
    updated = of(plan_of(estate, target, conflicts={conflict.subject: "update"}), "Office")
    assert isinstance(updated, PatchResource)
    assert updated.body == {"properties": {"friendlyName": "Office", "maxSessionLimit": 10}}
    assert updated.prior == {"properties": {"friendlyName": "Sales", "maxSessionLimit": 3}}


def test_an_update_never_replaces_a_workspace_s_list_of_groups() -> None:
    estate = office()
    target = applied(plan_of(estate), estate.target())
    target = changed(target, "Contoso", friendlyName="Theirs", applicationGroupReferences=["/somebody/elses"])
    workspace = of(plan_of(estate, target), "Contoso").subject
    plan = plan_of(estate, target, conflicts={workspace: "update"})
    assert "applicationGroupReferences" not in of(plan, "Contoso").body["properties"]
    assert isinstance(of(plan, "Contoso"), PatchResource)
    references = [op for op in plan.operations if isinstance(op, ReferenceGroup)]
    assert [op.action for op in references] == [Action.UPDATE, Action.UPDATE]


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Office", {"hostPoolType": "Personal"}),
        ("Office-DAG", {"applicationGroupType": "RemoteApp"}),
        ("Office-DAG", {"hostPoolArmPath": "/subscriptions/x/resourceGroups/y"}),
    ],
)
def test_what_the_service_never_changes_stays_a_conflict(name: str, properties: dict[str, str]) -> None:
    estate = office()
    target = changed(applied(plan_of(estate), estate.target()), name, **properties)
    subject = of(plan_of(estate, target), name).subject
    assert of(plan_of(estate, target, conflicts={subject: "update"}), name).action is Action.CONFLICT


def test_another_location_is_a_conflict() -> None:
    estate = office()
    target = applied(plan_of(estate), estate.target())
    moved = [
        msgspec.structs.replace(item, location="North Europe") if item.name == "Office" else item
        for item in target.objects
    ]
    found = of(plan_of(estate, msgspec.structs.replace(target, objects=moved)), "Office")
    assert found.action is Action.CONFLICT
    assert "cannot be moved" in found.reason


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("Office", {"customRdpProperty": "drivestoredirect:s:*;AudioMode:i:0"}),
        ("Office", {"ring": 1, "validationEnvironment": None, "startVMOnConnect": True}),
        ("Office-DAG", {"description": ""}),
        ("Excel", {"applicationType": "Inbuilt", "commandLineArguments": ""}),
    ],
)
def test_values_are_compared_by_meaning(name: str, there: dict[str, Any]) -> None:
    estate = office()
    target = changed(applied(plan_of(estate), estate.target()), name, **there)
    assert of(plan_of(estate, target), name).action is Action.ADOPT


def test_ids_are_compared_without_case() -> None:
    estate = office()
    target = applied(plan_of(estate), estate.target())
    pool = next(item.id for item in target.objects if item.type.endswith("/hostPools"))
    target = changed(target, "Office-DAG", hostPoolArmPath=f"/{fold(pool)}")
    objects = [msgspec.structs.replace(item, id=f"/{fold(item.id)}") for item in target.objects]
    again = plan_of(estate, msgspec.structs.replace(target, objects=objects))
    assert {op.action for op in again.operations if isinstance(op, PutResource)} == {Action.ADOPT}


def test_rdp_strings() -> None:
    assert rdp.parse("a:i:1;;  b:s:x:y ;A:i:02").text() == "b:s:x:y;A:i:2;"
    assert rdp.parse(None).text() == rdp.parse("").text() == ""
    assert rdp.same("a:i:1;b:s:x", "B:s: x ;a:i:01;")
    assert not rdp.same("a:i:1", "a:s:1")
    lists = r"drivestoredirect:s:C\:;E\:;DynamicDrives;usbdevicestoredirect:s:{36fc9e60-c465};-USB\VID_1;b:i:1;"
    assert rdp.parse(lists).text() == lists
    assert not rdp.parse(lists).faults
    assert not rdp.same(lists, lists.replace("E", "F"))
    assert differences({"customRdpProperty": ""}, {"customRdpProperty": None}) == {}
    assert differences({"customRdpProperty": "a:i:1"}, {"customRdpProperty": "a:i:2"})


def test_providers_are_registered_where_they_are_not() -> None:
    estate = office()
    states = {estate.target().subscriptions[0].upper(): {"microsoft.desktopvirtualization": "NotRegistered"}}
    plan = plan_of(estate, estate.target(providers=states))
    found = {last_name(op.subject): op.action for op in plan.operations if isinstance(op, RegisterProvider)}
    assert found["Microsoft.DesktopVirtualization"] is Action.UPDATE
    ready = plan_of(office())
    assert {op.action for op in ready.operations if isinstance(op, RegisterProvider)} == {Action.NO_OP}


def test_a_finished_personal_pool_is_no_conflict_and_a_strangers_is() -> None:
    estate = Estate()
    estate.pool("Own", personal=True, assignment=AssignmentType.AUTOMATIC, people=1)
    first = plan_of(estate)
    (late,) = [op for op in first.operations if isinstance(op, PatchHostPool)]
    assert first.pools[0].late == [late.id]
    target = applied(first, estate.target())
    again = plan_of(estate, target)
    assert of(again, "Own").action is Action.ADOPT
    assert [op.action for op in again.operations if isinstance(op, PatchHostPool)] == [Action.ADOPT]
    theirs = [msgspec.structs.replace(item, tags={}) for item in target.objects]
    found = of(plan_of(estate, msgspec.structs.replace(target, objects=theirs)), "Own")
    assert found.action is Action.CONFLICT


def test_the_diff_shows_every_operation_and_counts_them() -> None:
    plan = plan_of(office())
    rows = diff.changes(plan)
    assert len(rows) == len(plan.operations)
    assert all(row.sign in "+~=.!" and row.inverse for row in rows)
    totals = diff.totals(plan)
    assert sum(totals[str(action)] for action in Action) == len(rows)
    assert totals["conflict"] == 0
