"""The estates: what they hold, their warts, their exports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from avdtwin import estate, people
from avdtwin.clock import ManualClock
from avdtwin.estate.specs import fabrikam
from avdtwin.world import World


@pytest.fixture(scope="module")
def contoso() -> World:
    return estate.build("contoso", 1, ManualClock(estate.DEMO_START))


def pools(world: World) -> list[object]:
    return [p for g in world.state.classic.groups.values() for t in g.tenants.values() for p in t.pools.values()]


def test_contoso_has_what_the_demo_tells(contoso: World) -> None:
    found = people.tally(contoso)
    assert (len(pools(contoso)), len(contoso.state.machines), found["people"]) == (3, 60, 900)
    assert contoso.state.classic.alive
    assert found["sign_ins"] == 0


def test_contoso_has_every_wart(contoso: World) -> None:
    warts = estate.world_warts(contoso)
    assert [name for name, places in warts.items() if not places] == []
    assert json.loads(json.dumps(warts)) == warts
    roles = {line.split(" for a ")[0] for line in warts["classic roles"]}
    kinds = {line.split(" for a ")[1].split(" at ")[0] for line in warts["classic roles"]}
    assert roles == {"RDS Owner", "RDS Contributor", "RDS Reader", "RDS Operator"}
    assert kinds == {"User", "Group", "ServicePrincipal"}


def test_tiny_has_few(contoso: World) -> None:
    warts = estate.world_warts(estate.build("tiny", 1, ManualClock(estate.DEMO_START)))
    assert not warts["vm off"]
    assert not warts["personal pool with direct assignment"]


def test_about_250_sessions_live_at_the_peak_and_a_third_always() -> None:
    clock = ManualClock(estate.DEMO_START)
    world = estate.build("contoso", 2, clock)
    clock.advance(86_400)
    world.settle()
    found = people.tally(world)
    assert 220 <= found["peak_sessions"] <= 290
    assert found["min_sessions"] >= 0.3 * found["peak_sessions"]
    assert found["refused_sign_ins"] == 0


def test_fabrikam_by_its_numbers() -> None:
    spec = fabrikam()
    assert len(spec.pools) == 25
    assert sum(pool.hosts for pool in spec.pools) == 1_200
    world = estate.build(spec, 1, ManualClock(estate.DEMO_START), people=False)
    assert sum(person.simulated for person in world.state.people.values()) == 20_000


def test_the_target_is_empty_and_the_operator_may(contoso: World) -> None:
    kinds = {resource.type for resource in contoso.state.arm.resources.values()}
    assert not {kind for kind in kinds if kind.startswith("Microsoft.DesktopVirtualization")}
    (operator,) = [
        principal
        for principal in contoso.state.directory.service_principals.values()
        if principal.app_id == estate.OPERATOR_APP_ID
    ]
    assert operator.secret == estate.OPERATOR_SECRET
    held = [role for role in contoso.state.arm.role_assignments.values() if role.principal_id == operator.id]
    assert len(held) == 2
    classic = [role for role in contoso.state.classic.role_assignments.values() if role.object_id == operator.id]
    assert [role.role for role in classic] == ["RDS Owner"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError, match="contoso"):
        estate.build("small-x", 1, ManualClock(estate.DEMO_START))


# ---------------------------------------------------------------- exports


def plain(path: Path) -> object:
    """A file of the cmdlets, read back with nothing of the twin."""
    data = path.read_bytes()
    assert data.startswith(b"\xff\xfe")
    text = data.decode("utf-16")
    assert "\n" not in text.replace("\r\n", "")
    assert not re.search("[&'<>]", text)
    return json.loads(text) if text else None


def test_the_exports_hold_everything(contoso: World, tmp_path: Path) -> None:
    files = estate.export_folder(contoso, tmp_path / "exports")
    rows: dict[str, list[dict[str, object]]] = {}
    for file in files:
        found = plain(file)
        kind = next(k for k in KINDS if file.name.startswith(k))
        rows.setdefault(kind, []).extend(found if isinstance(found, list) else [found] if found else [])
    assert {kind: len(found) for kind, found in rows.items()} | {"users": 0} == {
        "tenant groups": 1,
        "tenant ": 1,
        "host pools": 3,
        "app groups": 8,
        "desktop": 3,
        "session hosts": 60,
        "sessions": len(contoso.state.sessions),
        "remoteapps": 15,
        "role assignments": 7,
        "users": 0,
    }
    assert len(rows["users"]) == sum(len(g.users) for p in pools(contoso) for g in p.groups.values())  # type: ignore[attr-defined]
    host = rows["session hosts"][0]
    assert list(host)[:5] == ["SessionHostName", "TenantName", "TenantGroupName", "HostPoolName", "AllowNewSession"]
    assert re.fullmatch(r"/Date\(\d{13}\)/", str(host["LastHeartBeat"]))
    assert isinstance(host["Status"], int)
    role = rows["role assignments"][0]
    assert {"TenantName", "AADTenantId", "AppId"} <= role.keys()


KINDS = (
    "tenant groups",
    "tenant ",
    "host pools",
    "app groups",
    "desktop",
    "session hosts",
    "sessions",
    "remoteapps",
    "role assignments",
    "users",
)


def test_the_exports_hold_no_secret(tmp_path: Path) -> None:
    world = estate.build("small-1", 1, ManualClock(estate.DEMO_START))
    for file in estate.export_folder(world, tmp_path):
        assert "PLANTED" not in file.read_bytes().decode("utf-16")


# ---------------------------------------------------------------- what the templates left


def test_the_templates_left_their_traces(contoso: World) -> None:
    deployments = list(contoso.state.arm.deployments.values())
    assert len(deployments) == 2  # the last pool's has been pruned
    parameters = deployments[0]["properties"]["parameters"]
    assert parameters["hostPoolName"] == {"type": "String", "value": "Office Desktops"}
    assert parameters["tenantAdminPassword"] == {"type": "SecureString"}
    names = deployments[0]["properties"]["outputs"]["rdshVmNamesObject"]["value"]["rdshVmNamesCopy"]
    assert [name["name"] for name in names][:2] == ["ctooff-0", "ctooff-1"]
    for machine in contoso.state.machines.values():
        extension = contoso.state.arm.resources[f"{machine.vm}/extensions/dscextension"]
        inner = extension.properties["settings"]["properties"]
        assert machine.agent.pool == f"default tenant group/contoso desktops/{inner['HostPoolName']}".lower()
        assert ("defaultDesktopUsers" in inner) is machine.computer_name.endswith("-0")


def test_late_is_known_by_what_is_left_of_it_only() -> None:
    world = estate.build("late", 1, ManualClock(estate.DEMO_START))
    assert not world.state.classic.alive
    extended = {key.split("/")[8] for key in world.state.arm.resources if key.endswith("/dscextension")}
    machines = {machine.computer_name for machine in world.state.machines.values()}
    assert machines - extended == {"lateoff-3", "lateoff-9", "files-1"}  # added by hand, and never session hosts
    (rows,) = world.state.logs.values()
    tenant = world.state.classic.groups["default tenant group"].tenants["late"]
    assert [*world.state.logs] == [tenant.log_analytics_workspace_id]
    assert {row.values["SessionHostPoolName_s"] for row in rows} == {pool.name for pool in tenant.pools.values()}
    assert max(row.at for row in rows) < world.now - 2 * 86_400
    for host in tenant.pools["workstations"].hosts.values():
        met = {row.values["UserName_s"] for row in rows if row.values["SessionHostName_s"] == host.name}
        assert met == {host.assigned_user}
