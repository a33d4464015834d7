"""The live service and a folder of exports of the same estate make the same inventory; what fails is a gap."""

from pathlib import Path
from typing import Any

import pytest
from discover_kit import EVERYTHING, Bench

from avdtwin.estate.export import export_folder
from crossfade.cloud import classic
from crossfade.cloud.services import Services
from crossfade.commands.discover import discover, discover_exports
from crossfade.errors import InputError, MigrationError, Unauthorized, Unreachable
from crossfade.inventory.documents import decode, encode
from crossfade.inventory.inventory import Inventory

FORBIDDEN = (403, {"error": {"code": "UnauthorizedAccess", "message": "no"}})


def live(bench: Bench, **options: Any) -> Inventory:
    async def story(services: Services) -> Inventory:
        return await discover(services, **options)

    return bench.run(story)


def gaps(inventory: Inventory) -> dict[str, str]:
    return {gap.subject: gap.why for gap in inventory.gaps}


@pytest.mark.parametrize("name", ["tiny", "contoso", *(f"small-{at}" for at in range(6))])
def test_live_and_export_of_one_estate_have_one_substance(name: str, tmp_path: Path) -> None:
    bench = Bench(name, **EVERYTHING)
    found = live(bench)
    export_folder(bench.world, tmp_path)
    exported = discover_exports(tmp_path, bench.clock)
    assert found.substance() == exported.substance()
    assert found.design_digest() == exported.design_digest()
    assert [(item.key, item.upn, item.state) for item in found.sessions] == [
        (item.key, item.upn, item.state) for item in exported.sessions
    ]
    assert {origin.source for origin in found.origins} == {"live"}
    assert {origin.source for origin in exported.origins} == {"export"}
    assert all(origin.read_at for origin in found.origins)
    assert decode(encode(found), Inventory, place="inventory.json") == found


def test_two_discoveries_of_an_estate_at_rest_differ_in_times_only() -> None:
    bench = Bench("contoso", **EVERYTHING)
    assert live(bench).design_digest() == live(bench).design_digest()


def test_an_operator_of_one_tenant_reads_that_tenant() -> None:
    found = live(Bench("contoso"))
    assert len(found.tenants) == 1
    assert "UnauthorizedAccess" in gaps(found)["tenant groups"]
    assert {role.key for role in found.roles} >= {found.tenants[0].key}
    assert all(role.key.startswith(found.tenants[0].key) for role in found.roles)


def test_calls_are_one_per_page_per_collection_and_few_at_a_time() -> None:
    bench = Bench("contoso", **EVERYTHING)
    found = live(bench, in_flight=5)
    groups, pools, desktops = len(found.groups), len(found.pools), len(found.desktops)
    calls = {name: count for name, count in bench.calls.items() if name.startswith("classic ")}
    assert calls == {
        "classic GET TenantGroups": 1,
        "classic GET Tenants": 1,
        "classic GET HostPools": 1,
        "classic GET roleAssignments": 1,
        "classic GET AppGroups": pools,
        "classic GET SessionHosts": pools,
        "classic GET Sessions": pools,
        "classic GET AssignedUsers": groups,
        "classic GET Desktop": desktops,
        "classic GET RemoteApps": groups - desktops,
    }
    assert bench.app.most_at_once <= 5


