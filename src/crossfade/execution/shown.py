"""What a plan writes into the lists of workspaces."""

import asyncio
from collections.abc import Iterable

from crossfade.execution.undone import ONLY_LOOKED
from crossfade.model.ids import fold, parent_key
from crossfade.plan.operations import AnyOperation, PutResource, ReferenceGroup


class Shown:
    """`lock`: held by whoever sees to it that a list is as this run wants it."""

    def __init__(self, operations: Iterable[AnyOperation]) -> None:
        written = [one for one in operations if one.action not in ONLY_LOOKED]
        self.lock = asyncio.Lock()
        self._made = {fold(one.subject): one for one in written if isinstance(one, PutResource) and one.prior is None}
        self._references = [one for one in written if isinstance(one, ReferenceGroup)]
        self._of_pool: dict[str, list[ReferenceGroup]] = {}
        for one in self._references:
            self._of_pool.setdefault(fold(parent_key(one.source or "")), []).append(one)

    def references(self, pools: Iterable[str] | None = None) -> list[ReferenceGroup]:
        """Those of the groups of these classic pools (folded keys), or all."""
        if pools is None:
            return self._references
        return [one for pool in sorted(pools) for one in self._of_pool.get(pool, [])]

    def maker(self, workspace: str) -> PutResource | None:
        """What makes this workspace; None for one that was there before."""
        return self._made.get(fold(workspace))

    def of_others(self) -> list[ReferenceGroup]:
        """References to groups that were there before, and stay when the run is taken back."""
        return [one for one in self._references if fold(one.group) not in self._made]
