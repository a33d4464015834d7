"""The snapshots of OS disks that are there when a run comes to its end: what it took, and what others left."""

from collections.abc import Iterable

from crossfade.execution.disks import on_way
from crossfade.execution.reader import JournalReader
from crossfade.execution.run import Services
from crossfade.execution.undone import effects
from crossfade.model.ids import fold
from crossfade.plan.kept_disks import KeptDisk, groups, left_over
from crossfade.plan.operations import SnapshotDisk
from crossfade.plan.plan import Plan


def taken_disks(journal: JournalReader, run_id: str, plan: Plan) -> list[KeptDisk]:
    """Those that the run took, or may have taken, and did not take back: each once, in the order of the plan."""
    operations = {one.id: one for one in plan.operations if isinstance(one, SnapshotDisk)}
    found = {}
    for effect in effects(journal, run_id, operations):
        taken = on_way(journal, run_id, operations[effect.operation], effect.subject)
        found[fold(taken.subject)] = KeptDisk(host=taken.host, key=taken.subject)
    return list(found.values())


async def all_disks(plan: Plan, taken: Iterable[KeptDisk], services: Services) -> list[KeptDisk]:
    """These, and those of an earlier run that are still in Azure. Raises CloudError."""
    mine = list(taken)
    known = frozenset(fold(one.key) for one in mine)
    for group in groups(plan):
        mine += left_over(plan, group, await services.arm.machines.snapshots(group), known)
    return mine
