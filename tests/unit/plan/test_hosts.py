"""Which VM is a host, which hosts move, and how many seats they are."""

from __future__ import annotations

import pytest
from builders import DAG, Estate, identity, plan_of, vm_id

from crossfade.errors import PlanConflict
from crossfade.model.classic import Assignment, SessionHost
from crossfade.model.ids import last_name
from crossfade.model.target import VirtualMachine
from crossfade.plan.intent import PoolIntent, Waves
from crossfade.plan.machines import Machines
from crossfade.plan.selfcheck import check_plan


def host(label: str, **members: str) -> SessionHost:
    return SessionHost(key=f"g/t/p/{label}.corp.contoso.com", **members)


def machine(name: str, **members: str) -> VirtualMachine:
    return VirtualMachine(id=vm_id(name), name=name, **members)


MACHINES = Machines(
    [
        machine("VM1", vm_id="id-1", computer_name="vm1"),
        machine("VM10", vm_id="id-10"),
        machine("renamed", vm_id="id-2", computer_name="VM2"),
        machine("twin-a", computer_name="twin"),
        machine("twin-b", computer_name="TWIN"),
    ]
)


@pytest.mark.parametrize(
    ("wanted", "found", "why"),
    [
        (host("x", azure_resource_id=vm_id("vm10").upper()), "VM10", "resource id"),
        (host("x", azure_vm_id="ID-10"), "VM10", "VM id"),
        (host("vm1"), "VM1", "computer name vm1"),
        (host("vm2"), "renamed", "computer name vm2"),
        (host("vm"), None, "0 VMs match"),
        (host("vm100"), None, "0 VMs match"),
        (host("twin"), None, "2 VMs match"),
        (host("vm1", azure_resource_id=vm_id("gone")), None, "was found"),
        (host("x", azure_resource_id=vm_id("gone"), azure_vm_id="id-1"), "VM1", "another now"),
        (host("x", azure_resource_id=vm_id("VM1"), azure_vm_id="id-9"), None, "made anew"),
        (host("vm1", azure_vm_id="id-9"), None, "0 VMs match by VM id"),
    ],
)
def test_a_vm_is_known_by_its_ids_and_never_by_likeness(wanted: SessionHost, found: str | None, why: str) -> None:
    there, told = MACHINES.find(wanted)
    assert (there.name if there else None) == found
    assert why in told


def test_a_host_without_a_vm_stays_and_is_named() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=3)
    lost = estate.host(pool, "lost", vm=False)
    plan = plan_of(estate)
    assert lost not in [move.source for move in plan.hosts]
    assert any(note.startswith(lost) for note in plan.notes)


def test_a_pool_of_which_no_host_can_move_is_no_plan() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=0)
    estate.host(pool, "lost", vm=False)
    with pytest.raises(PlanConflict, match="none of its 1 hosts can be moved"):
        plan_of(estate)
    assert not plan_of(estate, pools={pool: PoolIntent(skip=True)}).hosts


def test_one_vm_moves_once_though_two_records_name_it() -> None:
    estate = Estate()
    old, new = estate.pool("Old", hosts=2), estate.pool("New", hosts=2)
    stale = estate.host(old, "was-here", azure_resource_id=vm_id("new-0"), vm=False, status="NoHeartbeat")
    plan = plan_of(estate)
    assert len({move.vm for move in plan.hosts}) == len(plan.hosts) == 4
    assert [note for note in plan.notes if note.startswith(stale)] == [
        f"{stale} stays where it is: its VM is now {new}/new-0.corp.contoso.com."
    ]


def test_a_vm_that_is_off_is_started_for_its_move() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=3)
    estate.host(pool, "asleep", power="deallocated", status="Unavailable")
    assert [last_name(move.source) for move in plan_of(estate).hosts if move.start] == ["asleep.corp.contoso.com"]


@pytest.mark.parametrize(
    ("limit", "capacity", "noted"), [(12, 12, False), (999_999, 2, True), (99_999, 2, True), (None, 2, True)]
)
def test_seats_of_a_host(limit: int | None, capacity: int, noted: bool) -> None:
    estate = Estate()
    estate.pool("Office", hosts=4, people=8, max_session_limit=limit)
    plan = plan_of(estate)
    assert {move.capacity for move in plan.hosts} == {capacity}
    assert any("no session limit" in note for note in plan.notes) is noted


def test_sessions_that_were_seen_count_when_they_are_more_than_usual() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=4, people=10)
    for item in list(estate.hosts):
        estate.change(item.key, sessions=2)
    assert plan_of(estate).pools[0].expected_share == 0.8
    own = plan_of(estate, pools={pool: PoolIntent(expected_share=0.5)})
    assert own.pools[0].expected_share == 0.5


# ---------------------------------------------------------------- can the floor hold?


def test_a_single_host_needs_a_yes_to_its_outage() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=1, people=4)
    with pytest.raises(PlanConflict, match="when-empty"):
        plan_of(estate)
    plan = plan_of(estate, pools={pool: PoolIntent(outage="when-empty")})
    (wave,) = plan.waves
    assert wave.kind == "last-wave"
    assert len(wave.publish) == len(wave.retract) == 4


def test_a_pool_that_is_too_tight_is_told_what_would_help() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=3, people=60, max_session_limit=10)
    with pytest.raises(PlanConflict) as caught:
        plan_of(estate)
    (problem,) = caught.value.problems
    assert "20 seats on the 2 of its 3 hosts" in problem.what
    assert "60 people want 21 at their peak, with headroom 26" in problem.what
    assert "Add 1 host(s)" in problem.mend
    assert "expected_share to 0.27" in problem.mend
    assert problem.mend.endswith('while nobody is signed in: outage = "when-empty" there.')
    plan_of(estate, pools={pool: PoolIntent(expected_share=0.27)})
    estate.host(pool, "office-3")
    plan_of(estate)


