"""People come, work, leave, complain and try again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from avdtwin import agents, broker, clients, habits, people, sessions, windows
from avdtwin.state import Person

DAY_S = 86_400.0
DESKTOP = "Default Tenant Group/tiny/Office Pool/Desktop Application Group/Remote Desktop"


@pytest.fixture
def person(twin: Any) -> Person:
    """Somebody with the desktop, who acts only when the test says so."""
    found: Person = twin.world.state.people[twin.users()[0].id]
    found.client = "new"
    return found


def arm_desktop(twin: Any, person: Person, pool_name: str = "Office Pool", *, hosts: int = 1) -> Any:
    """An ARM pool with some of the machines, its desktop published to the person."""
    pool = twin.host_pool(pool_name)
    group = twin.application_group(pool, "office-dag")
    twin.assign(person.user, group.id)
    for machine in twin.machines[:hosts]:
        twin.move(machine, pool)
    return group


def want(twin: Any, person: Person) -> str:
    """Have the person open their desktop now; which service gave it, or the last cause."""
    people._try(twin.world, person, DESKTOP, twin.world.now)
    own = list(sessions.of_user(twin.world, person.user))
    return own[0].service if own else twin.records("refused_sign_in")[-1]["cause"]


# ---------------------------------------------------------------- habits


def test_a_day_is_in_order_and_the_same_when_asked_again(busy: Any) -> None:
    for one in busy.world.state.people.values():
        acts = habits.acts_of(1, one, 20_612)
        assert acts == habits.acts_of(1, one, 20_612)
        assert [act.at for act in acts] == sorted(act.at for act in acts)
        assert acts[0].what == habits.ARRIVE
        assert acts[-1].what == habits.LEAVE
        assert acts[0].at >= 20_612 * DAY_S - one.utc_offset_h * 3600


def test_nobody_comes_on_a_day_off(busy: Any) -> None:
    one = next(iter(busy.world.state.people.values()))
    assert not habits.acts_of(1, one, 20_612 + 5)  # a Saturday
    one.simulated = False
    assert not habits.acts_of(1, one, 20_612)


def test_three_days_without_a_migration_hurt_nobody(busy: Any) -> None:
    busy.wait(3 * DAY_S)
    found = people.tally(busy.world)
    assert found["min_sign_ins_per_person"] >= 3
    assert found["refused_sign_ins"] == found["no_path"] == 0
    assert found["sessions_lost_with_notice"] == found["sessions_lost_without_notice"] == 0
    assert found["sign_ins"] == found["sign_ins_classic"] > 0
    assert not busy.world.state.records


def test_a_disconnected_session_ends_after_its_time_unless_it_never_does(twin: Any, person: Person) -> None:
    want(twin, person)
    (session,) = sessions.of_user(twin.world, person.user)
    sessions.disconnect(twin.world, session)
    twin.wait(twin.world.setting("disconnected_limit_s") - 1)
    assert session.key in twin.world.state.sessions
    twin.wait(2)
    assert session.key not in twin.world.state.sessions
    want(twin, person)
    (stuck,) = sessions.of_user(twin.world, person.user)
    stuck.never_ends = True
    sessions.disconnect(twin.world, stuck)
    twin.wait(30 * DAY_S)
    assert stuck.key in twin.world.state.sessions


# ---------------------------------------------------------------- the new feed


@pytest.mark.parametrize("client, at_once", [("new", True), ("web", False), ("old", False), ("thin", False)])
def test_the_new_feed_shows_by_itself_or_by_an_act(twin: Any, person: Person, client: str, at_once: bool) -> None:
    person.client = client
    twin.world.state.settings["feed_chance"] = {"new": 1.0, "web": 0.0, "old": 0.0, "thin": 0.0}
    arm_desktop(twin, person)
    clients.look(twin.world, person)
    assert (person.sees_arm_since is not None) is at_once
    clients.look(twin.world, person, told=True)
    assert person.sees_arm_since is not None


def test_a_mail_makes_them_act_when_there_is_something_to_see(twin: Any, person: Person) -> None:
    person.client = "thin"
    people.tell(twin.world, [person.user])
    assert person.sees_arm_since is None
    arm_desktop(twin, person)
    people.tell(twin.world, [person.user])
    assert person.sees_arm_since is not None


def test_an_empty_new_feed_is_not_shown_until_the_client_reads_it_again(twin: Any, person: Person) -> None:
    clients.look(twin.world, person)
    arm_desktop(twin, person)
    assert twin.world.now - (person.feed_read_at or 0) < 3600
    clients.look(twin.world, person)
    assert person.sees_arm_since is None
    twin.wait(3600)
    clients.look(twin.world, person)
    assert person.sees_arm_since is not None


@pytest.mark.parametrize(
    "pool, recognised", [("Office Pool", True), ("office-pool", True), ("Tiny - Office Pool", True), ("Sales", False)]
)
def test_the_same_resource_is_told_by_its_pool(twin: Any, person: Person, pool: str, recognised: bool) -> None:
    group = arm_desktop(twin, person, pool)
    assert clients.shown_by_arm(twin.world, person, DESKTOP) == (group.id.lower() if recognised else None)


def test_the_same_app_is_told_by_its_title(twin: Any) -> None:
    clerk = twin.world.state.people[twin.users("office apps")[0].id]
    excel = "Default Tenant Group/tiny/Office Pool/Office Apps/Excel"
    group = twin.application_group(twin.host_pool(), "office-apps", "RemoteApp")
    twin.assign(clerk.user, group.id)
    twin.application(group, "app-1", friendlyName="Word")
    assert clients.shown_by_arm(twin.world, clerk, excel) is None
    app = twin.application(group, "app-2", friendlyName="EXCEL")
    assert clients.shown_by_arm(twin.world, clerk, excel) == group.id.lower()
    app.properties["showInPortal"] = False
    assert clients.shown_by_arm(twin.world, clerk, excel) is None


def test_people_prefer_the_new_resource_more_and_more(twin: Any) -> None:
    def share(known_s: float) -> float:
        crowd = [Person(user=f"u{n}", upn="x", sees_arm_since=twin.world.now - known_s) for n in range(400)]
        return sum(clients.prefers_new(twin.world, one) for one in crowd) / len(crowd)

    assert 0.4 < share(0) < 0.6 < share(7_200) < share(80_000)


# ---------------------------------------------------------------- choosing, being refused, trying again


def test_where_their_session_is_they_go_back(twin: Any, person: Person) -> None:
    assert want(twin, person) == "classic"
    (session,) = sessions.of_user(twin.world, person.user)
    arm_desktop(twin, person, hosts=0)
    person.sees_arm_since = 0.0
    twin.wait(60)
    sessions.disconnect(twin.world, session)
    assert want(twin, person) == "classic"
    assert list(sessions.of_user(twin.world, person.user)) == [session]
    assert not twin.records("refused_sign_in")


def test_when_one_way_is_refused_they_take_the_other(twin: Any, person: Person) -> None:
    arm_desktop(twin, person)
    person.sees_arm_since = 0.0
    for host in twin.pool.hosts.values():
        host.allow_new_session = False
    twin.world.state.settings["new_feed_pull"] = (0.0, 0.0, 1.0)
    assert want(twin, person) == "arm"
    (refused,) = twin.records("refused_sign_in")
    assert (refused["service"], refused["cause"]) == ("classic", broker.NO_HOST_AVAILABLE)
    assert not twin.records("no_path")
    assert (person.sign_ins, person.arm_sign_ins) == (1, 1)


def test_a_locked_profile_is_told_apart(twin: Any, person: Person) -> None:
    want(twin, person)
    (session,) = sessions.of_user(twin.world, person.user)
    other = next(machine for machine in twin.machines if machine.vm != session.machine)
    group = arm_desktop(twin, person, hosts=0)
    twin.move(other, twin.world.state.arm.resources[group.properties["hostPoolArmPath"]])
    person.sees_arm_since = 0.0
    twin.pool.groups["desktop application group"].users.clear()
    people._try(twin.world, person, DESKTOP, twin.world.now)
    assert [record["service"] for record in twin.records("profile_locked")] == ["arm"]
    assert people.tally(twin.world)["refused_by_cause"] == {"profile_locked": 1}


def test_without_a_path_they_try_again_until_they_find_one(twin: Any, person: Person) -> None:
    first, second = twin.machines
    for machine in (first, second):
        agents.leave(twin.world, machine)
    people._try(twin.world, person, DESKTOP, twin.world.now + 900)
    assert len(twin.records("no_path")) == 1
    twin.wait(300)
    assert len(twin.records("refused_sign_in")) > 1
    agents.connect(twin.world, first, "classic", "default tenant group/tiny/office pool", first.fqdn)
    twin.wait(600)
    (back,) = twin.records("path_back")
    assert back["minutes"] > 5
    assert len(twin.records("no_path")) == 1
    assert people.tally(twin.world)["minutes_without_path"] == pytest.approx(back["minutes"], abs=0.1)


def test_patience_ends(twin: Any, person: Person) -> None:
    twin.pool.groups["desktop application group"].users.clear()
    people._try(twin.world, person, DESKTOP, twin.world.now + 900)
    twin.wait(3600)
    assert len(twin.records("gave_up")) == 1
    assert {record["cause"] for record in twin.records("refused_sign_in")} == {people.FEED_MISSING}
    assert 3 <= len(twin.records("refused_sign_in")) <= 21


def test_who_is_refused_asks_and_learns_of_the_new_feed(twin: Any, person: Person) -> None:
    person.client = "old"
    twin.world.state.settings["feed_chance"] = {"old": 0.0}
    arm_desktop(twin, person)
    twin.pool.groups["desktop application group"].users.clear()
    people._try(twin.world, person, DESKTOP, twin.world.now + 900)
    twin.wait(900)
    assert [record["cause"] for record in twin.records("refused_sign_in")] == [people.FEED_MISSING]
    assert person.arm_sign_ins == 1


# ---------------------------------------------------------------- what administrators do


def test_a_message_makes_them_sign_out_and_come_back(twin: Any, person: Person) -> None:
    twin.world.state.settings["heed_chance"] = 1.0
    want(twin, person)
    (session,) = sessions.of_user(twin.world, person.user)
    sessions.message(twin.world, session, "Maintenance", "Please sign out.")
    twin.wait(480)
    assert session.key not in twin.world.state.sessions
    twin.wait(300)
    assert person.sign_ins == 2
    assert people.tally(twin.world)["messages"] == 1
    assert not twin.records("session_lost")


def test_nobody_sees_a_message_in_a_disconnected_session(twin: Any, person: Person) -> None:
    twin.world.state.settings["heed_chance"] = 1.0
    want(twin, person)
    (session,) = sessions.of_user(twin.world, person.user)
    sessions.disconnect(twin.world, session)
    sessions.message(twin.world, session, "Maintenance", "Please sign out.")
    twin.wait(1_000)
    assert session.key in twin.world.state.sessions


@pytest.mark.parametrize("told_s, noticed", [(None, False), (10.0, False), (300.0, True)])
def test_a_restart_loses_sessions_with_or_without_notice(
    twin: Any, person: Person, told_s: float | None, noticed: bool
) -> None:
    twin.world.state.settings["heed_chance"] = 0.0
    want(twin, person)
    (session,) = sessions.of_user(twin.world, person.user)
    if told_s is not None:
        sessions.message(twin.world, session, "Maintenance", "Please sign out.")
        twin.wait(told_s)
    windows.restart(twin.world, twin.world.state.machines[session.machine])
    (lost,) = twin.records("session_lost")
    assert lost["noticed"] is noticed
    found = people.tally(twin.world)
    assert (found["sessions_lost_with_notice"], found["sessions_lost_without_notice"]) == (noticed, not noticed)
    twin.wait(300)
    assert person.sign_ins == 2


# ---------------------------------------------------------------- a whole move


def test_a_careful_move_hurts_nobody_and_a_careless_one_does(busy: Any) -> None:
    world = busy.world
    busy.wait(3600)
    pool = busy.host_pool()
    desktop = busy.application_group(pool, "office-dag")
    apps = busy.application_group(pool, "office-apps", "RemoteApp")
    for name in ("Excel", "Word"):
        busy.application(apps, name)
    first, second = busy.machines
    hosts = {host.vm: host for host in busy.pool.hosts.values()}

    def empty(machine: Any) -> None:
        hosts[machine.vm].allow_new_session = False
        for session in sessions.of_machine(world, machine.vm):
            sessions.message(world, session, "Maintenance", "Please sign out.")
        while sessions.count_on(world, machine.vm):
            busy.wait(600)

    empty(first)
    busy.move(first, pool)
    for group, named in ((desktop, "desktop application group"), (apps, "office apps")):
        for user in busy.users(named):
            busy.assign(user.id, group.id)
    while people.tally(world)["people_seen_on_arm"] < 6:
        busy.wait(3600)
    empty(second)
    busy.move(second, pool)
    for group in busy.pool.groups.values():
        group.users.clear()
    busy.wait(DAY_S)
    found = people.tally(world)
    assert found["refused_sign_ins"] == found["no_path"] == found["sessions_lost_without_notice"] == 0
    assert found["sign_ins_arm"] > 0

    agents.leave(world, first)
    agents.leave(world, second)
    busy.wait(DAY_S)
    found = people.tally(world)
    assert found["no_path"] > 0
    assert set(found["refused_by_cause"]) <= {broker.NO_HOST_AVAILABLE, broker.HOST_DOWN}
    assert found["people_without_path_now"] > 0


def test_the_series_shows_the_days(busy: Any) -> None:
    busy.wait(DAY_S)
    series = busy.world.state.series
    assert len(series) == 97
    assert all(later[0] - earlier[0] == 900 for earlier, later in pairwise(series))
    assert people.demand(busy.world).get(("classic", "default tenant group/tiny/office pool"), 0) == len(
        busy.world.state.sessions
    )
