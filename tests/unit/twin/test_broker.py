"""Which host a person gets, or why none."""

from __future__ import annotations

from typing import Any

import pytest

from avdtwin import agents, broker, directory, sessions, windows
from avdtwin.state import Group, Session, User

POOL = "default tenant group/tiny/office pool"
DESKTOP = "Desktop Application Group"


def classic(twin: Any, user: User, group: str = DESKTOP) -> Session:
    return broker.connect_classic(twin.world, user, POOL, group)


def refusal(action: Any) -> str:
    with pytest.raises(broker.Refusal) as caught:
        action()
    return caught.value.cause


@pytest.mark.parametrize("depth_first, spread", [(False, [2, 2]), (True, [4, 0])])
def test_load_balancing(twin: Any, depth_first: bool, spread: list[int]) -> None:
    twin.pool.load_balancer_type = int(depth_first)
    for user in twin.users():
        classic(twin, user)
    assert [sessions.count_on(twin.world, machine.vm) for machine in twin.machines] == spread


def test_depth_first_goes_on_at_the_limit_and_stops_when_all_are_full(twin: Any) -> None:
    twin.pool.load_balancer_type, twin.pool.max_session_limit = 1, 1
    first, second, third, _ = twin.users()
    assert [classic(twin, first).machine, classic(twin, second).machine] == [m.vm for m in twin.machines]
    assert refusal(lambda: classic(twin, third)) == broker.NO_HOST_AVAILABLE


def test_a_drained_host_takes_nobody_new_but_its_own_people_back(twin: Any) -> None:
    user, other = twin.users()[:2]
    session = classic(twin, user)
    sessions.disconnect(twin.world, session)
    for host in twin.pool.hosts.values():
        host.allow_new_session = False
    assert classic(twin, user) is session
    assert session.state == "Active"
    assert refusal(lambda: classic(twin, other)) == broker.NO_HOST_AVAILABLE


def test_only_healthy_hosts_take_people(twin: Any) -> None:
    first, second = twin.machines
    agents.leave(twin.world, first)
    assert classic(twin, twin.users()[0]).machine == second.vm
    windows.power_off(twin.world, second)
    assert refusal(lambda: classic(twin, twin.users()[1])) == broker.NO_HOST_AVAILABLE


def test_a_session_on_a_silent_host_cannot_be_reached_nor_doubled(twin: Any) -> None:
    user = twin.users()[0]
    session = classic(twin, user)
    agents.leave(twin.world, twin.world.state.machines[session.machine])
    assert refusal(lambda: classic(twin, user)) == broker.HOST_DOWN


def test_who_is_not_listed_or_gone_or_late_is_refused(twin: Any) -> None:
    stranger = directory.add_user(twin.world, User(id="stranger", upn="stranger@tiny.example"))
    user = twin.users()[0]
    assert refusal(lambda: classic(twin, stranger)) == broker.NOT_AUTHORIZED
    assert refusal(lambda: classic(twin, user, "Office Apps")) == broker.NOT_AUTHORIZED
    user.enabled = False
    assert refusal(lambda: classic(twin, user)) == broker.NOT_AUTHORIZED
    twin.world.state.classic.alive = False
    assert refusal(lambda: classic(twin, twin.users()[1])) == broker.SERVICE_GONE


def test_a_profile_is_held_by_one_session(twin: Any) -> None:
    user = twin.users()[0]
    pool = twin.host_pool()
    group = twin.application_group(pool, "desktop")
    twin.assign(user.id, group.id)
    session = classic(twin, user)
    other = next(machine for machine in twin.machines if machine.vm != session.machine)
    twin.move(other, pool)
    assert refusal(lambda: broker.connect_arm(twin.world, user, group.id)) == broker.PROFILE_LOCKED
    sessions.end(twin.world, session, "signed_out")
    assert broker.connect_arm(twin.world, user, group.id).machine == other.vm


def test_a_session_goes_with_its_machine(twin: Any) -> None:
    user = twin.users()[0]
    pool = twin.host_pool()
    group = twin.application_group(pool, "desktop")
    twin.assign(user.id, group.id)
    session = classic(twin, user)
    twin.move(twin.world.state.machines[session.machine], pool)
    assert broker.connect_arm(twin.world, user, group.id) is session
    assert (session.service, session.pool) == ("arm", pool.id.lower())
    assert sessions.of_pool(twin.world, "arm", pool.id.lower()) == [session]
    assert sessions.of_pool(twin.world, "classic", POOL) == []


