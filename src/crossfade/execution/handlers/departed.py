"""People who left the directory while the run went on. Nothing can be written for them, and nobody waits for them."""

from crossfade.cloud.graph import Graph
from crossfade.errors import CloudError

STUCK = ("6031", "UpnNotInAad")
"""The person is gone from the directory, and classic wants one who is there (facts/classic-service 1.10)."""


def is_stuck(error: CloudError) -> bool:
    """Whether classic refuses a write since nobody has this UPN any more."""
    return any(mark in f"{error.service_code} {error.why}" for mark in STUCK)


async def has_left(graph: Graph, object_id: str) -> bool:
    """Whether the directory has no such person any more. Raises CloudError when it does not say."""
    return not await graph.objects([object_id], ("user",))
