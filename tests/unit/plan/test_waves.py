"""Waves: hosts once each, people when their seats are there, classic seats to the end."""

from __future__ import annotations

import random

import msgspec
import pytest
from builders import Estate, plan_of

from crossfade.inventory.documents import encode
from crossfade.model.classic import AssignmentType
from crossfade.model.ids import fold, last_name
from crossfade.plan.intent import PoolIntent, Waves
from crossfade.plan.plan import Plan
from crossfade.plan.waves import natural


def big() -> Estate:
    estate = Estate()
    estate.pool("Office", hosts=24, people=60)
    estate.pool("Finance", hosts=9, people=20)
    own = estate.pool("Own", hosts=5, people=5, personal=True, assignment=AssignmentType.DIRECT)
    for number in range(5):
        estate.change(f"{own}/own-{number}.corp.contoso.com", assigned_user=f"own{number}@Contoso.com")
    return estate


def names(plan: Plan, what: str) -> list[str]:
    found: list[str] = []
    for wave in plan.waves:
        found += getattr(wave, what)
        for ids in getattr(wave, f"{what}_by_host").values():
            found += ids
    return found


def short(hosts: list[str]) -> list[str]:
    return [last_name(host).partition(".")[0] for host in hosts]


def test_waves_partition_the_hosts() -> None:
    plan = plan_of(big())
    moved = [host for wave in plan.waves for host in wave.hosts]
    assert sorted(moved) == sorted(move.source for move in plan.hosts)
    assert len(moved) == 38
    assert all(wave.hosts for wave in plan.waves)


def test_a_canary_host_then_a_canary_wave_with_a_host_of_every_other_pool() -> None:
    plan = plan_of(big(), waves=Waves(canary_wave=4, size=10))
    assert [wave.kind for wave in plan.waves][:3] == ["canary-host", "canary-wave", "wave"]
    (canary,) = plan.waves[0].hosts
    assert "/Office/" in canary
    second = plan.waves[1].hosts
    assert len(second) == 4
    assert {host.split("/")[2] for host in second} == {"Office", "Finance", "Own"}
    assert all(len(wave.hosts) <= 10 for wave in plan.waves)


def test_everybody_is_published_once_and_retracted_once() -> None:
    plan = plan_of(big())
    published, retracted = names(plan, "publish"), names(plan, "retract")
    assert len(published) == len(set(published)) == 85
    assert len(retracted) == len(set(retracted)) == 85


def test_the_last_waves_hold_classic_seats_and_retract_before_they_move() -> None:
    plan = plan_of(big(), waves=Waves(reserve_share=0.25))
    last = [wave for wave in plan.waves if wave.kind == "last-wave"]
    assert plan.waves[-len(last) :] == last
    hosts = short([host for wave in last for host in wave.hosts])
    assert sum(host.startswith("office") for host in hosts) == 6
    assert sum(host.startswith("finance") for host in hosts) == 3
    assert not any(host.startswith("own") for host in hosts)
    before = [name for wave in plan.waves if wave.kind != "last-wave" for name in wave.retract]
    assert not before
    assert sum(len(wave.publish) for wave in last) == 0


def test_classic_seats_are_kept_by_hosts_that_people_can_use() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=0, people=10)
    for number in range(6):
        estate.host(pool, f"well-{number}", sessions=number)
    estate.host(pool, "a-off", power="deallocated", status="Unavailable")
    estate.host(pool, "b-ill", status="NoHeartbeat")
    estate.host(pool, "c-closed", allow_new_session=False)
    plan = plan_of(estate)
    last = [host for wave in plan.waves if wave.kind == "last-wave" for host in wave.hosts]
    assert short(last) == ["well-4", "well-5"]
    assert short(plan.waves[0].hosts) == ["well-0"]


def test_where_no_host_is_well_the_estate_still_moves() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=0, people=3)
    for number in range(3):
        estate.host(pool, f"asleep-{number}", power="deallocated", status="Unavailable")
    plan = plan_of(estate)
    assert [wave.kind for wave in plan.waves] == ["canary-host", "canary-wave", "last-wave"]
    assert all(move.start for move in plan.hosts)


