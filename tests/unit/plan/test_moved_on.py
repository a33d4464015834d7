"""What has moved on since a plan was made is told by name: people, groups, grants, objects."""

from __future__ import annotations

import msgspec
from builders import DAG, Estate, identity, oid

from crossfade.model.ids import DESKTOP_USER_ROLE, fold
from crossfade.model.target import ArmObject, DirectoryGroup, RoleGrant
from crossfade.plan import moved_on

OFFICE = "Default Tenant Group/Contoso/Office"
POOL = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DesktopVirtualization/hostPools/p"


def test_people_of_classic_are_named_before_objects() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    was = estate.inventory()
    estate.assignments.pop()
    estate.group(OFFICE, "Apps", people=["new@contoso.com"])
    estate.change(OFFICE, max_session_limit=7)
    told = moved_on.classic(was, estate.inventory())
    assert told == [
        f"office1@contoso.com is no longer assigned to Office/{DAG}",
        "new@contoso.com is assigned to Office/Apps now",
        f"pool {OFFICE} is another now (max_session_limit)",
        f"app group {OFFICE}/Apps is new",
    ]
    assert moved_on.classic(was, was) == []


def test_the_target_is_told_by_grant_person_group_and_object() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    kim, lee = "office0@contoso.com", "office1@contoso.com"
    grant = RoleGrant(
        id="/g/1", scope=f"{POOL}/x", role=DESKTOP_USER_ROLE, principal_id=oid(kim), principal_type="User"
    )
    pool = ArmObject(id=POOL, type="Microsoft.DesktopVirtualization/hostPools", name="p", properties={"ring": 1})
    group = DirectoryGroup(id="d", display_name="Desks", members=[oid(kim)])
    was = estate.target(grants=[grant], objects=[pool], directory_groups=[group])
    now = msgspec.structs.replace(
        was,
        grants=[],
        objects=[msgspec.structs.replace(pool, properties={"ring": 2})],
        directory_groups=[msgspec.structs.replace(group, members=[oid(lee)])],
        identities=[identity(kim), identity(lee, state="disabled")],
        machines=was.machines[1:],
    )
    assert moved_on.target(was, now) == [
        f"the role assignment of {kim} at x is gone",
        f"{lee} is disabled, was found, in the directory",
        f"{kim} has left the group Desks",
        f"{lee} has joined the group Desks",
        f"object {POOL} is another now (ring)",
        f"virtual machine {fold(was.machines[0].id)} is gone",
    ]
    assert moved_on.target(was, was) == []


def test_only_the_first_are_told_and_the_others_counted() -> None:
    told = moved_on.told([f"d{n}" for n in range(moved_on.NAMED + 3)])
    assert told.startswith("d0; d1; ")
    assert told.endswith("d9; and 3 more")
    assert moved_on.told([]) == ""
