"""Access: everybody who had it, nobody else, one by one or through a group."""

from __future__ import annotations

import msgspec
import pytest
from builders import DAG, SUB, Estate, grants, identity, oid, plan_of

from crossfade.errors import PlanConflict
from crossfade.inventory.target import Count
from crossfade.model.classic import Assignment, GroupKind
from crossfade.model.ids import DESKTOP_USER_ROLE
from crossfade.model.target import DirectoryGroup, RoleGrant
from crossfade.plan.intent import Access, PoolIntent
from crossfade.plan.operations import Action, AddMember, CreateDirectoryGroup, RetractAssignment
from crossfade.plan.plan import Plan
from crossfade.plan.selfcheck import check_plan

FULL = {"hosts": 20, "max_session_limit": 20}


def of(plan: Plan, kind: type) -> list:
    return [operation for operation in plan.operations if isinstance(operation, kind)]


def test_up_to_the_threshold_people_are_assigned_one_by_one() -> None:
    estate = Estate()
    estate.pool("Office", people=150, **FULL)
    plan = plan_of(estate)
    assert len(grants(plan)) == 150
    assert {grant.principal_type for grant in grants(plan)} == {"User"}
    assert not of(plan, CreateDirectoryGroup)
    assert plan.access[0].way == "direct"


def test_one_more_and_they_get_a_group() -> None:
    estate = Estate()
    estate.pool("Office", people=151, **FULL)
    plan = plan_of(estate)
    (grant,) = grants(plan)
    (group,) = of(plan, CreateDirectoryGroup)
    assert (grant.principal_type, grant.principal) == ("Group", group.subject)
    assert {member.member for member in of(plan, AddMember)} == {oid(f"office{n}@contoso.com") for n in range(151)}
    assert plan.access[0].directory_group == group.mail_nickname
    assert not check_plan(plan)


def test_pools_of_nearly_the_same_name_have_groups_of_their_own() -> None:
    estate = Estate()
    estate.pool("\ufb01n", people=2)
    estate.pool("fin", people=3)
    plan = plan_of(estate, access=Access(direct_threshold=1))
    assert len({group.mail_nickname for group in of(plan, CreateDirectoryGroup)}) == 2
    assert not check_plan(plan)


def test_one_person_in_two_casings_counts_once() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=2)
    estate.group(pool, "Apps", people=["OFFICE0@Contoso.com", "office0@contoso.com"])
    plan = plan_of(estate, access=Access(direct_threshold=2), pools={pool: PoolIntent(preferred="both")})
    assert len(grants(plan)) == 3
    assert plan.pools[0].people == 2
    assert len(of(plan, RetractAssignment)) == 3


def test_two_names_of_one_object_are_one_grant() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    target = estate.target(identities=[identity(f"office{n}@contoso.com", object_id=oid("the same")) for n in range(2)])
    plan = plan_of(estate, target)
    assert len(grants(plan)) == 1
    assert len(plan.access[0].people) == 2
    named = [name for wave in plan.waves for name in wave.publish]
    assert named == [grants(plan)[0].id]
    assert not check_plan(plan)


def test_who_is_gone_keeps_a_named_place_and_gets_nothing() -> None:
    estate = Estate()
    estate.pool("Office", people=3)
    people = [identity("office0@contoso.com"), identity("office1@contoso.com", state="disabled")]
    gone = identity("office2@contoso.com", object_id=None, state="missing", why="deleted")
    plan = plan_of(estate, estate.target(identities=[*people, gone]))
    assert plan.access[0].missing == {"office2@contoso.com": "deleted"}
    assert {grant.principal_label for grant in grants(plan)} == {"office0@contoso.com", "office1@contoso.com"}
    assert any("office2@contoso.com" in note for note in plan.notes)
    assert not any("office2" in name for wave in plan.waves for name in wave.retract)


@pytest.mark.parametrize(
    "people",
    [
        [identity("office0@contoso.com")],
        [identity("office0@contoso.com"), identity("office1@contoso.com", object_id=None, state="unread")],
    ],
)
def test_who_was_not_looked_up_is_not_taken_for_gone(people: list) -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    with pytest.raises(PlanConflict, match=r"1 assigned people were not looked up .* office1@contoso.com"):
        plan_of(estate, estate.target(identities=people))


def test_grants_that_are_there_are_adopted_with_their_own_name() -> None:
    estate = Estate()
    estate.pool("Office", people=2)
    scope = grants(plan_of(estate))[0].scope
    there = RoleGrant(
        id=f"{scope.lower()}/providers/Microsoft.Authorization/roleAssignments/by-hand",
        scope=scope.lower(),
        role=DESKTOP_USER_ROLE,
        principal_id=oid("office0@contoso.com").upper(),
        principal_type="User",
    )
    plan = plan_of(estate, estate.target(grants=[there]))
    found = {grant.principal_label: grant for grant in grants(plan)}
    assert (found["office0@contoso.com"].action, found["office0@contoso.com"].subject) == (Action.ADOPT, there.id)
    assert found["office0@contoso.com"].prior
    assert found["office1@contoso.com"].action is Action.CREATE
    other = msgspec.structs.replace(there, role="49a72310-ab8d-41df-bbb0-79b649203868")
    assert all(grant.action is Action.CREATE for grant in grants(plan_of(estate, estate.target(grants=[other]))))


# ---------------------------------------------------------------- groups that exist


