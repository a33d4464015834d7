"""Which operations may be written side by side: a chain for the frame, one per pool, one for what joins them. Pure."""

from collections.abc import Iterable

import msgspec

from crossfade.model.ids import fold
from crossfade.plan.operations import (
    AnyOperation,
    PatchResource,
    PutResource,
    RegisterProvider,
    RetractAssignment,
    SendLogs,
    SetIcon,
    SnapshotDisk,
)
from crossfade.plan.plan import Plan

POOLS = "Microsoft.DesktopVirtualization/hostPools"
GROUPS = "Microsoft.DesktopVirtualization/applicationGroups"
RESOURCE_GROUPS = "Microsoft.Resources/resourceGroups"
WORKSPACES = "Microsoft.DesktopVirtualization/workspaces"
FRAME = "objects frame"
JOINT = "objects joint"
"""What the chains of a plan's frame and of what joins its pools are called in the journal; see `chain_of`."""


class Chains(msgspec.Struct, frozen=True):
    """Operation ids in writing order. `frame` first, then every chain of `pools` (by host pool id) side by side, then
    `joint`: workspaces, references, directory groups and their grants."""

    frame: list[str]
    pools: dict[str, list[str]]
    joint: list[str]


def setup_chains(plan: Plan) -> Chains:
    """The operations that are done before the first wave: all that no wave and no late list names."""
    later = {name for wave in plan.waves for name in wave.publish}
    later |= {name for wave in plan.waves for names in wave.publish_by_host.values() for name in names}
    later |= {name for pool in plan.pools for name in pool.late}
    setup = [
        operation
        for operation in plan.operations
        if operation.id not in later and not isinstance(operation, RetractAssignment | SetIcon | SnapshotDisk)
    ]
    pool_of = _pool_of_groups(setup)
    chains = Chains(frame=[], pools={}, joint=[])
    for operation in setup:
        pool = _pool(operation, pool_of)
        if isinstance(operation, RegisterProvider) or _is(operation, RESOURCE_GROUPS):
            chains.frame.append(operation.id)
        elif pool is not None:
            chains.pools.setdefault(pool, []).append(operation.id)
        else:
            chains.joint.append(operation.id)
    return chains


def chain_of(pool: str) -> str:
    """What the chain of a host pool (id) is called in the journal."""
    return f"objects pool {fold(pool)}"


def made_in(operation: SetIcon) -> str:
    """Id of the step that made an app."""
    return f"{chain_of(operation.pool)}/{operation.made_by}"


def _is(operation: AnyOperation, kind: str) -> bool:
    return isinstance(operation, PutResource) and operation.type == kind


def _pool_of_groups(operations: Iterable[AnyOperation]) -> dict[str, str]:
    return {
        fold(operation.subject): fold(operation.body["properties"]["hostPoolArmPath"])
        for operation in operations
        if isinstance(operation, PutResource) and operation.type == GROUPS
    }


def _pool(operation: AnyOperation, pool_of: dict[str, str]) -> str | None:
    """The folded id of the host pool whose chain an operation belongs to, or None."""
    if _is(operation, POOLS):
        return fold(operation.subject)
    if _is(operation, GROUPS):
        return pool_of[fold(operation.subject)]
    if isinstance(operation, SendLogs):
        resource = fold(operation.resource)
        return resource if "/hostpools/" in resource else pool_of.get(resource)
    if isinstance(operation, PutResource | PatchResource) and "/applicationgroups/" in operation.subject.casefold():
        group = operation.subject.rsplit("/", 2)[0]
        return pool_of.get(fold(group))
    return None
