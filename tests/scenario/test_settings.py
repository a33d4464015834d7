"""Settings on the twin, area by area: what somebody set in classic is there after the run, or the proof names it."""

from __future__ import annotations

from typing import Any

import pytest
from logs_kit import lay_workspace, workspace_of
from stage import Stage, personal, pooled, spec_of

from crossfade.commands.discover import discover_target
from crossfade.commands.workspace import INVENTORY
from crossfade.inventory.inventory import Inventory
from crossfade.plan.intent import Diagnostics, PoolIntent
from crossfade.report.areas import AREAS, areas
from crossfade.verification.settings import check_settings
from crossfade.verification.verification import SettingCheck

VAULT = "https://contoso-kv.vault.azure.net/secrets/adfs"
RDP = "audiomode:i:02;RedirectClipboard:i:1;nonsense;drivestoredirect:s:"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """One run with every area in it: a pooled pool, a validation pool, personal desktops."""
    tests = pooled("Test Pool", "tst", depth_first=True, validation=True, ring=1, limit=12)
    spec = spec_of(pooled(rdp=RDP), tests, personal(hosts=1, automatic=True), single_sign_on=True)
    made = Stage.of(spec, tmp_path_factory.mktemp("settings"))
    desktop = made.pool_record("Office Pool").groups["desktop application group"].desktop
    assert desktop is not None
    desktop.show_in_web_feed = False
    app = made.pool_record("Test Pool").groups["office apps"].apps["excel"]
    app.file_path, app.icon_path, app.app_alias = None, None, "excel"
    made.discover()
    inventory = made.workspace.read(INVENTORY, Inventory)
    pools = {pool.key: PoolIntent(outage="when-empty", start_vm_on_connect=pool.personal) for pool in inventory.pools}
    logs = Diagnostics(workspace=workspace_of(made))
    lay_workspace(made.world, logs.workspace)
    signed = {inventory.tenants[0].key: VAULT}
    made.make_plan(outage="when-empty", pools=pools, single_sign_on=signed, diagnostics=logs)
    applied = made.apply()
    assert applied.state == "finished", [(event.subject, event.reason) for event in made.events("wave")][-3:]
    return made


def checks(stage: Stage) -> list[SettingCheck]:
    inventory = stage.workspace.read(INVENTORY, Inventory)
    target = stage.with_services(lambda services: discover_target(services, inventory, [stage.rehearsal.subscription]))
    return check_settings(stage.plan, target)


def pool(stage: Stage, name: str) -> dict[str, Any]:
    return next(one.properties for one in stage.of_type("hostPools") if one.name == name)


def test_rdp_properties_mean_the_same_and_the_wrong_one_is_named(stage: Stage) -> None:
    assert pool(stage, "Office Pool")["customRdpProperty"] == "audiomode:i:2;RedirectClipboard:i:1;drivestoredirect:s:;"
    assert [row.value for row in stage.plan.not_carried if row.property == "custom_rdp_property"] == ["nonsense"]


def test_single_sign_on_is_on_each_pool_by_reference(stage: Stage) -> None:
    for one in stage.of_type("hostPools"):
        assert one.properties["ssoClientSecretKeyVaultPath"] == VAULT
        assert one.properties["ssoadfsAuthority"].startswith("https://")


def test_balancing_validation_and_limit(stage: Stage) -> None:
    found = pool(stage, "Test Pool")
    assert (found["loadBalancerType"], found["maxSessionLimit"]) == ("DepthFirst", 12)
    assert found["validationEnvironment"] is True
    assert pool(stage, "Office Pool")["validationEnvironment"] is False


def test_personal_desktops_are_automatic_again_and_start_on_connect(stage: Stage) -> None:
    found = pool(stage, "Workstations")
    assert found["personalDesktopAssignmentType"] == "Automatic"
    assert found["startVMOnConnect"] is True
    assert pool(stage, "Office Pool")["startVMOnConnect"] is False


