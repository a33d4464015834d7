"""Every operation of azure-mgmt-desktopvirtualization 2.0.0 that the twin serves, through the official client: its
body, one error, and an idempotent repeat. `docs/reference/twin-coverage.md` is made from the marks of this file.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.desktopvirtualization import models as m

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import SUBSCRIPTION, StaticCredential, Twin, make_world, sync_client

from avdtwin import agents, sessions, windows
from avdtwin.arm import images, private_links, session_hosts
from avdtwin.clock import ManualClock, to_datetime
from avdtwin.directory import add_user
from avdtwin.state import User

RG, LOCATION, HOST = "rg", "westeurope", "vm-1.ad.contoso.example"
AVD = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.DesktopVirtualization"
VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.Compute/virtualMachines/vm-1"
MISSING, NO_GROUP = "ResourceNotFound", "ResourceGroupNotFound"
NO_PARENT = "ParentResourceNotFound"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `wrong` are arguments that are answered with `code`; None: a caller without a token."""

    args: tuple[Any, ...] = ()
    named: dict[str, Any] = {}
    says: Callable[[Any], bool]
    """Whether the answer (a list for pages) says what it should."""
    wrong: tuple[Any, ...] | None
    code: str


def pool(**more: Any) -> m.HostPool:
    given = {"host_pool_type": "Pooled", "load_balancer_type": "BreadthFirst", "preferred_app_group_type": "Desktop"}
    return m.HostPool(location=LOCATION, **{**given, **more})


def group(kind: str = "RemoteApp", of: str = "pool") -> m.ApplicationGroup:
    path = f"{AVD}/hostPools/{of}"
    return m.ApplicationGroup(
        location=LOCATION, host_pool_arm_path=path, application_group_type=kind, friendly_name="G"
    )


def app(name: str = "Excel") -> m.Application:
    return m.Application(command_line_setting="DoNotAllow", file_path=f"C:\\{name}.exe", friendly_name=name)


def plan(**more: Any) -> m.ScalingPlan:
    return m.ScalingPlan(location=LOCATION, time_zone="UTC", **more)


PEAK = m.Time(hour=9, minute=30)
POOLED_SCHEDULE = m.ScalingPlanPooledSchedule(
    days_of_week=["Monday"], peak_start_time=PEAK, ramp_up_minimum_hosts_pct=20
)
PERSONAL_SCHEDULE = m.ScalingPlanPersonalSchedule(days_of_week=["Monday"], peak_action_on_logoff="Deallocate")
PACKAGE = m.MSIXPackage(display_name="P", package_name="p", is_active=True, image_path="\\\\share\\p.vhdx")
ATTACHED = m.AppAttachPackage(
    location=LOCATION,
    properties=m.AppAttachPackageProperties(host_pool_references=[f"{AVD}/hostPools/pool"]),
)


IMAGE = "\\\\share\\apps\\notes.vhdx"
PACKED = {"Notes_2.9.0.16_neutral__hash": {"App": "Notes"}, "Notes_2.9.0.16_neutral_split.scale-100_hash": {}}
IMPORTED = "importappattachpackageinfo"
ENDPOINTS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.Network/privateEndpoints"
_DRAWN = make_world(RG)
LINKED = {name: f"{name}-pe.{_DRAWN.guid('private-link')}" for name in ("pool", "work")}
"""Names of the connections: the twin draws the same ones for the same seed."""


def decision(status: str) -> m.PrivateEndpointConnection:
    state = m.PrivateLinkServiceConnectionState(status=status, description="by the network's owner")
    return m.PrivateEndpointConnection(private_link_service_connection_state=state)


def linked(found: Any, status: str) -> bool:
    """A connection of one of the two endpoints, in this state."""
    name = found.name.partition(".")[0]
    return (
        found.private_endpoint.id == f"{ENDPOINTS}/{name}".lower()
        and found.private_link_service_connection_state.status == status
        and found.provisioning_state == "Succeeded"
    )