def test_a_person_whose_two_names_had_a_desktop_each_has_to_choose() -> None:
    estate = Estate()
    pool = estate.pool("Own", personal=True, hosts=0, people=0)
    for number, upn in enumerate(("ann.old@contoso.com", "ann@contoso.com")):
        estate.assignments.append(Assignment(key=f"{pool}/{DAG}", upn=upn))
        estate.host(pool, f"own-{number}", assigned_user=upn)
    known = [identity("ann.old@contoso.com", object_id=None, state="missing"), identity("ann@contoso.com")]
    target = estate.target(identities=known)
    with pytest.raises(
        PlanConflict, match=r"would have own-0\S* and own-1\S*, and a personal pool gives each person one"
    ):
        plan_of(estate, target, people={"ann.old@contoso.com": "ann@contoso.com"})
    assert plan_of(estate, target, people={"ann.old@contoso.com": "leave out: has own-1"}).waves


def test_where_seats_are_assumed_only_a_limit_helps() -> None:
    """One more host would only make the assumption smaller."""
    estate = Estate()
    pool = estate.pool("Office", hosts=3, people=60, max_session_limit=999_999)
    with pytest.raises(PlanConflict) as caught:
        plan_of(estate)
    mend = caught.value.problems[0].mend
    assert "11 sessions a host are assumed. Set what a host really serves, 13 or more, with Set-RdsHostPool" in mend
    assert "Add" not in mend
    assert "expected_share" not in mend
    estate.change(pool, max_session_limit=13)
    assert plan_of(estate).waves


@pytest.mark.parametrize(
    ("hosts", "people", "waves", "told"),
    [
        (2, 3_000, Waves(), "expected_share to 0.0013 or less"),
        (1, 60, Waves(), "Add 6 host(s)."),
        (3, 100, Waves(expected_share=0.1, headroom=0.1), "100 people want 10 at their peak, with headroom 11."),
    ],
)
def test_the_figures_that_it_names_are_true(hosts: int, people: int, waves: Waves, told: str) -> None:
    estate = Estate()
    estate.pool("Office", hosts=hosts, people=people, max_session_limit=5)
    with pytest.raises(PlanConflict) as caught:
        plan_of(estate, waves=waves)
    assert told in str(caught.value.problems[0])


def test_the_headroom_that_it_names_is_enough() -> None:
    estate = Estate()
    estate.pool("Office", hosts=3, people=50, max_session_limit=10)
    with pytest.raises(PlanConflict, match=r"lower waves\.headroom to 0\.14"):
        plan_of(estate)
    assert plan_of(estate, waves=Waves(headroom=0.14)).waves


def test_with_an_outage_allowed_a_pool_with_too_few_seats_moves_in_one_wave_of_its_own() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=3, people=60, max_session_limit=10)
    plan = plan_of(estate, pools={pool: PoolIntent(outage="when-empty")})
    assert sum(len(wave.publish) for wave in plan.waves) == 60
    (note,) = [note for note in plan.notes if "made use of" in note]
    assert "20 seats stay while one of its 3 hosts moves, and 60 people want 26 at their peak" in note
    (wave,) = plan.waves
    assert (wave.kind, len(wave.hosts), len(wave.publish), len(wave.retract)) == ("last-wave", 3, 60, 60)
    assert plan.pools[0].outage
    assert check_plan(plan) == []


def test_an_outage_that_is_not_needed_is_not_had() -> None:
    estate = Estate()
    roomy = estate.pool("Roomy", hosts=4, people=8)
    tight = estate.pool("Tight", hosts=3, people=60, max_session_limit=10)
    plan = plan_of(estate, pools={pool: PoolIntent(outage="when-empty") for pool in (roomy, tight)})
    assert {last_name(pool.source): pool.outage for pool in plan.pools} == {"Roomy": False, "Tight": True}
    assert {host.split("/")[2] for host in plan.waves[-1].hosts} == {"Tight"}
    assert all("/Tight/" not in host for wave in plan.waves[:-1] for host in wave.hosts)
    assert plan.waves[0].kind == "canary-host"


def test_more_people_at_once_than_the_only_host_has_seats_are_refused() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=1, people=60, max_session_limit=10)
    with pytest.raises(PlanConflict, match="60 people want 21 at their peak"):
        plan_of(estate, pools={pool: PoolIntent(outage="when-empty")})


def test_a_drained_host_stays_closed_and_holds_no_seats() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=3, people=4)
    estate.host(pool, "z-drained", allow_new_session=False)
    plan = plan_of(estate)
    closed = [move for move in plan.hosts if move.stays_closed]
    assert [(move.host_name.split(".")[0], move.capacity) for move in closed] == [("z-drained", 0)]
    assert any("z-drained" in note and "stay closed" in note for note in plan.notes)
    opened = plan_of(estate, pools={pool: PoolIntent(open_drained=True)})
    assert not [move for move in opened.hosts if move.stays_closed]
    assert {move.capacity for move in opened.hosts} == {10}
    assert [row.property for row in opened.not_carried if row.value is False] == ["allow_new_session"]


def test_drained_hosts_are_no_seats_for_the_floor() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=1, people=4)
    estate.host(pool, "z-drained", allow_new_session=False)
    with pytest.raises(PlanConflict, match="1 host with seats") as caught:
        plan_of(estate)
    assert "open one that is drained" in caught.value.problems[0].mend
    estate.change(estate.hosts[0].key, allow_new_session=False)
    with pytest.raises(PlanConflict, match="are drained"):
        plan_of(estate)
    assert plan_of(estate, pools={pool: PoolIntent(open_drained=True)}).hosts