def test_an_alias_becomes_the_path_that_the_start_menu_has(stage: Stage) -> None:
    paths = {one.properties["filePath"] for one in stage.of_type("applicationGroups/applications")}
    assert paths == {"C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE"}
    gaps = stage.workspace.read(INVENTORY, Inventory).gaps
    assert any("Its alias excel stands for" in gap.what for gap in gaps)


def test_a_hidden_desktop_stays_hidden(stage: Stage) -> None:
    shown = {one.name: one.properties.get("showInFeed") for one in stage.of_type("applicationGroups")}
    assert shown["Office Pool-DAG"] is False
    assert shown["Test Pool-DAG"] is not False


def test_titles_are_what_people_will_read(stage: Stage) -> None:
    found = {
        one.id.lower(): one.properties.get("friendlyName") or one.name
        for one in stage.world.state.arm.resources.values()
    }
    ids = {name.source.lower(): name.target.lower() for name in stage.plan.names}
    told = {title.source.lower(): title for title in stage.plan.titles}
    assert {title.kind for title in told.values()} == {"workspace", "desktop", "app"}
    for source, title in told.items():
        target = ids[source] + ("/desktops/sessiondesktop" if title.kind == "desktop" else "")
        assert found[target] == title.after, title
    hidden = [title for title in told.values() if not title.shown]
    assert [title.source.split("/")[2] for title in hidden] == ["Office Pool"]


def test_the_proof_finds_every_setting_and_nothing_different(stage: Stage) -> None:
    found = checks(stage)
    assert [check for check in found if check.verdict == "different"] == []
    assert {"equal", "translated", "not-carried"} <= {check.verdict for check in found}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customRdpProperty", "audiomode:i:1;"),
        ("ssoClientSecretKeyVaultPath", "https://other.vault.azure.net/secrets/x"),
        ("startVMOnConnect", False),
        ("loadBalancerType", "MultiplePersistent"),
        ("preferredAppGroupType", "None"),
    ],
)
def test_a_setting_that_somebody_changed_is_found(stage: Stage, name: str, value: Any) -> None:
    properties = pool(stage, "Workstations")
    before = properties[name]
    properties[name] = value
    try:
        assert {check.property for check in checks(stage) if check.verdict == "different"} == {name}
    finally:
        properties[name] = before


DESKTOPS = "microsoft.desktopvirtualization"
CHANGED: dict[str, tuple[str, str, Any]] = {
    "Remote sessions (RDP properties)": (f"{DESKTOPS}/hostpools", "customRdpProperty", "audiomode:i:1;"),
    "Apps: paths, arguments, icons": (f"{DESKTOPS}/applicationgroups/applications", "filePath", "C:\\Other.exe"),
    "What people see: titles, visibility, preferred kind": (f"{DESKTOPS}/workspaces", "friendlyName", "Other"),
    "Sign-on": (f"{DESKTOPS}/hostpools", "ssoadfsAuthority", "https://other.example/adfs"),
    "Host pools: balancing, limits, assignment, validation": (f"{DESKTOPS}/hostpools", "maxSessionLimit", 3),
    "Logs and scaling": ("microsoft.insights/diagnosticsettings", "logs", []),
}
"""Area -> what somebody changes in it afterwards: type of the object, property, value."""


@pytest.mark.parametrize("area", AREAS)
def test_every_area_is_carried_proven_and_watched(stage: Stage, area: str) -> None:
    """Each of the six, in one run: something of it came over, nothing differs, and a change of it is found in it."""
    proven = {found.name: found.counts for found in areas(checks(stage))}
    assert proven[area]["equal"] + proven[area]["translated"] > 0
    assert proven[area]["different"] == 0
    kind, name, value = CHANGED[area]
    one = next(one for one in stage.world.state.arm.resources.values() if one.type.lower() == kind)
    before = one.properties.get(name)
    one.properties[name] = value
    try:
        different = {found.name: found.counts["different"] for found in areas(checks(stage))}
    finally:
        one.properties[name] = before
    assert {name for name, count in different.items() if count} == {area}
