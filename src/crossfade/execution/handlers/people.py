"""Handlers of access: directory groups, members, role assignments, and the way out of a classic app group."""

from collections.abc import Mapping
from typing import Any

from crossfade.clock import Clock
from crossfade.cloud.arm import Arm
from crossfade.cloud.classic import Classic
from crossfade.cloud.graph import Graph
from crossfade.errors import CloudError, Forbidden, NotFound, StepFailed
from crossfade.execution.handlers.departed import has_left, is_stuck
from crossfade.execution.recent import Recent
from crossfade.execution.steps import Facts
from crossfade.execution.undone import GONE
from crossfade.model.ids import fold, last_name
from crossfade.plan.membership import Promise, broken
from crossfade.plan.operations import AddMember, CreateDirectoryGroup, GrantRole, RetractAssignment

GROUP_PREFIX = "group:"
UNKNOWN = "PrincipalNotFound"
USER = "User"
LIST_FRESH_S = 600.0
MORE = 1_000
"""How many people too many are read of a group, so that they can be named; beyond, it is only said to be larger."""


class DirectoryGroups:
    """New Entra groups. Their mail nickname is their identity: a rerun finds what an earlier try made."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def observe(self, operation: CreateDirectoryGroup) -> Facts | None:
        """Always looked up and made in one go by `apply`."""
        return None

    async def apply(self, operation: CreateDirectoryGroup) -> Facts:
        if operation.prior_id:
            return {"group_id": operation.prior_id}
        group = await self._graph.ensure_group(
            operation.display_name, operation.mail_nickname, operation.description, operation.owners
        )
        return {"group_id": group["id"]}

    async def undo(self, operation: CreateDirectoryGroup) -> Facts:
        if operation.prior_id:
            return {"left": True}
        for group in await self._graph.groups_named(operation.display_name):
            if group.get("mailNickname") == operation.mail_nickname:
                await self._graph.delete_group(group["id"])
        return {"deleted": True}


class GroupIds:
    """Object ids of the groups of a plan, by `group:<mail nickname>`; looked up once a group exists."""

    def __init__(self, graph: Graph, created: dict[str, CreateDirectoryGroup]) -> None:
        self._graph = graph
        self._created = created
        self._known: dict[str, str] = {}

    async def of(self, principal: str) -> str:
        """The object id a principal stands for; an object id stands for itself. Raises StepFailed."""
        if not principal.startswith(GROUP_PREFIX):
            return principal
        if principal not in self._known:
            self._known[principal] = await self._find(self._created[principal])
        return self._known[principal]

    async def _find(self, operation: CreateDirectoryGroup) -> str:
        if operation.prior_id:
            return operation.prior_id
        for group in await self._graph.groups_named(operation.display_name):
            if group.get("mailNickname") == operation.mail_nickname:
                return str(group["id"])
        raise StepFailed(
            f"The group {operation.display_name} is not in the directory.",
            "It was made by this run and has gone since.",
            "Put it back under its name and mail nickname, with its people and its role; then `crossfade resume`. Or "
            "`crossfade rollback`, and apply anew.",
        )


class Grants:
    """Role assignments. `promises`: what the plan counts on of each existing group, by folded scope and principal."""

    def __init__(
        self, arm: Arm, graph: Graph, groups: GroupIds, promises: Mapping[tuple[str, str], Promise] | None = None
    ) -> None:
        self._access = arm.access
        self._graph = graph
        self._groups = groups
        self._promises = promises or {}

    async def observe(self, operation: GrantRole) -> Facts | None:
        found = await self._access.find_grant(operation.subject)
        return {"assignment": found["id"]} if found else None

    async def apply(self, operation: GrantRole) -> Facts:
        """Raises StepFailed, with nothing written, where an existing group is not what the plan counts on any more.
        Somebody who has left the directory since the plan is told and given nothing."""
        promise = self._promises.get((fold(operation.scope), fold(operation.principal)))
        if promise is not None:
            await self._look_again(promise)
        try:
            return await self._grant(operation)
        except CloudError as error:
            person = error.service_code == UNKNOWN and operation.principal_type == USER
            if not person or not await has_left(self._graph, operation.principal):
                raise
        return {GONE: operation.principal_label}

    async def _grant(self, operation: GrantRole) -> Facts:
        found = await self._access.grant(
            operation.scope,
            last_name(operation.subject),
            role=operation.role,
            principal_id=await self._groups.of(operation.principal),
            principal_type=operation.principal_type,
            extra={"condition": operation.condition, "conditionVersion": "2.0"} if operation.condition else None,
        )
        return {"assignment": found["id"]}

    async def _look_again(self, promise: Promise) -> None:
        """The group's people at the moment of the grant, which publishes all of them."""
        try:
            inside = await self._graph.some_people_in(promise.group, promise.most() + MORE)
        except (NotFound, Forbidden):
            inside = None
        names = {fold(one): upn for one, upn in (inside or {}).items() if upn}
        wrong = broken(promise, inside, names)
        if wrong:
            raise StepFailed(
                f"The group {promise.display_name} is not published.",
                " ".join(f"It {what}" for what, _ in wrong),
                " ".join([*(mend for _, mend in wrong), "When it is mended: `crossfade resume`."]),
            )

    async def undo(self, operation: GrantRole) -> Facts:
        if operation.prior:
            return {"left": True}
        await self._access.revoke(operation.subject)
        return {"revoked": True}


