"""The proof: whole when all is as planned, and each planted fault is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from applied import (
    ANN,
    BOB,
    CAT,
    DAN,
    EVE,
    NOW,
    OFFICE,
    OWN,
    applied,
    grouped,
    inventory,
    object_id,
    plan_of,
    snapshot,
    vm,
)

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import AssignmentType, HostPool, LoadBalancer
from crossfade.model.ids import DESKTOP_USER_ROLE, fold
from crossfade.model.provenance import Gap
from crossfade.model.target import ArmObject, Identity, RoleGrant
from crossfade.plan.plan import Plan
from crossfade.verification.facts import RunFacts
from crossfade.verification.verification import Verification
from crossfade.verification.verify import verify

replace = msgspec.structs.replace


class Case:
    """An estate, its plan and the target; `check` after changing any of them."""

    def __init__(self, make: Callable[[Inventory, TargetSnapshot], Plan] = plan_of) -> None:
        self.inventory = inventory()
        self.empty = snapshot(self.inventory)
        self.plan = make(self.inventory, self.empty)
        self.target = applied(self.plan, self.empty)

    def check(self, facts: RunFacts | None = None) -> Verification:
        return verify(self.plan, self.inventory, self.target, facts, made_at=NOW)

    def name(self, source: str) -> str:
        return next(name.target for name in self.plan.names if fold(name.source) == fold(source))

    def change(self, name: str, **properties: Any) -> None:
        """Properties of the object whose id ends so, or is that of a classic key."""
        ids = {fold(item.target) for item in self.plan.names if fold(item.source) == fold(name)} or {fold(name)}
        hit = [item for item in self.target.objects if fold(item.id) in ids or fold(item.id).endswith(fold(name))]
        assert hit, name
        for item in hit:
            item.properties.update(properties)

    def take(self, keep: Callable[[ArmObject], bool]) -> None:
        self.target = replace(self.target, objects=[item for item in self.target.objects if keep(item)])

    def grant(self, principal: str, scope: str, kind: str = "User", **more: Any) -> None:
        given = RoleGrant(
            id=f"{scope}/{principal}",
            scope=scope,
            role=DESKTOP_USER_ROLE,
            principal_id=principal,
            principal_type=kind,
            **more,
        )
        self.target = replace(self.target, grants=[*self.target.grants, given])

    def know(self, upn: str, **changed: Any) -> None:
        found = Identity(upn=upn, **({"object_id": object_id(upn)} | changed))
        others = [item for item in self.target.identities if fold(item.upn) != fold(upn)]
        self.target = replace(self.target, identities=[*others, found])


@pytest.fixture(params=[plan_of, grouped], ids=["direct", "groups"])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_whole(case: Case) -> None:
    found = case.check()
    assert found.passed()
    assert (found.pairs_before, found.pairs_after, found.people) == (5, 5, 5)
    assert [(item.subject, item.why) for item in found.excluded] == [("gone@contoso.com", "left in 2021")]


class TestLost:
    def test_a_grant_or_membership_that_is_not_there(self, case: Case) -> None:
        ann = object_id(ANN)
        for group in case.target.directory_groups:
            if ann in group.members:
                group.members.remove(ann)
        case.target = replace(case.target, grants=[one for one in case.target.grants if one.principal_id != ann])
        (lost,) = case.check().lost
        assert (lost.person, lost.resource) == (ANN, f"{OFFICE}/Desktop Application Group/Remote Desktop")
        assert "no grant" in lost.why

    def test_a_group_that_no_workspace_lists(self, case: Case) -> None:
        case.change("workspaces/contoso", applicationGroupReferences=[])
        found = case.check()
        assert len(found.lost) == 5
        assert all("no workspace" in lost.why for lost in found.lost)
        assert any(check.property == "workspace" for check in found.different())

    def test_hidden_group_hidden_app_missing_app(self) -> None:
        case = Case()
        case.change(f"{OFFICE}/Apps", showInFeed=False)
        assert "showInFeed" in case.check().lost[0].why
        case = Case()
        case.change(f"{OFFICE}/Apps/Excel", showInPortal=False)
        assert "showInPortal" in case.check().lost[0].why
        case = Case()
        gone = fold(case.name(f"{OFFICE}/Apps/Excel"))
        case.take(lambda item: fold(item.id) != gone)
        found = case.check()
        assert "no such item" in found.lost[0].why
        assert [check.property for check in found.different()] == ["exists"]

    def test_the_preferred_type_hides_the_other(self) -> None:
        case = Case()
        case.grant(object_id(CAT), case.name(f"{OFFICE}/Desktop Application Group"))
        found = case.check()
        assert [(lost.person, lost.resource) for lost in found.lost] == [(CAT, f"{OFFICE}/Apps/Excel")]
        assert "prefers" in found.lost[0].why
        assert [gained.person for gained in found.gained] == [CAT]
        case.change(OFFICE, preferredAppGroupType="None")
        assert not case.check().lost

    def test_somebody_made_anew_under_their_old_name(self, case: Case) -> None:
        case.know(ANN, object_id=object_id("another ann"))
        found = case.check()
        assert [(lost.person, lost.resource) for lost in found.lost] == [
            (ANN, f"{OFFICE}/Desktop Application Group/Remote Desktop")
        ]
        assert [gained.person for gained in found.gained] == [f"object {object_id(ANN)}"]

    def test_a_personal_desktop_without_its_person(self) -> None:
        case = Case()
        case.change("sessionHosts/own-1.contoso.com", assignedUser=None)
        found = case.check()
        assert [lost.person for lost in found.lost] == [DAN]
        assert [check.wrong for check in found.sick()] == [True]


class TestGained:
    @pytest.mark.parametrize("level", ["group", "resource group", "subscription", "root"])
    def test_a_stranger_through_a_grant_at_any_level(self, level: str) -> None:
        case = Case()
        group = case.name(f"{OFFICE}/Apps")
        scope = {
            "group": group.upper(),
            "resource group": group.partition("/providers/")[0],
            "subscription": "/".join(group.split("/")[:3]),
            "root": "/",
        }[level]
        case.grant("stranger", scope)
        found = case.check()
        assert {one.person for one in found.gained} == {"object stranger"}
        assert not found.lost
        assert not found.equivalent()

    def test_a_member_added_to_a_group_inside_the_group(self) -> None:
        case = Case(grouped)
        inner = msgspec.convert({"id": "inner", "display_name": "i", "members": ["new", "inner"]}, type(_first(case)))
        _first(case).members.append("inner")
        case.target = replace(case.target, directory_groups=[*case.target.directory_groups, inner])
        case.know("new@contoso.com", object_id="new")
        (gained, *_) = case.check().gained
        assert gained.person == "new@contoso.com"
        assert "through directory group" in gained.why

    def test_nobody_through_roles_principals_and_scopes_that_open_nothing(self) -> None:
        case = Case()
        group = case.name(f"{OFFICE}/Apps")
        case.grant("robot", group, "ServicePrincipal")
        case.grant("stranger", group + "0")
        case.target = replace(
            case.target,
            grants=[*case.target.grants, replace(case.target.grants[0], role="other", principal_id="stranger")],
        )
        assert case.check().passed()

    def test_an_app_that_classic_hides(self) -> None:
        case = Case()
        case.change(f"{OFFICE}/Apps/Hidden", showInPortal=True)
        assert [(one.person, one.resource) for one in case.check().gained] == [(CAT, f"{OFFICE}/Apps/Hidden")]

    def test_a_disabled_account_opens_nothing_on_either_side(self) -> None:
        case = Case()
        case.know(ANN, state="disabled")
        case.grant(object_id(ANN), "/")
        found = case.check()
        assert found.equivalent()
        assert ANN in {item.subject for item in found.excluded}

    def test_who_left_since_the_plan_is_no_stranger(self) -> None:
        case = Case()
        case.know(ANN, object_id=None, state="missing", why="left yesterday")
        found = case.check()
        assert found.equivalent()
        assert {item.why for item in found.excluded} == {"left in 2021", "left yesterday"}


class TestSwapped:
    def test_two_personal_desktops(self) -> None:
        case = Case()
        case.change("sessionHosts/own-1.contoso.com", assignedUser=EVE)
        case.change("sessionHosts/own-10.contoso.com", assignedUser=DAN)
        found = case.check()
        assert {(swap.person, swap.before, swap.after) for swap in found.swapped} == {
            (DAN, fold(vm("own-1")), fold(vm("own-10"))),
            (EVE, fold(vm("own-10")), fold(vm("own-1"))),
        }
        assert not found.lost
        assert not found.gained
        assert not found.equivalent()

    def test_a_first_desktop_under_automatic_assignment_is_none(self) -> None:
        case = Case()
        own = HostPool(
            key=OWN, personal=True, load_balancer=LoadBalancer.PERSISTENT, assignment=AssignmentType.AUTOMATIC
        )
        hosts = [replace(host, assigned_user=None) for host in case.inventory.hosts]
        case.inventory = inventory(pools=[case.inventory.pools[0], own], hosts=hosts)
        case.plan = plan_of(case.inventory, case.empty)
        case.target = applied(case.plan, case.empty)
        assert case.check().passed()
        case.change("sessionHosts/own-1.contoso.com", assignedUser=DAN)
        assert case.check().passed()


class TestUnexplained:
    def test_somebody_the_directory_did_not_tell_of(self) -> None:
        case = Case()
        case.know(BOB, object_id=None, state="unread", why="403")
        found = case.check()
        assert [(item.subject, item.why) for item in found.unexplained] == [(BOB, "403")]
        assert not found.lost
        assert not found.equivalent()

    def test_parts_of_classic_that_did_not_come(self) -> None:
        case = Case()
        subjects = [f"the AssignedUsers of {OFFICE}/More", f"{OWN}/SessionHosts", f"the AppGroups of {OFFICE} 2"]
        gaps = [Gap(subject=subject, what="Not read.", why="It is ill.", mend="") for subject in subjects]
        case.inventory = replace(case.inventory, gaps=gaps)
        assert [item.subject for item in case.check().unexplained] == subjects[:2]

    def test_grants_that_cannot_be_judged(self) -> None:
        case = Case()
        case.grant("g-unread", case.name(f"{OFFICE}/Apps"), "Group")
        case.grant(object_id(CAT), case.name(f"{OFFICE}/Apps"), condition="only on Mondays")
        assert len(case.check().unexplained) == 2

    def test_reads_that_failed_count_when_they_bear_on_access(self) -> None:
        case = Case()
        gap = Gap(subject="the role assignments of s", what="It could not be read.", why="403", mend="")
        case.target = replace(case.target, gaps=[gap, replace(gap, subject="the locations of s")])
        assert [item.subject for item in case.check().unexplained] == ["the role assignments of s"]


class TestHosts:
    @pytest.mark.parametrize(
        ("properties", "problem", "wrong"),
        [
            ({"status": "Unavailable"}, "its status is Unavailable", False),
            ({"status": "NeedsAssistance"}, "", False),
            ({"allowNewSession": False}, "accepts no new sessions", False),
            ({"lastHeartBeat": "2026-06-08T11:00:00Z"}, "its last heartbeat was at 2026-06-08T11:00:00Z", False),
            ({"lastHeartBeat": None}, "it has sent no heartbeat", False),
            ({"lastHeartBeat": "2026-06-08T11:59:00.1234567Z"}, "", False),
            ({"resourceId": vm("off-10")}, f"the host of this name is another VM: {vm('off-10')}", True),
        ],
    )
    def test_one_that_is_not_well(self, properties: dict[str, Any], problem: str, wrong: bool) -> None:
        case = Case()
        case.change("sessionHosts/off-1.contoso.com", **properties)
        check = _host(case.check(), "off-1")
        assert check.problems == ([problem] if problem else [])
        assert check.wrong is wrong

    def test_one_that_stayed(self) -> None:
        case = Case()
        case.take(lambda item: not item.id.endswith("/off-2.contoso.com"))
        source = f"{OFFICE}/off-2.contoso.com"
        facts = RunFacts(states={fold(source): "quarantined"}, reasons={fold(source): "no installer"})
        check = _host(case.check(facts), "off-2")
        assert check.state == "quarantined"
        assert check.problems == ["was not moved: no installer"]
        assert case.check(facts).equivalent()

    def test_one_in_another_pool(self) -> None:
        case = Case()
        moved = next(item for item in case.target.objects if item.id.endswith("/off-3.contoso.com"))
        case.take(lambda item: item is not moved)
        other = replace(moved, id=moved.id.replace("hostPools/Office/", "hostPools/Own/"))
        case.target = replace(case.target, objects=[*case.target.objects, other])
        check = _host(case.check(), "off-3")
        assert check.problems == ["is in Own, not in Office"]
        assert check.wrong

    def test_one_that_was_off_is_off_again(self) -> None:
        case = Case()
        machines = [
            replace(one, power="deallocated" if one.name == "off-4" else one.power) for one in case.target.machines
        ]
        hosts = [replace(move, start=move.host_name.startswith("off-4.")) for move in case.plan.hosts]
        case.plan = replace(case.plan, hosts=hosts)
        case.target = replace(case.target, machines=machines)
        case.change("sessionHosts/off-4.contoso.com", status="Shutdown")
        assert case.check().passed()


class TestSettings:
    def test_by_meaning_and_by_value(self) -> None:
        case = Case()
        case.change(OFFICE, customRdpProperty="AudioMode:i:0", friendlyName="changed")
        assert case.check().passed()
        case.change(OFFICE, customRdpProperty="audiomode:i:1;", maxSessionLimit=9)
        assert [(one.property, one.wanted, one.found) for one in case.check().different()] == [
            ("customRdpProperty", "audiomode:i:0;", "audiomode:i:1;"),
            ("maxSessionLimit", 10, 9),
        ]

    def test_what_has_no_counterpart_is_told_with_its_value(self) -> None:
        told = {(one.property, one.wanted) for one in Case().check().settings if one.verdict == "not-carried"}
        assert ("sso_adfs_authority", "https://sts.contoso.com/adfs") in told


def test_never_seen() -> None:
    assert Case().check(RunFacts(seen=frozenset({ANN, DAN, EVE}))).unseen == [BOB, CAT]


def _first(case: Case) -> Any:
    return case.target.directory_groups[0]


def _host(found: Verification, name: str) -> Any:
    return next(check for check in found.hosts if check.source.endswith(f"/{name}.contoso.com"))
