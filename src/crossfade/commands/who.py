"""`crossfade who` and `crossfade what`: one person's or one resource's access, from the documents of the folder."""

from crossfade.commands.workspace import INVENTORY, PLAN, TARGET, Workspace
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.plan import Plan
from crossfade.verification import explain
from crossfade.verification.after import After
from crossfade.verification.before import Before
from crossfade.verification.explain import View
from crossfade.verification.people import People
from crossfade.verification.verify import sides


def who(workspace: Workspace, person: str, *, target: TargetSnapshot | None = None) -> View:
    """What a person may open, before and (where a target was read) after. `target`: fresher than the folder's.

    Raises InputError when there is no inventory, or nobody of this name.
    """
    return explain.who(person, *_sides(workspace, target))


def what(workspace: Workspace, resource: str, *, target: TargetSnapshot | None = None) -> list[View]:
    """Who may open a resource, or each of a group or pool. Raises InputError like `who`."""
    return explain.what(resource, *_sides(workspace, target))


def _sides(workspace: Workspace, target: TargetSnapshot | None) -> tuple[Before, After | None]:
    inventory = workspace.read(INVENTORY, Inventory)
    if target is None and workspace.has(TARGET):
        target = workspace.read(TARGET, TargetSnapshot)
    if target is None:
        return Before(inventory, People(None)), None
    plan = workspace.read(PLAN, Plan) if workspace.has(PLAN) else None
    return sides(plan, inventory, target)
