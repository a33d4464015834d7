"""Reads existing Entra groups that could publish an app group, with their people: bounded, and only when asked for.

A group larger than the estate has people cannot hold none but assigned ones, so reading it stops there; so do groups
that no role can be granted to. Sources: facts/arm-service 8.
"""

from functools import partial
from typing import Any

from crossfade.cloud.graph import Graph
from crossfade.model.ids import fold
from crossfade.sources.gather import Gatherer, together
from crossfade.sources.target_records import Rows, Wanted

MOST_GROUPS = 30_000
"""Groups whose people are read at most; the others are told as a gap."""

Candidates = tuple[Rows, dict[str, list[str] | None], dict[str, list[str]]]
"""The groups, their people (None: not all were read), their owners."""


async def read_candidates(graph: Graph, gather: Gatherer, wanted: Wanted) -> Candidates:
    """What `wanted` asks for: all groups that a role can be granted to, or those it names, or none."""
    rows = await _listed(graph, gather, wanted)
    people: dict[str, list[str] | None] = {}
    owners: dict[str, list[str]] = {}
    limit = None if wanted.groups and not wanted.candidates else len(wanted.upns)

    async def members(group: str) -> None:
        people[group] = await gather.read(
            "groupPeople", f"the people in group {group}", lambda: graph.some_people_in(group, limit)
        )
        if people[group]:
            owners[group] = (
                await gather.read("groupOwners", f"the owners of group {group}", lambda: graph.owners_of(group)) or []
            )

    await together(*(members(str(row["id"])) for row in rows[:MOST_GROUPS]))
    return rows, people, owners


async def _listed(graph: Graph, gather: Gatherer, wanted: Wanted) -> Rows:
    if wanted.candidates:
        rows = await gather.read("groups", "the groups of the directory", graph.groups_for_roles) or []
        return sorted(rows, key=_id)
    found = [await gather.read("groups", f"group {one}", partial(graph.group, one)) for one in wanted.groups]
    return [row for row in found if row]


def _id(row: dict[str, Any]) -> str:
    return fold(str(row.get("id", "")))
