"""The official azure-mgmt-desktopvirtualization client, unmodified, sync and async, against the twin's ARM service."""

import asyncio
import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.desktopvirtualization import models as m

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import SUBSCRIPTION, Twin, add_machine, async_client, make_world, sync_client

from avdtwin import agents, registry, sessions, tokens, windows
from avdtwin.arm import session_hosts
from avdtwin.clock import ManualClock, to_datetime
from avdtwin.directory import add_user
from avdtwin.state import User
from avdtwin.world import World

RG = "rg"
AVD = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.DesktopVirtualization"
LOCATION = "westeurope"


class Driver:
    """One way to call the client: `do("host_pools", "get", …)` for a value, `all(…)` for every page of a list."""

    def __init__(self, twin: Twin, way: str, **options: Any) -> None:
        self.twin = twin
        self.world: World = twin.world
        self._asynchronous = way.startswith("async")
        self._options = options

    def do(self, group: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._call(lambda client: getattr(getattr(client, group), method)(*args, **kwargs), pages=False)

    def all(self, group: str, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._call(lambda client: getattr(getattr(client, group), method)(*args, **kwargs), pages=True))

    def _call(self, call: Callable[[Any], Any], *, pages: bool) -> Any:
        if self._asynchronous:
            return asyncio.run(self._call_asynchronously(call, pages))
        with sync_client(self.twin, **self._options) as client:
            return list(call(client)) if pages else call(client)

    async def _call_asynchronously(self, call: Callable[[Any], Any], pages: bool) -> Any:
        async with async_client(self.twin, **self._options) as client:
            if pages:
                return [item async for item in call(client)]
            return await call(client)


@pytest.fixture(params=["sync", "async"])
def sdk(request: pytest.FixtureRequest) -> Driver:
    return Driver(Twin(make_world(RG)), request.param)


@pytest.fixture(params=["sync", "async", "sync over TLS", "async over TLS"])
def wire(request: pytest.FixtureRequest) -> Driver:
    """For tests that touch the world through the client only: over a socket too."""
    if "TLS" not in request.param:
        return Driver(Twin(make_world(RG)), request.param)
    endpoint = request.getfixturevalue("endpoint")
    world = request.getfixturevalue("world")
    return Driver(Twin(world), request.param, base_url=endpoint.url, connection_verify=str(endpoint.ca_file))


# ---------------------------------------------------------------- making things


def pooled(**more: Any) -> m.HostPool:
    values = {"host_pool_type": "Pooled", "load_balancer_type": "BreadthFirst", "preferred_app_group_type": "Desktop"}
    return m.HostPool(location=LOCATION, **{**values, **more})


def make_pool(sdk: Driver, name: str = "pool", **more: Any) -> Any:
    return sdk.do("host_pools", "create_or_update", RG, name, pooled(**more))


def make_group(sdk: Driver, name: str, kind: str, pool: str = "pool") -> Any:
    body = m.ApplicationGroup(
        location=LOCATION, host_pool_arm_path=f"{AVD}/hostPools/{pool}", application_group_type=kind
    )
    return sdk.do("application_groups", "create_or_update", RG, name, body)


def make_workspace(sdk: Driver, name: str, *groups: str) -> Any:
    body = m.Workspace(location=LOCATION, application_group_references=list(groups))
    return sdk.do("workspaces", "create_or_update", RG, name, body)


def make_host(sdk: Driver, name: str, pool: str = "pool", domain: str = "ad.contoso.example") -> Any:
    """A healthy host of a pool; returns its machine."""
    machine = add_machine(sdk.world, name, domain)
    path = f"{AVD}/hostPools/{pool}"
    host = session_hosts.register(sdk.world, machine, path.lower())
    agents.connect(sdk.world, machine, "arm", path.lower(), host.name)
    wait(sdk.world, 300)
    return machine


def make_session(sdk: Driver, machine: Any, upn: str, pool: str = "pool") -> Any:
    user = sdk.world.guid("user")
    add_user(sdk.world, User(id=user, upn=upn))
    key = f"{AVD}/hostPools/{pool}".lower()
    return sessions.open_session(
        sdk.world, machine, service="arm", pool=key, user=user, upn=upn, application_type="Desktop", client="new"
    )


def wait(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(seconds)
    world.settle()


# ---------------------------------------------------------------- every object a client can create


def test_host_pools_are_created_listed_patched_and_deleted(wire: Driver) -> None:
    made = make_pool(wire, "Pool One", friendly_name="One", custom_rdp_property="audiomode:i:1;", tags={"a": "b"})
    assert (made.name, made.friendly_name, made.max_session_limit, made.tags) == ("Pool One", "One", 999999, {"a": "b"})
    assert made.id == f"{AVD}/hostpools/Pool One".replace("resourceGroups", "resourcegroups")
    again = make_pool(wire, "POOL ONE", friendly_name="Two")
    assert (again.object_id, again.name, again.friendly_name) == (made.object_id, "Pool One", "Two")
    assert [pool.name for pool in wire.all("host_pools", "list")] == ["Pool One"]
    assert [pool.name for pool in wire.all("host_pools", "list_by_resource_group", RG)] == ["Pool One"]
    patch = m.HostPoolPatch(max_session_limit=7, load_balancer_type="DepthFirst", tags={"c": "d"})
    patched = wire.do("host_pools", "update", RG, "pool one", patch)
    assert (patched.max_session_limit, patched.load_balancer_type, patched.tags) == (7, "DepthFirst", {"c": "d"})
    assert wire.do("host_pools", "get", RG, "Pool One").max_session_limit == 7
    assert wire.do("host_pools", "delete", RG, "Pool One") is None
    assert wire.do("host_pools", "delete", RG, "Pool One", force=True) is None
    with pytest.raises(ResourceNotFoundError) as refusal:
        wire.do("host_pools", "get", RG, "Pool One")
    assert refusal.value.error.code == "ResourceNotFound"


def test_application_groups_are_created_listed_patched_and_deleted(wire: Driver) -> None:
    make_pool(wire)
    made = make_group(wire, "apps", "RemoteApp")
    make_group(wire, "desk", "Desktop")
    assert (made.kind, made.application_group_type, made.workspace_arm_path) == ("RemoteApp", "RemoteApp", None)
    names = {group.name for group in wire.all("application_groups", "list_by_resource_group", RG)}
    assert names == {group.name for group in wire.all("application_groups", "list_by_subscription")} == {"apps", "desk"}
    chosen = wire.all("application_groups", "list_by_subscription", filter="applicationGroupType eq 'Desktop'")
    assert [group.name for group in chosen] == ["desk"]
    patch = m.ApplicationGroupPatch(friendly_name="Apps", show_in_feed=True)
    assert wire.do("application_groups", "update", RG, "apps", patch).friendly_name == "Apps"
    references = wire.do("host_pools", "get", RG, "pool").application_group_references
    assert [reference.rpartition("/")[2] for reference in references] == ["apps", "desk"]
    wire.do("application_groups", "delete", RG, "apps")
    wire.do("application_groups", "delete", RG, "apps")
    assert [group.name for group in wire.all("application_groups", "list_by_resource_group", RG)] == ["desk"]


def test_applications_are_created_listed_patched_and_deleted(wire: Driver) -> None:
    make_pool(wire)
    make_group(wire, "apps", "RemoteApp")
    body = m.Application(command_line_setting="DoNotAllow", file_path="C:\\app.exe", show_in_portal=True)
    made = wire.do("applications", "create_or_update", RG, "apps", "App", body)
    assert (made.name, made.application_type, made.command_line_arguments) == ("apps/App", "Inbuilt", "")
    assert (made.friendly_name, made.icon_path, made.show_in_portal) == ("App", "C:\\app.exe", True)
    assert made.icon_hash
    assert made.icon_content
    patch = m.ApplicationPatch(command_line_setting="Require", command_line_arguments="/x")
    patched = wire.do("applications", "update", RG, "apps", "app", patch)
    assert (patched.command_line_setting, patched.command_line_arguments) == ("Require", "/x")
    assert [app.name for app in wire.all("applications", "list", RG, "apps")] == ["apps/App"]
    assert wire.do("applications", "get", RG, "apps", "App").command_line_setting == "Require"
    wire.do("applications", "delete", RG, "apps", "App")
    wire.do("applications", "delete", RG, "apps", "App")
    assert wire.all("applications", "list", RG, "apps") == []


def test_the_desktop_comes_with_its_group_and_is_renamed(wire: Driver) -> None:
    make_pool(wire)
    make_group(wire, "desk", "Desktop")
    (desktop,) = wire.all("desktops", "list", RG, "desk")
    assert (desktop.name, desktop.friendly_name) == ("desk/SessionDesktop", "SessionDesktop")
    renamed = wire.do("desktops", "update", RG, "desk", "sessiondesktop", m.DesktopPatch(friendly_name="Work"))
    assert renamed.friendly_name == wire.do("desktops", "get", RG, "desk", "SessionDesktop").friendly_name == "Work"
    assert renamed.description == "The default Session Desktop"


def test_workspaces_are_created_listed_patched_and_deleted(wire: Driver) -> None:
    make_pool(wire)
    first = make_group(wire, "desk", "Desktop").id
    second = make_group(wire, "apps", "RemoteApp").id
    made = make_workspace(wire, "work", first)
    assert (made.application_group_references, made.tags) == ([first], {})
    assert wire.do("application_groups", "get", RG, "desk").workspace_arm_path == made.id
    patch = m.WorkspacePatch(friendly_name="Work", application_group_references=[first, second])
    assert wire.do("workspaces", "update", RG, "work", patch).application_group_references == [first, second]
    wire.do("application_groups", "delete", RG, "desk")
    assert wire.do("workspaces", "get", RG, "work").application_group_references == [second]
    assert [found.name for found in wire.all("workspaces", "list_by_subscription")] == ["work"]
    assert [found.name for found in wire.all("workspaces", "list_by_resource_group", RG)] == ["work"]
    wire.do("workspaces", "delete", RG, "work")
    wire.do("workspaces", "delete", RG, "work")
    assert wire.do("application_groups", "get", RG, "apps").workspace_arm_path is None


# ---------------------------------------------------------------- tokens


def test_a_registration_token_is_issued_read_and_revoked(sdk: Driver) -> None:
    pool = make_pool(sdk)
    assert sdk.do("host_pools", "list_registration_tokens", RG, "pool").value == []
    assert sdk.do("host_pools", "retrieve_registration_token", RG, "pool").token is None
    expires = to_datetime(sdk.world.now) + timedelta(hours=4)
    info = m.RegistrationInfoPatch(expiration_time=expires, registration_token_operation="Update")
    answer = sdk.do("host_pools", "update", RG, "pool", m.HostPoolPatch(registration_info=info))
    token = answer.registration_info.token
    claims = tokens.read_registration(sdk.world, token)
    assert (claims.service, claims.pool_object_id) == ("arm", pool.object_id)
    assert claims.expires_at == int(expires.timestamp())
    assert sdk.do("host_pools", "get", RG, "pool").registration_info is None
    later = sdk.do("host_pools", "update", RG, "pool", m.HostPoolPatch(friendly_name="x")).registration_info
    assert (later.token, later.registration_token_operation) == (token, "None")
    assert sdk.do("host_pools", "retrieve_registration_token", RG, "pool").token == token
    (listed,) = sdk.do("host_pools", "list_registration_tokens", RG, "pool").value
    assert (listed.token, listed.expiration_time) == (token, expires)
    revoke = m.RegistrationInfoPatch(registration_token_operation="Delete")
    gone = sdk.do("host_pools", "update", RG, "pool", m.HostPoolPatch(registration_info=revoke)).registration_info
    assert (gone.token, gone.expiration_time, gone.registration_token_operation) == (None, None, "Delete")
    assert sdk.do("host_pools", "list_registration_tokens", RG, "pool").value == []


@pytest.mark.parametrize("lifetime", [timedelta(minutes=59), timedelta(days=30, seconds=5), timedelta(0)])
def test_a_lifetime_out_of_range_is_refused_and_changes_nothing(sdk: Driver, lifetime: timedelta) -> None:
    make_pool(sdk, friendly_name="before")
    info = m.RegistrationInfoPatch(
        expiration_time=to_datetime(sdk.world.now) + lifetime, registration_token_operation="Update"
    )
    patch = m.HostPoolPatch(friendly_name="after", registration_info=info)
    with pytest.raises(HttpResponseError) as refusal:
        sdk.do("host_pools", "update", RG, "pool", patch)
    assert (refusal.value.status_code, refusal.value.error.code) == (400, "400")
    assert "ExpirationTime value must be between one hour and 30 days from now" in refusal.value.error.message
    assert sdk.do("host_pools", "get", RG, "pool").friendly_name == "before"


def test_a_token_that_has_run_out_is_no_longer_shown(sdk: Driver) -> None:
    expires = to_datetime(sdk.world.now) + timedelta(hours=2)
    info = m.RegistrationInfo(expiration_time=expires, registration_token_operation="Update")
    make_pool(sdk, registration_info=info)
    wait(sdk.world, 7201)
    assert sdk.do("host_pools", "list_registration_tokens", RG, "pool").value == []


# ---------------------------------------------------------------- session hosts


def test_session_hosts_are_listed_drained_and_deleted(sdk: Driver) -> None:
    make_pool(sdk)
    machine = make_host(sdk, "host-1")
    (host,) = sdk.all("session_hosts", "list", RG, "pool")
    assert (host.name, host.status, host.allow_new_session) == ("pool/host-1.ad.contoso.example", "Available", True)
    assert (host.resource_id, host.virtual_machine_id) == (machine.resource_id, machine.vm_id)
    assert sdk.world.now - host.last_heart_beat.timestamp() <= 60
    name = host.name.rpartition("/")[2]
    drained = sdk.do(
        "session_hosts", "update", RG, "pool", name, session_host=m.SessionHostPatch(allow_new_session=False)
    )
    assert drained.allow_new_session is False
    sdk.do("session_hosts", "delete", RG, "pool", name)
    sdk.do("session_hosts", "delete", RG, "pool", name, force=True)
    assert machine.agent.connected_at is None
    with pytest.raises(ResourceNotFoundError) as refusal:
        sdk.do("session_hosts", "get", RG, "pool", name)
    assert refusal.value.error.code == "404"


def test_a_host_with_sessions_is_deleted_only_by_force(sdk: Driver) -> None:
    make_pool(sdk)
    make_session(sdk, make_host(sdk, "host-1", domain=""), "ann@contoso.example")
    with pytest.raises(HttpResponseError) as refusal:
        sdk.do("session_hosts", "delete", RG, "pool", "host-1")
    assert refusal.value.status_code == 400
    sdk.do("session_hosts", "delete", RG, "pool", "host-1", force=True)


def test_a_pool_with_hosts_is_deleted_only_by_force(sdk: Driver) -> None:
    make_pool(sdk)
    make_host(sdk, "host-1", domain="")
    with pytest.raises(HttpResponseError):
        sdk.do("host_pools", "delete", RG, "pool")
    sdk.do("host_pools", "delete", RG, "pool", force=True)


def test_a_personal_host_gets_its_person_and_changes_it_only_by_force(sdk: Driver) -> None:
    make_pool(sdk, host_pool_type="Personal", load_balancer_type="Persistent")
    make_host(sdk, "host-1", domain="")

    def assign(user: str, force: bool | None = None) -> Any:
        body = m.SessionHostPatch(assigned_user=user)
        return sdk.do("session_hosts", "update", RG, "pool", "host-1", force=force, session_host=body).assigned_user

    assert assign("ann@contoso.example") == assign("ANN@contoso.example").lower() == "ann@contoso.example"
    with pytest.raises(HttpResponseError):
        assign("bob@contoso.example")
    assert assign("bob@contoso.example", force=True) == "bob@contoso.example"
    with pytest.raises(HttpResponseError):
        assign("")
    assert assign("", force=True) is None


def test_hosts_of_a_pooled_pool_have_no_person(sdk: Driver) -> None:
    make_pool(sdk)
    make_host(sdk, "host-1", domain="")
    body = m.SessionHostPatch(assigned_user="ann@contoso.example")
    with pytest.raises(HttpResponseError):
        sdk.do("session_hosts", "update", RG, "pool", "host-1", session_host=body)


# ---------------------------------------------------------------- user sessions


def test_user_sessions_are_listed_messaged_disconnected_and_logged_off(sdk: Driver) -> None:
    make_pool(sdk)
    machine = make_host(sdk, "host-1", domain="")
    made = make_session(sdk, machine, "ann@contoso.example")
    make_session(sdk, make_host(sdk, "host-2"), "bob@contoso.example")
    (own,) = sdk.all("user_sessions", "list", RG, "pool", "host-1")
    assert (own.name, own.session_state, own.application_type) == (f"pool/host-1/{made.id}", "Active", "Desktop")
    assert (own.user_principal_name, own.active_directory_user_name) == ("ann@contoso.example", "AzureAD\\ann")
    both = sdk.all("user_sessions", "list_by_host_pool", RG, "pool")
    assert {found.active_directory_user_name for found in both} == {"AzureAD\\ann", "AD\\bob"}
    wanted = "userPrincipalName eq 'bob@contoso.example'"
    assert len(sdk.all("user_sessions", "list_by_host_pool", RG, "pool", filter=wanted)) == 1
    place = (RG, "pool", "host-1", str(made.id))
    sdk.do("user_sessions", "send_message", *place, m.SendMessage(message_title="t", message_body="b"))
    assert made.warned_at == sdk.world.now
    sdk.do("user_sessions", "disconnect", *place)
    sdk.do("user_sessions", "disconnect", *place)
    assert sdk.do("user_sessions", "get", *place).session_state == "Disconnected"
    assert sdk.do("session_hosts", "get", RG, "pool", "host-1").sessions == 1
    sdk.do("user_sessions", "delete", *place, force=True)
    sdk.do("user_sessions", "delete", *place, force=True)
    assert sdk.all("user_sessions", "list", RG, "pool", "host-1") == []
    assert sdk.world.state.records[-1].kind == "session_lost"


def test_start_menu_items_need_a_reachable_host(sdk: Driver) -> None:
    make_pool(sdk)
    make_group(sdk, "apps", "RemoteApp")
    with pytest.raises(HttpResponseError):
        sdk.all("start_menu_items", "list", RG, "apps")
    make_host(sdk, "host-1")
    aliases = {item.name: item.app_alias for item in sdk.all("start_menu_items", "list", RG, "apps")}
    assert aliases["apps/ODBC Data Sources (32-bit)"] == "odbcdatasources32bit"


# ---------------------------------------------------------------- paging, bodies, errors


def test_lists_of_many_pages_are_read_whole(sdk: Driver) -> None:
    sdk.world.state.settings |= {"arm_list_page": 2, "arm_child_page": 2}
    for number in range(5):
        make_pool(sdk, f"pool-{number}")
        make_host(sdk, f"host-{number}", "pool-0")
    names = [f"pool-{number}" for number in range(5)]
    assert [pool.name for pool in sdk.all("host_pools", "list")] == names
    assert [pool.name for pool in sdk.all("host_pools", "list_by_resource_group", RG)] == names
    assert len(sdk.all("session_hosts", "list", RG, "pool-0")) == 5
    backwards = sdk.all("session_hosts", "list", RG, "pool-0", is_descending=True, initial_skip=1)
    assert [host.name.partition(".")[0] for host in backwards] == [f"pool-0/host-{number}" for number in (3, 2, 1, 0)]
    assert len(sdk.all("session_hosts", "list", RG, "pool-0", page_size=1)) == 5


def test_a_raw_body_goes_through(sdk: Driver) -> None:
    """The way to send what the client's models drop: here a null, which empties a property."""
    make_pool(sdk, friendly_name="before")
    body = io.BytesIO(json.dumps({"properties": {"friendlyName": None}}).encode())
    assert sdk.do("host_pools", "update", RG, "pool", body).friendly_name is None


def test_a_pool_with_groups_is_not_deleted(sdk: Driver) -> None:
    make_pool(sdk)
    make_group(sdk, "apps", "RemoteApp")
    with pytest.raises(HttpResponseError) as refusal:
        sdk.do("host_pools", "delete", RG, "pool", force=True)
    assert (refusal.value.status_code, refusal.value.error.code) == (400, "400")
    assert "could not be deleted because it still has ApplicationGroups associated" in refusal.value.error.message


def test_dates_are_aware(sdk: Driver) -> None:
    pool = make_pool(sdk)
    assert pool.system_data.created_at == datetime.fromtimestamp(sdk.world.now, UTC)


def test_scaling_plans_are_created_listed_patched_and_deleted(sdk: Driver) -> None:
    make_pool(sdk)
    reference = m.ScalingHostPoolReference(host_pool_arm_path=f"{AVD}/hostPools/POOL", scaling_plan_enabled=False)
    schedule = m.ScalingSchedule(name="week", days_of_week=["Monday"], ramp_up_start_time=m.Time(hour=7, minute=0))
    body = m.ScalingPlan(
        location=LOCATION, time_zone="UTC", schedules=[schedule], host_pool_references=[reference], exclusion_tag="no"
    )
    made = sdk.do("scaling_plans", "create", RG, "plan", body)
    assert (made.time_zone, made.schedules[0].name, made.exclusion_tag) == ("UTC", "week", "no")
    assert [plan.name for plan in sdk.all("scaling_plans", "list_by_host_pool", RG, "pool")] == ["plan"]
    make_pool(sdk, "other")
    assert sdk.all("scaling_plans", "list_by_host_pool", RG, "other") == []
    patched = sdk.do("scaling_plans", "update", RG, "plan", m.ScalingPlanPatch(friendly_name="Plan"))
    assert patched.friendly_name == "Plan"
    assert len(sdk.all("scaling_plans", "list_by_subscription")) == 1
    assert len(sdk.all("scaling_plans", "list_by_resource_group", RG)) == 1
    sdk.do("scaling_plans", "delete", RG, "plan")
    sdk.do("scaling_plans", "delete", RG, "plan")
    assert sdk.all("scaling_plans", "list_by_resource_group", RG) == []


def test_what_the_twin_never_has_is_listed_as_empty(sdk: Driver) -> None:
    make_pool(sdk)
    make_workspace(sdk, "work")
    assert sdk.all("msix_packages", "list", RG, "pool") == []
    assert sdk.all("private_endpoint_connections", "list_by_host_pool", RG, "pool") == []
    assert sdk.all("private_endpoint_connections", "list_by_workspace", RG, "work") == []


# ---------------------------------------------------------------- the agent


def test_an_agent_with_the_pools_token_appears_in_the_pool_and_becomes_available(sdk: Driver) -> None:
    info = m.RegistrationInfo(
        expiration_time=to_datetime(sdk.world.now) + timedelta(hours=4), registration_token_operation="Update"
    )
    token = make_pool(sdk, registration_info=info).registration_info.token
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/vms/providers/Microsoft.Compute/virtualMachines/vm-1"
    machine = windows.build(sdk.world, resource_id=path, computer_name="vm-1", fqdn="vm-1.ad.contoso.example")
    registry.write(machine, registry.AGENT, "RegistrationToken", token)
    agents.start(sdk.world, machine)
    assert sdk.all("session_hosts", "list", RG, "pool") == []
    wait(sdk.world, 600)
    (host,) = sdk.all("session_hosts", "list", RG, "pool")
    assert (host.resource_id, host.status, host.allow_new_session) == (path, "Available", True)
    assert registry.read(machine, registry.AGENT, "IsRegistered") == 1