def only(name: str) -> Callable[[Any], bool]:
    """A list with this member, by the last part of its name."""
    return lambda found: name in [each.name.rpartition("/")[2] for each in found]


def empty(found: Any) -> bool:
    return found in (None, [])


def _token(found: Any) -> bool:
    return len(found.token.split(".")) == 3


ROWS: dict[str, Row] = {
    # -- host pools
    "host_pools.create_or_update": Row(
        args=(RG, "new", pool(friendly_name="N")),
        says=lambda r: (r.name, r.friendly_name, r.max_session_limit) == ("new", "N", 999999),
        wrong=("nowhere", "new", pool()),
        code=NO_GROUP,
    ),
    "host_pools.update": Row(
        args=(RG, "pool", m.HostPoolPatch(max_session_limit=7)),
        says=lambda r: r.max_session_limit == 7,
        wrong=(RG, "none", m.HostPoolPatch()),
        code=MISSING,
    ),
    "host_pools.get": Row(
        args=(RG, "pool"), says=lambda r: r.host_pool_type == "Pooled", wrong=(RG, "none"), code=MISSING
    ),
    "host_pools.delete": Row(args=(RG, "spare"), says=empty, wrong=(RG, "pool"), code="400"),
    "host_pools.list": Row(says=only("pool"), wrong=None, code="InvalidAuthenticationToken"),
    "host_pools.list_by_resource_group": Row(args=(RG,), says=only("pool"), wrong=("nowhere",), code=NO_GROUP),
    "host_pools.retrieve_registration_token": Row(args=(RG, "pool"), says=_token, wrong=(RG, "none"), code=MISSING),
    "host_pools.list_registration_tokens": Row(
        args=(RG, "pool"), says=lambda r: _token(r.value[0]), wrong=(RG, "none"), code=MISSING
    ),
    # -- application groups
    "application_groups.create_or_update": Row(
        args=(RG, "new", group()),
        says=lambda r: (r.name, r.kind, r.application_group_type) == ("new", "RemoteApp", "RemoteApp"),
        wrong=(RG, "new", group(of="none")),
        code="400",
    ),
    "application_groups.update": Row(
        args=(RG, "apps"),
        named={"application_group": m.ApplicationGroupPatch(friendly_name="X")},
        says=lambda r: r.friendly_name == "X",
        wrong=(RG, "none"),
        code=MISSING,
    ),
    "application_groups.get": Row(
        args=(RG, "apps"), says=lambda r: r.host_pool_arm_path.endswith("/pool"), wrong=(RG, "none"), code=MISSING
    ),
    "application_groups.delete": Row(args=(RG, "apps"), says=empty, wrong=("nowhere", "apps"), code=NO_GROUP),
    "application_groups.list_by_resource_group": Row(args=(RG,), says=only("apps"), wrong=("nowhere",), code=NO_GROUP),
    "application_groups.list_by_subscription": Row(says=only("apps"), wrong=None, code="InvalidAuthenticationToken"),
    # -- applications and desktops
    "applications.create_or_update": Row(
        args=(RG, "apps", "word", app("Word")),
        says=lambda r: (r.name, r.file_path) == ("apps/word", "C:\\Word.exe"),
        wrong=(RG, "none", "word", app("Word")),
        code=NO_PARENT,
    ),
    "applications.update": Row(
        args=(RG, "apps", "excel"),
        named={"application": m.ApplicationPatch(description="D")},
        says=lambda r: r.description == "D",
        wrong=(RG, "apps", "none"),
        code="404",
    ),
    "applications.get": Row(
        args=(RG, "apps", "excel"), says=lambda r: r.friendly_name == "Excel", wrong=(RG, "apps", "none"), code="404"
    ),
    "applications.delete": Row(args=(RG, "apps", "excel"), says=empty, wrong=(RG, "none", "excel"), code=NO_PARENT),
    "applications.list": Row(args=(RG, "apps"), says=only("excel"), wrong=(RG, "none"), code=NO_PARENT),
    "desktops.get": Row(
        args=(RG, "desk", "SessionDesktop"),
        says=lambda r: r.name == "desk/SessionDesktop",
        wrong=(RG, "desk", "none"),
        code="404",
    ),
    "desktops.update": Row(
        args=(RG, "desk", "SessionDesktop"),
        named={"desktop": m.DesktopPatch(friendly_name="F")},
        says=lambda r: r.friendly_name == "F",
        wrong=(RG, "desk", "none"),
        code="404",
    ),
    "desktops.list": Row(args=(RG, "desk"), says=only("SessionDesktop"), wrong=(RG, "none"), code=NO_PARENT),
    "start_menu_items.list": Row(args=(RG, "apps"), says=lambda r: len(r) > 0, wrong=(RG, "none"), code=NO_PARENT),
    # -- workspaces
    "workspaces.create_or_update": Row(
        args=(RG, "new", m.Workspace(location=LOCATION, application_group_references=[])),
        says=lambda r: r.name == "new",
        wrong=(RG, "new", m.Workspace(location=LOCATION, application_group_references=[f"{AVD}/applicationGroups/no"])),
        code="400",
    ),
    "workspaces.update": Row(
        args=(RG, "work"),
        named={"workspace": m.WorkspacePatch(friendly_name="W")},
        says=lambda r: r.friendly_name == "W",
        wrong=(RG, "none"),
        code=MISSING,
    ),
    "workspaces.get": Row(
        args=(RG, "work"),
        says=lambda r: [each.rpartition("/")[2] for each in r.application_group_references] == ["desk"],
        wrong=(RG, "none"),
        code=MISSING,
    ),
    "workspaces.delete": Row(args=(RG, "work"), says=empty, wrong=("nowhere", "work"), code=NO_GROUP),
    "workspaces.list_by_resource_group": Row(args=(RG,), says=only("work"), wrong=("nowhere",), code=NO_GROUP),
    "workspaces.list_by_subscription": Row(says=only("work"), wrong=None, code="InvalidAuthenticationToken"),
    # -- session hosts and sessions
    "session_hosts.get": Row(
        args=(RG, "pool", HOST),
        says=lambda r: (r.status, r.resource_id, r.sessions) == ("Available", VM, 1),
        wrong=(RG, "pool", "none"),
        code="404",
    ),
    "session_hosts.list": Row(args=(RG, "pool"), says=only(HOST), wrong=(RG, "none"), code=NO_PARENT),
    "session_hosts.update": Row(
        args=(RG, "pool", HOST),
        named={"session_host": m.SessionHostPatch(allow_new_session=False)},
        says=lambda r: r.allow_new_session is False,
        wrong=(RG, "pool", "none"),
        code="404",
    ),
    "session_hosts.delete": Row(
        args=(RG, "pool", HOST), named={"force": True}, says=empty, wrong=(RG, "pool", HOST), code="400"
    ),
    "user_sessions.get": Row(
        args=(RG, "pool", HOST, "2"),
        says=lambda r: r.user_principal_name == "ada@contoso.example",
        wrong=(RG, "pool", HOST, "99"),
        code="404",
    ),
    "user_sessions.list": Row(args=(RG, "pool", HOST), says=only("2"), wrong=(RG, "pool", "none"), code="404"),
    "user_sessions.list_by_host_pool": Row(args=(RG, "pool"), says=only("2"), wrong=(RG, "none"), code=NO_PARENT),
    "user_sessions.send_message": Row(
        args=(RG, "pool", HOST, "2"),
        named={"send_message": m.SendMessage(message_title="T", message_body="B")},
        says=empty,
        wrong=(RG, "pool", HOST, "99"),
        code="404",
    ),
    "user_sessions.disconnect": Row(
        args=(RG, "pool", HOST, "2"), says=empty, wrong=(RG, "pool", HOST, "99"), code="404"
    ),
    "user_sessions.delete": Row(args=(RG, "pool", HOST, "2"), says=empty, wrong=(RG, "pool", "none", "2"), code="404"),
    # -- scaling plans
    "scaling_plans.create": Row(
        args=(RG, "new", plan(friendly_name="S")),
        says=lambda r: (r.friendly_name, r.host_pool_type, r.exclusion_tag) == ("S", "Pooled", ""),
        wrong=(RG, "new", plan(host_pool_references=[m.ScalingHostPoolReference(host_pool_arm_path="/no")])),
        code="400",
    ),
    "scaling_plans.update": Row(
        args=(RG, "plan"),
        named={"scaling_plan": m.ScalingPlanPatch(description="D")},
        says=lambda r: r.description == "D",
        wrong=(RG, "none"),
        code=MISSING,
    ),
    "scaling_plans.get": Row(args=(RG, "plan"), says=lambda r: r.time_zone == "UTC", wrong=(RG, "none"), code=MISSING),
    "scaling_plans.delete": Row(args=(RG, "plan"), says=empty, wrong=("nowhere", "plan"), code=NO_GROUP),
    "scaling_plans.list_by_resource_group": Row(args=(RG,), says=only("plan"), wrong=("nowhere",), code=NO_GROUP),
    "scaling_plans.list_by_subscription": Row(says=only("plan"), wrong=None, code="InvalidAuthenticationToken"),
    "scaling_plans.list_by_host_pool": Row(args=(RG, "pool"), says=only("plan"), wrong=(RG, "none"), code=NO_PARENT),
    "scaling_plan_pooled_schedules.create": Row(
        args=(RG, "plan", "new", POOLED_SCHEDULE),
        says=lambda r: (r.peak_start_time.minute, r.ramp_down_stop_hosts_when) == (30, "ZeroSessions"),
        wrong=(RG, "plan", "new", m.ScalingPlanPooledSchedule(ramp_up_minimum_hosts_pct=101)),
        code="400",
    ),
    "scaling_plan_pooled_schedules.update": Row(
        args=(RG, "plan", "week"),
        named={"scaling_plan_schedule": m.ScalingPlanPooledSchedulePatch(ramp_up_minimum_hosts_pct=30)},
        says=lambda r: (r.ramp_up_minimum_hosts_pct, r.days_of_week) == (30, ["Monday"]),
        wrong=(RG, "plan", "none"),
        code="404",
    ),
    "scaling_plan_pooled_schedules.get": Row(
        args=(RG, "plan", "week"),
        says=lambda r: (r.name, r.ramp_up_minimum_hosts_pct) == ("plan/week", 20),
        wrong=(RG, "plan", "none"),
        code="404",
    ),
    "scaling_plan_pooled_schedules.delete": Row(
        args=(RG, "plan", "week"), says=empty, wrong=(RG, "none", "week"), code=NO_PARENT
    ),
    "scaling_plan_pooled_schedules.list": Row(args=(RG, "plan"), says=only("week"), wrong=(RG, "none"), code=NO_PARENT),
    "scaling_plan_personal_schedules.create": Row(
        args=(RG, "own-plan", "new", PERSONAL_SCHEDULE),
        says=lambda r: (r.peak_action_on_logoff, r.ramp_up_auto_start_hosts) == ("Deallocate", "None"),
        wrong=(RG, "plan", "new", PERSONAL_SCHEDULE),
        code="400",
    ),
    "scaling_plan_personal_schedules.update": Row(
        args=(RG, "own-plan", "week"),
        named={"scaling_plan_schedule": m.ScalingPlanPersonalSchedulePatch(peak_action_on_logoff="Hibernate")},
        says=lambda r: r.peak_action_on_logoff == "Hibernate",
        wrong=(RG, "own-plan", "none"),
        code="404",
    ),
    "scaling_plan_personal_schedules.get": Row(
        args=(RG, "own-plan", "week"),
        says=lambda r: r.days_of_week == ["Monday"],
        wrong=(RG, "own-plan", "none"),
        code="404",
    ),
    "scaling_plan_personal_schedules.delete": Row(
        args=(RG, "own-plan", "week"), says=empty, wrong=(RG, "none", "week"), code=NO_PARENT
    ),
    "scaling_plan_personal_schedules.list": Row(
        args=(RG, "own-plan"), says=only("week"), wrong=(RG, "none"), code=NO_PARENT
    ),
    # -- packages
    "msix_packages.create_or_update": Row(
        args=(RG, "pool", "new", PACKAGE),
        says=lambda r: (r.display_name, r.is_active, r.package_dependencies) == ("P", True, []),
        wrong=(RG, "none", "new", PACKAGE),
        code=NO_PARENT,
    ),
    "msix_packages.update": Row(
        args=(RG, "pool", "msix"),
        named={"msix_package": m.MSIXPackagePatch(display_name="Q")},
        says=lambda r: (r.display_name, r.package_name) == ("Q", "p"),
        wrong=(RG, "pool", "none"),
        code="404",
    ),
    "msix_packages.get": Row(
        args=(RG, "pool", "msix"),
        says=lambda r: r.image_path.endswith("p.vhdx"),
        wrong=(RG, "pool", "none"),
        code="404",
    ),
    "msix_packages.delete": Row(args=(RG, "pool", "msix"), says=empty, wrong=(RG, "none", "msix"), code=NO_PARENT),
    "msix_packages.list": Row(args=(RG, "pool"), says=only("msix"), wrong=(RG, "none"), code=NO_PARENT),
    "app_attach_package.create_or_update": Row(
        args=(RG, "new", ATTACHED),
        says=lambda r: (r.name, r.properties.fail_health_check_on_staging_failure) == ("new", "NeedsAssistance"),
        wrong=("nowhere", "new", ATTACHED),
        code=NO_GROUP,
    ),
    "app_attach_package.update": Row(
        args=(RG, "attached"),
        named={
            "app_attach_package_patch": m.AppAttachPackagePatch(
                properties=m.AppAttachPackagePatchProperties(host_pool_references=[])
            )
        },
        says=lambda r: r.properties.host_pool_references == [],
        wrong=(RG, "none"),
        code=MISSING,
    ),
    "app_attach_package.get": Row(
        args=(RG, "attached"),
        says=lambda r: r.properties.host_pool_references == [f"{AVD}/hostPools/pool"],
        wrong=(RG, "none"),
        code=MISSING,
    ),
    "app_attach_package.delete": Row(args=(RG, "attached"), says=empty, wrong=("nowhere", "a"), code=NO_GROUP),
    "app_attach_package.list_by_resource_group": Row(
        args=(RG,), says=only("attached"), wrong=("nowhere",), code=NO_GROUP
    ),
    "app_attach_package.list_by_subscription": Row(
        says=only("attached"), wrong=None, code="InvalidAuthenticationToken"
    ),
    # -- the rest
    "msix_images.expand": Row(
        args=(RG, "pool", m.MSIXImageURI(uri=IMAGE)),
        says=lambda r: (
            [each.package_full_name for each in r] == list(PACKED)
            and (r[0].package_alias, r[0].package_family_name, r[0].version) == ("notes-1", "Notes_hash", "2.9.0.16")
            and [each.app_user_model_id for each in r[0].package_applications] == ["Notes_hash!App"]
        ),
        wrong=(RG, "pool", m.MSIXImageURI(uri="\\\\share\\none.vhdx")),
        code="400",
    ),
    "app_attach_package_info.import_method": Row(
        args=(RG, "pool", m.ImportPackageInfoRequest(path=IMAGE, package_architecture="Neutral")),
        says=lambda r: [(each.name, each.properties.image.package_alias) for each in r] == [(IMPORTED, "notes-1")],
        wrong=(RG, "spare", m.ImportPackageInfoRequest(path=IMAGE)),
        code="400",
    ),
    # -- private links
    "private_link_resources.list_by_host_pool": Row(
        args=(RG, "pool"),
        says=lambda r: [(each.group_id, each.required_members[0]) for each in r] == [("connection", "broker")],
        wrong=(RG, "none"),
        code=NO_PARENT,
    ),
    "private_link_resources.list_by_workspace": Row(
        args=(RG, "work"),
        says=lambda r: [each.group_id for each in r] == ["feed", "global"],
        wrong=(RG, "none"),
        code=NO_PARENT,
    ),
    "private_endpoint_connections.list_by_host_pool": Row(
        args=(RG, "pool"), says=lambda r: linked(r[0], "Approved"), wrong=(RG, "none"), code=NO_PARENT
    ),
    "private_endpoint_connections.list_by_workspace": Row(
        args=(RG, "work"), says=lambda r: linked(r[0], "Pending"), wrong=(RG, "none"), code=NO_PARENT
    ),
    "private_endpoint_connections.get_by_host_pool": Row(
        args=(RG, "pool", LINKED["pool"]), says=lambda r: linked(r, "Approved"), wrong=(RG, "pool", "none"), code="404"
    ),
    "private_endpoint_connections.get_by_workspace": Row(
        args=(RG, "work", LINKED["work"]), says=lambda r: linked(r, "Pending"), wrong=(RG, "work", "none"), code="404"
    ),
    "private_endpoint_connections.update_by_host_pool": Row(
        args=(RG, "pool", LINKED["pool"], decision("Rejected")),
        says=lambda r: linked(r, "Rejected"),
        wrong=(RG, "pool", LINKED["pool"], decision("Perhaps")),
        code="400",
    ),
    "private_endpoint_connections.update_by_workspace": Row(
        args=(RG, "work", LINKED["work"], decision("Approved")),
        says=lambda r: linked(r, "Approved"),
        wrong=(RG, "work", "none", decision("Approved")),
        code="404",
    ),
    "private_endpoint_connections.delete_by_host_pool": Row(
        args=(RG, "pool", LINKED["pool"]), says=empty, wrong=(RG, "none", LINKED["pool"]), code=NO_PARENT
    ),
    "private_endpoint_connections.delete_by_workspace": Row(
        args=(RG, "work", LINKED["work"]), says=empty, wrong=(RG, "none", LINKED["work"]), code=NO_PARENT
    ),
    "operations.list": Row(
        says=lambda r: "Microsoft.DesktopVirtualization/hostpools/read" in [each.name for each in r],
        wrong=None,
        code="InvalidAuthenticationToken",
    ),
}