def test_people_are_published_no_sooner_than_their_seats_arrive() -> None:
    plan = plan_of(big())
    capacity = {move.source: move.capacity for move in plan.hosts}
    pools = [pool for pool in plan.pools if not pool.personal]
    for pool in pools:
        of_pool = {
            operation.id
            for operation in plan.operations
            if operation.source and fold(operation.source).startswith(fold(pool.source) + "/")
        }
        seats = published = 0
        for wave in plan.waves:
            seats += sum(capacity[host] for host in wave.hosts if host.startswith(f"{pool.source}/"))
            published += len(of_pool & set(wave.publish))
            assert published * pool.expected_share * 1.2 <= seats


def test_a_personal_host_and_its_person_are_one() -> None:
    plan = plan_of(big())
    operations = {operation.id: operation for operation in plan.operations}
    pairs = {}
    for wave in plan.waves:
        for host, ids in wave.publish_by_host.items():
            assert host in wave.hosts
            pairs[short([host])[0]] = [operations[name].principal_label for name in ids]  # type: ignore[union-attr]
            assert wave.retract_by_host[host]
    assert pairs == {f"own-{number}": [f"own{number}@contoso.com"] for number in range(5)}


def test_people_without_a_desktop_yet_go_with_the_last_host_of_their_pool() -> None:
    estate = Estate()
    own = estate.pool("Own", hosts=3, people=3, personal=True)
    estate.change(f"{own}/own-1.corp.contoso.com", assigned_user="own0@contoso.com")
    plan = plan_of(estate)
    assert len(names(plan, "publish")) == len(set(names(plan, "publish"))) == 3
    assert len(names(plan, "retract")) == 3
    with_last = plan.waves[-1].publish_by_host[plan.waves[-1].hosts[-1]]
    assert len(with_last) >= 2


def test_the_personal_pool_of_somebody_who_may_open_nothing() -> None:
    estate = Estate()
    own = estate.pool("Own", hosts=2, people=0, personal=True)
    estate.change(f"{own}/own-1.corp.contoso.com", assigned_user="gone@contoso.com")
    plan = plan_of(estate)
    assert len(plan.hosts) == 2
    assert not names(plan, "publish")


def test_a_pool_without_hosts_is_told_and_in_no_wave() -> None:
    estate = Estate()
    estate.pool("Office")
    empty = estate.pool("Empty", hosts=0, people=2)
    plan = plan_of(estate)
    assert any(note.startswith(f"{empty} has no hosts") for note in plan.notes)
    assert len(names(plan, "publish")) == 4


def test_people_in_several_pools_are_told() -> None:
    estate = big()
    estate.group(estate.pools[0].key, "Apps", people=["finance0@contoso.com", "finance19@contoso.com"])
    plan = plan_of(estate, waves=Waves(size=3))
    assert any("in several pools" in note for note in plan.notes)


def test_the_same_inputs_give_the_same_bytes_in_any_order() -> None:
    estate = big()
    one = encode(plan_of(estate))
    target = estate.target()
    shuffled = Estate()
    for name in ("pools", "groups", "desktops", "apps", "assignments", "hosts"):
        items = list(getattr(estate, name))
        random.Random(7).shuffle(items)
        setattr(shuffled, name, items)
    assert encode(plan_of(shuffled, target)) == one


def test_live_values_do_not_make_a_plan_stale() -> None:
    estate = big()
    before = plan_of(estate)
    estate.hosts = [msgspec.structs.replace(host, sessions=3, last_heartbeat="now") for host in estate.hosts]
    assert plan_of(estate).inputs["inventory"] == before.inputs["inventory"]


def test_hosts_count_as_people_count_them() -> None:
    assert sorted(["h-10", "h-9", "H-1", "g"], key=natural) == ["g", "H-1", "h-9", "h-10"]


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_any_size_of_wave(size: int) -> None:
    plan = plan_of(big(), waves=Waves(size=size, canary_wave=1))
    assert max(len(wave.hosts) for wave in plan.waves) <= size
    assert len(names(plan, "publish")) == 85


def test_pools_that_are_left_out_move_nothing() -> None:
    estate = big()
    skip = {pool.key: PoolIntent(skip=True) for pool in estate.pools[1:]}
    plan = plan_of(estate, pools=skip)
    assert {move.source_pool for move in plan.hosts} == {estate.pools[0].key}
    assert len(plan.pools) == 1
