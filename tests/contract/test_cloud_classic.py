"""Our client of the classic service, against the twin."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _cloud_services import POOL_KEY, TENANT_KEY, Bench
from _furnished import user_id

from avdtwin import sessions, windows
from avdtwin.state import AppGroup, ClassicHost
from crossfade import errors
from crossfade.cloud.services import Services

APPS = f"{POOL_KEY}/Office Apps"
HOST = f"{POOL_KEY}/vm1.corp.test"


def with_host(bench: Bench, *, session: bool = True) -> None:
    """A machine registered in the pool, with a session of user01's."""
    resource_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"
    machine = windows.build(bench.world, resource_id=resource_id, computer_name="vm1", fqdn="vm1.corp.test")
    pool = bench.world.state.classic.groups["default tenant group"].tenants["contoso"].pools["office pool"]
    pool.hosts["vm1.corp.test"] = ClassicHost(name="vm1.corp.test", vm=machine.vm)
    machine.agent.service, machine.agent.pool = "classic", POOL_KEY.lower()
    machine.agent.host_name, machine.agent.connected_at = "vm1.corp.test", bench.world.now
    if session:
        sessions.open_session(
            bench.world, machine, service="classic", pool=POOL_KEY.lower(), user=user_id(1),
            upn="user01@contoso.example", application_type="Desktop", client="c",
        )  # fmt: skip


def test_the_estate_is_read_object_by_object() -> None:
    bench = Bench()
    with_host(bench)

    async def story(services: Services) -> None:
        classic = services.classic
        assert [row["tenantName"] for row in await classic.rows("Tenants", "Default Tenant Group")] == ["contoso"]
        assert [row["hostPoolName"] for row in await classic.rows("HostPools", TENANT_KEY)] == ["Office Pool"]
        assert (await classic.get(TENANT_KEY))["tenantName"] == "contoso"
        assert (await classic.get(POOL_KEY))["loadBalancerType"] == 0
        hosts = await classic.rows("SessionHosts", POOL_KEY)
        assert [row["sessionHostName"] for row in hosts] == ["vm1.corp.test"]
        assert (await classic.session_host(HOST))["sessions"] == 1
        assert (await classic.rows("Sessions", POOL_KEY))[0]["userPrincipalName"] == "user01@contoso.example"
        assert (await classic.role_assignments("Default Tenant Group"))[0]["roleDefinitionName"] == "RDS Owner"
        assert "RDS Reader" in [row["roleDefinitionName"] for row in await classic.role_definitions()]
        assert await classic.rows("AppGroups", POOL_KEY) == []

    bench.run(story)


def test_objects_are_created_changed_and_deleted() -> None:
    async def story(services: Services) -> None:
        classic = services.classic
        pool = f"{TENANT_KEY}/Länder - Büro"
        await classic.create(pool, {"friendlyName": "Länder", "persistent": False, "loadBalancerType": 0})
        assert (await classic.change(pool, {"description": "x/y?z"}))["description"] == "x/y?z"
        groups = await classic.rows("AppGroups", pool)
        assert [row["appGroupName"] for row in groups] == ["Desktop Application Group"]
        desktop = f"{pool}/Desktop Application Group"
        assert (await classic.change_desktop(desktop, {"friendlyName": "L"}))["friendlyName"] == "L"
        assert (await classic.desktop(desktop))["friendlyName"] == "L"
        await classic.assign_user(desktop, "user01@contoso.example")
        assert (await classic.assigned_user(desktop, "USER01@contoso.example"))["userPrincipalName"]
        assert len(await classic.rows("AssignedUsers", desktop)) == 1
        await classic.unassign_user(desktop, "user01@contoso.example")
        await classic.unassign_user(desktop, "user01@contoso.example")
        with pytest.raises(errors.Conflict) as caught:
            await classic.delete(pool)
        assert caught.value.service_code == "HostPoolCannotBeRemovedHasApplicationGroups"
        await classic.delete(desktop)
        await classic.delete(pool)
        await classic.delete(pool)
        with pytest.raises(errors.NotFound):
            await classic.get(pool)

    Bench().run(story)


def test_apps_of_a_group() -> None:
    bench = Bench(classic_remote_app_needs_host=False)

    async def story(services: Services) -> None:
        classic = services.classic
        await classic.create(APPS, {"resourceType": 0, "friendlyName": "Office"})
        body = {"filePath": "C:\\excel.exe", "commandLineSetting": 0, "iconPath": "C:\\excel.exe", "iconIndex": 0}
        await classic.create(f"{APPS}/Excel", body)
        assert [row["remoteAppName"] for row in await classic.rows("RemoteApps", APPS)] == ["Excel"]
        await classic.delete(f"{APPS}/Excel")

    bench.run(story)


