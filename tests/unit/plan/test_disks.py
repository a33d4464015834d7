"""Snapshots of OS disks in a plan: personal pools that want them, one a host, told with their cost and their rights."""

from __future__ import annotations

import re

import msgspec
import pytest
from builders import SUB, Estate, plan_of

from crossfade.errors import PlanConflict
from crossfade.model.ids import fold, last_name
from crossfade.model.rights import SNAPSHOTS
from crossfade.model.target import Permission
from crossfade.plan import preflight
from crossfade.plan.completion import make_disk_completion
from crossfade.plan.disks import as_taken
from crossfade.plan.intent import PoolIntent
from crossfade.plan.kept_disks import KeptDisk, groups, left_over
from crossfade.plan.operations import SnapshotDisk
from crossfade.plan.plan import Plan
from crossfade.plan.selfcheck import check_plan
from crossfade.report.plan_text import plan_text

BEGUN = "2026-06-26T18:00:00Z"


def planned(*, personal: bool = True, wanted: bool = True, **host: str) -> Plan:
    estate = Estate()
    key = estate.pool("Desks", hosts=2, people=2, personal=personal)
    return plan_of(estate, pools={key: PoolIntent(disk_snapshot=wanted)}, **host)


def disks(plan: Plan) -> list[SnapshotDisk]:
    return [one for one in plan.operations if isinstance(one, SnapshotDisk)]


def test_one_for_each_host_in_the_group_of_its_vm() -> None:
    plan = planned()
    assert [(one.host, one.vm, one.id) for one in disks(plan)] == [(m.source, m.vm, m.snapshot) for m in plan.hosts]
    for one in disks(plan):
        assert one.subject.partition("/providers/")[0] == one.vm.partition("/providers/")[0]
        assert re.fullmatch(r"crossfade-desks-\d-[0-9a-f]{8}", last_name(one.subject))
        assert "billed until it is deleted" in one.reason
        assert one.inverse().startswith("delete the snapshot")
    assert [one.subject for one in disks(planned())] == [one.subject for one in disks(plan)], "always the same name"


def test_none_where_nobody_asked() -> None:
    plan = planned(wanted=False)
    assert (disks(plan), [move.snapshot for move in plan.hosts]) == ([], ["", ""])
    assert SNAPSHOTS.keys().isdisjoint(preflight.needed(plan))


def test_a_pooled_pool_is_refused() -> None:
    with pytest.raises(PlanConflict, match="disk_snapshot is for personal pools"):
        planned(personal=False)


def test_names_that_azure_takes() -> None:
    estate = Estate()
    key = estate.pool("Desks", hosts=0, people=1, personal=True)
    estate.host(key, "a.b" + "x" * 61, assigned_user="desks0@contoso.com")
    [one] = disks(plan_of(estate, pools={key: PoolIntent(disk_snapshot=True)}))
    longest = as_taken(one, begun_at=BEGUN, way="forward-999")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", last_name(longest.subject))


def test_the_plan_tells_name_place_and_cost() -> None:
    plan = planned()
    text = plan_text(plan, every_row=True)
    name = last_name(disks(plan)[0].subject)
    assert re.search(rf"OS disk snapshot +desks-0: {name} in \S+, incremental", text)
    assert "Each is billed until it is deleted" in text
    assert "OS disk snapshot" in plan_text(plan)


def test_the_rights_are_asked_for() -> None:
    plan = planned()
    assert preflight.needed(plan).items() >= SNAPSHOTS.items()
    estate = Estate()
    refused = Permission(
        scope=f"/subscriptions/{SUB}", actions=["*"], not_actions=["Microsoft.Compute/snapshots/write"]
    )
    [problem] = preflight.rights(plan, estate.target(permissions=[refused]))
    assert "may not take snapshots of OS disks" in problem.what


def test_a_move_names_the_snapshot_of_its_own_disk() -> None:
    plan = planned()
    first, second = plan.hosts
    crossed = msgspec.structs.replace(plan, hosts=[msgspec.structs.replace(first, snapshot=second.snapshot), second])
    assert any("no snapshot of its own disk" in problem.what for problem in check_plan(crossed))
    assert check_plan(plan) == []


def kept(operation: SnapshotDisk, way: str) -> KeptDisk:
    return KeptDisk(host=operation.host, key=as_taken(operation, begun_at=BEGUN, way=way).subject)


def test_no_two_tries_and_no_two_runs_share_a_snapshot() -> None:
    [first, _] = disks(planned())
    tries = [(BEGUN, "there"), (BEGUN, "forward"), (BEGUN, "forward-2"), ("2026-06-27T18:00:01Z", "forward")]
    names = {last_name(as_taken(first, begun_at=begun, way=way).subject) for begun, way in tries}
    assert len(names) == len(tries)
    assert f"{last_name(first.subject)}-20260626180000-forward-2" in names
    assert as_taken(first, begun_at=BEGUN, way="there") == as_taken(first, begun_at=BEGUN, way="there")


def test_where_classic_has_gone_a_snapshot_goes_that_the_run_took_of_a_host_in_service() -> None:
    plan = planned()
    first, second = plan.hosts
    mine, other = disks(plan)
    states = {fold(first.source): "confirmed", fold(second.source): "quarantined"}
    taken = [kept(mine, "forward"), kept(mine, "forward-2"), kept(other, "forward")]
    found = make_disk_completion(plan, states, taken)
    assert [[one.key for one in removals] for removals in found.pools.values()] == [[one.key for one in taken[:2]]]
    assert [(one.key, "quarantined" in one.why) for one in found.stays] == [(taken[2].key, True)]
    assert (found.tenants, found.without_classic) == ([], True)
    assert make_disk_completion(planned(wanted=False), states, []).stays == []


def test_a_snapshot_that_an_earlier_run_left_is_told_and_nobody_elses() -> None:
    """Listed by Azure, which writes names of groups as it likes; ours by their mark, of the VMs of this plan."""
    plan = planned()
    [mine, other] = disks(plan)
    [group] = groups(plan)
    assert fold(mine.subject).startswith(fold(group))
    taken = kept(mine, "forward")
    rows = [
        {"name": last_name(taken.key).upper(), "tags": mine.tags},
        {"name": f"{last_name(mine.subject)}-20250101000000-forward", "tags": mine.tags},
        {"name": last_name(mine.subject), "tags": {"by": "somebody"}},
        {"name": f"{last_name(other.subject)}-old", "tags": mine.tags},
        {"name": last_name(other.subject), "tags": other.tags},
        {"name": "backup"},
    ]
    left = left_over(plan, group.upper(), rows, frozenset({fold(taken.key)}))
    assert [(one.host, last_name(one.key)) for one in left] == [
        (mine.host, f"{last_name(mine.subject)}-20250101000000-forward"),
        (other.host, last_name(other.subject)),
    ]
    found = make_disk_completion(plan, {fold(mine.host): "confirmed"}, left)
    assert found.pools == {}
    assert all("This run did not take it" in one.why for one in found.stays)
    assert groups(planned(wanted=False)) == []
