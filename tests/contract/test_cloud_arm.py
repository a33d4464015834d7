"""Our ARM client over the official SDKs, against the twin."""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _cloud_services import GROUP, Bench
from _furnished import APP_OBJECT_ID, SECRET, user_id
from _inprocess import SUBSCRIPTION, TENANT, add_machine

from avdtwin import sessions, windows
from avdtwin.arm import session_hosts
from crossfade import errors
from crossfade.cloud import resource_graph
from crossfade.cloud.services import Services
from crossfade.model.ids import DESKTOP_USER_ROLE, arm_id, stable_id

POOL = arm_id(SUBSCRIPTION, "rg", "hostPools", "hp-1")
GROUP_1 = arm_id(SUBSCRIPTION, "rg", "applicationGroups", "ag-1")
GROUP_2 = arm_id(SUBSCRIPTION, "rg", "applicationGroups", "ag-2")
WORKSPACE = arm_id(SUBSCRIPTION, "rg", "workspaces", "ws-1")
POOL_BODY = {
    "location": "westeurope",
    "properties": {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"},
}


def group_body(kind: str = "RemoteApp") -> dict[str, Any]:
    properties = {"applicationGroupType": kind, "hostPoolArmPath": POOL}
    return {"location": "westeurope", "properties": properties}


async def furnish_arm(services: Services) -> None:
    await services.arm.put(POOL, POOL_BODY)
    await services.arm.put(GROUP_1, group_body())
    await services.arm.put(GROUP_2, group_body())
    await services.arm.put(WORKSPACE, {"location": "westeurope", "properties": {}})


def test_objects_are_created_read_changed_listed_and_deleted() -> None:
    async def story(services: Services) -> None:
        arm = services.arm
        await furnish_arm(services)
        app = f"{GROUP_1}/applications/excel"
        body = {"properties": {"filePath": "C:\\excel.exe", "commandLineSetting": "DoNotAllow", "showInPortal": True}}
        assert (await arm.put(app, body))["properties"]["filePath"] == "C:\\excel.exe"
        assert (await arm.patch(app, {"properties": {"description": "Büro"}}))["properties"]["description"] == "Büro"
        assert [row["name"] for row in await arm.rows("applicationGroups/applications", GROUP_1)] == ["ag-1/excel"]
        assert len(await arm.rows("applicationGroups", GROUP)) == 2
        assert len(await arm.rows("hostPools", f"/subscriptions/{SUBSCRIPTION}")) == 1
        await arm.delete(app)
        await arm.delete(app)
        assert await arm.find(app) is None
        with pytest.raises(errors.NotFound, match=r"Could not read host pool hp-9\. arm answered 404 ResourceNotFound"):
            await arm.get(arm_id(SUBSCRIPTION, "rg", "hostPools", "hp-9"))

    Bench().run(story)


def test_members_that_the_sdks_models_do_not_know_go_both_ways() -> None:
    async def story(services: Services) -> Any:
        body = {**POOL_BODY, "properties": {**POOL_BODY["properties"], "managementType": "Standard"}}  # type: ignore[dict-item]
        return (await services.arm.put(POOL, body))["properties"]

    assert "privateEndpointConnections" in Bench().run(story)


def test_the_desktop_of_a_group_is_found_and_renamed() -> None:
    async def story(services: Services) -> Any:
        await services.arm.put(POOL, POOL_BODY)
        await services.arm.put(GROUP_1, group_body("Desktop"))
        rows = await services.arm.rows("applicationGroups/desktops", GROUP_1)
        changed = await services.arm.patch(rows[0]["id"], {"properties": {"friendlyName": "Office"}})
        return changed["properties"]["friendlyName"]

    assert Bench().run(story) == "Office"


def test_two_writers_of_one_workspace_do_not_lose_each_others_groups() -> None:
    async def story(services: Services) -> Any:
        await furnish_arm(services)
        await asyncio.gather(*(services.arm.publish_in(WORKSPACE, [group]) for group in (GROUP_1, GROUP_2)))
        both = (await services.arm.get(WORKSPACE))["properties"]["applicationGroupReferences"]
        before = services.calls["arm PATCH workspaces"]
        await services.arm.publish_in(WORKSPACE, [GROUP_1.lower()])
        assert services.calls["arm PATCH workspaces"] == before, "what is there already is not written"
        return both, await services.arm.withdraw_from(WORKSPACE, [GROUP_2.upper()])

    both, one = Bench(latency_s=(0.1, 0.3)).run(story)
    assert len(both) == 2
    assert [entry.casefold() for entry in one] == [GROUP_1.casefold()]


def test_a_registration_token_is_made_once_used_again_renewed_and_revoked() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        arm = services.arm
        await arm.put(POOL, POOL_BODY)
        tokens = await asyncio.gather(*(arm.registration_token(POOL, life_s=4 * 3600) for _ in range(5)))
        assert len({token.value for token in tokens}) == 1
        assert [token.ours for token in tokens].count(True) == 1
        shown = await arm.put(POOL, POOL_BODY)
        assert tokens[0].value not in json.dumps(shown)
        await bench.clock.sleep(2.5 * 3600)
        renewed = await arm.registration_token(POOL, life_s=4 * 3600)
        assert renewed.ours
        assert renewed.value != tokens[0].value
        assert renewed.value not in f"{renewed} {renewed!r} {renewed:}"
        with pytest.raises(TypeError, match="never stored"):
            pickle.dumps(renewed)
        await arm.revoke_registration_token(POOL)
        assert (await arm.registration_token(POOL)).ours

    bench.run(story)


def with_host(bench: Bench) -> tuple[Any, str]:
    """A machine registered in the pool; the session host's id."""
    machine = add_machine(bench.world, "vm1")
    host = session_hosts.register(bench.world, machine, POOL.lower())
    return machine, host.id


def test_session_hosts_and_sessions() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        arm = services.arm
        await arm.put(POOL, POOL_BODY)
        machine, host_id = with_host(bench)
        sessions.open_session(
            bench.world, machine, service="arm", pool=POOL.lower(), user=user_id(1),
            upn="user01@contoso.example", application_type="Desktop", client="c",
        )  # fmt: skip
        assert (await arm.patch(host_id, {"properties": {"allowNewSession": False}}))["properties"][
            "allowNewSession"
        ] is False
        assert len(await arm.rows("hostPools/sessionHosts", POOL)) == 1
        for rows in (
            await arm.rows("hostPools/sessionHosts/userSessions", POOL),
            await arm.rows("hostPools/sessionHosts/userSessions", host_id),
        ):
            assert rows[0]["properties"]["userPrincipalName"] == "user01@contoso.example"
        await arm.message(rows[0]["id"], "Moving", "Please sign out")
        await arm.disconnect(rows[0]["id"])
        assert (await arm.get(rows[0]["id"]))["properties"]["sessionState"] == "Disconnected"
        with pytest.raises(errors.CloudError):
            await arm.delete(host_id)
        await arm.delete(rows[0]["id"], force=True)
        await arm.delete(host_id, force=True)
        assert await arm.find(host_id) is None

    bench.run(story)


def test_grants_repeat_and_adopt() -> None:
    async def story(services: Services) -> None:
        access = services.arm.access
        await furnish_arm(services)
        name = stable_id("grant", GROUP_1, user_id(1))
        who = {"role": DESKTOP_USER_ROLE, "principal_id": user_id(1), "principal_type": "User"}
        first = await access.grant(GROUP_1, name, **who)
        assert (await access.grant(GROUP_1, name, **who))["name"] == name
        adopted = await access.grant(GROUP_1, stable_id("another"), **who)
        assert adopted["id"].casefold() == first["id"].casefold()
        assert await access.find_grant(first["id"]) is not None
        own = [row for row in await access.grants(GROUP_1) if row["name"] == name]
        assert own[0]["properties"]["principalId"] == user_id(1)
        await access.revoke(first["id"])
        await access.revoke(first["id"])
        assert await access.find_grant(first["id"]) is None

    Bench().run(story)


def test_a_grant_waits_for_a_principal_that_was_just_made() -> None:
    bench = Bench(principal_replication_s=(60.0, 60.0))

    async def story(services: Services) -> float:
        await furnish_arm(services)
        group = await services.graph.ensure_group("Desktop people", "cf-people")
        before = bench.clock.timestamp()
        who = {"role": DESKTOP_USER_ROLE, "principal_id": group["id"], "principal_type": "Group"}
        await services.arm.access.grant(GROUP_1, stable_id("group"), **who)
        return bench.clock.timestamp() - before

    assert bench.run(story) < 120


def test_an_unknown_principal_is_an_error_in_the_end() -> None:
    async def story(services: Services) -> None:
        await furnish_arm(services)
        who = {"role": DESKTOP_USER_ROLE, "principal_id": stable_id("nobody"), "principal_type": "User"}
        with pytest.raises(errors.CloudError) as caught:
            await services.arm.access.grant(GROUP_1, stable_id("x"), wait_s=30, **who)
        assert caught.value.service_code == "PrincipalNotFound"

    Bench().run(story)


def test_rights_definitions_and_quota() -> None:
    async def story(services: Services) -> None:
        access = services.arm.access
        for scope in (f"/subscriptions/{SUBSCRIPTION}", GROUP):
            assert any("*" in entry["actions"] for entry in await access.permissions(scope))
        roles = await access.role_definitions(
            f"/subscriptions/{SUBSCRIPTION}", "roleName eq 'Desktop Virtualization User'"
        )
        assert roles[0]["name"] == DESKTOP_USER_ROLE
        assert (await access.quota(SUBSCRIPTION))["roleAssignmentsLimit"] == 4000

    Bench().run(story)


def test_resource_groups_and_providers() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        arm = services.arm
        mine = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-new"
        assert await arm.group(mine) is None
        await arm.put_group(mine, "westeurope", {"crossfade": "run-1"})
        assert len(await arm.groups(SUBSCRIPTION)) == 2
        await arm.put(POOL.replace("/rg/", "/rg-new/"), POOL_BODY)
        with pytest.raises(errors.Refused, match="holds 1 resources"):
            await arm.delete_empty_group(mine, made_by=("crossfade", "run-1"))
        await arm.delete(POOL.replace("/rg/", "/rg-new/"))
        with pytest.raises(errors.Refused, match="not made by this run"):
            await arm.delete_empty_group(mine, made_by=("crossfade", "run-2"))
        await arm.delete_empty_group(mine, made_by=("crossfade", "run-1"))
        assert await arm.group(mine) is None
        assert (await arm.provider(SUBSCRIPTION, "Microsoft.Network"))["registrationState"] == "NotRegistered"
        assert await arm.register_provider(SUBSCRIPTION, "Microsoft.Network") == "Registering"
        await bench.clock.sleep(60)
        assert (await arm.provider(SUBSCRIPTION, "Microsoft.Network"))["registrationState"] == "Registered"
        assert [row["subscriptionId"] for row in await arm.subscriptions()] == [SUBSCRIPTION]
        assert len(await arm.locations(SUBSCRIPTION)) > 3

    bench.run(story)


def vm(bench: Bench, power: str = "running") -> str:
    resource_id = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"
    windows.build(bench.world, resource_id=resource_id, computer_name="vm1", fqdn="vm1.corp.test", power=power)
    return resource_id


def power_of(view: dict[str, Any]) -> str:
    return next(status["code"] for status in view["statuses"] if status["code"].startswith("PowerState/"))


def test_power_of_machines_on_virtual_time() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        machines = services.arm.machines
        vm_id = vm(bench)
        assert (await machines.get(vm_id))["properties"]["vmId"]
        before = bench.clock.timestamp()
        await machines.restart(vm_id)
        assert bench.clock.timestamp() > before + 30
        await machines.deallocate(vm_id)
        assert power_of(await machines.instance_view(vm_id)) == "PowerState/deallocated"
        await machines.start(vm_id)
        assert power_of(await machines.instance_view(vm_id)) == "PowerState/running"
        assert [row["name"] for row in await machines.rows(f"/subscriptions/{SUBSCRIPTION}")] == ["vm1"]
        assert [row["name"] for row in await machines.rows(GROUP)] == ["vm1"]
        states = await machines.rows(f"/subscriptions/{SUBSCRIPTION}", status_only=True)
        assert power_of(states[0]["properties"]["instanceView"]) == "PowerState/running"

    bench.run(story)


def test_a_managed_command_runs_to_its_end_and_shows_no_protected_parameter() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        machines = services.arm.machines
        vm_id = vm(bench)
        assert await machines.command_view(vm_id, "crossfade-1") is None
        await machines.begin_command(
            vm_id, "crossfade-1", location="westeurope", script="param($Who, $Secret)\nWrite-Output \"hello $Who\"",
            parameters={"Who": "you"}, protected={"Secret": SECRET}, timeout_s=600,
        )  # fmt: skip
        view = await machines.command_ended(vm_id, "crossfade-1", within_s=900)
        assert view["executionState"] == "Succeeded"
        assert "hello you" in view["output"]
        assert SECRET not in json.dumps(view)
        await machines.forget_command(vm_id, "crossfade-1")
        assert await machines.command_view(vm_id, "crossfade-1") is None
        await machines.forget_command(vm_id, "crossfade-1")

    bench.run(story)


def test_one_sign_in_serves_all_clients_and_is_renewed_in_time() -> None:
    bench = Bench()

    async def story(services: Services) -> tuple[int, int]:
        await furnish_arm(services)
        await services.arm.access.quota(SUBSCRIPTION)
        await services.graph.group("none")
        early = services.sign_ins
        for _ in range(6):
            await bench.clock.sleep(1000)
            await services.arm.get(POOL)
        caller = await services.caller()
        assert (caller.object_id, caller.tenant_id) == (APP_OBJECT_ID, TENANT)
        return early, services.sign_ins

    assert bench.run(story) == (1, 2)


def test_a_wrong_secret_is_unauthorized_and_shows_nothing() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        with pytest.raises(errors.Unauthorized) as caught:
            await services.arm.get(POOL)
        assert caught.value.service == "entra"
        for shown in (str(caught.value), repr(caught.value), repr(pickle.dumps(caught.value))):
            assert "planted-wrong" not in shown

    bench.run(story, secret="planted-wrong-secret")


def test_missing_rights_are_forbidden() -> None:
    bench = Bench()
    bench.world.state.arm.role_assignments.clear()

    async def story(services: Services) -> None:
        with pytest.raises(errors.Forbidden) as caught:
            await services.arm.put(POOL, POOL_BODY)
        assert caught.value.service_code == "AuthorizationFailed"
        assert caught.value.correlation_id

    bench.run(story)


def test_pacing_keeps_a_burst_of_writes_under_the_twins_buckets() -> None:
    bench = Bench()

    async def story(services: Services) -> float:
        await services.arm.put(POOL, POOL_BODY)
        before = bench.clock.timestamp()
        await asyncio.gather(
            *(services.arm.patch(POOL, {"properties": {"description": str(number)}}) for number in range(400))
        )
        return bench.clock.timestamp() - before

    assert bench.run(story) == pytest.approx(20, abs=1)
    assert bench.told == []


def test_nothing_of_ours_can_delete_a_machine() -> None:
    """No SDK call that deletes a VM, and no DELETE of ARM's by path, stands anywhere in the package."""
    import crossfade

    source = Path(str(crossfade.__file__)).parent
    texts = {path.name: path.read_text(encoding="utf-8") for path in source.rglob("*.py")}
    deletions = [name for name, text in texts.items() for line in text.splitlines() if "begin_delete" in line]
    assert sorted(set(deletions)) == ["arm.py", "machines.py"]
    lines = [line.strip() for text in texts.values() for line in text.splitlines() if "begin_delete" in line]
    deletable = ("run_commands.begin_delete", "resource_groups.begin", "snapshots.begin_delete")
    assert [line for line in lines if not any(one in line for one in deletable)] == []
    from crossfade.cloud.arm import KINDS

    assert not any("machine" in kind for kind in KINDS)
    with pytest.raises(errors.Rejected, match="Not a desktop object"):
        Bench().run(lambda services: services.arm.delete(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"))


def test_resource_graph_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_graph, "PAGE", 1)

    async def story(services: Services) -> None:
        await furnish_arm(services)
        query = "Resources | where type =~ 'microsoft.desktopvirtualization/applicationgroups' | order by id asc"
        found = await services.arm.resource_graph.rows(query, [SUBSCRIPTION], subject="the groups")
        assert [row["name"] for row in found] == ["ag-1", "ag-2"]
        assert services.calls["arm POST resources"] == 2
        with pytest.raises(errors.Rejected, match="the groups"):
            await services.arm.resource_graph.rows("nonsense |", [SUBSCRIPTION], subject="the groups")

    Bench().run(story)


def test_many_queries_of_resource_graph_keep_inside_its_limit() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        one = services.arm.resource_graph.rows
        await asyncio.gather(*(one("Resources | limit 1", [SUBSCRIPTION], subject="one") for _ in range(40)))
        assert services.calls["arm POST resources"] == 40

    bench.run(story)
    assert bench.told == []  # nothing was tried again
