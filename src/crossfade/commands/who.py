"""`crossfade who` and `crossfade what`: one person's or one resource's access, from the documents of the folder."""

from crossfade.commands.kept import of_the_run
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET, File, Workspace
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.plan import Plan
from crossfade.verification import explain
from crossfade.verification.after import After
from crossfade.verification.before import Before
from crossfade.verification.explain import View
from crossfade.verification.people import People
from crossfade.verification.promised import Promised
from crossfade.verification.verify import sides

TARGET_NOW = File("target-now.json", "crossfade verify")
"""What was verified last. `target.json` stays what the plan was made of."""


def who(workspace: Workspace, person: str, *, target: TargetSnapshot | None = None) -> View:
    """What a person may open, before and (where a target was read) after. `target`: fresher than the folder's.

    Raises InputError when there is no inventory, or nobody of this name.
    """
    before, after, promised = _sides(workspace, target)
    return explain.who(promised.today(person) if promised else person, before, after, promised)


def what(workspace: Workspace, resource: str, *, target: TargetSnapshot | None = None) -> list[View]:
    """Who may open a resource, or each of a group or pool. Raises InputError like `who`."""
    return explain.what(resource, *_sides(workspace, target))


def _sides(workspace: Workspace, target: TargetSnapshot | None) -> tuple[Before, After | None, Promised | None]:
    plan = workspace.read(PLAN, Plan) if workspace.has(PLAN) else None
    inventory = workspace.read(of_the_run(workspace, INVENTORY), Inventory)
    target = target or _latest(workspace)
    if target is None:
        return Before(inventory, People(None)), None, None
    before, after = sides(plan, inventory, target)
    return before, after, Promised(plan, before) if plan else None


def _latest(workspace: Workspace) -> TargetSnapshot | None:
    """The target as it was read last, by `verify` or by `discover --target`."""
    found = [workspace.read(file, TargetSnapshot) for file in (TARGET, TARGET_NOW) if workspace.has(file)]
    return max(found, key=lambda target: target.made_at, default=None)
