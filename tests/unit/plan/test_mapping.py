"""Property by property: nothing is dropped in silence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from builders import Estate, bodies, plan_of
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.model import classic, rdp
from crossfade.model.classic import (
    AppGroup,
    AssignmentType,
    CommandLine,
    Desktop,
    GroupKind,
    HostPool,
    LoadBalancer,
    RemoteApp,
    RoleAssignment,
    SessionHost,
    Tenant,
)
from crossfade.plan import mapping
from crossfade.plan.plan import NotCarried

PLACE: dict[str, Any] = {"location": "westeurope", "tags": {}}


def pool_body(**members: Any) -> dict[str, Any]:
    pool = HostPool(key="g/t/p", **members)
    return dict(mapping.host_pool(pool, **PLACE, preferred="Desktop")["properties"])


def test_a_pooled_pool() -> None:
    body = pool_body(
        friendly_name="Office",
        description="d",
        custom_rdp_property="audiomode:i:0;",
        max_session_limit=12,
        load_balancer=LoadBalancer.DEPTH_FIRST,
        validation=True,
        ring=1,
    )
    assert body == {
        "hostPoolType": "Pooled",
        "loadBalancerType": "DepthFirst",
        "preferredAppGroupType": "Desktop",
        "customRdpProperty": "audiomode:i:0;",
        "friendlyName": "Office",
        "description": "d",
        "validationEnvironment": True,
        "maxSessionLimit": 12,
        "ring": 1,
    }


def test_an_rdp_string_is_always_sent_else_the_service_puts_its_own() -> None:
    assert pool_body()["customRdpProperty"] == ""


@pytest.mark.parametrize(
    ("assignment", "late"), [(None, True), (AssignmentType.AUTOMATIC, True), (AssignmentType.DIRECT, False)]
)
def test_personal_pools_are_made_direct_and_switched_on_later(assignment: AssignmentType | None, late: bool) -> None:
    pool = HostPool(key="g/t/p", personal=True, load_balancer=LoadBalancer.PERSISTENT, assignment=assignment)
    body = mapping.host_pool(pool, **PLACE, preferred="Desktop")["properties"]
    assert body["hostPoolType"] == "Personal"
    assert body["loadBalancerType"] == "Persistent"
    assert body["personalDesktopAssignmentType"] == "Direct"
    assert body["preferredAppGroupType"] == "Desktop"
    assert (mapping.late_assignment(pool) is not None) is late
    assert mapping.late_assignment(HostPool(key="g/t/q")) is None


def test_people_see_their_desktop_where_somebody_has_one() -> None:
    estate = Estate()
    estate.pool("With", people=1)
    apps = estate.pool("Apps", people=0)
    estate.group(apps, "Office", people=["a@contoso.com"])
    found = bodies(plan_of(estate))
    assert found["With"]["preferredAppGroupType"] == "Desktop"
    assert found["Apps"]["preferredAppGroupType"] == "RailApplications"


def test_an_app() -> None:
    app = RemoteApp(
        key="g/t/p/a/Ledger",
        file_path=r"C:\l.exe",
        command_line_setting=CommandLine.REQUIRE,
        required_command_line="/x",
        friendly_name="General Ledger",
        description="d",
        icon_path=r"C:\i.dll",
        icon_index=3,
        show_in_web_feed=False,
    )
    assert mapping.application(app, "Ledger")["properties"] == {
        "friendlyName": "General Ledger",
        "description": "d",
        "filePath": r"C:\l.exe",
        "iconPath": r"C:\i.dll",
        "iconIndex": 3,
        "commandLineSetting": "Require",
        "commandLineArguments": "/x",
        "showInPortal": False,
        "applicationType": "InBuilt",
    }


def test_defaults_of_an_app_are_those_of_classic() -> None:
    body = mapping.application(RemoteApp(key="g/t/p/a/Ledger", file_path=r"C:\l.exe"), "Ledger")["properties"]
    assert body["friendlyName"] == "Ledger"
    assert body["iconPath"] == r"C:\l.exe"
    assert (body["iconIndex"], body["showInPortal"]) == (0, True)
    assert body["commandLineSetting"] == "DoNotAllow"


def test_a_desktop_without_titles_of_its_own_is_left_as_the_service_makes_it() -> None:
    assert mapping.desktop(Desktop(key="g/t/p/d")) == {}
    assert mapping.desktop(Desktop(key="g/t/p/d", friendly_name="Mine")) == {"properties": {"friendlyName": "Mine"}}


def test_what_has_no_counterpart_is_told_with_its_value() -> None:
    estate = Estate(sso_adfs_authority="https://sts.contoso.com", log_analytics_workspace_id="w", sso_secret_set=True)
    pool = estate.pool("Office", hosts=2)
    estate.change(f"{pool}/office-0.corp.contoso.com", extra={"later": 1})
    app = estate.app(estate.group(pool, "Apps"), "Excel", app_alias="excel", extra={"folderName": "Finance"})
    estate.roles.append(RoleAssignment(key="Default Tenant Group", role="RDS Owner", sign_in_name="boss@contoso.com"))
    left = {(item.subject, item.property): item.value for item in plan_of(estate).not_carried}
    tenant = estate.tenants[0].key
    assert left[tenant, "sso_adfs_authority"] == "https://sts.contoso.com"
    assert left[tenant, "log_analytics_workspace_id"] == "w"
    assert left[tenant, "sso_secret_set"] is True
    assert left[app, "app_alias"] == "excel"
    assert left[app, "folderName"] == "Finance"
    assert left[f"{pool}/office-0.corp.contoso.com", "later"] == 1
    assert left["Default Tenant Group", "role"]["sign_in_name"] == "boss@contoso.com"
    assert not any(name == "name" for _, name in left)


# ---------------------------------------------------------------- no silent drops

CARRIED: dict[str, frozenset[str]] = {
    "Tenant": frozenset({"friendly_name", "description"}),
    "HostPool": frozenset(
        [
            "personal",
            "friendly_name",
            "description",
            "custom_rdp_property",
            "max_session_limit",
            "load_balancer",
            "assignment",
            "validation",
            "ring",
        ]
    ),
    "AppGroup": frozenset({"kind", "friendly_name", "description"}),
    "Desktop": frozenset({"friendly_name", "description", "show_in_web_feed"}),
    "RemoteApp": frozenset(
        [
            "file_path",
            "command_line_setting",
            "required_command_line",
            "friendly_name",
            "description",
            "icon_path",
            "icon_index",
            "show_in_web_feed",
        ]
    ),
    "SessionHost": frozenset({"allow_new_session", "assigned_user", "azure_vm_id", "azure_resource_id"}),
    "Assignment": frozenset({"upn"}),
}
"""In a body, a move or an assignment."""
CHECKED = {"Tenant": {"aad_tenant_id"}}
"""Not a setting of the target but a condition: the rule other-directory blocks when it does not hold."""
KEYS = {"key", "extra", "origin"}


def live(kind: str) -> set[str]:
    from crossfade.inventory.inventory import LIVE_VALUES

    return set(LIVE_VALUES) if kind == "SessionHost" else set()


@pytest.mark.parametrize("kind", [Tenant, HostPool, AppGroup, Desktop, RemoteApp, SessionHost, classic.Assignment])
def test_every_property_of_the_model_is_carried_or_told(kind: type[msgspec.Struct]) -> None:
    name = kind.__name__
    known = CARRIED[name] | CHECKED.get(name, set()) | set(mapping._LEFT.get(name, {})) | KEYS | live(name)
    assert {field.name for field in msgspec.structs.fields(kind)} <= known


words = st.text(min_size=1, max_size=12)
said = st.one_of(st.none(), words)
EXTRA = st.dictionaries(words.map("later{}".format), words, max_size=2)
KINDS: dict[type[classic.ClassicObject], st.SearchStrategy[Any]] = {
    Tenant: st.builds(
        Tenant,
        key=st.just("g/t"),
        extra=EXTRA,
        friendly_name=said,
        description=said,
        azure_subscription_id=said,
        sso_adfs_authority=said,
        sso_client_id=said,
        sso_secret_type=said,
        sso_secret_set=st.booleans(),
        log_analytics_workspace_id=said,
        log_analytics_key_set=st.booleans(),
    ),
    HostPool: st.builds(
        HostPool,
        key=st.just("g/t/p"),
        extra=EXTRA,
        personal=st.just(False),
        friendly_name=said,
        description=said,
        custom_rdp_property=said,
        max_session_limit=st.one_of(st.none(), st.integers(1, 999_999)),
        load_balancer=st.sampled_from([LoadBalancer.BREADTH_FIRST, LoadBalancer.DEPTH_FIRST]),
        assignment=st.one_of(st.none(), st.sampled_from(AssignmentType)),
        validation=st.just(True),
        ring=st.one_of(st.none(), st.integers(0, 9)),
    ),
    AppGroup: st.builds(
        AppGroup,
        key=st.just("g/t/p/a"),
        extra=EXTRA,
        kind=st.sampled_from(GroupKind),
        friendly_name=said,
        description=said,
    ),
    Desktop: st.builds(
        Desktop,
        key=st.just("g/t/p/a"),
        extra=EXTRA,
        name=words,
        friendly_name=said,
        description=said,
        show_in_web_feed=st.just(True),
    ),
    RemoteApp: st.builds(
        RemoteApp,
        key=st.just("g/t/p/a/x"),
        extra=EXTRA,
        file_path=said,
        app_alias=said,
        command_line_setting=st.sampled_from(CommandLine),
        required_command_line=said,
        friendly_name=said,
        description=said,
        icon_path=said,
        icon_index=st.one_of(st.none(), st.integers(0, 9)),
        show_in_web_feed=st.just(True),
    ),
}
BODIES: dict[type[classic.ClassicObject], Any] = {
    Tenant: lambda item: mapping.workspace(item, **PLACE),
    HostPool: lambda item: mapping.host_pool(item, **PLACE, preferred="Desktop"),
    AppGroup: lambda item: mapping.application_group(item, **PLACE, pool_id="pool"),
    Desktop: mapping.desktop,
    RemoteApp: lambda item: mapping.application(item, "x"),
}


def _every_entry(text: str | None, carried: list[Any], told: list[NotCarried]) -> None:
    read = rdp.parse(text)
    assert read.text() in carried
    lost = {row.value for row in told if row.property == "custom_rdp_property"}
    assert lost == {fault.entry for fault in read.lost()}


def test_a_hidden_desktop_stays_hidden_with_its_group() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=1)
    estate.change(f"{pool}/Desktop Application Group", show_in_web_feed=False)
    plan = plan_of(estate)
    assert bodies(plan)["Office-DAG"]["showInFeed"] is False
    estate.change(f"{pool}/Desktop Application Group", show_in_web_feed=True)
    assert "showInFeed" not in bodies(plan_of(estate))["Office-DAG"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_in_a_body_or_told(kind: type[classic.ClassicObject]) -> None:
    @settings(max_examples=60)
    @given(KINDS[kind])
    def check(item: classic.ClassicObject) -> None:
        carried = list(BODIES[kind](item).get("properties", {}).values())
        told = {row.property: row.value for row in mapping.not_carried([item])}
        for name in (field.name for field in msgspec.structs.fields(kind) if field.name not in KEYS):
            value = getattr(item, name)
            if (kind, name) == (Desktop, "show_in_web_feed"):
                continue  # of the group's body: see below
            if name == "custom_rdp_property":
                _every_entry(value, carried, mapping.not_carried([item]))
                continue
            if value in (None, "", False) or (kind is Desktop and (name, value) == ("name", "Remote Desktop")):
                continue
            assert value in carried or told.get(name) == value, name
        for name, value in item.extra.items():
            assert told[name] == value

    check()