class TestArm:
    @pytest.fixture
    def opened(self, twin: Any) -> Any:
        """`opened(user)` on an ARM pool that has both machines."""
        self.pool = twin.host_pool()
        self.group = twin.application_group(self.pool, "desktop")
        self.hosts = [twin.move(machine, self.pool) for machine in twin.machines]
        return lambda user: broker.connect_arm(twin.world, user, self.group.id)

    def test_needs_a_role_in_force(self, twin: Any, opened: Any) -> None:
        user = twin.users()[0]
        assert refusal(lambda: opened(user)) == broker.NOT_AUTHORIZED
        twin.assign(user.id, self.group.id, effective_at=twin.world.now + 60)
        assert refusal(lambda: opened(user)) == broker.NOT_AUTHORIZED
        twin.wait(61)
        assert opened(user).service == "arm"

    def test_a_role_through_a_group_above_the_group(self, twin: Any, opened: Any) -> None:
        user = twin.users()[0]
        inner = Group(id="inner", display_name="inner", members={user.id: 0.0})
        outer = Group(id="outer", display_name="outer", members={"inner": 0.0})
        twin.world.state.directory.groups.update(inner=inner, outer=outer)
        twin.assign("outer", twin.group)
        assert opened(user).service == "arm"
        assert refusal(lambda: opened(twin.users()[1])) == broker.NOT_AUTHORIZED

    def test_drained_hosts_are_full_for_newcomers(self, twin: Any, opened: Any) -> None:
        twin.assign(twin.users()[0].id, self.group.id)
        for host in self.hosts:
            host.properties["allowNewSession"] = False
        assert refusal(lambda: opened(twin.users()[0])) == broker.NO_HOST_AVAILABLE

    def test_personal_direct(self, twin: Any, opened: Any) -> None:
        self.pool.properties |= {"hostPoolType": "Personal", "personalDesktopAssignmentType": "Direct"}
        user, other = twin.users()[:2]
        twin.assign(user.id, self.group.id)
        twin.assign(other.id, self.group.id)
        assert refusal(lambda: opened(user)) == broker.NO_ASSIGNED_HOST
        self.hosts[1].properties["assignedUser"] = user.upn.upper()
        assert opened(user).machine == twin.machines[1].vm
        assert refusal(lambda: opened(other)) == broker.NO_ASSIGNED_HOST

    def test_personal_automatic_binds_once(self, twin: Any, opened: Any) -> None:
        self.pool.properties |= {"hostPoolType": "Personal", "personalDesktopAssignmentType": "Automatic"}
        users = twin.users()[:3]
        for user in users:
            twin.assign(user.id, self.group.id)
        assert [opened(user).machine for user in users[:2]] == [machine.vm for machine in twin.machines]
        assert [host.properties["assignedUser"] for host in self.hosts] == [user.upn for user in users[:2]]
        assert refusal(lambda: opened(users[2])) == broker.NO_HOST_AVAILABLE

    def test_a_personal_host_that_is_down_or_drained(self, twin: Any, opened: Any) -> None:
        self.pool.properties |= {"hostPoolType": "Personal", "personalDesktopAssignmentType": "Direct"}
        user = twin.users()[0]
        twin.assign(user.id, self.group.id)
        self.hosts[0].properties |= {"assignedUser": user.upn, "allowNewSession": False}
        assert refusal(lambda: opened(user)) == broker.PERSONAL_HOST_DRAINED
        windows.power_off(twin.world, twin.machines[0])
        assert refusal(lambda: opened(user)) == broker.PERSONAL_HOST_DOWN


def test_classic_personal_automatic_binds(twin: Any) -> None:
    twin.pool.persistent, twin.pool.assignment_type, twin.pool.load_balancer_type = True, 1, 2
    user = twin.users()[0]
    session = classic(twin, user)
    assert [host.assigned_user for host in twin.pool.hosts.values()] == [user.upn, None]
    sessions.end(twin.world, session, "signed_out")
    assert classic(twin, user).machine == session.machine
