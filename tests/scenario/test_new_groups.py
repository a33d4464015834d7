"""New Entra groups on the twin: made with their owners and description, filled, granted, and gone after a rollback."""

from __future__ import annotations

from pathlib import Path

from back_kit import take_back
from stage import Stage, pooled, spec_of

from crossfade.assessment.findings import Findings
from crossfade.cloud.services import Services
from crossfade.commands.discover import discover_target
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET
from crossfade.inventory.inventory import Inventory
from crossfade.plan.intent import Access
from crossfade.plan.planner import make_plan


def test_owners_come_with_the_group_and_go_with_it(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=1, desktop_people=4, groups=())), tmp_path)
    directory = stage.world.state.directory
    assigned = {one for access in stage.make_plan(outage="when-empty").access for one in access.people.values()}
    boss = next(user for user in directory.users.values() if user.id not in assigned and user.enabled)
    access = Access(direct_threshold=2, group_owners=[boss.upn], group_description="Of {pool}")

    async def read(services: Services) -> None:
        inventory = stage.workspace.read(INVENTORY, Inventory)
        target = await discover_target(services, inventory, [stage.rehearsal.subscription], people=[boss.upn])
        stage.workspace.write(TARGET, target)
        intent = stage.intent(outage="when-empty", access=access)
        stage.plan = make_plan(inventory, target, Findings(), intent, today="2026-01-01")
        stage.workspace.write(PLAN, stage.plan)

    stage.with_services(read)
    before = set(directory.groups)
    done = stage.apply()
    assert done.state == "finished", done.error
    (made,) = [group for key, group in directory.groups.items() if key not in before]
    assert (made.owners, made.description) == ([boss.id], "Of Office Pool")
    assert set(made.members) == assigned
    assert take_back(stage).state == "rolled_back"
    assert set(directory.groups) == before
