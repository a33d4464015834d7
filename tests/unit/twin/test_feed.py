"""What each person may open, on either service."""

from __future__ import annotations

from typing import Any

from avdtwin import estate, feed
from avdtwin.clock import ManualClock
from avdtwin.state import Group

POOL = "default tenant group/tiny/office pool"


def arm_items(twin: Any, user_id: str) -> set[tuple[str, str]]:
    return {(entry.group.rpartition("/")[2], entry.item) for entry in feed.arm_feed(twin.world, user_id)}


class TestClassic:
    def test_desktop_and_apps(self, twin: Any) -> None:
        person, clerk = twin.users()[0], twin.users("office apps")[0]
        desktop = feed.Entry(POOL, "desktop application group", "remote desktop", "Desktop", "")
        assert feed.classic_feed(twin.world, person.id) == {desktop}
        assert feed.classic_feed(twin.world, clerk.id) == {
            feed.Entry(POOL, "office apps", app, "RemoteApp", "") for app in ("excel", "word")
        }

    def test_hidden_items_and_a_dead_service_show_nothing(self, twin: Any) -> None:
        clerk = twin.users("office apps")[0]
        twin.pool.groups["office apps"].apps["excel"].show_in_web_feed = False
        assert [entry.item for entry in feed.classic_feed(twin.world, clerk.id)] == ["word"]
        twin.world.state.classic.alive = False
        assert feed.classic_feed(twin.world, clerk.id) == frozenset()

    def test_who_is_gone_or_disabled_has_nothing(self, twin: Any) -> None:
        gone, disabled, *_ = twin.users()
        gone.deleted, disabled.enabled = True, False
        assert not feed.classic_feed(twin.world, gone.id)
        assert not feed.classic_feed(twin.world, disabled.id)
        assert not feed.classic_feed(twin.world, "nobody")

    def test_personal(self, twin: Any) -> None:
        user, other = twin.users()[:2]
        twin.pool.persistent, twin.pool.assignment_type = True, 2
        host = next(iter(twin.pool.hosts.values()))
        host.assigned_user = user.upn.upper()
        assert [entry.host for entry in feed.classic_feed(twin.world, user.id)] == [host.vm]
        assert not feed.classic_feed(twin.world, other.id)
        twin.pool.assignment_type = 1
        assert [entry.host for entry in feed.classic_feed(twin.world, other.id)] == [""]


class TestArm:
    def test_nothing_without_role_or_workspace(self, twin: Any) -> None:
        user = twin.users()[0]
        pool = twin.host_pool()
        listed, unlisted = twin.application_group(pool, "a"), twin.application_group(pool, "b", listed=False)
        assert not arm_items(twin, user.id)
        twin.assign(user.id, listed.id.upper())
        twin.assign(user.id, unlisted.id)
        assert arm_items(twin, user.id) == {("a", "sessiondesktop")}

    def test_inherited_and_through_nested_groups_with_a_cycle(self, twin: Any) -> None:
        one, two, three = twin.users()[:3]
        groups = twin.world.state.directory.groups
        groups["inner"] = Group(id="inner", display_name="i", members={one.id: 0.0, "outer": 0.0})
        groups["outer"] = Group(id="outer", display_name="o", members={"inner": 0.0, two.id: twin.world.now + 60})
        twin.application_group(twin.host_pool(), "a")
        twin.assign("outer", twin.subscription)
        assert arm_items(twin, one.id)
        assert not arm_items(twin, two.id)
        assert not arm_items(twin, three.id)
        twin.wait(61)
        assert arm_items(twin, two.id)

    def test_scopes_beside_do_not_count(self, twin: Any) -> None:
        user = twin.users()[0]
        group = twin.application_group(twin.host_pool(), "apps 1")
        twin.assign(user.id, group.id + "0")
        twin.assign(user.id, twin.group + "-other")
        twin.assign(user.id, group.id, role="49a72310-ab8d-41df-bbb0-79b649203868")
        twin.assign(user.id, group.id, effective_at=twin.world.now + 1)
        assert not arm_items(twin, user.id)
        twin.assign(user.id, "/")
        assert arm_items(twin, user.id)

    def test_the_preferred_type_hides_the_other_only_where_a_person_has_both(self, twin: Any) -> None:
        both, apps_only = twin.users()[:2]
        pool = twin.host_pool(preferredAppGroupType="Desktop")
        desktop = twin.application_group(pool, "desktop")
        apps = twin.application_group(pool, "apps", "RemoteApp")
        twin.application(apps, "excel")
        for user, group in ((both, desktop), (both, apps), (apps_only, apps)):
            twin.assign(user.id, group.id)
        assert arm_items(twin, both.id) == {("desktop", "sessiondesktop")}
        assert arm_items(twin, apps_only.id) == {("apps", "excel")}
        pool.properties["preferredAppGroupType"] = "RailApplications"
        assert arm_items(twin, both.id) == {("apps", "excel")}
        pool.properties["preferredAppGroupType"] = "None"
        assert len(arm_items(twin, both.id)) == 2

    def test_show_flags(self, twin: Any) -> None:
        user = twin.users()[0]
        group = twin.application_group(twin.host_pool(), "apps", "RemoteApp")
        twin.application(group, "shown", showInPortal=True)
        twin.application(group, "unset")
        twin.application(group, "hidden", showInPortal=False)
        twin.assign(user.id, group.id)
        assert arm_items(twin, user.id) == {("apps", "shown"), ("apps", "unset")}
        group.properties["showInFeed"] = False
        assert not arm_items(twin, user.id)

    def test_personal(self, twin: Any) -> None:
        user, other = twin.users()[:2]
        pool = twin.host_pool(hostPoolType="Personal", personalDesktopAssignmentType="Direct")
        group = twin.application_group(pool, "desktop")
        twin.assign(user.id, group.id)
        twin.assign(other.id, group.id)
        assert not arm_items(twin, user.id)
        twin.move(twin.machines[0], pool, assignedUser=user.upn)
        assert [entry.host for entry in feed.arm_feed(twin.world, user.id)] == [twin.machines[0].vm]
        assert not arm_items(twin, other.id)


def test_all_at_once_equals_one_by_one() -> None:
    world = estate.build("small-7", 3, ManualClock(estate.DEMO_START))
    together = feed.feeds(world)
    assert any(classic for classic, _ in together.values())
    for user, found in together.items():
        assert found == (feed.classic_feed(world, user), feed.arm_feed(world, user))