class Nobody(StaticCredential):
    """A token that nobody issued."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._token = self._token._replace(token="nonsense")


def furnished() -> Twin:
    """One of everything: a pool with a healthy host, somebody's session, groups, plans, packages."""
    twin = Twin(make_world(RG))
    world = twin.world
    with sync_client(twin) as sdk:
        expiry = to_datetime(world.now) + timedelta(hours=4)
        info = m.RegistrationInfo(expiration_time=expiry, registration_token_operation="Update")
        sdk.host_pools.create_or_update(RG, "pool", pool(registration_info=info))
        sdk.host_pools.create_or_update(RG, "spare", pool())
        machine = windows.build(world, resource_id=VM, computer_name="vm-1", fqdn=HOST)
        key = f"{AVD}/hostPools/pool".lower()
        session_hosts.register(world, machine, key)
        agents.connect(world, machine, "arm", key, HOST)
        assert isinstance(world.clock, ManualClock)
        world.clock.advance(300)
        world.settle()
        add_user(world, User(id="ada", upn="ada@contoso.example"))
        given = {"service": "arm", "pool": key, "user": "ada", "upn": "ada@contoso.example"}
        sessions.open_session(world, machine, application_type="Desktop", client="new", **given)
        sdk.application_groups.create_or_update(RG, "apps", group())
        sdk.application_groups.create_or_update(RG, "desk", group("Desktop"))
        sdk.applications.create_or_update(RG, "apps", "excel", app())
        desk = f"{AVD}/applicationGroups/desk"
        sdk.workspaces.create_or_update(RG, "work", m.Workspace(location=LOCATION, application_group_references=[desk]))
        reference = m.ScalingHostPoolReference(host_pool_arm_path=f"{AVD}/hostPools/pool", scaling_plan_enabled=False)
        sdk.scaling_plans.create(RG, "plan", plan(host_pool_references=[reference]))
        sdk.scaling_plans.create(RG, "own-plan", plan(host_pool_type="Personal"))
        sdk.scaling_plan_pooled_schedules.create(RG, "plan", "week", POOLED_SCHEDULE)
        sdk.scaling_plan_personal_schedules.create(RG, "own-plan", "week", PERSONAL_SCHEDULE)
        sdk.msix_packages.create_or_update(RG, "pool", "msix", PACKAGE)
        sdk.app_attach_package.create_or_update(RG, "attached", ATTACHED)
    images.lay(world, IMAGE, [images.package_of(name, applications=apps) for name, apps in PACKED.items()])
    for name, parent in {"pool": "hostPools/pool", "work": "workspaces/work"}.items():
        private_links.connect(world, f"{AVD}/{parent}", f"{ENDPOINTS}/{name}-pe", approved=name == "pool")
    return twin