def test_hosts_are_drained_assigned_and_removed() -> None:
    bench = Bench()
    with_host(bench)

    async def story(services: Services) -> None:
        classic = services.classic
        assert (await classic.drain(HOST))["allowNewSession"] is False
        assert (await classic.drain(HOST, allow_new_session=True))["allowNewSession"] is True
        session_id = int((await classic.rows("Sessions", POOL_KEY))[0]["sessionId"])
        await classic.message(HOST, session_id, "Moving & packing", "Bitte abmelden: 100% + mehr?")
        sent = [record for record in bench.world.state.records if "message" in record.kind]
        assert sent[-1].data["title"] == "Moving & packing"
        assert "100% + mehr?" in str(sent[-1].data)
        await classic.disconnect(HOST, session_id)
        assert (await classic.rows("Sessions", POOL_KEY))[0]["sessionState"] == "Disconnected"
        with pytest.raises(errors.Conflict) as caught:
            await classic.delete_host(HOST)
        assert caught.value.service_code == "SessionHostUserSessionsExist"
        await classic.log_off(HOST, session_id, force=True)
        assert await classic.rows("Sessions", POOL_KEY) == []
        with pytest.raises(errors.NotFound):
            await classic.log_off(HOST, session_id)
        await classic.delete_host(HOST, force=True)

    bench.run(story)


def test_one_registration_token_per_pool() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        classic = services.classic
        assert await classic.registration(POOL_KEY) is None
        until = bench.clock.now() + timedelta(hours=48)
        made = await classic.create_registration(POOL_KEY, until)
        assert made.expires_at == until.replace(microsecond=0)
        with pytest.raises(errors.Conflict):
            await classic.create_registration(POOL_KEY, until)
        exported = await classic.registration(POOL_KEY)
        assert exported is not None
        assert exported.value == made.value
        await classic.delete_registration(POOL_KEY)
        assert await classic.registration(POOL_KEY) is None

    bench.run(story)


@pytest.mark.parametrize("settings", [{}, {"classic_link_header": False}], ids=["link", "last entry"])
def test_long_lists_come_in_pages_without_a_needless_call(settings: dict[str, Any]) -> None:
    bench = Bench(**settings)
    tenant = bench.world.state.classic.groups["default tenant group"].tenants["contoso"]
    group = tenant.pools["office pool"].groups.setdefault("office apps", AppGroup(name="Office Apps", resource_type=0))
    for number in range(2500):
        group.users[f"p{number:04}@contoso.example"] = f"p{number:04}@contoso.example"

    async def story(services: Services) -> tuple[list[int], int]:
        sizes = [len(page) async for page in services.classic.pages("AssignedUsers", APPS)]
        return sizes, services.calls["classic GET AssignedUsers"]

    assert bench.run(story) == ([1000, 1000, 500], 3)


def test_rights_and_roles() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        classic = services.classic
        await classic.assign_role(POOL_KEY, "RDS Reader", "upn", "user02@contoso.example")
        rows = await classic.role_assignments(POOL_KEY, upn="user02@contoso.example")
        assert [row["roleDefinitionName"] for row in rows] == ["RDS Reader"]
        await classic.unassign_role(POOL_KEY, "RDS Reader", "upn", "user02@contoso.example")
        bench.world.state.classic.role_assignments.clear()
        with pytest.raises(errors.CloudError) as caught:
            await classic.get(POOL_KEY)
        assert caught.value.service_code in ("UnauthorizedAccess", "TenantNotFound", "HostPoolNotFound")

    bench.run(story)


def test_throttling_with_a_text_body_is_obeyed() -> None:
    bench = Bench(classic_rate_per_s=0.1, classic_burst=1)

    async def story(services: Services) -> int:
        for _ in range(3):
            await services.classic.get(POOL_KEY)
        return len(bench.told)

    assert bench.run(story) >= 2
    assert {details.error["code"] for details in bench.told} == {"throttled"}


def test_a_service_that_was_switched_off_is_unreachable() -> None:
    bench = Bench()
    bench.world.state.classic.alive = False

    async def story(services: Services) -> None:
        with pytest.raises(errors.Unreachable):
            await services.classic.rows("TenantGroups")

    bench.run(story)
