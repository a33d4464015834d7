"""Existing Entra groups: proposed with what a yes means, used only after one, never with one member more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from builders import DAG, Estate, grants, oid, plan_of

from crossfade.errors import PlanConflict
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import GroupKind
from crossfade.model.target import CandidateGroup
from crossfade.plan import preflight
from crossfade.plan.intent import Access, PoolIntent
from crossfade.plan.operations import Action, AddMember, CreateDirectoryGroup
from crossfade.plan.plan import Plan
from crossfade.plan.selfcheck import check_plan

OFFICE = f"Default Tenant Group/Contoso/Office/{DAG}"


def people(*numbers: int) -> list[str]:
    return sorted(oid(f"office{n}@contoso.com") for n in numbers)


def candidate(name: str, members: list[str], **facts: object) -> CandidateGroup:
    return CandidateGroup(id=name, display_name=f"Group {name}", members=members, owners=["kim@contoso.com"], **facts)


def office(*candidates: CandidateGroup, hosts: int = 6) -> tuple[Estate, TargetSnapshot]:
    estate = Estate()
    estate.pool("Office", people=6, hosts=hosts)
    return estate, estate.target(candidates=list(candidates))


def test_the_fewest_are_proposed_and_nothing_is_used_without_a_yes() -> None:
    wide, left, right = (
        candidate("w", people(1, 2, 3, 4)),
        candidate("l", people(0, 1, 2)),
        candidate("r", people(3, 4, 5)),
    )
    estate, target = office(wide, left, right, candidate("more", [*people(0, 1), "stranger"]))
    plan = plan_of(estate, target)
    assert {one.group for one in plan.proposals} == {"l", "r"}
    assert not any(one.chosen for one in plan.proposals)
    assert len(grants(plan)) == 6
    (first, _) = plan.proposals
    assert (first.owners, first.rule) == (["kim@contoso.com"], "members are added by hand")
    assert "whoever joins the group gets it" in first.means


def used(plan: Plan) -> CreateDirectoryGroup:
    return next(one for one in plan.operations if isinstance(one, CreateDirectoryGroup) and one.prior_id)


def test_after_a_yes_the_group_is_granted_with_the_last_of_its_people() -> None:
    estate, target = office(candidate("l", people(0, 1, 2)))
    plan = plan_of(estate, target, groups={OFFICE.upper(): ["L"]})
    assert not check_plan(plan)
    grant = next(one for one in grants(plan) if one.principal_type == "Group")
    assert (grant.principal, grant.action, used(plan).action) == ("l", Action.CREATE, Action.ADOPT)
    assert len(grants(plan)) == 4
    members = {one.id: one for one in plan.operations if isinstance(one, AddMember)}
    assert {one.action for one in members.values()} == {Action.NO_OP}
    (wave,) = [wave for wave in plan.waves if grant.id in wave.publish]
    assert set(members) <= set(wave.publish)
    assert {f"office{n}@contoso.com" for n in range(3)} <= set(wave.cohort)
    assert wave.publish.index(grant.id) > max(wave.publish.index(name) for name in members)
    assert [(one.group, one.chosen) for one in plan.proposals] == [("l", True)]
    assert plan.access[0].way == "existing-groups"


def test_no_new_group_is_made_where_nobody_is_left_for_it() -> None:
    estate, target = office(candidate("all", people(*range(6))))
    plan = plan_of(estate, target, groups={OFFICE: ["all"]}, access=Access(direct_threshold=0))
    assert [one for one in plan.operations if isinstance(one, CreateDirectoryGroup)] == [used(plan)]
    assert not check_plan(plan)


def test_everybody_of_a_group_is_published_in_one_wave_and_each_person_once() -> None:
    estate, target = office(candidate("l", people(0, 1, 2, 3)), candidate("r", people(3, 4)), hosts=12)
    plan = plan_of(estate, target, groups={OFFICE: ["l", "r"]})
    named = [person for wave in plan.waves for person in wave.cohort]
    assert sorted(named) == sorted(set(named)) == [f"office{n}@contoso.com" for n in range(6)]
    published = [name for wave in plan.waves for name in wave.publish]
    assert len(published) == len(set(published))
    assert {one.id for one in grants(plan)} <= set(published)


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (candidate("x", [*people(0, 1), "stranger"]), "1 of whose people do not have it: stranger"),
        (candidate("x", people(0, 1), role_assignable=True), "directory roles hang on it"),
        (candidate("x", people(0, 1), security_enabled=False), "mail only"),
        (candidate("x", [], complete=False), "more people than classic lists"),
        (candidate("other", people(0, 1)), "was not read"),
    ],
)
def test_a_yes_that_would_give_access_away_makes_no_plan(group: CandidateGroup, told: str) -> None:
    estate, target = office(group)
    with pytest.raises(PlanConflict, match=told):
        plan_of(estate, target, groups={OFFICE: ["x"]})


@pytest.mark.parametrize(
    ("facts", "rule", "change", "warned"),
    [
        ({}, "members are added by hand", "only in the directory's audit log", ""),
        ({"rule": "user.city -eq 'Rome'"}, "user.city -eq 'Rome'", "audit log", "dynamic: whoever meets the rule"),
        (
            {"synchronised": True, "changed_at": "2026-05-01T00:00:00Z"},
            "synchronised from on-premises",
            "last synchronised 2026-05-01T00:00:00Z",
            "changed on-premises, not here",
        ),
        ({"unified": True}, "members are added by hand", "audit log", "a Microsoft 365 group"),
        ({"owners": []}, "members are added by hand", "audit log", "it has no owner"),
    ],
)
def test_each_kind_says_owner_rule_last_change_and_what_a_yes_means(
    facts: dict[str, Any], rule: str, change: str, warned: str
) -> None:
    group = msgspec.structs.replace(candidate("x", people(0, 1, 2)), created_at="2020-01-01T00:00:00Z", **facts)
    estate, target = office(group)
    (told,) = plan_of(estate, target).proposals
    assert told.owners == group.owners
    assert (told.rule, told.people) == (rule, 3)
    assert change in told.last_change
    assert [warned in one for one in told.warnings] == ([True] if warned else [])
    assert "One assignment in the place of 3." in told.means
    assert "whoever leaves the group loses it" in told.means


@pytest.mark.parametrize(
    ("facts", "access"),
    [
        ({"role_assignable": True}, Access()),
        ({"security_enabled": False}, Access()),
        ({"complete": False}, Access()),
        ({"synchronised": True}, Access(synchronised_groups="never")),
        ({"rule": "user.city -eq 'Rome'"}, Access(dynamic_groups="never")),
    ],
)
def test_kinds_that_are_never_proposed(facts: dict[str, Any], access: Access) -> None:
    estate, target = office(candidate("x", people(0, 1, 2), **facts))
    assert plan_of(estate, target, access=access).proposals == []
    with pytest.raises(PlanConflict, match="names the group Group x: "):
        plan_of(estate, target, access=access, groups={OFFICE: ["x"]})


def test_policies_and_unknown_keys_are_told() -> None:
    estate, target = office(candidate("d", people(0, 1), rule="user.city -eq 'Rome'"))
    assert plan_of(estate, target).proposals[0].warnings[0].startswith("dynamic")
    never = Access(dynamic_groups="never")
    assert plan_of(estate, target, access=never).proposals == []
    with pytest.raises(PlanConflict, match="no dynamic groups"):
        plan_of(estate, target, access=never, groups={OFFICE: ["d"]})
    with pytest.raises(PlanConflict, match="is no app group that is migrated"):
        plan_of(estate, target, groups={"a/b/c/d": ["d"]})


def test_a_personal_pool_has_no_use_for_them() -> None:
    estate = Estate()
    estate.pool("Office", people=4, personal=True)
    target = estate.target(candidates=[candidate("l", people(0, 1, 2))])
    assert plan_of(estate, target).proposals == []
    with pytest.raises(PlanConflict, match="personal pool"):
        plan_of(estate, target, groups={OFFICE: ["l"]})


def test_membership_is_held_against_the_plan_again_before_the_first_write() -> None:
    estate, target = office(candidate("l", people(0, 1, 2)))
    plan = plan_of(estate, target, groups={OFFICE: ["l"]})
    assert preflight.group_ids(plan) == ["l"]
    assert preflight.existing_groups(plan, target) == []
    joined = msgspec.structs.replace(target, candidates=[candidate("l", [*people(0, 1, 2), "joiner"])])
    (problem,) = preflight.existing_groups(plan, joined)
    assert "1 members now who do not have" in problem.what
    gone = msgspec.structs.replace(target, candidates=[])
    assert "could not be read" in preflight.existing_groups(plan, gone)[0].what


def test_one_new_group_serves_app_groups_of_a_pool_with_the_same_people() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=4)
    same = [f"office{n}@contoso.com" for n in range(4)]
    estate.group(pool, "Apps", kind=GroupKind.REMOTE_APP, people=same)
    estate.group(pool, "Other", kind=GroupKind.REMOTE_APP, people=same[:3])
    plan = plan_of(estate, access=Access(direct_threshold=2), pools={pool: PoolIntent(preferred="desktop")})
    made = [one for one in plan.operations if isinstance(one, CreateDirectoryGroup)]
    assert len(made) == 2
    assert len(grants(plan)) == 3
    assert not check_plan(plan)