SNAPSHOT = furnished().world.snapshot()


@pytest.fixture
def twin() -> Twin:
    from avdtwin.world import World

    restored = World.restore(SNAPSHOT, ManualClock(0.0))
    restored.clock = ManualClock(restored.now)
    return Twin(restored)


def call(twin: Twin, operation: str, args: tuple[Any, ...], named: dict[str, Any], **options: Any) -> Any:
    """The answer of an operation; pages become one list."""
    family, _, method = operation.partition(".")
    with sync_client(twin, retry_total=0, **options) as sdk:
        found = getattr(getattr(sdk, family), method)(*args, **named)
        return list(found) if hasattr(found, "by_page") else found


def plain(found: Any) -> Any:
    """An answer as data, without the times of changes."""
    if isinstance(found, list):
        return [plain(each) for each in found]
    if not hasattr(found, "as_dict"):
        return found
    return {name: value for name, value in found.as_dict().items() if name != "system_data"}


def rows(what: str) -> Any:
    """Parameters for every operation, each marked with what a test shows of it."""
    params = [pytest.param(name, id=name, marks=pytest.mark.covers(name, what)) for name in ROWS]
    return pytest.mark.parametrize("operation", params)


@rows("body")
def test_body(twin: Twin, operation: str) -> None:
    row = ROWS[operation]
    found = call(twin, operation, row.args, row.named)
    assert row.says(found), plain(found)


@rows("error")
def test_error(twin: Twin, operation: str) -> None:
    row = ROWS[operation]
    options = {"credential": Nobody(twin.world)} if row.wrong is None else {}
    named = {name: value for name, value in row.named.items() if name != "force"}
    with pytest.raises(HttpResponseError) as caught:
        call(twin, operation, row.wrong if row.wrong is not None else row.args, named, **options)
    assert caught.value.error.code == row.code
    assert caught.value.error.message


@rows("repeat")
def test_repeat(twin: Twin, operation: str) -> None:
    row = ROWS[operation]
    first = plain(call(twin, operation, row.args, row.named))
    before = set(twin.world.state.arm.resources)
    assert plain(call(twin, operation, row.args, row.named)) == first
    assert set(twin.world.state.arm.resources) == before


def test_the_page_is_current() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "twin_coverage_impl.py"), "--check"],
        capture_output=True,
        text=True,
        cwd=root,
    )
    assert done.returncode == 0, done.stdout + done.stderr
