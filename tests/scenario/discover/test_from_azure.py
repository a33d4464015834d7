"""What is left in Azure, read in bulk and without a write; what may not be read is named and stops nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from discover_kit import Bench

from crossfade.cloud.services import Services
from crossfade.commands.discover import discover, discover_exports
from crossfade.commands.remains import Remains, discover_remains, require_free, write_draft
from crossfade.errors import CloudError, InputError
from crossfade.sources.remains_live import machine_of

FORBIDDEN = (403, {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization."}})
NO_ACCESS = (403, {"error": {"code": "InsufficientAccessError", "message": "Insufficient access."}})


@pytest.fixture
def bench() -> Bench:
    return Bench("late")


def read(bench: Bench, *subscriptions: str) -> Remains:
    async def story(services: Services) -> Remains:
        return await discover_remains(services, subscriptions)

    return bench.run(story)


def hosts(found: Remains) -> list[str]:
    return sorted(host.key.rpartition("/")[2].partition(".")[0] for host in found.inventory.hosts)


def told(found: Remains) -> str:
    return "\n".join(f"{gap.subject}: {gap.what} {gap.why}" for gap in found.inventory.gaps)


EVERY_HOST = ["lateacc-0", "lateacc-1", "lateoff-0", "lateoff-1", "lateoff-2", "lateoff-3", "latews-0", "latews-1"]


def test_the_estate_is_known_by_its_signs_in_a_handful_of_calls(bench: Bench) -> None:
    found = read(bench)
    assert hosts(found) == EVERY_HOST
    assert {pool.key.rpartition("/")[2]: pool.personal for pool in found.inventory.pools} == {
        "Accounting": False,
        "Office Desktops": False,
        "Workstations": True,
    }
    assert bench.calls == {
        "arm GET subscriptions": 1,
        "arm POST resources": 3,
        "arm GET deployments": 3,
        "logs POST workspaces/query": 2,
        "entra POST token": 1,
    }


def test_each_fact_names_its_sign_and_guesses_are_out(bench: Bench) -> None:
    found = read(bench).inventory
    origins = {host.key.rpartition("/")[2].partition(".")[0]: found.origins[host.origin] for host in found.hosts}
    assert origins["lateoff-0"].confidence == "stated"
    assert origins["lateoff-0"].place == "extension dscextension of VM lateoff-0 in rg-late-office"
    assert origins["lateoff-3"].confidence == "seen"
    given = {found.origins[item.origin].confidence for item in found.assignments}
    assert given == {"seen"}
    gaps = {gap.subject for gap in found.gaps}
    assert {"people-Office-Desktops.json", "personal-desktops-Workstations.json", "session-hosts.json"} < gaps


def test_the_draft_read_again_gives_the_same(bench: Bench, tmp_path: Path) -> None:
    found = read(bench)
    folder = tmp_path / "draft"
    require_free(folder)
    write_draft(folder, found.files)
    again = discover_exports(folder, bench.clock)
    assert again.substance() == found.inventory.substance()
    assert again.gaps == found.inventory.gaps
    with pytest.raises(InputError, match="holds something"):
        require_free(folder)


def test_nothing_secret_is_in_the_draft(bench: Bench) -> None:
    every = b"".join(read(bench).files.values())
    assert b"PLANTED" not in every
    assert b"PrivateSettingsRef" not in every


def test_settings_that_resource_graph_leaves_out_are_read_from_the_extensions() -> None:
    whole = read(Bench("late"))
    bare = Bench("late", graph_extension_settings=False)
    found = read(bare)
    assert found.inventory.substance() == whole.inventory.substance()
    assert bare.calls["arm GET virtualMachines/extensions"] == 14


def test_the_machine_of_an_extension_is_known_in_any_casing() -> None:
    machine = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/vm-0"
    assert {machine_of(f"{machine}/{word}/dsc") for word in ("extensions", "Extensions")} == {machine}


def test_deployments_that_may_not_be_read_are_a_gap(bench: Bench) -> None:
    bench.app.instead["GET .*/deployments"] = FORBIDDEN
    found = read(bench)
    assert hosts(found) == EVERY_HOST
    assert told(found).count("the deployments of /subscriptions/") == 3


def test_logs_that_may_not_be_read_are_a_gap(bench: Bench) -> None:
    bench.app.instead["POST /v1/workspaces/"] = NO_ACCESS
    found = read(bench)
    assert "the logs of workspace logs-late: It could not be read." in told(found)
    assert "lateoff-3" not in hosts(found)


def test_without_log_analytics_people_are_those_of_the_templates(bench: Bench) -> None:
    bench.app.instead["POST /v1/workspaces/"] = (400, {"error": {"code": "BadArgumentError", "message": "No table."}})
    found = read(bench)
    assert "No Log Analytics workspace that you can see holds classic's logs" in told(found)
    assert {found.inventory.origins[item.origin].confidence for item in found.inventory.assignments} == {"stated"}
    assert "whether it still was theirs in the end is not known" in told(found)


@pytest.mark.parametrize(
    ("columns", "says"),
    [(["Type_s", "Id_g"], "it has no UserName_s, SessionHostName_s"), (["Type_s", "UserName_s"], "SessionHostName_s")],
)
def test_a_table_with_other_columns_is_a_gap(bench: Bench, columns: list[str], says: str) -> None:
    head: dict[str, Any] = {"columns": [{"name": name, "type": "string"} for name in columns], "rows": []}
    bench.app.instead["POST /v1/workspaces/"] = (200, {"tables": [{"name": "PrimaryResult", **head}]})
    assert says in told(read(bench))


def test_a_classic_service_that_does_not_answer_names_the_other_ways(bench: Bench) -> None:
    with pytest.raises(CloudError) as raised:
        bench.run(discover)
    assert "what is left in Azure (`--from-azure`)" in raised.value.mend


def test_where_nothing_tells_of_a_classic_estate_that_is_said(bench: Bench) -> None:
    bench.app.instead["POST .*ResourceGraph"] = (200, {"data": [], "count": 0})
    with pytest.raises(InputError, match="Nothing of a classic estate was found") as raised:
        read(bench)
    assert "--subscription" in str(raised.value)


def test_a_subscription_that_cannot_be_seen_is_named(bench: Bench) -> None:
    with pytest.raises(InputError, match="subscription nowhere"):
        read(bench, "nowhere")


def test_one_record_is_one_line(bench: Bench) -> None:
    """An editor's search and replace confirms many at once, and problems name the line."""
    lines = read(bench).files["session-hosts.json"].decode().splitlines()
    assert (lines[0], lines[-1]) == ("[", "]")
    assert all(json.loads(line.rstrip(","))["SessionHostName"] for line in lines[1:-1])