class Members:
    """People in the groups of a plan. Who is in is read once per group and a while, not once per person."""

    def __init__(self, graph: Graph, groups: GroupIds, clock: Clock) -> None:
        self._graph = graph
        self._groups = groups
        self._inside: Recent[list[str]] = Recent(clock, LIST_FRESH_S)

    async def observe(self, operation: AddMember) -> Facts | None:
        group = await self._groups.of(operation.subject)
        inside = await self._inside.get(group, lambda: self._graph.people_ids(group))
        return {"group_id": group} if fold(operation.member) in {fold(one) for one in inside} else None

    async def apply(self, operation: AddMember) -> Facts:
        """Somebody who has left the directory since the plan is told and added to nothing."""
        group = await self._groups.of(operation.subject)
        try:
            await self._graph.add_members(group, [operation.member])
        except NotFound:
            if not await has_left(self._graph, operation.member):
                raise
            return {GONE: operation.member_label}
        return {"group_id": group}

    async def undo(self, operation: AddMember) -> Facts:
        """A group that has gone has no members any more."""
        if operation.prior:
            return {"left": True}
        try:
            group = await self._groups.of(operation.subject)
        except StepFailed:
            return {"absent": True}
        await self._graph.remove_member(group, operation.member)
        self._inside.forget(group)
        return {"removed": True}


class Retractions:
    """People out of classic app groups, and back in on the way back. Classic writes nothing for somebody who has left
    the directory: they are told, and stop nobody else's way."""

    def __init__(self, classic: Classic, clock: Clock) -> None:
        self._classic = classic
        self._assigned: Recent[list[dict[str, Any]]] = Recent(clock, LIST_FRESH_S)

    async def observe(self, operation: RetractAssignment) -> Facts | None:
        rows = await self._assigned.get(
            fold(operation.group), lambda: self._classic.rows("AssignedUsers", operation.group)
        )
        there = {fold(row.get("userPrincipalName") or "") for row in rows}
        return None if fold(operation.upn) in there else {"retracted": True}

    async def apply(self, operation: RetractAssignment) -> Facts:
        try:
            await self._classic.unassign_user(operation.group, operation.upn)
        except NotFound:
            return {"retracted": True}
        except CloudError as error:
            if not is_stuck(error):
                raise
            return {"retracted": False, GONE: operation.upn}
        return {"retracted": True}

    async def undo(self, operation: RetractAssignment) -> Facts:
        try:
            await self._classic.assign_user(operation.group, operation.upn)
        except CloudError as error:
            if not is_stuck(error):
                raise
            return {"assigned": False, GONE: operation.upn}
        return {"assigned": True}
