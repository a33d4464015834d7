"""What every handler offers."""

from typing import Protocol, TypeVar

from crossfade.execution.steps import Facts

Op = TypeVar("Op", contravariant=True)


class Handler(Protocol[Op]):
    """`observe` gives facts when it is already so; `apply` makes it so, once or again; `undo` puts the prior state back
    and is harmless when there is nothing to undo. All raise CloudError."""

    async def observe(self, operation: Op) -> Facts | None: ...

    async def apply(self, operation: Op) -> Facts: ...

    async def undo(self, operation: Op) -> Facts: ...
