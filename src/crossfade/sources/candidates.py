"""Reads existing Entra groups that could publish an app group, with their people: bounded, and only when asked for.

A group larger than the estate has people cannot hold none but assigned ones, so reading it stops there; so do groups
that no role can be granted to. Sources: facts/arm-service 8.
"""

from functools import partial
from typing import Any

import msgspec

from crossfade.cloud.graph import Graph
from crossfade.model.ids import fold
from crossfade.sources.gather import Gatherer, together
from crossfade.sources.target_records import Rows, Wanted

MOST_GROUPS = 30_000
"""Groups whose people are read at most; the others are told as a gap."""

MORE = 1_000
"""How many people too many are read of a group that a plan publishes through, so that they can be named."""
NAMED = 5
"""People whom the estate does not list, kept by name for each group: enough to say who would gain access."""


class Candidates(msgspec.Struct, kw_only=True):
    """The groups; by object id their people (None: not all were read), the names of the first few of these whom the
    estate does not list, and their owners."""

    groups: Rows = []
    people: dict[str, list[str] | None] = {}
    names: dict[str, dict[str, str]] = {}
    owners: dict[str, list[str]] = {}


async def read_candidates(graph: Graph, gather: Gatherer, wanted: Wanted) -> Candidates:
    """What `wanted` asks for: all groups that a role can be granted to, or those it names, or none."""
    found = Candidates(groups=await _listed(graph, gather, wanted))
    listed = {fold(upn) for upn in wanted.upns}
    limit = len(wanted.upns) + (0 if wanted.candidates else MORE)

    async def members(group: str) -> None:
        inside = await gather.read(
            "groupPeople", f"the people in group {group}", lambda: graph.some_people_in(group, limit)
        )
        found.people[group] = None if inside is None else sorted(inside)
        if inside:
            strangers = sorted((upn, one) for one, upn in inside.items() if upn and fold(upn) not in listed)
            found.names[group] = {one: upn for upn, one in strangers[:NAMED]}
            found.owners[group] = (
                await gather.read("groupOwners", f"the owners of group {group}", lambda: graph.owners_of(group)) or []
            )

    await together(*(members(str(row["id"])) for row in found.groups[:MOST_GROUPS]))
    return found


async def _listed(graph: Graph, gather: Gatherer, wanted: Wanted) -> Rows:
    if wanted.candidates:
        rows = await gather.read("groups", "the groups of the directory", graph.groups_for_roles) or []
        return sorted(rows, key=_id)
    found = [await gather.read("groups", f"group {one}", partial(graph.group, one)) for one in wanted.groups]
    return [row for row in found if row]


def _id(row: dict[str, Any]) -> str:
    return fold(str(row.get("id", "")))
