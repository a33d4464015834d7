"""What a run was planned from, kept beside its journal: a later `discover` or `plan` may write over the folder's own
documents, and what people had before can only be told from the inventory that the plan was made of."""

from crossfade.commands.workspace import INVENTORY, PLAN, TARGET, File, Workspace
from crossfade.errors import StalePlan
from crossfade.execution.run import run_id_of
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.plan import Plan

KEPT = (PLAN, INVENTORY, TARGET)


def kept(file: File, run_id: str) -> File:
    """The copy of a document that belongs to a run."""
    return File(f"runs/{run_id}/{file.name}", file.made_by)


def keep(workspace: Workspace, plan: Plan, run_id: str) -> None:
    """Copy the documents of a run that begins; what is kept already stays. Raises StalePlan, with nothing kept, when
    the folder's inventory is not the one that the plan was made of."""
    if not workspace.has(kept(INVENTORY, run_id)):
        _the_one(workspace, INVENTORY, plan)
    for file in KEPT:
        if workspace.has(file) and not workspace.has(kept(file, run_id)):
            workspace.write_bytes(kept(file, run_id), workspace.read_bytes(file))


def inventory_of(workspace: Workspace, plan: Plan) -> Inventory:
    """The inventory that the folder's plan was made of: the kept one, where its run has begun. Raises StalePlan when it
    is nowhere, InputError when there is none at all."""
    return _the_one(workspace, of_the_run(workspace, INVENTORY), plan)


def of_the_run(workspace: Workspace, file: File) -> File:
    """The copy that belongs to the run of the folder's plan, where there is one, else the folder's own document."""
    copy = kept(file, run_id_of(workspace.digest(PLAN))) if workspace.has(PLAN) else file
    return copy if workspace.has(copy) else file


def target_of(workspace: Workspace) -> TargetSnapshot | None:
    """The target as the folder's plan was made for it; None where nobody read it."""
    file = of_the_run(workspace, TARGET)
    return workspace.read(file, TargetSnapshot) if workspace.has(file) else None


def _the_one(workspace: Workspace, file: File, plan: Plan) -> Inventory:
    inventory = workspace.read(file, Inventory)
    if plan.inputs.get("inventory") not in (None, inventory.design_digest()):
        raise StalePlan(
            f"{workspace.path(file)} is not the inventory that the plan was made of.",
            "What people had before can only be told from that one: a run takes people out of classic.",
            "Before the run has begun, run `crossfade plan` again; later, put the inventory.json back that lay beside "
            "plan.json when it was made.",
        )
    return inventory
