"""Over random ARM sides: what the brokers let people open, what clients show, and the judge's feed agree.

The three are separate code: the service's own rights, a client's view, and the feed.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from avdtwin import broker, clients, estate, feed
from avdtwin.clock import ManualClock
from avdtwin.state import Group, Resource, RoleAssignment
from avdtwin.world import World

ROLES = ("1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63", "49a72310-ab8d-41df-bbb0-79b649203868")


def random_side(number: int) -> tuple[World, list[str]]:
    """A small estate with an ARM side laid out at random; ids of its application groups that a workspace lists."""
    dice = random.Random(number)
    clock = ManualClock(estate.DEMO_START)
    world = estate.build(f"small-{number}", number, clock, people=False)
    subscription = f"/subscriptions/{next(iter(world.state.arm.subscriptions.values())).id}"
    listed: list[str] = []
    scopes = ["/", subscription]
    for group in world.state.classic.groups.values():
        for tenant in group.tenants.values():
            for position, pool in enumerate(tenant.pools.values()):
                home = f"{subscription}/resourceGroups/rg-new-{position}"
                scopes.append(home)
                prefer = dice.choice(("Desktop", "RailApplications", "None"))
                base = f"{home}/providers/Microsoft.DesktopVirtualization"
                arm_pool = put(world, f"{base}/hostPools/{pool.name}", "hostPools", {"preferredAppGroupType": prefer})
                if pool.persistent:
                    arm_pool.properties |= {"hostPoolType": "Personal", "personalDesktopAssignmentType": "Direct"}
                for app_group in pool.groups.values():
                    kind = "Desktop" if app_group.resource_type else "RemoteApp"
                    path = f"{base}/applicationGroups/{app_group.name} {position}"
                    given = {"applicationGroupType": kind, "hostPoolArmPath": arm_pool.id.lower()}
                    added = put(world, path, "applicationGroups", given)
                    scopes.append(added.id)
                    if dice.random() < 0.9:
                        listed.append(added.id)
                    if app_group.desktop:
                        put(world, f"{path}/desktops/SessionDesktop", "applicationGroups/desktops", {})
                    for app in app_group.apps.values():
                        shown = {"friendlyName": app.friendly_name, "showInPortal": dice.random() < 0.9}
                        put(world, f"{path}/applications/{app.name[:24]}", "applicationGroups/applications", shown)
                for host in pool.hosts.values():
                    if pool.persistent and dice.random() < 0.9:
                        own = put(world, f"{arm_pool.id}/sessionHosts/{host.name}", "hostPools/sessionHosts", {})
                        own.vm, own.properties["assignedUser"] = host.vm, host.assigned_user
    put(
        world,
        f"{scopes[2]}/providers/Microsoft.DesktopVirtualization/workspaces/ws",
        "workspaces",
        {"applicationGroupReferences": listed},
    )
    grant(world, dice, scopes)
    return world, listed


def put(world: World, path: str, kind: str, properties: dict[str, object]) -> Resource:
    name = path.partition("DesktopVirtualization/")[2].split("/")
    found = Resource(
        id=path, type=f"Microsoft.DesktopVirtualization/{kind}", name="/".join(name[1::2]), properties=properties
    )
    world.state.arm.resources[path.lower()] = found
    return found


def grant(world: World, dice: random.Random, scopes: list[str]) -> None:
    """Nested groups, some in a circle, some members not yet in; roles of two kinds at all scopes, some not in force."""
    users = [user.id for user in world.state.directory.users.values()]
    groups = [f"group-{n}" for n in range(5)]
    for group in groups:
        members = dice.sample(users, dice.randint(0, len(users) // 2)) + dice.sample(groups, dice.randint(0, 2))
        since = {member: dice.choice((0.0, 0.0, world.now + 60)) for member in members}
        world.state.directory.groups[group] = Group(id=group, display_name=group, members=since)
    for number in range(dice.randint(0, 3 * len(scopes))):
        scope = dice.choice(scopes[2:] if dice.random() < 0.9 else scopes)
        full = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{number}"
        world.state.arm.role_assignments[full.lower()] = RoleAssignment(
            id=full,
            name=str(number),
            scope=scope,
            role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{dice.choice((*ROLES, ROLES[0]))}",
            principal_id=dice.choice((*groups, *users)),
            principal_type="Group",
            created_at=0.0,
            effective_at=dice.choice((0.0, 0.0, 0.0, world.now + 60)),
        )


@settings(max_examples=60)
@given(st.integers(0, 100_000))
def test_rights_and_feed_agree(number: int) -> None:
    world, listed = random_side(number)
    for world_moment in range(2):
        feeds = feed.feeds(world)
        for user, (_, arm) in feeds.items():
            allowed = {group.lower() for group in listed if broker.may_use(world, user, group)}
            seen = {entry.group for entry in arm}
            assert seen <= allowed
            for group in allowed - seen:
                assert _why_hidden(world, user, group, allowed), (number, world_moment, user, group)
        world.settle_until(world.now + 61)


def _why_hidden(world: World, user: str, group: str, allowed: set[str]) -> bool:
    """Whether there is a good reason for a group that may be used and shows nothing."""
    own = world.state.arm.resources[group]
    pool = world.state.arm.resources[own.properties["hostPoolArmPath"]]
    children = [r for key, r in world.state.arm.resources.items() if key.startswith(group + "/")]
    if not any(child.properties.get("showInPortal") is not False for child in children):
        return True
    if pool.properties.get("hostPoolType") == "Personal":
        upn = world.state.directory.users[user].upn.lower()
        hosts = [r for key, r in world.state.arm.resources.items() if key.startswith(pool.id.lower() + "/sessionhosts")]
        return not any((host.properties.get("assignedUser") or "").lower() == upn for host in hosts)
    preferred = {"Desktop": "Desktop", "RailApplications": "RemoteApp"}.get(pool.properties["preferredAppGroupType"])
    rivals = [world.state.arm.resources[key] for key in allowed]
    return preferred not in (None, own.properties["applicationGroupType"]) and any(
        rival.properties["applicationGroupType"] == preferred
        and rival.properties["hostPoolArmPath"] == own.properties["hostPoolArmPath"]
        for rival in rivals
    )


@settings(max_examples=60)
@given(st.integers(0, 100_000))
def test_a_client_shows_only_what_the_feed_holds_and_all_that_it_holds(number: int) -> None:
    world, _ = random_side(number)
    feeds = feed.feeds(world)
    for person in world.state.people.values():
        arm = feeds[person.user][1]
        for resource in person.resources:
            shown = clients.shown_by_arm(world, person, resource)
            groups = {entry.group for entry in arm}
            assert shown is None or shown in groups, (number, person.upn, resource)
            assert clients.shown_by_arm(world, person, resource) == shown
            pool, group, item = resource.lower().rsplit("/", 2)
            same = [
                entry
                for entry in arm
                if entry.pool.endswith("/" + pool.rpartition("/")[2])
                and entry.group.rpartition("/")[2].startswith(group)
                and (entry.kind == "Desktop" or entry.item == item[:24])
            ]
            assert shown is not None or not same, (number, person.upn, resource)