def with_group(members: list[str], *, ours: bool, name: str = "AVD Office Desktop Application Group") -> tuple:
    """An estate whose people need a group, and a target where a group of that name publishes something."""
    estate = Estate()
    estate.pool("Office", people=3)
    first = plan_of(estate, access=Access(direct_threshold=2))
    (grant,) = grants(first)
    held = RoleGrant(
        id=grant.subject if ours else f"{grant.scope}/providers/Microsoft.Authorization/roleAssignments/other",
        scope=grant.scope,
        role=DESKTOP_USER_ROLE,
        principal_id="g-1",
        principal_type="Group",
    )
    group = DirectoryGroup(id="g-1", display_name=name, members=members)
    return estate, estate.target(grants=[held], directory_groups=[group]), of(first, CreateDirectoryGroup)[0]


def group_of(estate: Estate, target: object, **members: object) -> CreateDirectoryGroup:
    plan = plan_of(estate, target, access=Access(direct_threshold=2), **members)
    return of(plan, CreateDirectoryGroup)[0]


def test_a_group_of_an_earlier_plan_goes_on() -> None:
    estate, target, first = with_group([oid("office1@contoso.com")], ours=True)
    plan = plan_of(estate, target, access=Access(direct_threshold=2))
    group = of(plan, CreateDirectoryGroup)[0]
    assert (group.action, group.prior_id, group.mail_nickname) == (Action.ADOPT, "g-1", first.mail_nickname)
    assert [member.action for member in of(plan, AddMember)] == [Action.CREATE, Action.NO_OP, Action.CREATE]
    assert grants(plan)[0].action is Action.ADOPT


@pytest.mark.parametrize(("members", "ours"), [(["stranger"], True), (["stranger"], False), ([], False)])
def test_a_group_through_which_others_would_gain_access_is_a_conflict(members: list[str], ours: bool) -> None:
    estate, target, first = with_group(members, ours=ours)
    assert group_of(estate, target).action is Action.CONFLICT
    assert group_of(estate, target, conflicts={first.subject: "adopt"}).action is Action.ADOPT


def test_another_group_does_not_matter() -> None:
    estate, target, _ = with_group(["stranger"], ours=False, name="Accounting")
    assert group_of(estate, target).action is Action.CREATE


def test_two_app_groups_never_share_a_directory_group() -> None:
    estate = Estate()
    other = "Default Tenant Group/Fabrikam"
    estate.tenants.append(msgspec.structs.replace(estate.tenants[0], key=other))
    estate.pool("Office", people=3)
    estate.pool("Office", people=4, tenant=other)
    plan = plan_of(estate, access=Access(direct_threshold=1))
    groups = of(plan, CreateDirectoryGroup)
    assert len({group.display_name for group in groups}) == len({group.subject for group in groups}) == 2


def test_new_groups_have_the_owners_and_the_description_that_were_asked_for() -> None:
    estate = Estate()
    estate.pool("Office", people=4)
    boss = "boss@contoso.com"
    people = [
        *estate.target().identities,
        identity(boss),
        identity("left@contoso.com", object_id=None, state="missing"),
    ]
    asked = Access(
        direct_threshold=2, group_owners=[boss.upper(), boss], group_description="{group} in {pool}, {tenant}"
    )
    plan = plan_of(estate, estate.target(identities=people), access=asked)
    (made,) = of(plan, CreateDirectoryGroup)
    assert (made.owners, made.description) == ([oid(boss)], f"{DAG} in Office, Contoso")
    assert plan.looked_up == sorted([boss.upper(), boss])
    for wrong, told in {"left@contoso.com": "missing", "typo@contoso.com": "not looked up yet"}.items():
        with pytest.raises(PlanConflict, match=f"{wrong} cannot own groups: {told}"):
            plan_of(estate, estate.target(identities=people), access=Access(group_owners=[wrong]))


# ---------------------------------------------------------------- quotas


def test_the_subscription_s_quota_is_counted_and_no_other() -> None:
    estate = Estate()
    estate.pool("Office", people=5)
    other = Count(what="role_assignments", scope="another", used=4000, limit=4000)
    unread = Count(what="role_assignments", scope=SUB, used=0, limit=0)
    full = Count(what="role_assignments", scope=SUB, used=3995, limit=4000)
    plan_of(estate, estate.target(counts=[other, unread, full]))
    with pytest.raises(PlanConflict, match="3996 role assignments, 5 more are needed, 4000 are allowed"):
        plan_of(estate, estate.target(counts=[msgspec.structs.replace(full, used=3996)]))


def test_an_object_takes_200_with_what_it_has() -> None:
    estate = Estate()
    estate.pool("Office", people=150, **FULL)
    scope = grants(plan_of(estate))[0].scope

    def there(count: int) -> list[RoleGrant]:
        role, kind = "49a72310-ab8d-41df-bbb0-79b649203868", "Group"
        return [
            RoleGrant(id=f"{n}", scope=scope, role=role, principal_id=f"{n}", principal_type=kind) for n in range(count)
        ]

    plan_of(estate, estate.target(grants=there(50)))
    with pytest.raises(PlanConflict, match="has 51 role assignments, 150 more are needed, 200 are allowed: 1 too many"):
        plan_of(estate, estate.target(grants=there(51)))


def test_people_of_a_pool_that_is_left_out_are_left_alone() -> None:
    from crossfade.plan.intent import PoolIntent

    estate = Estate()
    estate.pool("Office", people=1)
    other = estate.pool("Other", people=2)
    estate.assignments.append(Assignment(key=f"{other}/{DAG}", upn="unknown@contoso.com"))
    estate.groups[-1] = msgspec.structs.replace(estate.groups[-1], kind=GroupKind.DESKTOP)
    plan = plan_of(estate, pools={other: PoolIntent(skip=True)})
    assert [grant.principal_label for grant in grants(plan)] == ["office0@contoso.com"]