@pytest.mark.parametrize("link", [True, False])
def test_pages_lose_and_double_nobody(link: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = live(Bench("contoso", **EVERYTHING))
    monkeypatch.setattr(classic, "PAGE_SIZE", 13)
    bench = Bench("contoso", classic_link_header=link, **EVERYTHING)
    paged = live(bench)
    assert paged.substance() == whole.substance()
    rows = {key: sum(item.key == key for item in paged.assignments) for key in {i.key for i in paged.assignments}}
    necessary = sum(-(-count // 13) for count in rows.values())
    assert necessary <= bench.calls["classic GET AssignedUsers"] <= necessary + len(paged.groups)


def test_one_collection_that_cannot_be_read_is_a_gap_and_the_rest_is_there() -> None:
    whole = live(Bench("contoso", **EVERYTHING))
    bench = Bench("contoso", **EVERYTHING)
    pool = whole.pools[0].key.rpartition("/")[2]
    bench.app.instead = {f"HostPools/{pool}/SessionHosts$": FORBIDDEN}
    found = live(bench)
    known = {host.key for host in found.hosts if f"session host {host.key}" not in gaps(found)}
    assert {host.key for host in whole.hosts} - known == {
        host.key for host in whole.hosts if host.key.startswith(whole.pools[0].key + "/")
    }
    assert f"the SessionHosts of {whole.pools[0].key}" in gaps(found)
    assert len(found.hosts) > len(known), "hosts with sessions are known from these"
    assert len(found.assignments) == len(whole.assignments)


def test_a_service_that_fails_for_good_in_one_place_is_a_gap_too() -> None:
    bench = Bench("tiny", **EVERYTHING)
    bench.app.instead = {"roleAssignments$": (500, {"error": {"code": "UnknownError", "message": "x"}})}
    found = live(bench)
    assert found.roles == []
    assert "role assignments" in gaps(found)
    assert found.hosts


def test_no_sign_in_is_an_abort() -> None:
    bench = Bench("tiny", **EVERYTHING)
    bench.app.instead = {"/SessionHosts$": (401, {"error": {"code": "Unauthorized", "message": "x"}})}
    with pytest.raises(Unauthorized):
        live(bench)


def test_a_twin_that_is_not_there_is_an_abort_in_words() -> None:
    bench = Bench("tiny")
    bench.app.instead = {"": ConnectionRefusedError()}
    with pytest.raises(MigrationError) as caught:
        live(bench)
    assert isinstance(caught.value, Unreachable)
    assert caught.value.mend


def test_an_unknown_tenant_and_group_are_named() -> None:
    with pytest.raises(InputError, match="tenant nobody: is not in"):
        live(Bench("tiny", **EVERYTHING), tenants=["nobody", "contoso"])
    with pytest.raises(MigrationError, match="TenantGroupNotFound"):
        live(Bench("tiny", **EVERYTHING), tenant_group="Nowhere")


def test_who_is_shown_no_tenant_group_reads_the_default_one_and_an_estate_of_nothing_is_none() -> None:
    bench = Bench("tiny")
    bench.app.instead = {"TenantGroups/?$": (200, [])}
    found = live(bench)
    assert len(found.tenants) == 1
    assert "tenant groups" in gaps(found)
    bench.app.instead = {"Tenants/?$": (200, [])}
    with pytest.raises(InputError, match="lists no tenant for whoever is signed in"):
        live(bench)


def test_progress_ends_with_all_lists_read() -> None:
    told: dict[str, tuple[int, int]] = {}

    def progress(collection: str, done: int, known: int) -> None:
        assert done <= known
        told[collection] = (done, known)

    found = live(Bench("contoso", **EVERYTHING), progress=progress)
    assert told["AssignedUsers"] == (len(found.groups), len(found.groups))
    assert told["SessionHosts"] == (len(found.pools), len(found.pools))
    assert all(done == known for done, known in told.values())


def test_exports_fill_what_live_does_not_give(tmp_path: Path) -> None:
    bench = Bench("contoso", **EVERYTHING)
    whole = live(bench)
    export_folder(bench.world, tmp_path)
    bench.app.instead = {"/AssignedUsers$": FORBIDDEN}
    assert live(bench).assignments == []
    found = live(bench, exports=tmp_path)
    assert len(found.assignments) == len(whole.assignments)
    assert {found.origins[item.origin].source for item in found.assignments} == {"export"}
    assert {found.origins[item.origin].source for item in found.hosts} == {"live"}


def test_planted_secrets_of_the_service_are_in_no_document() -> None:
    bench = Bench("tiny", **EVERYTHING)
    row = {
        "tenantGroupName": "Default Tenant Group",
        "tenantName": bench.spec.tenant,
        "ssoClientSecret": "PLANTED-SSO",
        "logAnalyticsPrimaryKey": "PLANTED-KEY",
        "laterToken": "PLANTED-LATER",
    }
    bench.app.instead = {"/Tenants$": (200, [row])}
    found = live(bench)
    assert "PLANTED" not in encode(found).decode()
    assert found.tenants[0].sso_secret_set
    assert found.tenants[0].log_analytics_key_set
    assert found.tenants[0].extra == {"laterTokenSet": True}
