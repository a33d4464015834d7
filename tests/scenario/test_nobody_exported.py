"""Classic has gone and nobody exported it: what is left in Azure, and what the operator knows, puts people back to
work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stage import MORNING, Stage
from test_restore import plan, proof

from avdtwin import feed
from avdtwin.estate import specs
from avdtwin.estate.export import export_folder
from crossfade.assessment.assess import assess
from crossfade.commands.discover import discover_exports
from crossfade.commands.remains import Remains, discover_remains, write_draft
from crossfade.commands.workspace import INVENTORY
from crossfade.inventory.inventory import Inventory
from crossfade.model.growth import Growth
from crossfade.model.modes import RESTORE

POOL = {"TenantGroupName": "Default Tenant Group", "TenantName": "Late", "HostPoolName": "Office Desktops"}
APPS = POOL | {"AppGroupName": "Office Apps"}
PROGRAMS = {
    "Excel": "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE",
    "Word": "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",
}
KNOWN = {
    "Office Desktops": {"CustomRdpProperty": specs.OFFICE_RDP, "MaxSessionLimit": 8, "LoadBalancerType": 0},
    "Accounting": {"CustomRdpProperty": "", "MaxSessionLimit": 4, "LoadBalancerType": 0},
    "Workstations": {"CustomRdpProperty": "", "AssignmentType": "Direct"},
}
"""What the operator remembers of each pool."""


def drafted(stage: Stage, folder: Path) -> Inventory:
    """What `crossfade discover --from-azure` gives, with its draft in a folder."""

    async def story(services: Any) -> Remains:
        return await discover_remains(services)

    found = stage.with_services(story)
    write_draft(folder, found.files)
    return found.inventory


Row = dict[str, Any]


def edit(file: Path, change: Callable[[Row], Row | None], *more: Row) -> None:
    """Change each record, or take it out; add others."""
    rows = [changed for row in json.loads(file.read_text("utf-8")) if (changed := change(row))]
    file.write_text(json.dumps([*rows, *more]), "utf-8")


def confirmed(row: Row) -> Row:
    return row | {"Confidence": "confirmed"}


def complete(folder: Path, with_apps_only: set[str]) -> None:
    """What the operator does with the draft. `with_apps_only`: who had no desktop of the office."""
    groups = [
        APPS | {"ResourceType": "RemoteApp"},
        *(APPS | {"RemoteAppName": name, "FilePath": path} for name, path in PROGRAMS.items()),
    ]
    edit(folder / "host-pools.json", _pool, *groups)
    edit(folder / "session-hosts.json", lambda row: row if row["Confidence"] != "guessed" else None)
    for own in folder.glob("personal-desktops-*.json"):
        edit(own, confirmed)

    def person(row: Row) -> Row:
        theirs = {"AppGroupName": "Office Apps"} if row["UserPrincipalName"] in with_apps_only else {}
        return confirmed(row) | theirs

    edit(folder / "people-Office-Desktops.json", person)


def _pool(row: Row) -> Row:
    return confirmed(row) | KNOWN[row["HostPoolName"]] if "Persistent" in row else row


def access(inventory: Inventory) -> set[tuple[str, str]]:
    return {(item.key.lower(), item.upn.lower()) for item in inventory.assignments}


def test_an_estate_that_nobody_exported_is_put_to_work_from_what_is_left_in_azure(tmp_path: Path) -> None:
    stage = Stage.of("late", tmp_path / "run", people=True, start=MORNING)
    stage.world.settle()
    draft, truth = tmp_path / "draft", tmp_path / "truth"
    export_folder(stage.world, truth)
    real = discover_exports(truth, stage.rehearsal.clock)
    first = drafted(stage, draft)

    # as it was found: nobody has anything that they had not, and what is missing is named
    assert access(first) < access(real)
    assert {host.key.lower() for host in first.hosts} == {host.key.lower() for host in real.hosts}
    assert any("RemoteApps" in gap.what for gap in first.gaps)
    assert assess(first, None, Growth(), made_at="2026-06-08T08:00:00Z").mode == RESTORE

    # completed by somebody who knows it
    remote = {item.upn for item in real.assignments if item.key.endswith("/Office Apps")}
    complete(draft, remote)
    found = discover_exports(draft, stage.rehearsal.clock)
    assert access(found) == access(real)
    owners = {host.key.lower(): (host.assigned_user or "").lower() for host in found.hosts}
    assert owners == {host.key.lower(): (host.assigned_user or "").lower() for host in real.hosts}
    assert {gap.subject for gap in found.gaps} == {"role assignments", "host-pools.json"}
    assert [(app.key, app.file_path) for app in found.apps] == [(app.key, app.file_path) for app in real.apps]
    stage.workspace.write(INVENTORY, found)

    # and restored: people work on the new service, each with what was theirs
    assert plan(stage).mode == RESTORE
    done = stage.apply()
    assert done.state == "finished", done.error
    assert set(stage.hosts().values()) == {"confirmed"}
    assert "lateoff-9" not in stage.hosts()
    assert proof(stage).equivalent()
    stage.rehearsal.tell({item.upn for item in real.assignments})
    stage.wait(30 * 3600)
    came = stage.tally()
    assert came["people_seen_on_arm"] == came["people"] > 10
    assert came["sessions_lost_without_notice"] == 0
    stage.world.state.classic.alive = True  # for the judge alone: what classic would show
    both = feed.feeds(stage.world).values()
    assert [opened(arm) for _, arm in both] == [opened(classic) for classic, _ in both]


def opened(entries: feed.Feed) -> set[tuple[str, str, str]]:
    """What somebody may open, as both services name it: kind, app, and on a personal pool whose host."""
    return {(one.kind, one.item if one.kind == "RemoteApp" else "", one.host) for one in entries}
