"""The snapshots of OS disks that are there at the end of a run, and which of them may go with it. Pure."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import msgspec

from crossfade.model.ids import fold, last_name, parent_key
from crossfade.plan.mapping import SOURCE_TAG
from crossfade.plan.operations import SnapshotDisk
from crossfade.plan.plan import Plan

CONFIRMED = "confirmed"


class KeptDisk(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot. `host`: classic key; `key`: its ARM id; `taken`: by this run, as its journal tells."""

    host: str
    key: str
    taken: bool = True

    def why_kept(self, state: str) -> str:
        """Why it stays at the end; empty when it goes. `state`: of its host in the run."""
        if not self.taken:
            return "This run did not take it, by its journal: delete it by hand once nobody needs it."
        return "" if state == CONFIRMED else f"{last_name(self.host)} is not on the target, but {state}."


def groups(plan: Plan) -> list[str]:
    """Where snapshots of this plan are: ids of resource groups."""
    found = {fold(one.subject): one.subject.partition("/providers/")[0] for one in _operations(plan)}
    return sorted({fold(group): group for group in found.values()}.values())


def left_over(plan: Plan, group: str, rows: Iterable[Mapping[str, Any]], taken: Set[str]) -> list[KeptDisk]:
    """Of the snapshots of a resource group those of the plan's VMs that bear our mark and that this run did not take.
    `taken`: folded ids of those that it took."""
    mine = [one for one in _operations(plan) if fold(parent_key(one.subject)).startswith(f"{fold(group)}/")]
    found = []
    for row in sorted(rows, key=lambda row: str(row["name"])):
        one = next((one for one in mine if _is_of(one, row)), None)
        key = f"{parent_key(one.subject)}/{row['name']}" if one is not None else ""
        if one is not None and fold(key) not in taken:
            found.append(KeptDisk(host=one.host, key=key, taken=False))
    return found


def _is_of(operation: SnapshotDisk, row: Mapping[str, Any]) -> bool:
    marked = (row.get("tags") or {}).get(SOURCE_TAG) == operation.tags.get(SOURCE_TAG)
    return marked and fold(str(row["name"])).startswith(fold(last_name(operation.subject)))


def _operations(plan: Plan) -> list[SnapshotDisk]:
    return [one for one in plan.operations if isinstance(one, SnapshotDisk)]
