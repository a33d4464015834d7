"""What is at hand without any service: the machine's clock, and documents of the folder where they are there."""

from crossfade.clock import SystemClock, iso
from crossfade.commands.workspace import INVENTORY, TARGET, Workspace
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot

CLOCK = SystemClock()


def now() -> str:
    """ISO UTC."""
    return iso(CLOCK.now())


def saved_inventory(workspace: Workspace) -> Inventory | None:
    """The inventory of this folder, None where there is none. Raises InputError for one that is damaged."""
    return workspace.read(INVENTORY, Inventory) if workspace.has(INVENTORY) else None


def saved_target(workspace: Workspace) -> TargetSnapshot | None:
    """The target snapshot of this folder, None where there is none. Raises InputError for one that is damaged."""
    return workspace.read(TARGET, TargetSnapshot) if workspace.has(TARGET) else None
