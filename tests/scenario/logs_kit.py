"""A Log Analytics workspace for scenarios that send logs somewhere."""

from __future__ import annotations

from stage import Stage

from avdtwin.arm import log_workspaces, store
from avdtwin.state import Resource
from avdtwin.world import World

CUSTOMER = "0f000000-0000-4000-a000-000000000001"


def workspace_of(stage: Stage) -> str:
    group = f"/subscriptions/{stage.rehearsal.subscription}/resourceGroups/rg-logs"
    return f"{group}/providers/Microsoft.OperationalInsights/workspaces/law"


def lay_workspace(world: World, workspace: str) -> None:
    group = workspace.partition("/providers/")[0]
    store.add(world, Resource(id=group, type="Microsoft.Resources/resourceGroups", name="rg-logs", properties={}))
    log_workspaces.lay(world, group, "law", location="westeurope", customer_id=CUSTOMER, days=30)
