"""Snapshots of the OS disks of personal pools, where the operator wants them: the last resort for a host whose disk
broke on the way. Pure.

Contract of Microsoft.Compute/snapshots: azure-rest-api-specs, DiskRP. Names: at most 80 letters, digits, `_` and `-`.
"""

import re
from collections.abc import Iterable

import msgspec

from crossfade.errors import Problem
from crossfade.model.ids import fold, last_name, parent_key, segments, stable_id
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout, tags_for
from crossfade.plan.operations import Action, SnapshotDisk
from crossfade.plan.plan import HostMove

LONGEST = 34
"""Of the VM's name: with what stands around it, the moment and the way it is 80 at most."""
REASON = "before its host is touched; billed until it is deleted: when the host goes back, or by `crossfade complete`"


def with_snapshots(moves: Iterable[HostMove], intent: Intent) -> list[HostMove]:
    """The same moves; those of personal pools that want it name the operation of their snapshot."""
    return [msgspec.structs.replace(move, snapshot=_id(move)) if _wanted(move, intent) else move for move in moves]


def operations(moves: Iterable[HostMove], intent: Intent) -> list[SnapshotDisk]:
    return [
        SnapshotDisk(
            id=move.snapshot,
            subject=_subject(move),
            source=move.source,
            action=Action.CREATE,
            reason=REASON,
            host=move.source,
            vm=move.vm,
            tags=tags_for(move.source, intent),
        )
        for move in moves
        if move.snapshot
    ]


def as_taken(operation: SnapshotDisk, *, begun_at: str, way: str) -> SnapshotDisk:
    """The operation with the name that its snapshot gets when a run that began then tries its host in this way. No two
    ways share one: what an earlier run or try has left is never taken for a copy from just before, nor lost for it."""
    moment = re.sub(r"\D", "", begun_at)[:14]
    return msgspec.structs.replace(operation, subject=f"{operation.subject}-{moment}-{way}")


def problems(layout: Layout, intent: Intent) -> list[Problem]:
    """Hosts of a pooled pool are alike: whoever loses one takes another."""
    return [
        Problem(f"pools.{pool.key}", "disk_snapshot is for personal pools, and this one is pooled.", "Take it out.")
        for pool in layout.pools
        if intent.pool(pool.key).disk_snapshot and not pool.personal
    ]


def notes(moves: Iterable[HostMove]) -> list[str]:
    """What it costs, by pool: no sum, since that depends on what changed on the disks."""
    by_pool: dict[str, list[HostMove]] = {}
    for move in moves:
        if move.snapshot:
            by_pool.setdefault(parent_key(move.source), []).append(move)
    return [
        f"{pool}: an incremental snapshot of each of {len(mine)} OS disks is taken before its host is touched, named "
        f"{last_name(_subject(mine[0]))}-<run>-<try> and so on, in {', '.join(_groups(mine))}. Each is billed until "
        "it is deleted: when its host goes back, or by `crossfade complete`. Nothing of Crossfade puts a disk back."
        for pool, mine in by_pool.items()
    ]


def _wanted(move: HostMove, intent: Intent) -> bool:
    return move.personal and intent.pool(move.source_pool).disk_snapshot


def _id(move: HostMove) -> str:
    return f"snapshot-disk:{_subject(move)}"


def _subject(move: HostMove) -> str:
    """How its name begins: always the same for one VM (see `as_taken`)."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", last_name(move.vm))[:LONGEST]
    group = move.vm.partition("/providers/")[0]
    mark = stable_id("snapshot", fold(move.vm))[:8]
    return f"{group}/providers/Microsoft.Compute/snapshots/crossfade-{name}-{mark}"


def _groups(moves: Iterable[HostMove]) -> list[str]:
    return sorted({segments(move.vm)["resourcegroups"] for move in moves})
