"""`crossfade who` and `crossfade what`: one person's or one resource's access, from the documents of the folder."""

import msgspec

from crossfade.commands.kept import of_the_run
from crossfade.commands.passages import Passages
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET, File, Workspace
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.model.modes import RESTORE
from crossfade.plan.plan import Plan
from crossfade.verification import explain
from crossfade.verification.after import After
from crossfade.verification.before import Before
from crossfade.verification.explain import Left, View
from crossfade.verification.people import People
from crossfade.verification.promised import Promised
from crossfade.verification.verify import sides

TARGET_NOW = File("target-now.json", "crossfade verify")
"""What was verified last. `target.json` stays what the plan was made of."""


def who(workspace: Workspace, person: str, *, target: TargetSnapshot | None = None) -> View:
    """What a person may open, before and (where a target was read) after. `target`: fresher than the folder's.

    Raises InputError when there is no inventory, or nobody of this name.
    """
    sides = _sides(workspace, target)
    name = sides.promised.today(person) if sides.promised else person
    passages = sides.passages.of(fold(name)) if sides.passages else []
    return explain.who(name, sides.before, sides.after, sides.promised, sides.left, passages)


def what(workspace: Workspace, resource: str, *, target: TargetSnapshot | None = None) -> list[View]:
    """Who may open a resource, or each of a group or pool. Raises InputError like `who`."""
    sides = _sides(workspace, target)
    return explain.what(resource, sides.before, sides.after, sides.promised, sides.left)


class _Sides(msgspec.Struct, frozen=True):
    before: Before
    after: After | None = None
    promised: Promised | None = None
    left: Left = Left()
    passages: Passages | None = None


def _sides(workspace: Workspace, target: TargetSnapshot | None) -> _Sides:
    plan = workspace.read(PLAN, Plan) if workspace.has(PLAN) else None
    inventory = workspace.read(of_the_run(workspace, INVENTORY), Inventory)
    target = target or _latest(workspace)
    if target is None:
        return _Sides(Before(inventory, People(None)))
    before, after = sides(plan, inventory, target)
    if plan is None:
        return _Sides(before, after, left=Left(read_at=target.made_at))
    passages = Passages(workspace, plan)
    gone = passages.out_of_classic(target.made_at)
    left = Left(read_at=target.made_at, pairs=gone, all=plan.mode == RESTORE)
    return _Sides(before, after, Promised(plan, before), left, passages)


def _latest(workspace: Workspace) -> TargetSnapshot | None:
    """The target as it was read last, by `verify` or by `discover --target`."""
    found = [workspace.read(file, TargetSnapshot) for file in (TARGET, TARGET_NOW) if workspace.has(file)]
    return max(found, key=lambda target: target.made_at, default=None)
