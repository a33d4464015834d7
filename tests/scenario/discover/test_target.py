"""The ARM side read in bulk: what is there, what matters of it, and nothing that is secret."""

from typing import Any

import pytest
from discover_kit import Bench

from avdtwin import directory, windows
from avdtwin.arm import session_hosts
from avdtwin.state import Group
from crossfade.cloud.services import Services
from crossfade.commands.discover import discover, discover_target
from crossfade.errors import InputError
from crossfade.inventory.documents import decode, encode
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, arm_id, fold, group_id, stable_id

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


class Made:
    """A small target made with our own client: a pool with a host, two groups, a workspace, grants."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        sub = bench.subscription
        self.group = group_id(sub, "rg-avd")
        self.pool = arm_id(sub, "rg-avd", "hostPools", "Office")
        self.other = arm_id(sub, "rg-avd", "hostPools", "Other")
        self.apps = arm_id(sub, "rg-avd", "applicationGroups", "Office-Apps")
        self.desk = arm_id(sub, "rg-avd", "applicationGroups", "Office-Desktop")
        self.workspace = arm_id(sub, "rg-avd", "workspaces", "Contoso")
        users = [user for user in bench.world.state.directory.users.values() if user.enabled and not user.deleted]
        self.person, self.nested, self.disabled = users[0], users[1], users[2]
        self.disabled.enabled = False
        now = bench.world.now - 1e6
        inner = Group(id=stable_id("inner"), display_name="Inner", members={self.nested.id: now}, created_at=now)
        members = {inner.id: now, self.disabled.id: now}
        self.team = Group(id=stable_id("team"), display_name="Team", members=members, created_at=now)
        bench.world.state.directory.groups |= {inner.id: inner, self.team.id: self.team}

    async def make(self, services: Services) -> None:
        arm = services.arm
        for namespace in ("Microsoft.DesktopVirtualization",):
            while await arm.register_provider(self.bench.subscription, namespace) != "Registered":
                await services.clock.sleep(30)
        await arm.put_group(self.group, "westeurope", {"owner": "me"})
        kind = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
        for pool in (self.pool, self.other):
            await arm.put(pool, {"location": "westeurope", "tags": {"b": "2", "a": "1"}, "properties": kind})
        for group, what in ((self.apps, "RemoteApp"), (self.desk, "Desktop")):
            properties = {"applicationGroupType": what, "hostPoolArmPath": self.pool}
            await arm.put(group, {"location": "westeurope", "properties": properties})
        app = {"properties": {"filePath": "C:\\excel.exe", "commandLineSetting": "DoNotAllow"}}
        await arm.put(f"{self.apps}/applications/excel", app)
        await arm.put(self.workspace, {"location": "westeurope", "properties": {}})
        await arm.publish_in(self.workspace, [self.apps, self.desk])
        self.token = await arm.registration_token(self.pool)
        for scope, role, who, what in (
            (self.apps, DESKTOP_USER_ROLE, self.person.id, "User"),
            (self.group, DESKTOP_USER_ROLE, self.team.id, "Group"),
            (self.desk, READER, self.person.id, "User"),
            (self.group, READER, self.person.id, "User"),
        ):
            name = stable_id(scope, role, who)
            await arm.access.grant(scope, name, role=role, principal_id=who, principal_type=what)
        machine = next(iter(self.bench.world.state.machines.values()))
        session_hosts.register(self.bench.world, machine, self.pool.lower())
        self.machine = machine


def made(name: str = "contoso", **options: Any) -> tuple[Made, Inventory, TargetSnapshot]:
    bench = Bench(name)
    target = Made(bench)

    async def story(services: Services) -> tuple[Inventory, TargetSnapshot]:
        await target.make(services)
        inventory = await discover(services)
        services.calls.clear()
        found = {key: value(target) if callable(value) else value for key, value in options.items()}
        return inventory, await discover_target(services, inventory, [bench.subscription], **found)

    inventory, snapshot = bench.run(story)
    return target, inventory, snapshot


@pytest.fixture(scope="module")
def whole() -> tuple[Made, Inventory, TargetSnapshot]:
    return made()


def test_objects_are_there_with_declared_types_and_last_names(whole: tuple[Made, Inventory, TargetSnapshot]) -> None:
    target, _, found = whole
    kinds = {}
    for item in found.objects:
        kinds.setdefault(item.type, []).append(item.name)
    provider = "Microsoft.DesktopVirtualization"
    assert kinds[f"{provider}/hostPools"] == ["Office", "Other"]
    assert kinds[f"{provider}/applicationGroups"] == ["Office-Apps", "Office-Desktop"]
    assert kinds[f"{provider}/applicationGroups/applications"] == ["excel"]
    assert kinds[f"{provider}/applicationGroups/desktops"] == ["SessionDesktop"]
    assert kinds[f"{provider}/workspaces"] == ["Contoso"]
    assert kinds[f"{provider}/hostPools/sessionHosts"] == [target.machine.fqdn]
    assert "rg-avd" in kinds["Microsoft.Resources/resourceGroups"]
    assert [item.id for item in found.objects if item.name in ("Office", "excel")] == [
        f"{target.apps}/applications/excel",
        target.pool,
    ]
    pool = found.object(target.pool.upper())
    assert pool is not None
    assert (pool.location, pool.tags) == ("westeurope", {"a": "1", "b": "2"})
    assert sorted(found.objects, key=lambda item: fold(item.id)) == found.objects


def test_grants_that_matter_are_there_and_no_others(whole: tuple[Made, Inventory, TargetSnapshot]) -> None:
    target, _, found = whole
    assert {(fold(item.scope), item.role, item.principal_id) for item in found.grants} == {
        (fold(target.apps), DESKTOP_USER_ROLE, target.person.id),
        (fold(target.group), DESKTOP_USER_ROLE, target.team.id),
        (fold(target.desk), READER, target.person.id),
    }


def test_people_of_groups_are_there_with_names_and_states(whole: tuple[Made, Inventory, TargetSnapshot]) -> None:
    target, inventory, found = whole
    [team] = found.directory_groups
    assert team.display_name == "Team"
    assert team.members == sorted([target.nested.id, target.disabled.id])
    disabled = found.identity(target.disabled.upn.upper())
    assert disabled is not None
    assert (disabled.state, disabled.object_id) == ("disabled", target.disabled.id)
    for item in inventory.assignments:
        identity = found.identity(item.upn)
        assert identity is not None
        known = directory.user_by_upn(target.bench.world, item.upn)
        assert (identity.state == "missing") == (known is None or known.deleted)
        assert bool(identity.why) == (identity.state == "missing")


def test_machines_of_the_estate_are_there_with_their_power(whole: tuple[Made, Inventory, TargetSnapshot]) -> None:
    target, inventory, found = whole
    machines = {fold(item.id): item for item in found.machines}
    for machine in target.bench.world.state.machines.values():
        assert machines[fold(machine.resource_id)].power == machine.power
        assert machines[fold(machine.resource_id)].vm_id == machine.vm_id
    assert len(machines) == len(inventory.hosts)
    assert {item.power for item in found.machines} > {"running"}


def test_rights_limits_and_places_are_there(whole: tuple[Made, Inventory, TargetSnapshot]) -> None:
    target, _, found = whole
    sub = target.bench.subscription
    assert found.providers[sub]["Microsoft.DesktopVirtualization"] == "Registered"
    assert "westeurope" in found.locations
    assert " " not in "".join(found.locations)
    counts = {(item.what, item.scope): (item.used, item.limit) for item in found.counts}
    assert counts["application_groups", "tenant"] == (2, 500)
    assert counts["role_assignments", sub] == (6, 4000)
    scopes = {item.scope for item in found.permissions}
    assert {f"/subscriptions/{sub}", target.group} <= scopes
    assert found.tenant_id
    assert found.caller
    assert found.gaps == []


def test_lists_are_in_bulk(whole: tuple[Made, Inventory, TargetSnapshot]) -> None:
    target, inventory, found = whole
    calls = target.bench.calls
    people = {fold(item.upn) for item in inventory.assignments}
    groups = {fold(item.scope) for item in found.permissions}
    bulk = ("hostPools", "applicationGroups", "workspaces", "roleAssignments", "subscriptions")
    assert calls["arm GET virtualMachines"] == 2
    assert calls["arm GET permissions"] == len(groups)
    assert all(calls[f"arm GET {name}"] == 1 for name in bulk)
    assert calls["arm GET hostPools/sessionHosts"] == 2
    assert calls["graph POST $batch"] <= -(-len(people) // 20) + 2
    assert not [name for name in calls if name.startswith(("arm P", "arm D"))]


def test_tokens_and_icons_are_in_no_document(whole: tuple[Made, Inventory, TargetSnapshot]) -> None:
    target, _, found = whole
    text = encode(found).decode()
    assert target.token.value not in text
    for word in ("eyJ", "registrationInfo", "iconContent", "Bearer"):
        assert word not in text
    assert decode(encode(found), TargetSnapshot, place="target.json") == found


def test_only_the_pools_that_matter_have_their_hosts_read() -> None:
    target, _, found = made("tiny", pools=lambda target: [target.other.upper()])
    assert target.bench.calls["arm GET hostPools/sessionHosts"] == 1
    assert [item for item in found.objects if item.type.endswith(("/sessionHosts", "/applications"))] == []
    assert found.object(target.pool) is not None


def test_a_group_is_known_by_its_id_in_any_casing() -> None:
    bench = Bench("tiny")
    target = Made(bench)

    async def story(services: Services) -> TargetSnapshot:
        await target.make(services)
        for one in bench.world.state.arm.role_assignments.values():
            one.principal_id = one.principal_id.upper() if one.principal_type == "Group" else one.principal_id
        return await discover_target(services, None, [bench.subscription])

    (team,) = bench.run(story).directory_groups
    assert (team.id, team.display_name, len(team.members)) == (target.team.id, "Team", 2)


def test_digest_stays_when_only_live_values_move() -> None:
    bench = Bench("tiny")
    target = Made(bench)

    async def story(services: Services) -> list[str]:
        await target.make(services)
        digests = []
        for _ in range(3):
            digests.append((await discover_target(services, None, [bench.subscription])).design_digest())
            windows.power_off(bench.world, target.machine)
            await services.clock.sleep(900)
            if len(digests) == 2:
                await services.arm.patch(target.pool, {"properties": {"friendlyName": "new"}})
        return digests

    first, second, third = bench.run(story)
    assert first == second
    assert second != third


def test_without_subscriptions_those_of_the_machines_are_read() -> None:
    bench = Bench("tiny")

    async def story(services: Services) -> TargetSnapshot:
        return await discover_target(services, await discover(services))

    assert bench.run(story).subscriptions == [bench.subscription]

    async def nothing(services: Services) -> TargetSnapshot:
        return await discover_target(services, None)

    with pytest.raises(InputError, match="subscription: is not given"):
        Bench("tiny").run(nothing)


def test_subscriptions_without_rights_are_all_named() -> None:
    wrong = ["11111111-0000-4000-a000-000000000000", "22222222-0000-4000-a000-000000000000"]

    async def story(services: Services) -> TargetSnapshot:
        return await discover_target(services, None, wrong)

    with pytest.raises(InputError) as caught:
        Bench("tiny").run(story)
    assert [problem.where for problem in caught.value.problems] == [f"subscription {one}" for one in wrong]


def test_what_may_not_be_read_is_a_gap() -> None:
    bench = Bench("tiny")
    denied = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    bench.app.instead = {
        r"POST /v1.0/\$batch": denied,
        r"GET /subscriptions/[^/]*/providers/Microsoft.Compute/virtualMachines$": denied,
        r"GET .*roleAssignmentsUsageMetrics$": denied,
    }

    async def story(services: Services) -> TargetSnapshot:
        return await discover_target(services, await discover(services))

    found = bench.run(story)
    assert {item.state for item in found.identities} == {"unread"}
    assert all(item.why for item in found.identities)
    assert len(found.machines) == 2, "read by resource group instead"
    assert {item.what for item in found.counts} == {"application_groups"}
    subjects = " ".join(gap.subject for gap in found.gaps)
    for word in ("the people of the estate", "the virtual machines of", "quota"):
        assert word in subjects
