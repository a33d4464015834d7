"""What people were given on the target, looked at again before they are taken out of classic: a group, an assignment or
a workspace that somebody deleted meanwhile would leave them with nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

from crossfade.clock import Clock
from crossfade.cloud.services import Services
from crossfade.errors import NotFound, StepFailed
from crossfade.execution.handlers.people import GroupIds
from crossfade.execution.handlers.preconditions import Preconditions
from crossfade.execution.recent import Recent
from crossfade.model.ids import fold, last_name
from crossfade.plan.operations import AddMember, AnyOperation, GrantRole, RetractAssignment
from crossfade.plan.plan import Plan

FRESH_S = 240.0
"""Shorter than from one look at the people of a wave to the next: who was missing is read anew."""


class Given:
    """Of one plan. One list per application group, directory group and workspace serves all their people."""

    def __init__(self, services: Services, plan: Plan, clock: Clock, groups: GroupIds, needs: Preconditions) -> None:
        self._services = services
        self._groups = groups
        self._needs = needs
        self._operations = {one.id: one for one in plan.operations}
        self._targets = {fold(group.source): group.target for group in plan.access}
        self._granted: Recent[set[tuple[str, str]]] = Recent(clock, FRESH_S)
        self._inside: Recent[set[str]] = Recent(clock, FRESH_S)
        self._workspaces: Recent[str] = Recent(clock, FRESH_S)

    async def missing(self, operations: Sequence[RetractAssignment]) -> dict[str, str]:
        """Operation -> what is not there any more of what its person has on the target instead. Empty when all is.
        Whoever has left the directory misses nothing."""
        found: dict[str, str] = {}
        people: dict[str, str] = {}
        for one in operations:
            given = [self._operations[name] for name in self._needs.needs(one)]
            what = await self._not_shown(one) or await self._not_given(given)
            if what:
                found[one.id] = what
                people[one.id] = _person(given)
        there = await self._services.graph.objects(filter(None, people.values()), ("user",)) if found else []
        known = {fold(str(user["id"])) for user in there} | {""}
        return {name: what for name, what in found.items() if fold(people[name]) in known}

    async def _not_shown(self, operation: RetractAssignment) -> str:
        """Whichever workspace it is in: somebody may have moved it to another one."""
        target = self._targets.get(fold(operation.group))
        if target is None or await self._workspaces.get(fold(target), lambda: self._workspace_of(target)):
            return ""
        return f"{last_name(target)} is in no workspace"

    async def _workspace_of(self, group: str) -> str:
        """The workspace that lists a group; empty for none."""
        named = await self._properties_of(group)
        workspace = str(named.get("workspaceArmPath") or "")
        listed = (await self._properties_of(workspace)).get("applicationGroupReferences") if workspace else None
        return workspace if fold(group) in map(fold, listed or []) else ""

    async def _properties_of(self, subject: str) -> dict[str, Any]:
        return dict((await self._services.arm.find(subject) or {}).get("properties") or {})

    async def _not_given(self, given: Iterable[AnyOperation]) -> str:
        for one in given:
            if isinstance(one, GrantRole) and not await self._is_granted(one):
                return f"{one.principal_label} has no role on {last_name(one.scope)}"
            if isinstance(one, AddMember) and not await self._is_member(one):
                return f"{one.member_label} is not in {one.subject}"
        return ""

    async def _is_granted(self, grant: GrantRole) -> bool:
        try:
            principal = await self._groups.of(grant.principal)
        except StepFailed:
            return False
        granted = await self._granted.get(fold(grant.scope), lambda: self._grants(grant.scope))
        return (fold(principal), fold(grant.role)) in granted

    async def _grants(self, scope: str) -> set[tuple[str, str]]:
        """Principal and role of every assignment at a scope and above; none on what is gone."""
        try:
            rows = [row.get("properties") or {} for row in await self._services.arm.access.grants(scope, "atScope()")]
        except NotFound:
            return set()
        return {(fold(str(row.get("principalId"))), fold(last_name(str(row.get("roleDefinitionId"))))) for row in rows}

    async def _is_member(self, one: AddMember) -> bool:
        try:
            group = await self._groups.of(one.subject)
            inside = await self._inside.get(group, lambda: self._people_in(group))
        except (NotFound, StepFailed):
            return False
        return fold(one.member) in inside

    async def _people_in(self, group: str) -> set[str]:
        return {fold(one) for one in await self._services.graph.people_ids(group)}


def _person(given: Iterable[AnyOperation]) -> str:
    """Object id of the person whom operations let in."""
    members = [one.member for one in given if isinstance(one, AddMember)]
    users = [one.principal for one in given if isinstance(one, GrantRole) and one.principal_type == "User"]
    return next(iter([*members, *users]), "")
